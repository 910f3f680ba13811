package attach

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// What a PDF consists of (ISO 32000-1, 7.3), as far as attaching needs it. A value is an int, pdfName,
// pdfRef, pdfString, pdfArray, pdfDict or *pdfStream; nil stands for null, and for reals and booleans, of
// which nothing but their text matters.
type (
	pdfName   string
	pdfString string // its bytes, without escapes
	pdfRef    struct{ number, generation int }
	pdfArray  []pdfItem
	pdfDict   []pdfEntry
)

// A pdfItem is a value with its text in the file, which goes unchanged wherever the value goes.
type pdfItem struct {
	value any
	text  []byte
}

// A pdfEntry is an entry of a dictionary.
type pdfEntry struct {
	name pdfName
	key  []byte // the name's text
	pdfItem
}

// A pdfStream is a dictionary with bytes, as they stand in the file.
type pdfStream struct {
	dict pdfDict
	raw  []byte
}

// item returns the entry of a name; its text is nil if there is none.
func (d pdfDict) item(name pdfName) pdfItem {
	for i := range d {
		if d[i].name == name {
			return d[i].pdfItem
		}
	}
	return pdfItem{}
}

// get returns the value of a name, nil if there is none.
func (d pdfDict) get(name pdfName) any { return d.item(name).value }

// maxPDFDepth bounds how deep arrays and dictionaries are nested.
const maxPDFDepth = 32

// A pdfParser reads objects one after the other. After its first mistake it reads nothing more, and
// failed is set.
type pdfParser struct {
	b      []byte
	at     int
	values *int // how many more values may be read
	failed bool
}

func (p *pdfParser) fail() any {
	p.failed, p.at = true, len(p.b)
	return nil
}

func isPDFSpace(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func isPDFDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// space goes on to what is neither white space nor comment.
func (p *pdfParser) space() {
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case isPDFSpace(c):
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
func (p *pdfParser) regular() []byte {
	begin := p.at
	for p.at < len(p.b) && !isPDFSpace(p.b[p.at]) && !isPDFDelimiter(p.b[p.at]) {
		p.at++
	}
	return p.b[begin:p.at]
}

// word reads the next word, which is empty before a delimiter and at the end.
func (p *pdfParser) word() []byte {
	p.space()
	return p.regular()
}

// keyword reads a word that has to be there.
func (p *pdfParser) keyword(word string) {
	if string(p.word()) != word {
		p.fail()
	}
}

// natural reads a number from 0 to 2^31-1 that has to be there.
func (p *pdfParser) natural() int {
	n, ok := pdfNatural(p.word())
	if !ok {
		p.fail()
	}
	return n
}

func pdfNatural(word []byte) (int, bool) {
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
func (p *pdfParser) item(depth int) pdfItem {
	p.space()
	begin := p.at
	value := p.value(depth)
	if p.failed {
		return pdfItem{}
	}
	return pdfItem{value, p.b[begin:p.at:p.at]}
}

func (p *pdfParser) value(depth int) any {
	if *p.values--; p.failed || p.at == len(p.b) || depth > maxPDFDepth || *p.values < 0 {
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
func (p *pdfParser) number() any {
	word := p.word()
	n, ok := pdfNatural(word)
	if !ok {
		if n, err := strconv.Atoi(string(word)); err == nil {
			return n
		}
		return nil
	}
	after := p.at
	if generation, ok := pdfNatural(p.word()); ok && string(p.word()) == "R" {
		return pdfRef{n, generation}
	}
	p.at = after
	return n
}

// name reads a name, in which a # stands before two hexadecimal digits.
func (p *pdfParser) name() any {
	p.at++
	text := p.regular()
	if bytes.IndexByte(text, '#') < 0 {
		return pdfName(text)
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
	return pdfName(out)
}

// hexadecimal reads a string between angle brackets; a last digit that is missing is a zero.
func (p *pdfParser) hexadecimal() any {
	end := bytes.IndexByte(p.b[p.at:], '>')
	if end < 0 {
		return p.fail()
	}
	digits := make([]byte, 0, end+1)
	for _, c := range p.b[p.at+1 : p.at+end] {
		if !isPDFSpace(c) {
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
	return pdfString(digits[:n])
}

// literal reads a string in parentheses, which may be nested (7.3.4.2).
func (p *pdfParser) literal() any {
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
				return pdfString(out)
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
func (p *pdfParser) escape(out []byte) []byte {
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

func (p *pdfParser) array(depth int) any {
	p.at++
	out := pdfArray{}
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

func (p *pdfParser) dict(depth int) any {
	p.at += 2
	out := pdfDict{}
	seen := map[pdfName]bool{}
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
		name, ok := p.name().(pdfName)
		if !ok || seen[name] {
			return p.fail()
		}
		seen[name] = true
		key := p.b[begin:p.at]
		item := p.item(depth + 1)
		if p.failed {
			return nil
		}
		out = append(out, pdfEntry{name, key, item})
	}
}
