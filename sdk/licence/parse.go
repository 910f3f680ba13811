package licence

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseRaw parses one record of a Reader of this type. It can be called from several goroutines. The error is a *RecordError.
func (t *Type) ParseRaw(raw Raw) (*Document, error) {
	b := builder{t: t}
	switch {
	case t.leaves == nil:
		b.malformed("the licence type does not come from ParseType")
	case !utf8.ValidString(raw.text):
		b.report(NotUTF8, "", "the record "+convert)
	default:
		b.d = &Document{typ: t, values: make([]Value, len(t.leaves))}
		switch raw.format {
		case JSON, JSONLines:
			b.json(raw.text)
		case XML:
			b.xml(raw.text)
		case CSV:
			b.csv(raw.text, raw.columns)
		default:
			b.malformed("the record does not come from a Reader")
		}
		b.finish()
	}
	if len(b.problems) > 0 {
		return nil, &RecordError{raw.Record, raw.Line, b.problems}
	}
	return b.d, nil
}

// builder makes a document of the fields of one record, in whatever order they come.
type builder struct {
	t        *Type
	d        *Document
	seen     [4]uint64 // slots that were given
	bad      [4]uint64 // slots whose value was refused
	problems []Problem
	broken   bool // not well-formed
	next     int  // slot of the field that is expected next
}

// maxProblems bounds what is reported of one record.
const maxProblems = 20

func (b *builder) report(code, field, message string) {
	if len(b.problems) < maxProblems {
		b.problems = append(b.problems, Problem{code, field, message})
	}
}

// malformed replaces all reports: what was read of a record that is not well-formed means nothing.
func (b *builder) malformed(message string) {
	b.broken = true
	b.problems = []Problem{{Code: Malformed, Message: message}}
}

// refuse reports a value that is not of its field's kind.
func (b *builder) refuse(slot int, wrong string) {
	b.bad[slot/64] |= 1 << (slot % 64)
	b.report(BadValue, b.t.slotName(slot), fmt.Sprintf("not a value of the kind %s: it %s", b.t.slotKind(slot), wrong))
}

// Slots beyond the fields: the two leaves that every type has, and the two days of validity.
func (t *Type) identifierSlot() int { return len(t.Fields) }
func (t *Type) documentsSlot() int  { return len(t.Fields) + 1 }
func (t *Type) fromSlot() int       { return len(t.Fields) + 2 }
func (t *Type) untilSlot() int      { return len(t.Fields) + 3 }

// slot finds the slot that a name in an input means.
func (t *Type) slot(name string) (int, bool) {
	slot, ok := t.names[name]
	if !ok {
		name, _ = clean(name, false)
		slot, ok = t.names[name]
	}
	return slot, ok
}

func (t *Type) slotName(slot int) string {
	switch {
	case slot < len(t.leaves):
		return t.leaves[slot]
	case slot == t.fromSlot():
		return ValidFromAlias
	}
	return ValidUntilAlias
}

func (t *Type) slotKind(slot int) string {
	switch {
	case slot < len(t.Fields):
		return string(t.Fields[slot].Kind)
	case slot == t.identifierSlot():
		return "identifier"
	case slot == t.documentsSlot():
		return "documents"
	}
	return string(KindDate)
}

// list reports whether the slot takes a list.
func (t *Type) list(slot int) bool {
	return slot < len(t.Fields) && t.Fields[slot].Kind.List() || slot == t.documentsSlot()
}

// field finds the slot of a name in the record; a name that is unknown is reported.
func (b *builder) field(name string) (int, bool) {
	slot := b.next
	if slot >= len(b.t.Fields) || b.t.Fields[slot].Key != name {
		var ok bool
		if slot, ok = b.t.slot(name); !ok {
			name = fieldName(name)
			b.report(UnknownField, name, "the type "+b.t.ID+" has no such field")
			return 0, false
		}
	}
	b.next = slot + 1
	return slot, true
}

// once notes that the slot is given, and reports it if it was given before.
func (b *builder) once(slot int) bool {
	if b.seen[slot/64]&(1<<(slot%64)) != 0 {
		b.bad[slot/64] |= 1 << (slot % 64)
		b.report(DuplicateField, b.t.slotName(slot), "the field is given twice, perhaps under two of its names")
		return false
	}
	b.seen[slot/64] |= 1 << (slot % 64)
	return true
}

