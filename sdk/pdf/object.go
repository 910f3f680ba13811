package pdf

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
)

// What a PDF consists of (ISO 32000-1, 7.3), as far as attachments need it. A value is an int, Name,
// Ref, String, Array, Dict or *Stream; nil stands for null, and for reals and booleans, of
// which nothing but their text matters.
type (
	Name   string
	String string // its bytes, without escapes
	Ref    struct{ Number, Generation int }
	Array  []Item
	Dict   []Entry
)

// A Item is a value with its text in the file, which goes unchanged wherever the value goes.
type Item struct {
	Value any
	Text  []byte
}

// A Entry is an entry of a dictionary.
type Entry struct {
	Name Name
	Key  []byte // the name's text
	Item
}

// String returns the reference as it stands in a file.
func (r Ref) String() string { return fmt.Sprintf("%d %d R", r.Number, r.Generation) }

// A Stream is a dictionary with bytes, as they stand in the file.
type Stream struct {
	Dict Dict
	raw  []byte
}

// Item returns the entry of a name; its text is nil if there is none.
func (d Dict) Item(name Name) Item {
	for i := range d {
		if d[i].Name == name {
			return d[i].Item
		}
	}
	return Item{}
}

// Get returns the value of a name, nil if there is none.
func (d Dict) Get(name Name) any { return d.Item(name).Value }

// A parser reads objects one after the other. After its first mistake it reads nothing more, and
// failed is set.
type parser struct {
	b      []byte
	at     int
	values *int // how many more values may be read
	failed bool
}

func (p *parser) fail() any {
	p.failed, p.at = true, len(p.b)
	return nil
}

// IsSpace reports whether a byte is white space (ISO 32000-1, 7.2.2).
func IsSpace(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// space goes on to what is neither white space nor comment.
func (p *parser) space() {
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case IsSpace(c):
			p.at++
		case c == '%':
			for p.at < len(p.b) && p.b[p.at] != '\n' && p.b[p.at] != '\r' {
				p.at++
			}
		default:
			return
		}
	}
}

// regular reads up to the next white space or delimiter.
func (p *parser) regular() []byte {
	begin := p.at
	for p.at < len(p.b) && !IsSpace(p.b[p.at]) && !isDelimiter(p.b[p.at]) {
		p.at++
	}
	return p.b[begin:p.at]
}

// word reads the next word, which is empty before a delimiter and at the end.
func (p *parser) word() []byte {
	p.space()
	return p.regular()
}

// keyword reads a word that has to be there.
func (p *parser) keyword(word string) {
	if string(p.word()) != word {
		p.fail()
	}
}

// natural reads a number from 0 to 2^31-1 that has to be there.
func (p *parser) natural() int {
	n, ok := natural(p.word())
	if !ok {
		p.fail()
	}
	return n
}

