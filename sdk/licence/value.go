package licence

import (
	"iter"
	"strings"
)

// Value is the canonical value of one leaf: null, a text, or a list of texts. The zero Value is null.
// Values are compared with ==. A value that was read shares memory with its record.
type Value struct {
	data  string // a text, or for each item of a list its length (seven bits a byte, lowest first, the high bit: more follows) and its bytes
	items int32  // of a list
	kind  valueKind
}

type valueKind uint8

const (
	nullValue valueKind = iota
	textValue
	listValue
)

// Null is the value of an absent field.
var Null = Value{}

// TextValue returns the value of one text.
func TextValue(s string) Value { return Value{data: s, kind: textValue} }

// ListValue returns the value of a list of texts; without items it is the empty list, which is not null.
func ListValue(items ...string) Value {
	var list listBuilder
	size := 0
	for _, s := range items {
		size += len(s) + 2
	}
	list.data.Grow(size)
	for _, s := range items {
		list.add(s)
	}
	return list.value()
}

// listBuilder puts the value of a list together.
type listBuilder struct {
	data  strings.Builder
	items int32
}

func (l *listBuilder) add(s string) {
	n := len(s)
	for ; n >= 0x80; n >>= 7 {
		l.data.WriteByte(byte(n) | 0x80)
	}
	l.data.WriteByte(byte(n))
	l.data.WriteString(s)
	l.items++
}

func (l *listBuilder) value() Value {
	return Value{data: l.data.String(), items: l.items, kind: listValue}
}

// IsNull, IsText and IsList say which of the three the value is.
func (v Value) IsNull() bool { return v.kind == nullValue }
func (v Value) IsText() bool { return v.kind == textValue }
func (v Value) IsList() bool { return v.kind == listValue }

// Len is the number of texts in the value: 0 for null, 1 for a text.
func (v Value) Len() int {
	if v.kind == textValue {
		return 1
	}
	return int(v.items)
}

// All yields the texts of the value: none for null, one for a text. It does not allocate.
func (v Value) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		if v.kind == textValue {
			yield(v.data)
			return
		}
		for rest := v.data; rest != ""; {
			n, w := itemLength(rest)
			if !yield(rest[w : w+n]) {
				return
			}
			rest = rest[w+n:]
		}
	}
}

// itemLength reads a length that listBuilder wrote.
func itemLength(s string) (n, width int) {
	for shift := 0; ; shift += 7 {
		c := s[width]
		width++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n, width
		}
	}
}

// Strings returns the texts of the value: nil for null, one for a text.
func (v Value) Strings() []string {
	if v.IsNull() {
		return nil
	}
	out := make([]string, 0, v.Len())
	for s := range v.All() {
		out = append(out, s)
	}
	return out
}

// String renders the value for people: "" for null, the items of a list joined by "、".
func (v Value) String() string {
	if v.kind == textValue {
		return v.data
	}
	return strings.Join(v.Strings(), "、")
}
