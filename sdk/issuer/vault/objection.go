package vault

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sqldb"
)

// What an objection can be about.
const (
	AboutVerdict  = "verdict"  // what a verification said
	AboutState    = "state"    // whether the licence holds
	AboutContents = "contents" // what the licence says
	AboutAccess   = "access"   // who looked at it
)

// What can come of an objection.
const (
	Upheld       = "upheld"
	PartlyUpheld = "partly-upheld"
	NotUpheld    = "not-upheld"
)

// The states of an objection.
const (
	ObjectionOpen     = "open"
	ObjectionAnswered = "answered"
)

// MaxObjection is the greatest length of an objection and of the answer to it, in bytes.
const MaxObjection = 8 << 10

// An Objection (异议) is a holder's, and is to be answered by staff.
type Objection struct {
	ID      ItemID
	Licence ID
	About   string // one of those above
	Text    string // 1 to MaxObjection bytes
	By      By     // who objected; they are told of by their masked id
	Made    time.Time
	Due     licence.Date // last day on which an answer is in time
	Settled *Settlement  // nil: it is open
	Rated   bool         // how it was dealt with
}

// A Settlement is the answer to an objection.
type Settlement struct {
	At      time.Time
	Outcome string // one of those above
	Text    string // 1 to MaxObjection bytes
	By      By
}

// Late reports whether it was answered after its last day, or is open after it.
func (o *Objection) Late(now time.Time) bool {
	if o.Settled != nil {
		now = o.Settled.At
	}
	return licence.DateOf(now) > o.Due
}

func checkObjectionText(text string) error {
	if text == "" || len(text) > MaxObjection {
		return errorf(CodeArgument, nil, "an objection and its answer have 1 to %d bytes", MaxObjection)
	}
	return nil
}

// Object keeps an objection of a person: Licence, About, Text and Due are taken from o, the rest is filled in.
func (t *Tx) Object(person string, o *Objection) error {
	p, err := t.v.person(person)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{AboutVerdict, AboutState, AboutContents, AboutAccess}, o.About) {
		return errorf(CodeArgument, nil, "an objection is about verdict, state, contents or access")
	}
	if err := checkObjectionText(o.Text); err != nil {
		return err
	}
	if o.ID, err = newItemID(); err != nil {
		return err
	}
	o.By, o.Made, o.Settled, o.Rated = t.by, time.Unix(t.at, 0).UTC(), nil, false
	sealed, err := t.v.sealRecord(purposeObjection, o.ID[:], appendSaid(&t.by, o.Text))
	if err != nil {
		return err
	}
	_, err = t.exec("keep an objection", "INSERT INTO vault_objection (id, licence, person, about, made_at, due, outcome, made) VALUES ($1, $2, $3, $4, $5, $6, '', $7)",
		o.ID[:], int64(o.Licence), p, o.About, t.at, int64(o.Due), sealed)
	return err
}

// SettleObjection answers an objection; Outcome and Text are taken from s, the rest is filled in. The person who
// objected can rate how it was dealt with: the id of the use is that of the objection.
//
// Errors: CodeObjectionUnknown, CodeSettled.
func (t *Tx) SettleObjection(id ItemID, s *Settlement) error {
	if !slices.Contains([]string{Upheld, PartlyUpheld, NotUpheld}, s.Outcome) {
		return errorf(CodeArgument, nil, "an objection is upheld, partly-upheld or not-upheld")
	}
	if err := checkObjectionText(s.Text); err != nil {
		return err
	}
	s.At, s.By = time.Unix(t.at, 0).UTC(), t.by
	sealed, err := t.v.sealRecord(purposeSettlement, id[:], appendSaid(&t.by, s.Text))
	if err != nil {
		return err
	}
	n, err := t.exec("answer an objection", "UPDATE vault_objection SET settled_at = $1, outcome = $2, settled = $3 WHERE id = $4 AND settled_at IS NULL",
		t.at, s.Outcome, sealed, id[:])
	if err != nil {
		return err
	}
	if n == 0 {
		if _, err := t.v.objection(t.ctx, t.tx, id); err != nil {
			return err
		}
		return errorf(CodeSettled, nil, "the objection was answered before")
	}
	_, err = t.exec("answer an objection", "INSERT INTO vault_use (id, person, kind, matter, at, rated) SELECT id, person, CAST($1 AS TEXT), '', CAST($2 AS BIGINT), FALSE FROM vault_objection WHERE id = $3",
		UseObjection, t.at, id[:])
	return err
}

// appendSaid writes who said something, and what.
func appendSaid(by *By, text string) []byte {
	return dcbor.AppendText(appendBy(dcbor.AppendArray(nil, 2), by), text)
}