func natural(word []byte) (int, bool) {
	if len(word) == 0 || len(word) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range word {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= 1<<31-1
}

// item reads one object.
func (p *parser) item(depth int) Item {
	p.space()
	begin := p.at
	value := p.value(depth)
	if p.failed {
		return Item{}
	}
	return Item{value, p.b[begin:p.at:p.at]}
}

func (p *parser) value(depth int) any {
	if *p.values--; p.failed || p.at == len(p.b) || depth > maxDepth || *p.values < 0 {
		return p.fail()
	}
	switch c := p.b[p.at]; {
	case c == '/':
		return p.name()
	case c == '(':
		return p.literal()
	case c == '[':
		return p.array(depth)
	case bytes.HasPrefix(p.b[p.at:], []byte("<<")):
		return p.dict(depth)
	case c == '<':
		return p.hexadecimal()
	case '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.':
		return p.number()
	}
	switch string(p.word()) {
	case "true", "false", "null":
		return nil
	}
	return p.fail()
}

// number reads an integer, a real, or a reference, which are two integers and an R.
func (p *parser) number() any {
	word := p.word()
	n, ok := natural(word)
	if !ok {
		if n, err := strconv.Atoi(string(word)); err == nil {
			return n
		}
		return nil
	}
	after := p.at
	if generation, ok := natural(p.word()); ok && string(p.word()) == "R" {
		return Ref{n, generation}
	}
	p.at = after
	return n
}

// name reads a name, in which a # stands before two hexadecimal digits.
func (p *parser) name() any {
	p.at++
	text := p.regular()
	if bytes.IndexByte(text, '#') < 0 {
		return Name(text)
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '#' {
			var b [1]byte
			if i+2 >= len(text) {
				return p.fail()
			}
			if _, err := hex.Decode(b[:], text[i+1:i+3]); err != nil {
				return p.fail()
			}
			c, i = b[0], i+2
		}
		out = append(out, c)
	}
	return Name(out)
}

// hexadecimal reads a string between angle brackets; a last digit that is missing is a zero.
func (p *parser) hexadecimal() any {
	end := bytes.IndexByte(p.b[p.at:], '>')
	if end < 0 {
		return p.fail()
	}
	digits := make([]byte, 0, end+1)
	for _, c := range p.b[p.at+1 : p.at+end] {
		if !IsSpace(c) {
			digits = append(digits, c)
		}
	}
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	n, err := hex.Decode(digits, digits)
	if err != nil {
		return p.fail()
	}
	p.at += end + 1
	return String(digits[:n])
}

// literal reads a string in parentheses, which may be nested (7.3.4.2).
func (p *parser) literal() any {
	var out []byte
	for open := 0; p.at < len(p.b); p.at++ {
		c := p.b[p.at]
		switch c {
		case '\\':
			out = p.escape(out)
			continue
		case '(':
			if open++; open == 1 {
				continue
			}
		case ')':
			if open--; open == 0 {
				p.at++
				return String(out)
			}
		case '\r':
			if p.at+1 < len(p.b) && p.b[p.at+1] == '\n' {
				continue
			}
			c = '\n'
		}
		out = append(out, c)
	}
	return p.fail()
}

// escape appends what a backslash and what comes after it stand for, and stops at the last of it.
func (p *parser) escape(out []byte) []byte {
	if p.at++; p.at == len(p.b) {
		return out
	}
	switch c := p.b[p.at]; {
	case '0' <= c && c <= '7':
		n := 0
		for i := 0; i < 3 && p.at < len(p.b) && '0' <= p.b[p.at] && p.b[p.at] <= '7'; i++ {
			n = n<<3 | int(p.b[p.at]-'0')
			p.at++
		}
		p.at--
		return append(out, byte(n))
	case c == '\r':
		if p.at+1 < len(p.b) && p.b[p.at+1] == '\n' {
			p.at++
		}
		return out
	case c == '\n':
		return out
	default:
		if i := bytes.IndexByte([]byte("nrtbf"), c); i >= 0 {
			c = "\n\r\t\b\f"[i]
		}
		return append(out, c)
	}
}

func (p *parser) array(depth int) any {
	p.at++
	out := Array{}
	for {
		p.space()
		if p.at == len(p.b) {
			return p.fail()
		}
		if p.b[p.at] == ']' {
			p.at++
			return out
		}
		out = append(out, p.item(depth+1))
	}
}

func (p *parser) dict(depth int) any {
	p.at += 2
	out := Dict{}
	seen := map[Name]bool{}
	for {
		p.space()
		if bytes.HasPrefix(p.b[p.at:], []byte(">>")) {
			p.at += 2
			return out
		}
		if p.at == len(p.b) || p.b[p.at] != '/' {
			return p.fail()
		}
		begin := p.at
		name, ok := p.name().(Name)
		if !ok || seen[name] {
			return p.fail()
		}
		seen[name] = true
		key := p.b[begin:p.at]
		item := p.item(depth + 1)
		if p.failed {
			return nil
		}
		out = append(out, Entry{name, key, item})
	}
}
