package vault

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// An ID names a licence in one vault: from 1, in the order in which they were put in.
type ID int64

// A Licence is what the vault says about a licence without opening it.
type Licence struct {
	ID          ID
	Batch       int64
	Type        string
	Digest      sm.Hash // its name on the ledger
	Root        sm.Hash // of its batch
	Index       uint32  // in its batch
	BatchState  string  // Pending, Anchored, Delivered
	IssuedAt    uint64
	Since       *licence.Date // first day: of issue or of validity, whichever is earlier; nil: lost
	ValidUntil  *licence.Date // nil: for good, or lost
	Predecessor ID            // 0: none, or not in this vault

	State    licence.State // the more restrictive of its own and that of the whole root
	Own      licence.State // its own
	Sequence uint32        // number of the changes of its own state on the ledger

	HoldsNumber bool       // no other licence of the type may have its number
	Lost        bool       // the ledger has it, but the vault has lost what it says
	ErasedAt    *time.Time // nil: it was not erased
}

const selectLicence = "SELECT l.id, l.batch, t.name, SUBSTR(b.digests, CAST((l.id - b.first) * 32 + 1 AS INTEGER), 32), b.root, l.id - b.first, b.state, b.issued_at, " +
	"l.since, l.valid_until, l.predecessor, l.state, b.root_state, l.sequence, l.number IS NULL, l.released = 0, l.erased_at " +
	"FROM vault_licence l JOIN vault_batch b ON b.id = l.batch JOIN vault_type t ON t.id = l.type "

// Licence returns a licence by its id. Error: CodeUnknown.
func (v *Vault) Licence(ctx context.Context, id ID) (*Licence, error) {
	return oneLicence(ctx, v.db.Read(), selectLicence+"WHERE l.id = $1", int64(id))
}

// At returns the licence at a place under a root. Error: CodeUnknown.
func (v *Vault) At(ctx context.Context, root sm.Hash, index uint32) (*Licence, error) {
	return oneLicence(ctx, v.db.Read(), selectLicence+"WHERE b.root = $1 AND l.id = b.first + $2 AND b.size > $2", root[:], int64(index))
}

// ByNumber returns the licences of a type that have or had a number, newest first: at most one of them
// holds it. The number is in its canonical form.
func (v *Vault) ByNumber(ctx context.Context, typ, number string) ([]*Licence, error) {
	n := v.numberer(typ).number(number)
	return licences(ctx, v.db.Read(), selectLicence+"WHERE l.number = $1 ORDER BY l.id DESC", n[:])
}

// ByHolder returns up to limit licences of some types of a holder with ids below one, newest first; 0: from the
// newest.
func (v *Vault) ByHolder(ctx context.Context, holder string, types []string, before ID, limit int) ([]*Licence, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	if len(types) == 0 {
		return nil, nil
	}
	h := v.holderNamer().holder(holder)
	where, args := oneOf("t.name", types, []any{h[:], int64(before), limit})
	return licences(ctx, v.db.Read(), selectLicence+"JOIN vault_holder h ON h.licence = l.id WHERE h.holder = $1 AND h.licence < $2 AND "+where+
		" ORDER BY h.licence DESC LIMIT $3", args...)
}

// oneOf returns the condition that a column has one of some texts, which are added to the arguments.
func oneOf(column string, texts []string, args []any) (string, []any) {
	places := make([]string, len(texts))
	for i, text := range texts {
		args = append(args, text)
		places[i] = fmt.Sprint("$", len(args))
	}
	return column + " IN (" + strings.Join(places, ", ") + ")", args
}

// Expiring returns up to limit licences of a type that are active or suspended and whose last day of
// validity is from one day to another, with ids after one, in the order of their ids.
func (v *Vault) Expiring(ctx context.Context, typ string, from, to licence.Date, after ID, limit int) ([]*Licence, error) {
	return licences(ctx, v.db.Read(), selectLicence+
		"WHERE l.type = (SELECT id FROM vault_type WHERE name = $1) AND l.ends >= $2 AND l.ends <= $3 AND l.released = 0 AND l.id > $4 ORDER BY l.id LIMIT $5",
		typ, int64(from), int64(to), int64(after), limit)
}

func oneLicence(ctx context.Context, q sqldb.Querier, query string, args ...any) (*Licence, error) {
	found, err := licences(ctx, q, query, args...)
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no such licence in the vault")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

func licences(ctx context.Context, q sqldb.Querier, query string, args ...any) ([]*Licence, error) {
	var out []*Licence
	err := sqldb.Select(ctx, q, query, args, func(rows *sql.Rows) error {
		l := new(Licence)
		var digest, root []byte
		var since, until, erasedAt *int64
		var rootState licence.State
		if err := rows.Scan(&l.ID, &l.Batch, &l.Type, &digest, &root, &l.Index, &l.BatchState, &l.IssuedAt,
			&since, &until, &l.Predecessor, &l.Own, &rootState, &l.Sequence, &l.Lost, &l.HoldsNumber, &erasedAt); err != nil {
			return sqldb.Wrap("read a licence", err)
		}
		if len(digest) != sm.HashSize || len(root) != sm.HashSize {
			return damaged("a batch")
		}
		l.Digest, l.Root, l.State = sm.Hash(digest), sm.Hash(root), restrictive(l.Own, rootState)
		l.Since, l.ValidUntil = dayOf(since), dayOf(until)
		if erasedAt != nil {
			at := time.Unix(*erasedAt, 0).UTC()
			l.ErasedAt = &at
		}
		out = append(out, l)
		return nil
	})
	return out, err
}

// dayOf returns a day as a table has it.
func dayOf(day *int64) *licence.Date {
	if day == nil {
		return nil
	}
	d := licence.Date(*day)
	return &d
}

// restrictive returns the more restrictive of two states.
func restrictive(a, b licence.State) licence.State {
	if b.Restrictiveness() > a.Restrictiveness() {
		return b
	}
	return a
}

// alive reports whether a licence in a state keeps its number from others.
func alive(s licence.State) bool { return s == licence.Active || s == licence.Suspended }
