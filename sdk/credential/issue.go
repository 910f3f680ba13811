package credential

import (
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Draft is a licence committed to, but not yet part of a signed batch.
type Draft struct {
	record Record
	fields []Field
	digest sm.Hash
}

// NewDraft commits to a document: one salted leaf per entry of its type's dictionary. The record's
// type and version are taken from the document. salts must be SaltSize fresh random bytes for each
// leaf of the type; a salt used twice, or known to others, gives values away.
func NewDraft(doc *licence.Document, record Record, salts []byte) (*Draft, error) {
	t := doc.Type()
	keys := t.Leaves()
	if len(salts) != len(keys)*SaltSize {
		return nil, errorf(CodeInconsistent, "%d leaves need %d bytes of salts, got %d", len(keys), len(keys)*SaltSize, len(salts))
	}
	record.Type, record.TypeVersion = t.ID, uint32(t.Version)
	if !record.inBounds() {
		return nil, errorf(CodeInconsistent, "issued-at, valid-from or valid-until is out of bounds: give a time before the year 36812, and days of the years 1000 to 9999")
	}
	d := &Draft{record: record, fields: make([]Field, len(keys))}
	leaves := make([]sm.Hash, len(keys))
	scratch := make([]byte, 0, 512)
	size := 1024
	for i := range keys {
		f := &d.fields[i]
		f.Index, f.Salt, f.Value = i, Salt(salts[i*SaltSize:]), doc.ValueAt(i)
		scratch = appendLeaf(scratch[:0], &f.Salt, keys[i], f.Value)
		leaves[i] = sm.SumLeaf(scratch)
		size += len(scratch)
	}
	if size > MaxSize {
		return nil, errorf(CodeTooLarge, "the licence is too large: a credential has at most %d bytes", MaxSize)
	}
	d.digest = d.record.Digest(foldRoot(leaves))
	return d, nil
}

// Digest returns the licence's digest.
func (d *Draft) Digest() sm.Hash { return d.digest }

// A Batch is the licences under one signed head.
type Batch struct {
	Head      *statement.Head
	Statement []byte    // the signed head
	Digests   []sm.Hash // in the order of the tree
	drafts    []*Draft
	tree      *Tree
	signed    SignedHead
}

// NewBatch puts drafts of one type, version and issuer under one signed head. Ledger, unit and
// time are taken from head; the rest of it is filled in. The order of the drafts is the order of
// the tree: callers shuffle it, so that it tells nothing.
func NewBatch(drafts []*Draft, head statement.Head, signer sm.Signer) (*Batch, error) {
	if len(drafts) == 0 || len(drafts) > statement.MaxBatch {
		return nil, errorf(CodeInconsistent, "a batch has 1 to %d licences, not %d", statement.MaxBatch, len(drafts))
	}
	b := &Batch{Head: &head, drafts: drafts, Digests: make([]sm.Hash, len(drafts))}
	first := &drafts[0].record
	for i, d := range drafts {
		if d.record.Type != first.Type || d.record.TypeVersion != first.TypeVersion || d.record.Issuer != first.Issuer {
			return nil, errorf(CodeInconsistent, "a batch has licences of one type, version and issuer")
		}
		b.Digests[i] = d.digest
	}
	b.tree = NewTree(b.Digests)
	head.Issuer, head.Type, head.TypeVersion = first.Issuer, first.Type, first.TypeVersion
	head.Root, head.Size = b.tree.Root(), uint32(len(drafts))

	var err error
	if b.Statement, err = statement.Sign(b.Head, signer); err != nil {
		return nil, err
	}
	s, err := statement.Parse(b.Statement)
	if err != nil {
		return nil, err
	}
	b.signed = SignedHead{
		Ledger: head.Ledger, Unit: head.Unit, Size: head.Size, SignedAt: head.SignedAt,
		KeyID: s.KeyID, Signature: s.Signature,
	}
	return b, nil
}

// Size returns the number of licences.
func (b *Batch) Size() int { return len(b.drafts) }

// Credential returns the credential of licence i.
func (b *Batch) Credential(i int) *Presentation {
	return &Presentation{
		Record: b.drafts[i].record,
		Fields: b.drafts[i].fields,
		Head:   b.signed,
		Index:  uint32(i),
		Path:   b.tree.AppendPath(make([]byte, 0, maxPath), i),
	}
}

// DigestBytes returns the digests one after the other, as they are sent to the ledger.
func (b *Batch) DigestBytes() []byte {
	out := make([]byte, 0, len(b.Digests)*sm.HashSize)
	for i := range b.Digests {
		out = append(out, b.Digests[i][:]...)
	}
	return out
}
