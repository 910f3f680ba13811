package issuer

import (
	"context"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// What the vault seals of a licence:
//
//	[row, draft]
//
// in deterministic CBOR: the number of the record in its job (0: of none), and the bytes of the
// credential.Draft. Head, index and path are those of the batch, so that the content stays right when a
// head is signed anew.

// seal seals drafts of one type for the vault, with one call of what wraps the keys. Several goroutines can do
// it at once.
func (iss *Issuer) seal(ctx context.Context, typ string, drafts []*draft) error {
	deposits := make([]vault.Deposit, len(drafts))
	var buf []byte
	for i, d := range drafts {
		record := d.Record()
		start := len(buf)
		buf = appendContent(buf, d)
		deposits[i] = vault.Deposit{
			Digest: d.Digest(), Number: d.number, Holders: d.holders, Since: firstDay(&record), ValidUntil: record.ValidUntil,
			Predecessor: d.predecessor, Content: buf[start:],
		}
	}
	sealed, err := iss.vault.Seal(ctx, typ, deposits)
	if err != nil {
		return err
	}
	for i, d := range drafts {
		d.sealed = sealed[i]
	}
	return nil
}

func appendContent(b []byte, d *draft) []byte {
	b = dcbor.AppendUint(dcbor.AppendArray(b, 2), uint64(d.row))
	return dcbor.AppendBytes(b, d.AppendTo(nil))
}

// maxRow is the greatest number of a record.
const maxRow = 1<<53 - 1

// parseContent is the inverse of appendContent.
func (iss *Issuer) parseContent(content []byte) (row int64, d *credential.Draft, err error) {
	r := dcbor.NewReader(content)
	r.ArrayOf(2)
	row = int64(r.Uint(maxRow))
	inner := r.Bytes(vault.MaxContent)
	if !r.OK() || len(r.Rest()) != 0 {
		return 0, nil, errorf(CodeContent, nil, "what the vault keeps of a licence was not written by this software")
	}
	if d, err = credential.ParseDraft(inner, iss.version); err != nil {
		return 0, nil, statementError("read what the vault keeps of a licence", err)
	}
	return row, d, nil
}

// firstDay is the day from which a change holds that holds from the beginning: the day of issue, or
// the first day of validity if that is earlier.
func firstDay(record *credential.Record) licence.Date {
	day := licence.DateOf(time.Unix(int64(record.IssuedAt), 0))
	if from := record.ValidFrom; from != nil && *from < day {
		return *from
	}
	return day
}

// An Anchored licence is one of a batch that is on the ledger.
type Anchored struct {
	Row        int64 // number of the record in its job, from 1; 0: it is of none
	Credential *credential.Presentation
}

// Credentials returns the credentials of a batch, in the order of the tree. The history has one line about it.
//
// Errors: CodeNotAnchored; vault.CodeUnknown, vault.CodeErased and vault.CodeNoContent if one of the
// licences was erased or lost.
func (iss *Issuer) Credentials(ctx context.Context, by vault.By, batch int64) ([]Anchored, error) {
	kept, err := iss.anchoredBatch(ctx, batch)
	if err != nil {
		return nil, err
	}
	return iss.openBatch(ctx, by, kept)
}

// openBatch is Credentials for a batch that is known to be on the ledger, if not to the vault.
func (iss *Issuer) openBatch(ctx context.Context, by vault.By, kept *vault.Batch) ([]Anchored, error) {
	b, err := credential.ParseBatch(kept.Head, kept.Digests)
	if err != nil {
		return nil, statementError("read a batch", err)
	}
	contents, err := iss.vault.OpenBatch(ctx, by, kept.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Anchored, len(contents))
	for i, content := range contents {
		if out[i].Row, out[i].Credential, err = iss.credential(b, i, content); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Credential returns the credential of a licence, in bytes and opened. That it was opened, by whom and for what,
// stands in the history before. Errors: those of Credentials.
func (iss *Issuer) Credential(ctx context.Context, by vault.By, id vault.ID) ([]byte, *credential.Opened, error) {
	l, err := iss.vault.Licence(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	kept, err := iss.anchoredBatch(ctx, l.Batch)
	if err != nil {
		return nil, nil, err
	}
	b, err := credential.ParseBatch(kept.Head, kept.Digests)
	if err != nil {
		return nil, nil, statementError("read a batch", err)
	}
	contents, err := iss.vault.OpenLicences(ctx, by, id)
	if err != nil {
		return nil, nil, err
	}
	_, c, err := iss.credential(b, int(l.Index), contents[0])
	if err != nil {
		return nil, nil, err
	}
	opened, err := c.Open(iss.version(c.Record.Type, c.Record.TypeVersion))
	if err != nil {
		return nil, nil, statementError("open a credential", err)
	}
	return c.Bytes(), opened, nil
}

// anchoredBatch returns a batch that is on the ledger. One that the vault takes for pending may be there, and not
// noted yet, here or by another process.
func (iss *Issuer) anchoredBatch(ctx context.Context, id int64) (*vault.Batch, error) {
	b, err := iss.vault.Batch(ctx, id)
	if err == nil && b.State == vault.Pending {
		if err = iss.learn(ctx); err == nil {
			b, err = iss.vault.Batch(ctx, id)
		}
	}
	if err != nil {
		return nil, err
	}
	if b.State == vault.Pending {
		return nil, errorf(CodeNotAnchored, nil, "the licence is on its way to the ledger; ask again when it is there")
	}
	return b, nil
}

// credential makes the credential of licence i of a batch from its content.
func (iss *Issuer) credential(b *credential.Batch, i int, content []byte) (int64, *credential.Presentation, error) {
	row, d, err := iss.parseContent(content)
	if err != nil {
		return 0, nil, err
	}
	if err := b.SetDraft(i, d); err != nil {
		return 0, nil, statementError("make a credential", err)
	}
	return row, b.Credential(i), nil
}