// text fills a slot from one text.
func (b *builder) text(slot int, s string) {
	if b.t.list(slot) {
		b.items(slot, s)
		return
	}
	var text, wrong string
	switch {
	case slot < len(b.t.Fields):
		text, wrong = b.t.Fields[slot].Kind.canonical(s, slot == b.t.number)
	case slot == b.t.identifierSlot():
		text, wrong = b.identifier(s)
	default:
		wrong = b.validity(slot, s)
	}
	switch {
	case wrong != "":
		b.refuse(slot, wrong)
	case text != "":
		b.d.values[slot] = TextValue(text)
	}
}

func (b *builder) identifier(s string) (text, wrong string) {
	if s = foldCode(s); s == "" {
		return "", ""
	}
	id, err := ParseIdentifier(s)
	switch {
	case err != nil:
		return "", "is refused: " + err.Error()
	case id.TypeCode() != b.t.Code:
		return "", "is the identifier of a licence of another type"
	}
	return s, ""
}

func (b *builder) validity(slot int, s string) (wrong string) {
	text, wrong := canonicalDate(s)
	if text == "" {
		return wrong
	}
	switch {
	case slot == b.t.fromSlot():
		b.d.from, b.d.has = days(text), b.d.has|hasFrom
	case b.t.Validity == ValidityPermanent:
		return "must be left out: licences of this type have no last day"
	default:
		b.d.until, b.d.has = days(text), b.d.has|hasUntil
	}
	return ""
}

// items fills a slot that takes a list from texts that each hold one item, or several separated by ";", "；" or "、".
// A single blank text means that the field is absent.
func (b *builder) items(slot int, parts ...string) {
	var list listBuilder
	size := 0
	for _, part := range parts {
		size += len(part) + 2
	}
	list.data.Grow(size)
	for _, part := range parts {
		for more := true; more; {
			var item string
			item, part, more = cutItem(part)
			text, wrong := b.item(slot, item)
			switch {
			case wrong != "":
			case text == "" && list.items == 0 && !more && len(parts) == 1:
				return
			case text == "":
				wrong = "holds an empty item"
			case list.items == MaxItems:
				wrong = fmt.Sprintf("holds more than %d items", MaxItems)
			}
			if wrong != "" {
				b.refuse(slot, wrong)
				return
			}
			list.add(text)
		}
	}
	if list.items > 0 {
		b.d.values[slot] = list.value()
	}
}

func (b *builder) item(slot int, s string) (text, wrong string) {
	if slot < len(b.t.Fields) {
		return b.t.Fields[slot].Kind.canonical(s, false)
	}
	s = strings.ToLower(foldCode(s))
	if s != "" && (len(s) != 64 || !every(s, func(_ int, c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' })) {
		return "", "must be SM3 digests in hexadecimal, 64 digits each"
	}
	return s, ""
}

// cutItem cuts a text at its first separator of items; more says that there was one.
func cutItem(s string) (item, rest string, more bool) {
	for i := range len(s) {
		switch {
		case s[i] == ';':
			return s[:i], s[i+1:], true
		case s[i] == 0xef && strings.HasPrefix(s[i:], "；") || s[i] == 0xe3 && strings.HasPrefix(s[i:], "、"):
			return s[:i], s[i+3:], true
		}
	}
	return s, "", false
}

// finish reports what is missing, and days of validity in the wrong order.
func (b *builder) finish() {
	if b.broken {
		return
	}
	for i := range b.t.Fields {
		if f := &b.t.Fields[i]; f.Required && b.d.values[i].IsNull() && b.bad[i/64]&(1<<(i%64)) == 0 {
			b.report(MissingField, f.Key, "the required field is missing or empty ("+f.Label.Zh+")")
		}
	}
	if b.d.has == hasFrom|hasUntil && b.d.from > b.d.until {
		b.refuse(b.t.untilSlot(), "must not be before the first day of validity")
	}
}

// fieldName renders an unknown name of a field for an error. What does not look like a name may be a value in the wrong place, and is not shown.
func fieldName(s string) string {
	s, wrong := clean(s, false)
	count := 0
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			count++
		}
	}
	if s == "" || wrong != "" || len(s) > 64 || count > 5 {
		return "(not shown: it does not look like a name)"
	}
	return s
}
