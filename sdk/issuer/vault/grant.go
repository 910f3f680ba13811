package vault

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// The states of a grant.
const (
	GrantKept      = "kept"      // in the vault, and perhaps on the ledger: it cannot be used yet
	GrantGiven     = "given"     // the ledger has it
	GrantWithdrawn = "withdrawn" // for good
)

// A Grant is a holder's signed leave to release fields of a licence, as the vault keeps it. What it says is the
// caller's to know.
type Grant struct {
	Digest      sm.Hash // its name on the ledger
	Licence     ID
	Signed      []byte // the signed statement
	Binding     []byte // the signed binding that goes with it; nil: none
	Uses, Used  uint32 // how many times it can be used, and was
	NotAfter    time.Time
	State       string
	Settled     bool // the ledger has it so
	KeptAt      time.Time
	By          By // who kept it
	WithdrawnAt *time.Time
	Withdrawal  *Withdrawal // nil: it was not withdrawn
}

// A Withdrawal takes a grant back.
type Withdrawal struct {
	Signed  []byte // the signed statement
	Binding []byte // that goes with it; nil: none
	By      By     // who kept it
}

// maxGrantStatement is the greatest length of a signed grant or withdrawal in bytes: keys of 202 fields.
const maxGrantStatement = 16 << 10

// AddGrant keeps a grant, which is GrantKept then: Digest, Licence, Signed, Binding, Uses and NotAfter are taken from g.
// It reports false if the vault has it already: one that was signed twice is one grant. The identification is
// what opens the evidence in it; nil if the holder has signed.
//
// Errors: CodeArgument; CodeUnknown; CodeErased if the licence was erased meanwhile.
func (t *Tx) AddGrant(g *Grant, identified *KeptIdentification) (bool, error) {
	if len(g.Signed) == 0 || len(g.Signed) > maxGrantStatement || len(g.Binding) > maxBindingStatement || g.Uses == 0 {
		return false, errorf(CodeArgument, nil, "a grant has a statement of 1 to %d bytes, and can be used", maxGrantStatement)
	}
	if err := t.notErased(g.Licence); err != nil {
		return false, err
	}
	if _, err := t.v.grant(t.ctx, t.tx, g.Digest); Code(err) != CodeUnknown {
		return false, err
	}
	sealed, err := t.v.sealRecord(purposeGrant, g.Digest[:], appendWill(g.Signed, g.Binding, &t.by))
	if err != nil {
		return false, err
	}
	_, err = t.exec("keep a grant", "INSERT INTO vault_grant (digest, licence, uses, used, not_after, state, settled, kept_at, sealed) VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8)",
		g.Digest[:], int64(g.Licence), int64(g.Uses), g.NotAfter.Unix(), GrantKept, false, t.at, sealed)
	if err == nil {
		err = t.addIdentification(identified, g.Digest, identifiedGrant)
	}
	if err != nil {
		return false, err
	}
	return true, t.record(ActionGranted, 0, g.Licence)
}

// notErased takes the turn, so that the licence is not erased in this transaction's time.
func (t *Tx) notErased(id ID) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	l, err := oneLicence(t.ctx, t.tx, selectLicence+"WHERE l.id = $1", int64(id))
	if err == nil && l.ErasedAt != nil {
		return errorf(CodeErased, nil, "licence %d was erased", id)
	}
	return err
}

// GrantGiven notes that the ledger has that a grant was given. One that was withdrawn meanwhile stays so.
func (t *Tx) GrantGiven(digest sm.Hash) error {
	_, err := t.exec("note that a grant is given", "UPDATE vault_grant SET state = $1, settled = $2 WHERE digest = $3 AND state = $4", GrantGiven, true, digest[:], GrantKept)
	return err
}

// DropGrant forgets a grant that the ledger has refused. One that was given, or withdrawn, stays.
func (t *Tx) DropGrant(digest sm.Hash) error {
	n, err := t.exec("drop a grant", "DELETE FROM vault_grant WHERE digest = $1 AND state = $2", digest[:], GrantKept)
	if err == nil && n > 0 {
		_, err = t.exec("drop a grant", "DELETE FROM vault_identification WHERE grant_digest = $1", digest[:])
	}
	return err
}

// WithdrawGrant withdraws a grant, at once and for good: no use of it is counted from then on, and what was released
// under it is not kept any more. It reports false if it was withdrawn before. By is not looked at.
//
// Errors: CodeArgument, CodeUnknown.
func (t *Tx) WithdrawGrant(digest sm.Hash, w *Withdrawal, identified *KeptIdentification) (bool, error) {
	if len(w.Signed) == 0 || len(w.Signed) > maxGrantStatement || len(w.Binding) > maxBindingStatement {
		return false, errorf(CodeArgument, nil, "a withdrawal has a statement of 1 to %d bytes", maxGrantStatement)
	}
	sealed, err := t.v.sealRecord(purposeWithdrawal, digest[:], appendWill(w.Signed, w.Binding, &t.by))
	if err != nil {
		return false, err
	}
	var licence ID
	err = t.tx.QueryRowContext(t.ctx, "UPDATE vault_grant SET state = $1, settled = $2, withdrawn_at = $3, withdrawal = $4 WHERE digest = $5 AND state <> $1 RETURNING licence",
		GrantWithdrawn, false, t.at, sealed, digest[:]).Scan(&licence)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err := t.v.grant(t.ctx, t.tx, digest)
		return false, err
	case err != nil:
		return false, sqldb.Wrap("withdraw a grant", err)
	}
	if _, err := t.exec("withdraw a grant", "UPDATE vault_answer SET envelope = NULL WHERE grant_digest = $1", digest[:]); err != nil {
		return false, err
	}
	if err := t.addIdentification(identified, digest, identifiedWithdrawal); err != nil {
		return false, err
	}
	return true, t.record(ActionGrantWithdrawn, 0, licence)
}

