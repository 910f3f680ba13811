package licence

import "encoding/hex"

// Document is the canonical content of one licence: one value per leaf of its type, and its days of validity.
// Two inputs that mean the same licence give equal documents, whatever format they came in. It comes from a Reader; once its identifier and
// the digests of its files are set it can be used from several goroutines.
type Document struct {
	typ    *Type
	values []Value
	from   Date
	until  Date
	has    uint8 // hasFrom, hasUntil
}

const (
	hasFrom = 1 << iota
	hasUntil
)

// Type returns the document's type.
func (d *Document) Type() *Type { return d.typ }

// ValueAt returns the value of leaf i, in the order of Type.Leaves; Null if there is no such leaf.
func (d *Document) ValueAt(i int) Value {
	if i < 0 || i >= len(d.values) {
		return Null
	}
	return d.values[i]
}

// Value returns the value of the leaf with the given key; Null if the type has no such leaf.
func (d *Document) Value(key string) Value {
	for i, k := range d.typ.leaves {
		if k == key {
			return d.values[i]
		}
	}
	return Null
}

// Number returns the licence's number.
func (d *Document) Number() string { return d.values[d.typ.number].data }

// ValidFrom returns the first day of validity, if the input named one. It is not a leaf.
func (d *Document) ValidFrom() (Date, bool) { return d.from, d.has&hasFrom != 0 }

// ValidUntil returns the last day of validity, if the input named one. It is not a leaf.
func (d *Document) ValidUntil() (Date, bool) { return d.until, d.has&hasUntil != 0 }

// SetIdentifier sets the leaf IdentifierKey.
func (d *Document) SetIdentifier(id Identifier) {
	d.values[len(d.typ.Fields)] = TextValue(id.String())
}

// SetDocuments sets the leaf DocumentsKey to the SM3 digests of the licence's files; with none it becomes null.
func (d *Document) SetDocuments(digests ...[32]byte) {
	v := Null
	if len(digests) > 0 {
		texts := make([]string, len(digests))
		for i := range digests {
			texts[i] = hex.EncodeToString(digests[i][:])
		}
		v = ListValue(texts...)
	}
	d.values[len(d.typ.Fields)+1] = v
}

// Canonical returns the canonical JSON of the document: one object, the leaves that are not null as members in the order of
// Type.Leaves, texts as strings and lists as arrays of strings, no white space, strings escaped as in RFC 8785, 3.2.2.2.
func (d *Document) Canonical() []byte { return d.AppendCanonical(nil) }

// AppendCanonical appends Canonical to b.
func (d *Document) AppendCanonical(b []byte) []byte {
	b = append(b, '{')
	first := true
	for i, v := range d.values {
		if v.IsNull() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, d.typ.leaves[i])
		b = append(b, ':')
		if v.IsText() {
			b = appendString(b, v.data)
			continue
		}
		b = append(b, '[')
		n := 0
		for s := range v.All() {
			if n > 0 {
				b = append(b, ',')
			}
			n++
			b = appendString(b, s)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendString appends s, which is valid UTF-8, as a JSON string, escaped as in RFC 8785, section 3.2.2.2.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
