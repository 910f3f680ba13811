package intake

import (
	"bytes"
	"strconv"
)

// What a PDF consists of (ISO 32000-1, 7.3), as far as attachments need it: nil stands for null, and
// for strings, reals and booleans, which are read past; the rest is int, pdfName, pdfRef, pdfArray,
// pdfDict or *pdfStream.
type (
	pdfName  string
	pdfRef   struct{ number, generation int }
	pdfArray []any
	pdfDict  map[pdfName]any
)

// A pdfStream is a dictionary with bytes, as they stand in the file.
type pdfStream struct {
	dict pdfDict
	raw  []byte
}

// maxPDFDepth bounds how deep arrays and dictionaries of a PDF are nested.
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

// word reads what is up to the next white space or delimiter.
func (p *pdfParser) word() []byte {
	p.space()
	start := p.at
	for p.at < len(p.b) && !isPDFSpace(p.b[p.at]) && !isPDFDelimiter(p.b[p.at]) {
		p.at++
	}
	return p.b[start:p.at]
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

// value reads one object.
func (p *pdfParser) value(depth int) any {
	p.space()
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
		end := bytes.IndexByte(p.b[p.at:], '>')
		if end < 0 {
			return p.fail()
		}
		p.at += end + 1
		return nil
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
	start := p.at
	for p.at < len(p.b) && !isPDFSpace(p.b[p.at]) && !isPDFDelimiter(p.b[p.at]) {
		p.at++
	}
	raw := p.b[start:p.at]
	if bytes.IndexByte(raw, '#') < 0 {
		return pdfName(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '#' {
			if i+2 >= len(raw) {
				return p.fail()
			}
			code, err := strconv.ParseUint(string(raw[i+1:i+3]), 16, 8)
			if err != nil {
				return p.fail()
			}
			c, i = byte(code), i+2
		}
		out = append(out, c)
	}
	return pdfName(out)
}

// literal reads past a string in parentheses, which may be nested.
func (p *pdfParser) literal() any {
	for open := 0; p.at < len(p.b); p.at++ {
		switch p.b[p.at] {
		case '\\':
			p.at++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				p.at++
				return nil
			}
		}
	}
	return p.fail()
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
		out = append(out, p.value(depth+1))
	}
}

func (p *pdfParser) dict(depth int) any {
	p.at += 2
	out := pdfDict{}
	for {
		p.space()
		if bytes.HasPrefix(p.b[p.at:], []byte(">>")) {
			p.at += 2
			return out
		}
		if p.at == len(p.b) || p.b[p.at] != '/' {
			return p.fail()
		}
		key, ok := p.name().(pdfName)
		if !ok {
			return p.fail()
		}
		value := p.value(depth + 1)
		if p.failed {
			return nil
		}
		if _, twice := out[key]; twice {
			return p.fail()
		}
		out[key] = value
	}
}
