package vault

import (
	"database/sql"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// A Change is one change of a state that the ledger has accepted.
type Change struct {
	To        licence.State
	Effective licence.Date // first day of the new state
	Sequence  uint32       // of the change on the ledger, 1 for the first
}

// SetState notes the state that the ledger has given to a licence itself. A change that the vault knows
// already, by its sequence, is not an error. A licence that is revoked or superseded gives its number
// free; one that is not any more takes it again.
//
// Errors: CodeUnknown, CodeArgument; CodeNumberTaken if another licence has taken the number meanwhile,
// which TakeNumber, before the ledger is asked, keeps from happening.
func (t *Tx) SetState(id ID, c Change) error {
	if !c.To.Valid() || c.Sequence == 0 {
		return errorf(CodeArgument, nil, "a change of state has one of the four states and a number from 1")
	}
	if err := t.takeTurn(); err != nil {
		return err
	}
	changed, err := t.setOwn(id, c, true)
	if err != nil || !changed {
		return err
	}
	return t.record(ActionState, 0, id)
}

// TakeNumber has a licence that is to be active or suspended again take its number, before the ledger is asked: from
// then on nobody else gets it. If the ledger does not make the change, LeaveNumbers gives it free.
//
// Errors: CodeUnknown; CodeNumberTaken if another licence holds the number.
func (t *Tx) TakeNumber(id ID) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	rows, err := t.standings("l.id = $1", int64(id))
	if err != nil {
		return err
	}
	if err := t.mayHold(&rows[0]); err != nil {
		return err
	}
	_, err = t.exec("take a licence number", "UPDATE vault_licence SET released = 0 WHERE id = $1", int64(id))
	return err
}