func (v *Vault) readSaid(purpose string, id ItemID, sealed []byte) (by By, text string, err error) {
	plain, err := v.unsealRecord(purpose, id[:], sealed)
	if err != nil {
		return by, "", err
	}
	r := dcbor.NewReader(plain)
	r.ArrayOf(2)
	by, text = readBy(&r), string(r.Text(MaxObjection))
	if !r.OK() || len(r.Rest()) != 0 {
		return by, "", damaged("an objection")
	}
	return by, text, nil
}

const selectObjection = "SELECT o.id, o.licence, o.about, o.made_at, o.due, o.settled_at, o.outcome, o.made, o.settled, COALESCE(u.rated, FALSE) " +
	"FROM vault_objection o LEFT JOIN vault_use u ON u.id = o.id "

// Objection returns an objection by its id. Error: CodeObjectionUnknown.
func (v *Vault) Objection(ctx context.Context, id ItemID) (*Objection, error) {
	return v.objection(ctx, v.db.Read(), id)
}

func (v *Vault) objection(ctx context.Context, q sqldb.Querier, id ItemID) (*Objection, error) {
	found, err := v.objections(ctx, q, "WHERE o.id = $1", id[:])
	if err == nil && len(found) == 0 {
		err = errorf(CodeObjectionUnknown, nil, "there is no such objection in the vault")
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Objections returns up to limit objections: with ObjectionOpen those to be answered, the most urgent first; with
// ObjectionAnswered those answered, the newest answer first.
func (v *Vault) Objections(ctx context.Context, state string, limit int) ([]*Objection, error) {
	switch state {
	case ObjectionOpen:
		return v.objections(ctx, v.db.Read(), "WHERE o.settled_at IS NULL ORDER BY o.due, o.made_at, o.id LIMIT $1", limit)
	case ObjectionAnswered:
		return v.objections(ctx, v.db.Read(), "WHERE o.settled_at IS NOT NULL ORDER BY o.settled_at DESC, o.id LIMIT $1", limit)
	}
	return nil, errorf(CodeArgument, nil, "an objection is open or answered")
}

// ObjectionsBy returns up to limit objections of a person, newest first.
func (v *Vault) ObjectionsBy(ctx context.Context, person string, limit int) ([]*Objection, error) {
	p, err := v.person(person)
	if err != nil {
		return nil, err
	}
	return v.objections(ctx, v.db.Read(), "WHERE o.person = $1 ORDER BY o.made_at DESC, o.id LIMIT $2", p, limit)
}

func (v *Vault) objections(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]*Objection, error) {
	var out []*Objection
	err := sqldb.Select(ctx, q, selectObjection+where, args, func(rows *sql.Rows) error {
		o := new(Objection)
		var id, made, settled []byte
		var madeAt, due int64
		var settledAt *int64
		var outcome string
		err := rows.Scan(&id, &o.Licence, &o.About, &madeAt, &due, &settledAt, &outcome, &made, &settled, &o.Rated)
		if err != nil {
			return sqldb.Wrap("read an objection", err)
		}
		if o.ID, err = itemID(id, "an objection"); err != nil {
			return err
		}
		o.Made, o.Due = time.Unix(madeAt, 0).UTC(), licence.Date(due)
		if o.By, o.Text, err = v.readSaid(purposeObjection, o.ID, made); err != nil {
			return err
		}
		if settledAt != nil {
			o.Settled = &Settlement{At: time.Unix(*settledAt, 0).UTC(), Outcome: outcome}
			if o.Settled.By, o.Settled.Text, err = v.readSaid(purposeSettlement, o.ID, settled); err != nil {
				return err
			}
		}
		out = append(out, o)
		return nil
	})
	return out, err
}

// ObjectionTotals are the objections that were made in some time, and those that were answered in it.
type ObjectionTotals struct {
	Received uint64
	Settled  uint64
	InTime   uint64 // of those answered
	Days     uint64 // from the day of each objection to that of its answer, together
}

// ObjectionTotals counts objections from one time to before another.
func (v *Vault) ObjectionTotals(ctx context.Context, from, until time.Time) (ObjectionTotals, error) {
	var out ObjectionTotals
	err := v.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM vault_objection WHERE made_at >= $1 AND made_at < $2", from.Unix(), until.Unix()).Scan(&out.Received)
	if err != nil {
		return out, sqldb.Wrap("count objections", err)
	}
	err = sqldb.Select(ctx, v.db.Read(), "SELECT made_at, due, settled_at FROM vault_objection WHERE settled_at >= $1 AND settled_at < $2", []any{from.Unix(), until.Unix()}, func(rows *sql.Rows) error {
		var made, due, settled int64
		if err := rows.Scan(&made, &due, &settled); err != nil {
			return sqldb.Wrap("count objections", err)
		}
		first, last := licence.DateOf(time.Unix(made, 0)), licence.DateOf(time.Unix(settled, 0))
		out.Settled++
		if int64(last) <= due {
			out.InTime++
		}
		out.Days += uint64(max(last-first, 0))
		return nil
	})
	return out, err
}
