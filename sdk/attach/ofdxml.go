package attach

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// Bounds of a file of an OFD's structure.
const (
	maxXMLDepth = 32    // of the elements in it
	maxXMLFound = 4_000 // elements that are looked for
)

// An xmlElement is an element with its place in a file.
type xmlElement struct {
	name       string // as written, with its prefix
	local      string
	attributes []xml.Attr
	text       string // its own, after the last of its children

	begin, inner int // offsets of its start tag and after that
	end          int // offset of its end tag; -1 if it is an empty-element tag
}

// empty reports whether the element is an empty-element tag, with no end tag.
func (e *xmlElement) empty() bool { return e.end < 0 }

// attribute returns the value of an attribute without a prefix, "" if there is none.
func (e *xmlElement) attribute(name string) string {
	for _, a := range e.attributes {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// sibling returns a name with the element's own prefix, so that it is in the same namespace.
func (e *xmlElement) sibling(local string) string {
	return strings.TrimSuffix(e.name, e.local) + local
}

// xmlElements returns the elements at a path, whatever their namespace, in the order in which they end. A
// document type, and with it every entity that it could declare, is refused.
func xmlElements(b []byte, elements ...string) ([]xmlElement, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var at []string
	var element xmlElement
	var text strings.Builder
	var out []xmlElement
	for {
		begin := int(d.InputOffset())
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, errDamaged(FormatOFD)
		}
		end := int(d.InputOffset())
		switch token := token.(type) {
		case xml.Directive:
			return nil, errDamaged(FormatOFD)
		case xml.StartElement:
			if at = append(at, token.Name.Local); len(at) > maxXMLDepth {
				return nil, errTooComplex(FormatOFD)
			}
			text.Reset()
			if slices.Equal(at, elements) {
				element = xmlElement{name: tagName(b[begin:end]), local: token.Name.Local, attributes: slices.Clone(token.Attr), begin: begin, inner: end}
			}
		case xml.CharData:
			if slices.Equal(at, elements) {
				text.Write(token)
			}
		case xml.EndElement:
			if slices.Equal(at, elements) {
				element.text, element.end = text.String(), begin
				if begin == end {
					element.end = -1
				}
				out = append(out, element)
			}
			if len(out) > maxXMLFound {
				return nil, errTooComplex(FormatOFD)
			}
			at = at[:len(at)-1]
		}
	}
}

// tagName returns the name in a start tag as it is written.
func tagName(tag []byte) string {
	tag = bytes.TrimPrefix(tag, []byte("<"))
	if i := bytes.IndexAny(tag, " \t\r\n/>"); i >= 0 {
		tag = tag[:i]
	}
	return string(tag)
}

// splice replaces a part of a file.
func splice(b []byte, from, to int, text string) []byte {
	return slices.Concat(b[:from], []byte(text), b[to:])
}

// xmlText returns text as it is written between tags.
func xmlText(text string) string {
	var out strings.Builder
	xml.EscapeText(&out, []byte(text)) // into memory, which does not fail
	return out.String()
}
