// Package credential is the commitment to a licence: how its fields become one digest, how a batch
// of digests becomes the root that an issuer signs, and how a holder shows some fields and proves
// that they belong to it.
//
//	leaf    = SM3(0x00 || [salt, key, value])            one per entry of the type's dictionary
//	fields  = Merkle root over the leaves                interior nodes SM3(0x01 || left || right)
//	record  = [1, type, type version, issuer, fields, issued-at, valid-from, valid-until, predecessor]
//	digest  = SM3(0x00 || record)                        the licence's name on the ledger
//	root    = Merkle root over the digests of a batch    signed in a head statement
//
// where [...] is deterministic CBOR. A presentation carries the record, some of the fields with
// their salts, a multiproof for them, the parts of the signed head, and the inclusion path:
//
//	[1, [type, type version, issuer, issued-at, valid-from, valid-until, predecessor],
//	    [[leaf index, salt, value], ...], multiproof,
//	    [ledger, unit, size, signed-at, kid, signature], index, path, holder part or null]
//
// What follows from the rest is left out of it (the fields root, the digest, the batch root, and
// what head and record share), so there is nothing in it that could disagree. A credential is the
// presentation of every field: it is what the holder keeps, and from which all others are made.
//
// The package does no I/O, reads no clock and draws no random numbers; it verifies hashes, and
// leaves signatures, keys and status to package verify.
package credential

