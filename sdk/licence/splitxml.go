package licence

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// xmlRecords splits XML: the elements in the root element are the records, or the root element is the one record if the first element
// in it is a field of the type. It only follows the tags; the records are checked when they are parsed. What is not well-formed outside
// records ends the reading.
type xmlRecords struct {
	src      *source
	t        *Type
	i        int    // cursor: offset in the window
	tooLarge bool   // part of the markup before the cursor was dropped from the window
	name     string // of the root element
	single   bool   // the root element is the record
	ended    bool   // past the root element
}

// markup is what a "<" can begin.
type markup int

const (
	openTag  markup = iota // <a>
	closeTag               // </a>
	emptyTag               // <a/>
	cdata                  // <![CDATA[ ]]>
	aside                  // a comment or a processing instruction
)

func newXMLRecords(src *source, t *Type) (splitter, error) {
	x := &xmlRecords{src: src, t: t}
	kind := aside
	for first := true; kind == aside; first = false { // the XML declaration, comments, and the root's tag
		if err := x.toMarkup("before the root element"); err != nil {
			return nil, err
		}
		x.drop()
		var err error
		if kind, err = x.markup(); err != nil {
			return nil, err
		}
		if x.tooLarge {
			return nil, x.src.fail(TooLarge, "what stands before the first record is larger than 1 MiB")
		}
		if kind == aside {
			if err := x.declaration(first); err != nil {
				return nil, err
			}
			x.drop()
		}
	}
	if kind != openTag && kind != emptyTag {
		return nil, x.malformed("the root element is missing")
	}
	if err := x.root(); err != nil {
		return nil, err
	}
	if kind == emptyTag {
		x.ended = true
		x.drop()
		return x, nil
	}
	return x, x.decide()
}

// declaration refuses an XML declaration of another encoding.
func (x *xmlRecords) declaration(first bool) error {
	text := string(x.src.buf[:x.i])
	if !first || !strings.HasPrefix(text, "<?xml ") && !strings.HasPrefix(text, "<?xml\n") {
		return nil
	}
	p := &xmlScanner{s: strings.TrimSuffix(text, "?>") + ">", i: len("<?xml")}
	other := false
	_, err := p.attributes(func(name, value string) {
		if name == "encoding" && !strings.EqualFold(value, "UTF-8") {
			other = true
		}
	})
	if err != nil {
		return x.malformed("the XML declaration is not well-formed")
	}
	if other {
		return &InputError{Code: NotUTF8, Line: x.src.line,
			Message: "the XML declaration names another encoding than UTF-8; convert the file, and the declaration, to UTF-8"}
	}
	return nil
}

// root checks the root's tag, which is in the window up to the cursor: its attribute "type", if there is one, is the id of the type.
func (x *xmlRecords) root() error {
	if !utf8.Valid(x.src.buf[:x.i]) {
		return notUTF8(x.src.line)
	}
	p := &xmlScanner{s: string(x.src.buf[:x.i])}
	wrong := false
	var err error
	x.name, _, err = p.tag(func(name, value string) {
		if name == "type" && value != x.t.ID {
			wrong = true
		}
	})
	if err != nil {
		return x.malformed(err.Error())
	}
	if wrong {
		return &InputError{Code: WrongType, Line: x.src.line, Message: "the root element says that it holds licences of another type than " + x.t.ID}
	}
	return nil
}

// decide looks for the first element in the root to tell whether that is a record or a field. The window begins at the root's tag.
func (x *xmlRecords) decide() error {
	content := x.i
	for {
		if err := x.toMarkup("before the first record"); err != nil {
			return err
		}
		at := x.i
		kind, err := x.markup()
		switch {
		case err != nil:
			return err
		case x.tooLarge:
			return x.src.fail(TooLarge, "what stands before the first record is larger than 1 MiB")
		case kind == openTag, kind == emptyTag:
			p := &xmlScanner{s: string(x.src.buf[at+1 : x.i])}
			name, err := p.name()
			if err != nil {
				return x.malformed(err.Error())
			}
			if _, x.single = x.t.slot(localName(name)); x.single {
				x.i = 0
				return nil
			}
			fallthrough
		case kind == closeTag:
			x.i = content
			x.drop()
			return nil
		}
	}
}

