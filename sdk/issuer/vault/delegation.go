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

// A Delegation is that a holder lets a helper act for them (帮办代办): with some licences, for one matter, in
// some ways, until a day.
type Delegation struct {
	ID         ItemID
	Holder     string // id, in its canonical form
	HolderName string // "" if it is not known, up to 256 bytes
	Helper     string // id, in its canonical form
	Licences   []ID   // 1 to 50
	Matter     string // id, 1 to 64 bytes
	Ways       []string
	Given      time.Time
	Until      licence.Date // last day
	Ended      *time.Time   // when it was withdrawn; nil: it was not
	Acts       int64        // number of them
}

// Bounds of a delegation.
const (
	MaxDelegated = 50 // licences
	maxWays      = 8
	maxWay       = 16 // bytes
	maxMatter    = 64 // bytes
)

// Open reports whether the helper may act on a day.
func (d *Delegation) Open(today licence.Date) bool { return d.Ended == nil && today <= d.Until }

// check refuses one that is not of its form.
func (d *Delegation) check() error {
	switch {
	case d.Holder == d.Helper:
		return errorf(CodeArgument, nil, "nobody is their own helper")
	case len(d.Licences) == 0 || len(d.Licences) > MaxDelegated || len(d.Ways) == 0 || len(d.Ways) > maxWays:
		return errorf(CodeArgument, nil, "a delegation is for 1 to %d licences, in 1 to %d ways", MaxDelegated, maxWays)
	case d.Matter == "" || len(d.Matter) > maxMatter || len(d.HolderName) > maxName:
		return errorf(CodeArgument, nil, "a delegation has a matter of 1 to %d bytes, and a name of up to %d", maxMatter, maxName)
	case slices.ContainsFunc(d.Ways, func(w string) bool { return w == "" || len(w) > maxWay }):
		return errorf(CodeArgument, nil, "a way has 1 to %d bytes", maxWay)
	case slices.ContainsFunc(d.Licences, func(id ID) bool { return id <= 0 }):
		return errorf(CodeArgument, nil, "a licence has an id of this vault")
	}
	return nil
}

// Delegate keeps a delegation; ID, Given, Ended and Acts are filled in.
func (t *Tx) Delegate(d *Delegation) error {
	if err := d.check(); err != nil {
		return err
	}
	holder, err := t.v.person(d.Holder)
	if err != nil {
		return err
	}
	helper, err := t.v.person(d.Helper)
	if err != nil {
		return err
	}
	if d.ID, err = newItemID(); err != nil {
		return err
	}
	d.Given, d.Ended, d.Acts = time.Unix(t.at, 0).UTC(), nil, 0
	b := dcbor.AppendArray(nil, 6)
	b = dcbor.AppendText(dcbor.AppendText(dcbor.AppendText(b, d.Holder), d.HolderName), d.Helper)
	b = dcbor.AppendArray(dcbor.AppendText(b, d.Matter), len(d.Licences))
	for _, id := range d.Licences {
		b = dcbor.AppendUint(b, uint64(id))
	}
	b = dcbor.AppendArray(b, len(d.Ways))
	for _, w := range d.Ways {
		b = dcbor.AppendText(b, w)
	}
	sealed, err := t.v.sealRecord(purposeDelegation, d.ID[:], b)
	if err != nil {
		return err
	}
	_, err = t.exec("keep a delegation", "INSERT INTO vault_delegation (id, holder, helper, given_at, until, acts, sealed) VALUES ($1, $2, $3, $4, $5, 0, $6)",
		d.ID[:], holder, helper, t.at, int64(d.Until), sealed)
	return err
}

// EndDelegation withdraws a delegation, for good. One that was withdrawn before stays as it was.
func (t *Tx) EndDelegation(id ItemID) error {
	_, err := t.exec("withdraw a delegation", "UPDATE vault_delegation SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL", t.at, id[:])
	return err
}

// An Act is one thing that a helper did.
type Act struct {
	At      time.Time
	Act     string // 1 to 16 bytes
	Licence ID
}

