package release

import (
	"context"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Withdraw signs the withdrawal of a grant on a holder's behalf. It holds at once and for good; the ledger learns of it now,
// or when it can be reached (Settle). A grant that was withdrawn before stays as it is.
//
// Errors: CodeGrantUnknown, CodeArguments, CodeSignerMissing; those of the vault.
func (d *Desk) Withdraw(ctx context.Context, by vault.By, digest sm.Hash, how Identified) (*Grant, error) {
	g, err := d.Grant(ctx, digest)
	if err != nil || g.State == vault.GrantWithdrawn {
		return g, err
	}
	identification, err := how.identification()
	if err != nil {
		return nil, err
	}
	signed, err := d.sign(ctx, &statement.Withdrawal{
		Ledger: d.c.View.Ledger(), Issuer: d.c.Department, Grant: digest, Means: how.Means,
		Evidence: grant.EvidenceCommitment(&identification.Salt, identification.Record), SignedAt: d.seconds(),
	})
	if err != nil {
		return nil, err
	}
	kept, err := d.c.Vault.KeepIdentification(ctx, g.ID, digest, *identification)
	switch vault.Code(err) {
	case "":
	case vault.CodeErased, vault.CodeNoContent: // nothing is kept about who the holder is any more
		kept = nil
	default:
		return nil, err
	}
	return d.withdraw(ctx, by, digest, &vault.Withdrawal{Signed: signed}, kept)
}

// RecordWithdrawal takes a withdrawal that a holder has signed with a key that is bound to the licence; else it is as
// Withdraw. Errors: CodeGrantUnknown, CodeGrantMeans; those of grant.ReadWithdrawal and the vault.
func (d *Desk) RecordWithdrawal(ctx context.Context, by vault.By, digest sm.Hash, signed, binding []byte) (*Grant, error) {
	g, err := d.Grant(ctx, digest)
	if err != nil {
		return nil, err
	}
	w, err := grant.ReadWithdrawal(signed, binding, &grant.Grant{Grant: g.Grant, Digest: digest}, d.c.View)
	switch {
	case err != nil:
		return nil, err
	case w.Means != statement.MeansKey:
		return nil, errorf(CodeGrantMeans, nil, "a withdrawal that is handed in is signed by the holder; else the grant is withdrawn here")
	case g.State == vault.GrantWithdrawn:
		return g, nil
	}
	return d.withdraw(ctx, by, digest, &vault.Withdrawal{Signed: signed, Binding: binding}, nil)
}

// withdraw puts a withdrawal into the vault, from where on it holds, and brings it to the ledger if that can be reached.
func (d *Desk) withdraw(ctx context.Context, by vault.By, digest sm.Hash, w *vault.Withdrawal, identified *vault.KeptIdentification) (*Grant, error) {
	if err := d.write(ctx, by, func(tx *vault.Tx) error {
		_, err := tx.WithdrawGrant(digest, w, identified)
		return err
	}); err != nil {
		return nil, err
	}
	if err := d.step(stepWithdrawn); err != nil {
		return nil, err
	}
	_ = d.takeBack(ctx, digest) // what becomes of it is in the grant, and Settle tries again
	return d.Grant(ctx, digest)
}
