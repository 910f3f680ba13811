package credential

import (
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A Draft is a licence committed to, but not yet part of a signed batch. It can be kept as bytes, which
// hold everything of the credential but head, index and path:
//
//	[1, [type, type version, issuer, issued-at, valid-from, valid-until, predecessor], [[salt, value], ...]]
//
// with one pair per leaf of the type, in deterministic CBOR. There is one encoding of each draft.
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
	for i := range keys {
		f := &d.fields[i]
		f.Index, f.Salt, f.Value = i, Salt(salts[i*SaltSize:]), doc.ValueAt(i)
	}
	if err := d.commit(keys); err != nil {
		return nil, err
	}
	return d, nil
}

// Draft returns the draft that a credential was made of. A presentation of some of the fields is CodeIncomplete.
func (o *Opened) Draft() (*Draft, error) {
	if !o.Complete() || len(o.Fields) != len(o.Type.Leaves()) {
		return nil, errorf(CodeIncomplete, "only the whole credential says what the licence was made of; this shows some of the fields")
	}
	return &Draft{record: o.Record, fields: o.Fields, digest: o.Digest}, nil
}

// commit computes the digest.
func (d *Draft) commit(keys []string) error {
	leaves := make([]sm.Hash, len(keys))
	scratch := make([]byte, 0, 512)
	size := 1024
	for i := range keys {
		scratch = appendLeaf(scratch[:0], &d.fields[i].Salt, keys[i], d.fields[i].Value)
		leaves[i] = sm.SumLeaf(scratch)
		size += len(scratch)
	}
	if size > MaxSize {
		return errorf(CodeTooLarge, "the licence is too large: a credential has at most %d bytes", MaxSize)
	}
	d.digest = d.record.Digest(foldRoot(leaves))
	return nil
}

// Digest returns the licence's digest.
func (d *Draft) Digest() sm.Hash { return d.digest }

// Record returns what is said about the licence beside its fields.
func (d *Draft) Record() Record { return d.record }

// Value returns the value of leaf i, in the order of licence.Type.Leaves.
func (d *Draft) Value(i int) licence.Value { return d.fields[i].Value }

// AppendTo appends the draft as bytes: the inverse of ParseDraft. They hold every value, and the salts.
func (d *Draft) AppendTo(b []byte) []byte {
	b = dcbor.AppendUint(dcbor.AppendArray(b, 3), Version)
	b = d.record.appendTo(b)
	b = dcbor.AppendArray(b, len(d.fields))
	for i := range d.fields {
		f := &d.fields[i]
		b = dcbor.AppendBytes(dcbor.AppendArray(b, 2), f.Salt[:])
		b = appendValue(b, f.Value)
	}
	return b
}

// ParseDraft parses a draft and computes its digest anew. lookup returns a version of a licence type,
// nil if there is none. Every other encoding than the one of AppendTo is CodeMalformed; a type that is
// not known, or has another number of leaves, is CodeWrongType.
func ParseDraft(b []byte, lookup func(id string, version uint32) *licence.Type) (*Draft, error) {
	r := dcbor.NewReader(b)
	d := new(Draft)
	r.ArrayOf(3)
	if r.Uint(Version) != Version {
		r.Fail()
	}
	d.record.read(&r)
	d.fields = make([]Field, r.Array(maxFields))
	for i := range d.fields {
		f := &d.fields[i]
		r.ArrayOf(2)
		r.Fixed(f.Salt[:])
		f.Index, f.Value = i, readValue(&r)
		if !r.OK() {
			break
		}
	}
	if !r.OK() || len(r.Rest()) != 0 || len(b) > MaxSize {
		return nil, errorf(CodeMalformed, "not a draft: truncated, altered, or not in its one encoding")
	}
	t := lookup(d.record.Type, d.record.TypeVersion)
	if t == nil || t.ID != d.record.Type || uint32(t.Version) != d.record.TypeVersion || len(t.Leaves()) != len(d.fields) {
		return nil, errorf(CodeWrongType, "the draft is of the type %s, version %d, which is not at hand", d.record.Type, d.record.TypeVersion)
	}
	if err := d.commit(t.Leaves()); err != nil {
		return nil, err
	}
	return d, nil
}
