package issuer

import (
	"context"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// Recover brings back what a licence says that the vault has lost (vault.CodeContentsLost), from its credential:
// a holder's, or one that was delivered. The digest, which is on the ledger, shows that it is the one.
//
// Errors: CodeOtherIssuer; vault.CodeUnknown; credential.CodeIncomplete for a presentation of some of the fields;
// vault.CodeBatch if the licence was not lost; vault.CodeErased.
func (iss *Issuer) Recover(ctx context.Context, by vault.By, o *credential.Opened) error {
	s, err := iss.SubjectOf(ctx, o)
	if err != nil {
		return err
	}
	l, err := iss.vault.Licence(ctx, s.ID)
	if err != nil {
		return err
	}
	made, err := o.Draft()
	if err != nil {
		return statementError("bring a licence back", err)
	}
	number, _ := o.Value(o.Type.NumberField().Key)
	d := &draft{Draft: made, number: number.String(), holders: holders(o.Type, made.Value)}
	if p := o.Record.Predecessor; p != nil {
		known, err := iss.vault.ByDigests(ctx, []sm.Hash{*p})
		if err != nil {
			return err
		}
		d.predecessor = known[*p]
	}
	if err := iss.seal(ctx, s.Type, []*draft{d}); err != nil {
		return err
	}
	return iss.write(ctx, by, func(tx *vault.Tx) error { return tx.Recover(l.Batch, l.Index, d.sealed) })
}
