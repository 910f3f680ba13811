package credential

import (
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

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
	b := &Batch{Head: &head, drafts: slices.Clone(drafts), Digests: make([]sm.Hash, len(drafts))}
	first := &drafts[0].record
	head.Issuer, head.Type, head.TypeVersion = first.Issuer, first.Type, first.TypeVersion
	for i, d := range drafts {
		if !b.has(d) {
			return nil, errorf(CodeInconsistent, "a batch has licences of one type, version and issuer")
		}
		b.Digests[i] = d.digest
	}
	b.tree = NewTree(b.Digests)
	head.Root, head.Size = b.tree.Root(), uint32(len(drafts))
	signed, err := statement.Sign(b.Head, signer)
	if err != nil {
		return nil, err
	}
	if err := b.sign(signed); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseBatch puts a batch together again that was kept: its signed head, and the digests one after the
// other. It has no drafts yet, see SetDraft. Errors: those of package statement for the head;
// CodeInconsistent if that is not over these digests.
func ParseBatch(signed, digests []byte) (*Batch, error) {
	head, _, err := statement.ParseAs[*statement.Head](signed)
	if err != nil {
		return nil, err
	}
	if int64(len(digests)) != int64(head.Size)*sm.HashSize {
		return nil, errorf(CodeInconsistent, "the head is over %d licences, and there are %d bytes of digests", head.Size, len(digests))
	}
	b := &Batch{Head: head, drafts: make([]*Draft, head.Size), Digests: make([]sm.Hash, head.Size)}
	for i := range b.Digests {
		b.Digests[i] = sm.Hash(digests[i*sm.HashSize:])
	}
	if b.tree = NewTree(b.Digests); b.tree.Root() != head.Root {
		return nil, errorf(CodeInconsistent, "the head is not over these digests")
	}
	if err := b.sign(signed); err != nil {
		return nil, err
	}
	return b, nil
}

// sign takes what a presentation carries of the signed head.
func (b *Batch) sign(signed []byte) error {
	s, err := statement.Parse(signed)
	if err != nil {
		return err
	}
	b.Statement = signed
	b.signed = SignedHead{
		Ledger: b.Head.Ledger, Unit: b.Head.Unit, Size: b.Head.Size, SignedAt: b.Head.SignedAt,
		KeyID: s.KeyID, Signature: s.Signature,
	}
	return nil
}

// has reports whether a draft is of the head's type, version and issuer.
func (b *Batch) has(d *Draft) bool {
	return d.record.Type == b.Head.Type && d.record.TypeVersion == b.Head.TypeVersion && d.record.Issuer == b.Head.Issuer
}

// SetDraft gives a batch that was put together again its licence i. CodeInconsistent: the draft is not
// the one that is committed to there.
func (b *Batch) SetDraft(i int, d *Draft) error {
	if i < 0 || i >= len(b.Digests) || d.digest != b.Digests[i] || !b.has(d) {
		return errorf(CodeInconsistent, "the draft is not the licence at place %d of the batch", i)
	}
	b.drafts[i] = d
	return nil
}

// Size returns the number of licences.
func (b *Batch) Size() int { return len(b.Digests) }

// Path returns the inclusion path of licence i.
func (b *Batch) Path(i int) []byte { return b.tree.AppendPath(make([]byte, 0, maxPath), i) }

// Credential returns the credential of licence i, whose draft the batch must have.
func (b *Batch) Credential(i int) *Presentation {
	return &Presentation{
		Record: b.drafts[i].record,
		Fields: b.drafts[i].fields,
		Head:   b.signed,
		Index:  uint32(i),
		Path:   b.Path(i),
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
