package issuer

import (
	"context"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// A Subject is a licence of this department whose status, restrictions or bindings are to be changed: its place
// on the ledger, and nothing of what it says.
type Subject struct {
	ID    vault.ID // 0: it is not in the vault
	Type  string
	Place statement.Place
	Since licence.Date // first day: of issue or of validity, whichever is earlier
}

// SubjectOf returns the licence of a credential, or of a presentation. Error: CodeOtherIssuer.
func (iss *Issuer) SubjectOf(ctx context.Context, o *credential.Opened) (*Subject, error) {
	if o.Signed.Issuer != iss.department.ID || o.Signed.Ledger != iss.ledgerID {
		return nil, errorf(CodeOtherIssuer, nil, "the credential is not one of %s on this ledger", iss.department.ID)
	}
	s := &Subject{Type: o.Type.ID, Place: o.Place(), Since: firstDay(&o.Record)}
	l, err := iss.vault.At(ctx, o.Signed.Root, o.Index)
	switch {
	case vault.Code(err) == vault.CodeUnknown:
	case err != nil:
		return nil, err
	case l.Digest == o.Digest:
		s.ID = l.ID
	}
	return s, nil
}

// Subject returns a licence of the vault, which is not opened for it. Error: vault.CodeUnknown.
func (iss *Issuer) Subject(ctx context.Context, id vault.ID) (*Subject, error) {
	all, err := iss.Subjects(ctx, id)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Subjects returns many licences of the vault, in the order of their ids given. It is quickest if those of one
// batch stand together. Error: vault.CodeUnknown.
func (iss *Issuer) Subjects(ctx context.Context, ids ...vault.ID) ([]*Subject, error) {
	out := make([]*Subject, len(ids))
	var in int64 // the batch that was read last
	var b *credential.Batch
	for i, id := range ids {
		l, err := iss.vault.Licence(ctx, id)
		if err != nil {
			return nil, err
		}
		if l.Batch != in {
			kept, err := iss.vault.Batch(ctx, l.Batch)
			if err != nil {
				return nil, err
			}
			if b, err = credential.ParseBatch(kept.Head, kept.Digests); err != nil {
				return nil, statementError("read a batch", err)
			}
			in = l.Batch
		}
		out[i] = &Subject{
			ID: id, Type: l.Type,
			Place: statement.Place{Root: l.Root, Index: l.Index, Digest: l.Digest, Path: b.Path(int(l.Index))},
		}
		if l.Since != nil {
			out[i].Since = *l.Since
		} else { // what it says was lost: the day of issue is known
			out[i].Since = firstDay(&credential.Record{IssuedAt: l.IssuedAt})
		}
	}
	return out, nil
}