// Act notes that a helper now does something under a delegation in one of its ways, and refuses what is not under
// it: from a withdrawal on, nothing is. Errors: CodeDelegationEnded, CodeDelegationLimits.
func (t *Tx) Act(id ItemID, helper, way, act string, with ID) error {
	if act == "" || len(act) > maxWay {
		return errorf(CodeArgument, nil, "an act has 1 to %d bytes", maxWay)
	}
	// The row is changed before it is looked at, so that nobody withdraws it meanwhile.
	n, err := t.exec("act for somebody", "UPDATE vault_delegation SET acts = acts + 1 WHERE id = $1 AND ended_at IS NULL AND until >= $2",
		id[:], int64(licence.DateOf(time.Unix(t.at, 0))))
	if err != nil {
		return err
	}
	ended := errorf(CodeDelegationEnded, nil, "the delegation was withdrawn, or is over")
	if n == 0 {
		return ended
	}
	d, err := t.v.delegation(t.ctx, t.tx, id)
	switch {
	case err != nil:
		return err
	case d.Helper != helper:
		return ended
	case !slices.Contains(d.Ways, way) || !slices.Contains(d.Licences, with):
		return errorf(CodeDelegationLimits, nil, "the delegation is not for this")
	}
	_, err = t.exec("note what a helper did", "INSERT INTO vault_act (delegation, at, act, licence) VALUES ($1, $2, $3, $4)", id[:], t.at, act, int64(with))
	return err
}

// Acts returns up to limit things that the helper did under a delegation, newest first.
func (v *Vault) Acts(ctx context.Context, id ItemID, limit int) ([]Act, error) {
	var out []Act
	err := sqldb.Select(ctx, v.db.Read(), "SELECT at, act, licence FROM vault_act WHERE delegation = $1 ORDER BY id DESC LIMIT $2", []any{id[:], limit}, func(rows *sql.Rows) error {
		var a Act
		var at int64
		err := rows.Scan(&at, &a.Act, &a.Licence)
		a.At = time.Unix(at, 0).UTC()
		out = append(out, a)
		return sqldb.Wrap("read what a helper did", err)
	})
	return out, err
}

const selectDelegation = "SELECT id, given_at, until, ended_at, acts, sealed FROM vault_delegation "

// Delegation returns a delegation by its id. Error: CodeUnknown.
func (v *Vault) Delegation(ctx context.Context, id ItemID) (*Delegation, error) {
	return v.delegation(ctx, v.db.Read(), id)
}

func (v *Vault) delegation(ctx context.Context, q sqldb.Querier, id ItemID) (*Delegation, error) {
	found, err := v.delegations(ctx, q, "WHERE id = $1", id[:])
	if err == nil && len(found) == 0 {
		err = errorf(CodeUnknown, nil, "there is no such delegation in the vault")
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// DelegationsBy returns up to limit delegations that a holder gave, newest first.
func (v *Vault) DelegationsBy(ctx context.Context, holder string, limit int) ([]*Delegation, error) {
	p, err := v.person(holder)
	if err != nil {
		return nil, err
	}
	return v.delegations(ctx, v.db.Read(), "WHERE holder = $1 ORDER BY given_at DESC, id LIMIT $2", p, limit)
}

// DelegationsTo returns up to limit delegations to a helper, newest first.
func (v *Vault) DelegationsTo(ctx context.Context, helper string, limit int) ([]*Delegation, error) {
	p, err := v.person(helper)
	if err != nil {
		return nil, err
	}
	return v.delegations(ctx, v.db.Read(), "WHERE helper = $1 ORDER BY given_at DESC, id LIMIT $2", p, limit)
}

func (v *Vault) delegations(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]*Delegation, error) {
	var out []*Delegation
	err := sqldb.Select(ctx, q, selectDelegation+where, args, func(rows *sql.Rows) error {
		d := new(Delegation)
		var id, sealed []byte
		var given, until int64
		var ended *int64
		err := rows.Scan(&id, &given, &until, &ended, &d.Acts, &sealed)
		if err != nil {
			return sqldb.Wrap("read a delegation", err)
		}
		if d.ID, err = itemID(id, "a delegation"); err != nil {
			return err
		}
		d.Given, d.Until, d.Ended = time.Unix(given, 0).UTC(), licence.Date(until), timeOf(ended)
		out = append(out, d)
		return v.readDelegation(d, sealed)
	})
	return out, err
}

// readDelegation reads what is sealed of a delegation.
func (v *Vault) readDelegation(d *Delegation, sealed []byte) error {
	plain, err := v.unsealRecord(purposeDelegation, d.ID[:], sealed)
	if err != nil {
		return err
	}
	r := dcbor.NewReader(plain)
	r.ArrayOf(6)
	d.Holder, d.HolderName, d.Helper = string(r.Text(maxName)), string(r.Text(maxName)), string(r.Text(maxName))
	d.Matter = string(r.Text(maxMatter))
	for range r.Array(MaxDelegated) {
		d.Licences = append(d.Licences, ID(r.Uint(1<<63-1)))
	}
	for range r.Array(maxWays) {
		d.Ways = append(d.Ways, string(r.Text(maxWay)))
	}
	if !r.OK() || len(r.Rest()) != 0 {
		return damaged("a delegation")
	}
	return nil
}