// WithdrawalSettled notes that the ledger has that a grant was withdrawn.
func (t *Tx) WithdrawalSettled(digest sm.Hash) error {
	_, err := t.exec("note that a grant is withdrawn", "UPDATE vault_grant SET settled = $1 WHERE digest = $2 AND state = $3", true, digest[:], GrantWithdrawn)
	return err
}

// UseGrant counts a use of a grant that is GrantGiven, and returns its number, from 1; 0 if the grant is another one by
// now, or was used as many times as it can be. Nobody else uses or withdraws it until the transaction ends.
func (t *Tx) UseGrant(digest sm.Hash) (number uint32, err error) {
	err = t.tx.QueryRowContext(t.ctx, "UPDATE vault_grant SET used = used + 1 WHERE digest = $1 AND state = $2 AND used < uses RETURNING used", digest[:], GrantGiven).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return number, sqldb.Wrap("count the use of a grant", err)
}

// Grant returns a grant by its digest. Error: CodeUnknown.
func (v *Vault) Grant(ctx context.Context, digest sm.Hash) (*Grant, error) {
	return v.grant(ctx, v.db.Read(), digest)
}

func (v *Vault) grant(ctx context.Context, q sqldb.Querier, digest sm.Hash) (*Grant, error) {
	found, err := v.grants(ctx, q, "WHERE digest = $1", digest[:])
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no such grant in the vault")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Grants returns the grants of a licence, newest first.
func (v *Vault) Grants(ctx context.Context, id ID) ([]*Grant, error) {
	return v.grants(ctx, v.db.Read(), "WHERE licence = $1 ORDER BY kept_at DESC, digest", int64(id))
}

// UnsettledGrants returns up to limit grants that the ledger does not have as they are, as far as is known: that are
// GrantKept and have not ended, or that are withdrawn; those that end first come first.
func (v *Vault) UnsettledGrants(ctx context.Context, limit int) ([]*Grant, error) {
	return v.grants(ctx, v.db.Read(), "WHERE settled = $1 AND (state = $2 OR not_after >= $3) ORDER BY not_after, digest LIMIT $4", false, GrantWithdrawn, v.seconds(), limit)
}

func (v *Vault) grants(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]*Grant, error) {
	var out []*Grant
	err := sqldb.Select(ctx, q, "SELECT digest, licence, uses, used, not_after, state, settled, kept_at, withdrawn_at, sealed, withdrawal FROM vault_grant "+where, args, func(rows *sql.Rows) error {
		g := new(Grant)
		var digest, sealed, withdrawal []byte
		var notAfter, keptAt int64
		var withdrawnAt *int64
		if err := rows.Scan(&digest, &g.Licence, &g.Uses, &g.Used, &notAfter, &g.State, &g.Settled, &keptAt, &withdrawnAt, &sealed, &withdrawal); err != nil {
			return sqldb.Wrap("read a grant", err)
		}
		if len(digest) != sm.HashSize {
			return damaged("a grant")
		}
		g.Digest, g.NotAfter, g.KeptAt = sm.Hash(digest), time.Unix(notAfter, 0).UTC(), time.Unix(keptAt, 0).UTC()
		var err error
		if g.Signed, g.Binding, g.By, err = v.will(purposeGrant, digest, sealed); err != nil {
			return err
		}
		if withdrawnAt != nil {
			at := time.Unix(*withdrawnAt, 0).UTC()
			w := new(Withdrawal)
			if w.Signed, w.Binding, w.By, err = v.will(purposeWithdrawal, digest, withdrawal); err != nil {
				return err
			}
			g.WithdrawnAt, g.Withdrawal = &at, w
		}
		out = append(out, g)
		return nil
	})
	return out, err
}

// appendWill returns what is sealed of a grant, and of its withdrawal.
func appendWill(signed, binding []byte, by *By) []byte {
	b := dcbor.AppendBytes(dcbor.AppendArray(nil, 3), signed)
	return appendBy(dcbor.AppendBytes(b, binding), by)
}

// will is the inverse of appendWill, of what is sealed.
func (v *Vault) will(purpose string, digest, sealed []byte) (signed, binding []byte, by By, err error) {
	plain, err := v.unsealRecord(purpose, digest, sealed)
	if err != nil {
		return nil, nil, By{}, err
	}
	r := dcbor.NewReader(plain)
	r.ArrayOf(3)
	signed, binding = r.Bytes(maxGrantStatement), r.Bytes(maxBindingStatement)
	by = readBy(&r)
	if !r.OK() || len(r.Rest()) != 0 {
		return nil, nil, By{}, damaged("a grant")
	}
	if len(binding) == 0 {
		binding = nil
	}
	return signed, binding, by, nil
}