import (
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Version is the version of the record and of the presentation.
const Version = 1

// SaltSize is the length of a salt in bytes.
const SaltSize = 16

// A Salt hides the value that it is committed with.
type Salt [SaltSize]byte

// A Record is what an issuer says about a licence beside its fields.
type Record struct {
	Type        string
	TypeVersion uint32
	Issuer      string        // department id
	IssuedAt    uint64        // seconds since 1970-01-01T00:00:00Z
	ValidFrom   *licence.Date // first day of validity; nil: from the start
	ValidUntil  *licence.Date // last day of validity; nil: for good
	Predecessor *sm.Hash      // digest of the licence that this one takes the place of
}

// A Field is one leaf with what it commits to.
type Field struct {
	Index int // of the leaf, in the order of licence.Type.Leaves
	Salt  Salt
	Value licence.Value
}

// A SignedHead is what a presentation carries of a signed head; the rest follows from its record
// and path.
type SignedHead struct {
	Ledger    sm.Hash
	Unit      string
	Size      uint32
	SignedAt  uint64
	KeyID     sm.Hash
	Signature [sm.SignatureSize]byte
}

// A Presentation is what a holder shows.
type Presentation struct {
	Record Record
	Fields []Field // those disclosed, ascending by index
	Proof  []byte  // multiproof for the fields, 32 bytes a hash
	Head   SignedHead
	Index  uint32 // of the licence in its batch
	Path   []byte // inclusion path of the digest, leaf to root, 32 bytes a hash
	Holder *Holder
}

// A Holder part proves that a holder of the licence made the presentation: the issuer's binding of
// the holder's key to the licence, and a proof by that key.
type Holder struct {
	Key              [64]byte // x || y
	BindingNotBefore uint64
	BindingNotAfter  uint64
	BindingKeyID     sm.Hash // kid of the issuer's key
	BindingSignature [sm.SignatureSize]byte
	Audience         string
	Nonce            []byte
	ProofIssuedAt    uint64
	ProofNotAfter    uint64
	ProofSignature   [sm.SignatureSize]byte
}

// Commit returns SM3(0x00 || [salt, key, value]): the leaf of a field, and the form of every other
// salted commitment.
func Commit(salt *Salt, key string, value licence.Value) sm.Hash {
	return sm.SumLeaf(appendLeaf(make([]byte, 0, 256), salt, key, value))
}

func appendLeaf(b []byte, salt *Salt, key string, value licence.Value) []byte {
	b = dcbor.AppendArray(b, 3)
	b = dcbor.AppendBytes(b, salt[:])
	b = dcbor.AppendText(b, key)
	return appendValue(b, value)
}

func appendValue(b []byte, v licence.Value) []byte {
	switch {
	case v.IsNull():
		return dcbor.AppendNull(b)
	case v.IsText():
		return dcbor.AppendText(b, v.String())
	}
	b = dcbor.AppendArray(b, v.Len())
	for s := range v.All() {
		b = dcbor.AppendText(b, s)
	}
	return b
}

// Digest returns the licence's digest, given the root over its fields.
func (r *Record) Digest(fields sm.Hash) sm.Hash {
	b := make([]byte, 0, 192)
	b = dcbor.AppendArray(b, 9)
	b = dcbor.AppendUint(b, Version)
	b = dcbor.AppendText(b, r.Type)
	b = dcbor.AppendUint(b, uint64(r.TypeVersion))
	b = dcbor.AppendText(b, r.Issuer)
	b = dcbor.AppendBytes(b, fields[:])
	return sm.SumLeaf(r.appendTimes(b))
}

// appendTimes appends what record and presentation have in common after the issuer.
func (r *Record) appendTimes(b []byte) []byte {
	b = dcbor.AppendUint(b, r.IssuedAt)
	b = appendDate(b, r.ValidFrom)
	b = appendDate(b, r.ValidUntil)
	if r.Predecessor == nil {
		return dcbor.AppendNull(b)
	}
	return dcbor.AppendBytes(b, r.Predecessor[:])
}

func appendDate(b []byte, d *licence.Date) []byte {
	if d == nil {
		return dcbor.AppendNull(b)
	}
	return dcbor.AppendInt(b, int64(*d))
}

// Complete reports whether every field is disclosed: whether this is a credential.
func (p *Presentation) Complete() bool { return len(p.Proof) == 0 && p.Holder == nil }

// An Opened presentation has been recomputed from its fields up to the root of its batch. That the
// root is signed and anchored is for others to find out.
type Opened struct {
	*Presentation
	Type   *licence.Type
	Digest sm.Hash
	Signed statement.Head // the head that the issuer must have signed
}

// Open recomputes digest and root. The type must be the one that the record names; without it the
// keys and the number of the leaves are not known.
func (p *Presentation) Open(t *licence.Type) (*Opened, error) {
	if t.ID != p.Record.Type || t.Version != int(p.Record.TypeVersion) {
		return nil, errorf(CodeWrongType, "the presentation is of another type or version than the dictionary given")
	}
	keys := t.Leaves()
	known := make([]knownLeaf, len(p.Fields))
	scratch := make([]byte, 0, 512)
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Index >= len(keys) {
			return nil, errorf(CodeInconsistent, "a field is not in the dictionary of its type")
		}
		scratch = appendLeaf(scratch[:0], &f.Salt, keys[f.Index], f.Value)
		known[i] = knownLeaf{index: f.Index, hash: sm.SumLeaf(scratch)}
	}
	fields, ok := multiproofRoot(len(keys), known, p.Proof)
	if !ok {
		return nil, errorf(CodeInconsistent, "the proof does not have the length that follows from the fields and the dictionary")
	}
	digest := p.Record.Digest(fields)
	root, ok := PathRoot(digest, p.Index, p.Head.Size, p.Path)
	if !ok {
		return nil, errorf(CodeInconsistent, "the inclusion path does not have the length that follows from index and batch size")
	}
	return &Opened{
		Presentation: p,
		Type:         t,
		Digest:       digest,
		Signed: statement.Head{
			Ledger: p.Head.Ledger, Issuer: p.Record.Issuer, Unit: p.Head.Unit,
			Type: p.Record.Type, TypeVersion: p.Record.TypeVersion,
			Root: root, Size: p.Head.Size, SignedAt: p.Head.SignedAt,
		},
	}, nil
}

// HeadStatement returns the signed head as a statement. It reports false if the head cannot be one.
func (o *Opened) HeadStatement() (*statement.Statement, bool) {
	return rebuild(&o.Signed, o.Presentation.Head.KeyID, o.Presentation.Head.Signature)
}

// rebuild puts a statement together again from its parts.
func rebuild(body statement.Body, kid sm.Hash, signature [sm.SignatureSize]byte) (*statement.Statement, bool) {
	payload, err := statement.Encode(body)
	if err != nil {
		return nil, false
	}
	return &statement.Statement{Body: body, KeyID: kid, Payload: payload, Signature: signature}, true
}

// Place returns where the licence stands on the ledger.
func (o *Opened) Place() statement.Place {
	return statement.Place{Root: o.Signed.Root, Index: o.Index, Digest: o.Digest, Path: o.Path}
}

// Value returns a disclosed value; ok is false if the field is not disclosed.
func (o *Opened) Value(key string) (value licence.Value, ok bool) {
	for i := range o.Fields {
		if o.Type.Leaves()[o.Fields[i].Index] == key {
			return o.Fields[i].Value, true
		}
	}
	return licence.Null, false
}
