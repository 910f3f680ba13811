package credential

import (
	"math"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Bounds of a presentation.
const (
	// MaxSize is the greatest length of an encoded presentation in bytes.
	MaxSize = 64 << 10

	maxID     = 32      // bytes of the id of a type, a department, a unit
	maxFields = 256     // leaves of a licence
	maxItems  = 1 << 12 // texts in a list
	maxProof  = maxFields * sm.HashSize
	maxPath   = 12 * sm.HashSize
	maxTime   = 1<<40 - 1
	minDate   = -354285 // 1000-01-01
	maxDate   = 2932896 // 9999-12-31

	maxVersion  = math.MaxInt32
	maxAudience = 200
	maxNonce    = 64
)

// Bytes formats the presentation: the inverse of Parse.
func (p *Presentation) Bytes() []byte { return p.appendTo(make([]byte, 0, 1024), p.Holder) }

// AppendTo appends Bytes to b.
func (p *Presentation) AppendTo(b []byte) []byte { return p.appendTo(b, p.Holder) }

func (p *Presentation) appendTo(b []byte, holder *Holder) []byte {
	b = dcbor.AppendArray(b, 8)
	b = dcbor.AppendUint(b, Version)

	b = p.Record.appendTo(b)

	b = dcbor.AppendArray(b, len(p.Fields))
	for i := range p.Fields {
		f := &p.Fields[i]
		b = dcbor.AppendArray(b, 3)
		b = dcbor.AppendUint(b, uint64(f.Index))
		b = dcbor.AppendBytes(b, f.Salt[:])
		b = appendValue(b, f.Value)
	}
	b = dcbor.AppendBytes(b, p.Proof)

	h := &p.Head
	b = dcbor.AppendArray(b, 6)
	b = dcbor.AppendBytes(b, h.Ledger[:])
	b = dcbor.AppendText(b, h.Unit)
	b = dcbor.AppendUint(b, uint64(h.Size))
	b = dcbor.AppendUint(b, h.SignedAt)
	b = dcbor.AppendBytes(b, h.KeyID[:])
	b = dcbor.AppendBytes(b, h.Signature[:])

	b = dcbor.AppendUint(b, uint64(p.Index))
	b = dcbor.AppendBytes(b, p.Path)
	if holder == nil {
		return dcbor.AppendNull(b)
	}
	return holder.appendTo(b)
}

// appendTo appends the record as it stands in a presentation: without the root over the fields.
func (rec *Record) appendTo(b []byte) []byte {
	b = dcbor.AppendArray(b, 7)
	b = dcbor.AppendText(b, rec.Type)
	b = dcbor.AppendUint(b, uint64(rec.TypeVersion))
	b = dcbor.AppendText(b, rec.Issuer)
	return rec.appendTimes(b)
}

func (h *Holder) appendTo(b []byte) []byte {
	b = dcbor.AppendArray(b, 10)
	b = dcbor.AppendBytes(b, h.Key[:])
	b = dcbor.AppendUint(b, h.BindingNotBefore)
	b = dcbor.AppendUint(b, h.BindingNotAfter)
	b = dcbor.AppendBytes(b, h.BindingKeyID[:])
	b = dcbor.AppendBytes(b, h.BindingSignature[:])
	b = dcbor.AppendText(b, h.Audience)
	b = dcbor.AppendBytes(b, h.Nonce)
	b = dcbor.AppendUint(b, h.ProofIssuedAt)
	b = dcbor.AppendUint(b, h.ProofNotAfter)
	return dcbor.AppendBytes(b, h.ProofSignature[:])
}

// Parse parses a presentation. Every other encoding than the one of Bytes is refused. Proof, path
// and nonce of the result are parts of b.
func Parse(b []byte) (*Presentation, error) {
	p, n, err := ParsePrefix(b)
	if err != nil {
		return nil, err
	}
	if n != len(b) {
		return nil, errorf(CodeMalformed, "there are %d bytes after the end of the presentation", len(b)-n)
	}
	return p, nil
}

// ParsePrefix parses the presentation that b begins with and returns its length too: a file of many
// is a CBOR sequence (RFC 8742).
func ParsePrefix(b []byte) (*Presentation, int, error) {
	window := b[:min(len(b), MaxSize)]
	r := dcbor.NewReader(window)
	p := new(Presentation)
	p.read(&r)
	if !r.OK() {
		if len(b) > MaxSize {
			return nil, 0, errorf(CodeTooLarge, "not a presentation, or one of more than %d bytes", MaxSize)
		}
		return nil, 0, errorf(CodeMalformed, "not a presentation: truncated, altered, or not in its one encoding")
	}
	return p, len(window) - len(r.Rest()), nil
}

func (p *Presentation) read(r *dcbor.Reader) {
	r.ArrayOf(8)
	if r.Uint(Version) != Version {
		r.Fail()
	}
	p.Record.read(r)

	p.Fields = make([]Field, r.Array(maxFields))
	for i := range p.Fields {
		f := &p.Fields[i]
		r.ArrayOf(3)
		f.Index = int(r.Uint(maxFields - 1))
		if i > 0 && f.Index <= p.Fields[i-1].Index {
			r.Fail()
		}
		r.Fixed(f.Salt[:])
		f.Value = readValue(r)
		if !r.OK() {
			return
		}
	}
	p.Proof = readHashes(r, maxProof)

	h := &p.Head
	r.ArrayOf(6)
	r.Fixed(h.Ledger[:])
	h.Unit = string(r.Text(maxID))
	h.Size = uint32(r.Uint(statement.MaxBatch))
	h.SignedAt = r.Uint(maxTime)
	r.Fixed(h.KeyID[:])
	r.Fixed(h.Signature[:])

	p.Index = uint32(r.Uint(statement.MaxBatch - 1))
	p.Path = readHashes(r, maxPath)
	if !r.Null() {
		p.Holder = new(Holder)
		p.Holder.read(r)
	}
}

func (rec *Record) read(r *dcbor.Reader) {
	r.ArrayOf(7)
	rec.Type = string(r.Text(maxID))
	rec.TypeVersion = uint32(r.Uint(maxVersion))
	rec.Issuer = string(r.Text(maxID))
	rec.IssuedAt = r.Uint(maxTime)
	rec.ValidFrom = readDate(r)
	rec.ValidUntil = readDate(r)
	if !r.Null() {
		rec.Predecessor = new(sm.Hash)
		r.Fixed(rec.Predecessor[:])
	}
}

// inBounds reports whether read accepts the times and dates of the record.
func (rec *Record) inBounds() bool {
	for _, d := range []*licence.Date{rec.ValidFrom, rec.ValidUntil} {
		if d != nil && (*d < minDate || *d > maxDate) {
			return false
		}
	}
	return rec.IssuedAt <= maxTime
}

func readDate(r *dcbor.Reader) *licence.Date {
	if r.Null() {
		return nil
	}
	d := licence.Date(r.Int(maxDate))
	if d < minDate {
		r.Fail()
	}
	return &d
}

func readHashes(r *dcbor.Reader, max int) []byte {
	b := r.Bytes(max)
	if len(b)%sm.HashSize != 0 {
		r.Fail()
	}
	return b
}

func readValue(r *dcbor.Reader) licence.Value {
	switch {
	case r.Null():
		return licence.Null
	case r.TextNext():
		return licence.TextValue(string(r.Text(MaxSize)))
	}
	items := make([]string, 0, 4)
	for range r.Array(maxItems) {
		items = append(items, string(r.Text(MaxSize)))
		if !r.OK() {
			break
		}
	}
	return licence.ListValue(items...)
}

func (h *Holder) read(r *dcbor.Reader) {
	r.ArrayOf(10)
	r.Fixed(h.Key[:])
	h.BindingNotBefore = r.Uint(maxTime)
	h.BindingNotAfter = r.Uint(maxTime)
	r.Fixed(h.BindingKeyID[:])
	r.Fixed(h.BindingSignature[:])
	h.Audience = string(r.Text(maxAudience))
	h.Nonce = r.Bytes(maxNonce)
	h.ProofIssuedAt = r.Uint(maxTime)
	h.ProofNotAfter = r.Uint(maxTime)
	r.Fixed(h.ProofSignature[:])
}