func (x *xmlRecords) next() ([]byte, int, error) {
	for !x.ended {
		if err := x.toMarkup("between the records"); err != nil {
			return nil, 0, err
		}
		x.drop()
		x.tooLarge = false
		line := x.src.line
		kind, err := x.markup()
		if err == nil && kind == openTag {
			err = x.body()
		}
		switch {
		case err != nil:
			return nil, 0, err
		case kind == cdata:
			return nil, 0, x.malformed("there is text between the records")
		case kind == closeTag:
			if tag := string(x.src.buf[:x.i]); !x.tooLarge && strings.TrimRight(tag[2:len(tag)-1], " \t\r\n") != x.name {
				return nil, 0, x.malformed("an end tag does not fit the root element")
			}
			x.ended = true
		case kind == openTag || kind == emptyTag:
			x.ended = x.single
			record := x.src.buf[:x.i]
			if x.drop(); x.tooLarge || len(record) > MaxRecord {
				return nil, line, errTooLarge
			}
			return record, line, nil
		}
		x.drop()
	}
	return nil, 0, x.epilogue()
}

// body moves the cursor from behind an opening tag to behind the end tag that belongs to it.
func (x *xmlRecords) body() error {
	for depth := 1; depth > 0; {
		if err := x.find("<"); err != nil {
			return err
		}
		x.i--
		kind, err := x.markup()
		if err != nil {
			return err
		}
		switch kind {
		case openTag:
			depth++
		case closeTag:
			depth--
		}
	}
	return nil
}

// drop uses what is before the cursor.
func (x *xmlRecords) drop() {
	x.src.use(x.i)
	x.i = 0
}

// epilogue checks that nothing but comments follows the root element.
func (x *xmlRecords) epilogue() error {
	for x.src.space() {
		kind := cdata
		if x.src.buf[0] == '<' {
			var err error
			if kind, err = x.markup(); err != nil {
				return err
			}
		}
		if kind != aside {
			return x.malformed("there is more after the end of the root element")
		}
		x.drop()
	}
	return x.src.ended()
}

// toMarkup moves the cursor over white space to the next "<".
func (x *xmlRecords) toMarkup(where string) error {
	for {
		for ; x.i < len(x.src.buf); x.i++ {
			switch x.src.buf[x.i] {
			case '<':
				return nil
			case ' ', '\t', '\n', '\r':
			default:
				return x.malformed("there is text " + where)
			}
		}
		if err := x.more(); err != nil {
			return err
		}
	}
}

// markup moves the cursor, which is at a "<", behind the markup that begins there.
func (x *xmlRecords) markup() (markup, error) {
	if err := x.have(2); err != nil {
		return 0, err
	}
	switch x.src.buf[x.i+1] {
	case '?':
		return aside, x.find("?>")
	case '/':
		return closeTag, x.find(">")
	case '!':
		if err := x.have(4); err != nil {
			return 0, err
		}
		if bytes.HasPrefix(x.src.buf[x.i:], []byte("<!--")) {
			x.i += 4
			return aside, x.find("-->")
		}
		if err := x.have(9); err != nil {
			return 0, err
		}
		if bytes.HasPrefix(x.src.buf[x.i:], []byte("<![CDATA[")) {
			return cdata, x.find("]]>")
		}
		return 0, x.malformed("document type declarations and entity declarations are not accepted")
	}
	var inside, last byte // the quotation mark that was opened, and the byte before
	for x.i++; ; x.i++ {
		if x.i == len(x.src.buf) {
			if err := x.more(); err != nil {
				return 0, err
			}
		}
		switch c := x.src.buf[x.i]; {
		case inside != 0:
			if c == inside {
				inside = 0
			}
		case c == '"' || c == '\'':
			inside = c
		case c == '>':
			x.i++
			if last == '/' {
				return emptyTag, nil
			}
			return openTag, nil
		case c == '<':
			return 0, x.malformed("there is a '<' inside a tag")
		}
		last = x.src.buf[x.i]
	}
}

// find moves the cursor behind the next occurrence of mark.
func (x *xmlRecords) find(mark string) error {
	for {
		if at := bytes.Index(x.src.buf[x.i:], []byte(mark)); at >= 0 {
			x.i += at + len(mark)
			return nil
		}
		x.i = max(x.i, len(x.src.buf)-len(mark)+1)
		if err := x.more(); err != nil {
			return err
		}
	}
}

// have makes the window hold n bytes from the cursor.
func (x *xmlRecords) have(n int) error {
	for len(x.src.buf) < x.i+n {
		if err := x.more(); err != nil {
			return err
		}
	}
	return nil
}

// more reads on, and drops what is before the cursor once that is larger than a record may be.
func (x *xmlRecords) more() error {
	if x.i > MaxRecord {
		x.src.use(x.i)
		x.i, x.tooLarge = 0, true
	}
	if x.src.more() {
		return nil
	}
	if x.src.err == io.EOF {
		return x.src.fail(Truncated, "the input ends inside the XML: it was cut off, or an end tag is missing")
	}
	return x.src.ended()
}

func (x *xmlRecords) malformed(message string) error {
	return x.src.fail(Malformed, "malformed XML: "+message)
}
