package issuer

import (
	"context"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Bind makes the signed statement that the holder of a key is a holder of a licence of the vault, from one
// time to another, at most statement.MaxBinding seconds apart. That the key is the holder's is for the
// caller to have found out. The statement stays off the ledger: the holder keeps it, beside the
// credential, and the vault does, under the id that Unbind takes. A marriage has two holders, and each
// gets a binding.
//
// Errors: CodeSignerMissing, CodeArguments, CodeNotAnchored; vault.CodeErased, vault.CodeNoContent.
func (iss *Issuer) Bind(ctx context.Context, by vault.By, l *Subject, holder *sm.PublicKey, notBefore, notAfter time.Time) (id int64, signed []byte, err error) {
	keys, err := iss.signers(ctx, statement.PurposeAnchor, false)
	if err != nil {
		return 0, nil, err
	}
	if l.ID == 0 {
		return 0, nil, errorf(vault.CodeUnknown, nil, "a holder's key is bound to a licence of the vault, which this is not")
	}
	if _, err := iss.standing(ctx, l); err != nil {
		return 0, nil, err
	}
	all, err := signAll(&statement.Binding{
		Ledger: iss.ledgerID, Issuer: iss.department.ID, Digest: l.Place.Digest, HolderKey: [64]byte(holder.Bytes()),
		NotBefore: uint64(max(notBefore.Unix(), 0)), NotAfter: uint64(max(notAfter.Unix(), 0)),
	}, keys[:1])
	if err != nil {
		return 0, nil, err
	}
	kept, err := iss.vault.Keep(ctx, vault.Binding{Licence: l.ID, NotBefore: notBefore, NotAfter: notAfter, Statement: all[0]})
	if err != nil {
		return 0, nil, err
	}
	err = iss.write(ctx, by, func(tx *vault.Tx) (err error) {
		id, err = tx.AddBinding(kept)
		return err
	})
	return id, all[0], err
}

// Unbind revokes a binding, for good: first on the ledger, which gets nothing but its hash, then in the vault. A
// call that failed or was killed can be made again.
//
// Errors: CodeSignerMissing; vault.CodeUnknown, vault.CodeErased; those of the ledger.
func (iss *Issuer) Unbind(ctx context.Context, by vault.By, binding int64) error {
	of, err := iss.vault.BoundLicence(ctx, binding)
	if err != nil {
		return err
	}
	all, err := iss.vault.Bindings(ctx, of)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].ID == binding {
			return iss.unbind(ctx, by, &all[i])
		}
	}
	return errorf(vault.CodeUnknown, nil, "there is no binding %d in the vault", binding)
}

func (iss *Issuer) unbind(ctx context.Context, by vault.By, b *vault.Binding) error {
	if b.RevokedAt != nil {
		return nil
	}
	s, err := statement.Parse(b.Statement)
	if err != nil {
		return statementError("read a binding from the vault", err)
	}
	err = iss.submitSigned(ctx, "withdraw a binding", statement.PurposeConsent, &statement.Consent{
		Ledger: iss.ledgerID, Department: iss.department.ID, Digest: sm.Sum(s.Payload), Action: statement.ConsentWithdraw, SignedAt: iss.seconds(),
	})
	if err != nil {
		return err
	}
	return iss.write(ctx, by, func(tx *vault.Tx) error { return tx.RevokeBinding(b.ID) })
}
