package issuer

import (
	"context"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Bind returns the signed statement that the holder of a key is a holder of a licence, from one time
// to another, at most statement.MaxBinding seconds apart. That the key is the holder's is for the
// caller to have found out. The statement stays off the ledger: the holder keeps it, beside the
// credential. A marriage has two holders, and each gets a binding.
func (iss *Issuer) Bind(ctx context.Context, o *credential.Opened, holder *sm.PublicKey, notBefore, notAfter time.Time) ([]byte, error) {
	if iss.anchor == nil {
		return nil, errorf(CodeSignerMissing, nil, "binding a holder's key needs the department's key for anchors")
	}
	if _, err := iss.standing(ctx, o); err != nil {
		return nil, err
	}
	signed, err := signAll(&statement.Binding{
		Ledger: iss.ledgerID, Issuer: iss.department.ID, Digest: o.Digest, HolderKey: [64]byte(holder.Bytes()),
		NotBefore: uint64(max(notBefore.Unix(), 0)), NotAfter: uint64(max(notAfter.Unix(), 0)),
	}, []sm.Signer{iss.anchor})
	if err != nil {
		return nil, err
	}
	return signed[0], nil
}
