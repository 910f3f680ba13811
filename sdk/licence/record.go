package licence

import (
	"fmt"
	"strings"
)

// csv reads a CSV record.
func (b *builder) csv(s string, c *columns) {
	if c == nil || c.t != b.t {
		b.malformed("the record comes from the input of another type")
		return
	}
	cells := &csvCells{s: s}
	for i := 0; ; i++ {
		cell, ok, wrong := cells.next()
		switch {
		case wrong != "":
			b.malformed("malformed CSV: " + wrong)
			return
		case !ok && i == len(c.slots):
			return
		case !ok || i == len(c.slots):
			b.malformed(fmt.Sprintf("malformed CSV: the record must have %d cells, as many as the first line", len(c.slots)))
			return
		}
		b.text(c.slots[i], cell)
	}
}

// json reads a JSON record.
func (b *builder) json(s string) {
	p := &scanner{s: s}
	err := b.members(p)
	if err == nil {
		err = p.end()
	}
	if err != nil {
		b.malformed(err.Error())
	}
}

func (b *builder) members(p *scanner) error {
	if err := p.take('{'); err != nil {
		return err
	}
	for n := 0; ; n++ {
		on, err := p.more(n, '}')
		if !on || err != nil {
			return err
		}
		name, err := p.text()
		if err != nil {
			return err
		}
		if err := p.take(':'); err != nil {
			return err
		}
		if slot, ok := b.field(name); ok && b.once(slot) {
			err = b.value(p, slot)
		} else {
			err = p.skip(0)
		}
		if err != nil {
			return err
		}
	}
}

// value reads the JSON value of a slot: a string, an array of strings for a list, a number for a decimal, or null.
func (b *builder) value(p *scanner, slot int) error {
	switch c := p.peek(); {
	case c == '"':
		s, err := p.text()
		if err == nil {
			b.text(slot, s)
		}
		return err
	case c == '[' && b.t.list(slot):
		return b.jsonItems(p, slot)
	case c == 'n':
		return p.word("null")
	case (c == '-' || '0' <= c && c <= '9') && slot < len(b.t.Fields) && b.t.Fields[slot].Kind == KindDecimal:
		s, err := p.number()
		if err == nil {
			b.text(slot, s)
		}
		return err
	}
	if b.t.list(slot) {
		b.refuse(slot, "must be an array of strings in JSON")
	} else {
		b.refuse(slot, "must be a string in JSON")
	}
	return p.skip(0)
}

func (b *builder) jsonItems(p *scanner, slot int) error {
	var store [8]string
	parts, good := store[:0], true
	p.i++
	for n := 0; ; n++ {
		on, err := p.more(n, ']')
		if err != nil {
			return err
		}
		if !on {
			break
		}
		if good = good && p.peek() == '"' && n <= MaxItems; !good {
			if err := p.skip(0); err != nil {
				return err
			}
			continue
		}
		s, err := p.text()
		if err != nil {
			return err
		}
		parts = append(parts, s)
	}
	switch {
	case len(parts) > MaxItems:
		b.refuse(slot, fmt.Sprintf("holds more than %d items", MaxItems))
	case !good:
		b.refuse(slot, "must be an array of strings in JSON")
	default:
		b.items(slot, parts...)
	}
	return nil
}

// xml reads an XML record: an element whose child elements are the fields; the one of a list may be repeated.
func (b *builder) xml(s string) {
	p := &xmlScanner{s: s}
	err := b.element(p)
	if err == nil && p.i < len(p.s) {
		err = p.fail("there is more after the end of the record")
	}
	if err != nil {
		b.malformed("malformed XML " + err.Error())
	}
}

// xmlList gathers the elements of a list.
type xmlList struct {
	slot  int
	name  string
	parts []string
}

func (b *builder) element(p *xmlScanner) error {
	name, empty, err := p.tag(b.attribute)
	if err != nil {
		return err
	}
	var lists []xmlList
	for !empty {
		text, err := p.content()
		if err != nil {
			return err
		}
		if strings.Trim(text, " \t\r\n") != "" {
			return p.fail("there is text between the fields")
		}
		if p.take("</") {
			if err := p.close(name); err != nil {
				return err
			}
			break
		}
		if lists, err = b.child(p, lists); err != nil {
			return err
		}
	}
	for _, l := range lists {
		b.items(l.slot, l.parts...)
	}
	return nil
}

// child reads one field.
func (b *builder) child(p *xmlScanner, lists []xmlList) ([]xmlList, error) {
	name, empty, err := p.tag(b.attribute)
	if err != nil {
		return nil, err
	}
	text, nested := "", false
	if !empty {
		if text, err = p.content(); err != nil {
			return nil, err
		}
		nested = !strings.HasPrefix(p.s[p.i:], "</")
		if err := p.rest(name); err != nil {
			return nil, err
		}
	}
	slot, ok := b.field(localName(name))
	if !ok {
		return lists, nil
	}
	for i := range lists {
		if l := &lists[i]; l.slot == slot && l.name == name && !nested {
			if len(l.parts) <= MaxItems {
				l.parts = append(l.parts, text)
			}
			return lists, nil
		}
	}
	switch {
	case !b.once(slot):
	case nested:
		b.refuse(slot, "must be text, not elements")
	case b.t.list(slot):
		lists = append(lists, xmlList{slot, name, []string{text}})
	default:
		b.text(slot, text)
	}
	return lists, nil
}

// attribute refuses attributes, which could hold data that no field takes; only the type that the element belongs to, and those of XML and XML Schema
// themselves, are let pass.
func (b *builder) attribute(name, value string) {
	if name == "type" && value == b.t.ID || strings.HasPrefix(name, "xml:") || strings.HasPrefix(name, "xsi:") {
		return
	}
	b.report(UnknownField, "@"+fieldName(name), "fields must be elements; the attribute is not known")
}