// LeaveNumbers gives free what licences have taken by TakeNumber that have not come back after all; no ids: all that
// were left so, by whoever was interrupted. Of the latter it looks at every licence.
func (t *Tx) LeaveNumbers(ids ...ID) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	const leave = "UPDATE vault_licence SET released = id WHERE released = 0 AND state IN ('revoked', 'superseded')"
	if len(ids) == 0 {
		_, err := t.exec("leave licence numbers", leave)
		return err
	}
	for _, id := range ids {
		if _, err := t.exec("leave a licence number", leave+" AND id = $1", int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// A standing is what decides whether a licence holds its number, and when it ends.
type standing struct {
	id              ID
	number          []byte
	released        int64
	own, root       licence.State
	sequence        int64
	until, ended    *int64
	rootDay, erased *int64
}

// standings reads the standing of licences; CodeUnknown if there are none.
func (t *Tx) standings(where string, args ...any) ([]standing, error) {
	var out []standing
	err := sqldb.Select(t.ctx, t.tx, "SELECT l.id, l.number, l.released, l.state, b.root_state, l.sequence, l.valid_until, l.ended, b.root_day, l.erased_at "+
		"FROM vault_licence l JOIN vault_batch b ON b.id = l.batch WHERE "+where, args, func(rows *sql.Rows) error {
		var s standing
		err := rows.Scan(&s.id, &s.number, &s.released, &s.own, &s.root, &s.sequence, &s.until, &s.ended, &s.rootDay, &s.erased)
		out = append(out, s)
		return sqldb.Wrap("read a licence", err)
	})
	if err == nil && len(out) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no such licence in the vault")
	}
	return out, err
}

// setOwn sets a licence's own state; see settle for strict. It reports false if the change was known.
func (t *Tx) setOwn(id ID, c Change, strict bool) (bool, error) {
	rows, err := t.standings("l.id = $1", int64(id))
	if err != nil {
		return false, err
	}
	s := &rows[0]
	if int64(c.Sequence) <= s.sequence {
		return false, nil
	}
	lived := alive(restrictive(s.own, s.root)) // then it has its number, or has passed it on
	s.own, s.sequence, s.ended = c.To, int64(c.Sequence), t.end(c)
	return true, t.settle(s, strict && !lived)
}

// end returns the day from which a change counts for how long what has ended is kept; nil: it ends nothing. That is not
// before the day on which the vault learns of it: who dates a change back cannot have anything erased by that.
func (t *Tx) end(c Change) *int64 {
	if alive(c.To) {
		return nil
	}
	day := int64(max(c.Effective, licence.DateOf(time.Unix(t.at, 0))))
	return &day
}

// settle writes the standing of a licence with what follows from it. A licence that takes its number again
// and finds it taken stays without, or if strict, is CodeNumberTaken.
func (t *Tx) settle(s *standing, strict bool) error {
	switch holds := alive(restrictive(s.own, s.root)); {
	case !holds:
		s.released = int64(s.id)
	case s.released != 0:
		switch err := t.mayHold(s); {
		case err == nil:
			s.released = 0
		case strict || Code(err) != CodeNumberTaken:
			return err
		}
	}
	var ends *int64
	if s.erased == nil {
		ends = earliest(s.until, s.ended, s.rootDay)
	}
	_, err := t.exec("write a state", "UPDATE vault_licence SET state = $1, sequence = $2, released = $3, ended = $4, ends = $5 WHERE id = $6",
		string(s.own), s.sequence, s.released, s.ended, ends, int64(s.id))
	return err
}

// mayHold makes sure that no other licence holds the number of a licence.
func (t *Tx) mayHold(s *standing) error {
	if s.number == nil {
		return nil
	}
	var others int
	err := t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM vault_licence WHERE number = $1 AND released = 0 AND id <> $2", s.number, int64(s.id)).Scan(&others)
	if err != nil {
		return sqldb.Wrap("look for a licence number", err)
	}
	if others > 0 {
		return errorf(CodeNumberTaken, nil, "another licence with the same number has been issued since; end that first")
	}
	return nil
}

// earliest returns the earliest of the days that are given, nil if none is.
func earliest(days ...*int64) (first *int64) {
	for _, d := range days {
		if d != nil && (first == nil || *d < *first) {
			first = d
		}
	}
	return first
}

// setRoot sets the state of a whole root, which is more restrictive or less than the licences' own ones.
// It reports false if the change was known.
func (t *Tx) setRoot(root sm.Hash, c Change) (batch int64, changed bool, err error) {
	b, err := t.v.batch(t.ctx, t.tx, "b.root = $1", root[:])
	if err != nil {
		return 0, false, err
	}
	n, err := t.exec("write a state", "UPDATE vault_batch SET root_state = $1, root_sequence = $2, root_day = $3 WHERE id = $4 AND root_sequence < $2",
		string(c.To), int64(c.Sequence), t.end(c), b.ID)
	if err != nil || n == 0 {
		return b.ID, false, err
	}
	rows, err := t.standings("l.batch = $1", b.ID)
	if err != nil {
		return b.ID, false, err
	}
	for i := range rows {
		if err := t.settle(&rows[i], false); err != nil {
			return b.ID, false, err
		}
	}
	return b.ID, true, nil
}

// SetRestriction notes a restriction that the ledger has laid or lifted, and settles its opening. In the history
// stands who kept that. One that the vault knows already is not an error. Error: CodeUnknown.
func (t *Tx) SetRestriction(r *statement.Restriction) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	l, err := oneLicence(t.ctx, t.tx, selectLicence+"WHERE b.root = $1 AND l.id = b.first + $2 AND b.size > $2", r.Licence.Root[:], int64(r.Licence.Index))
	if err != nil {
		return err
	}
	known, by, err := t.settleOpening(r.Ground)
	if err != nil || known {
		return err
	}
	if by == nil {
		by = &t.by
	}
	what := ActionRestricted
	if r.Action == statement.RestrictionLift {
		what = ActionReleased
	}
	return t.recordLines([]line{{what, 0, l.ID, by}})
}
