package licence

import (
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) from a string that is valid UTF-8, strictly: no trailing commas, no comments, no lone surrogates.
// It copies nothing: a string without escapes is a part of the input.
type scanner struct {
	s string
	i int
}

// syntaxError says where JSON is malformed and what was expected there.
type syntaxError struct {
	offset int
	want   string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("malformed JSON at byte %d: expected %s", e.offset+1, e.want)
}

func (p *scanner) fail(want string) error { return &syntaxError{p.i, want} }

func (p *scanner) space() {
	for p.i < len(p.s) {
		if c := p.s[p.i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		p.i++
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *scanner) peek() byte {
	p.space()
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// take skips white space and reads c.
func (p *scanner) take(c byte) error {
	if p.peek() != c {
		return p.fail("'" + string(rune(c)) + "'")
	}
	p.i++
	return nil
}

// more is called in an object or array before each element, with n the number of elements so far: it reads the comma, or the closing bracket.
func (p *scanner) more(n int, closing byte) (bool, error) {
	switch c := p.peek(); {
	case c == closing:
		p.i++
		return false, nil
	case n == 0:
		return true, nil
	case c == ',':
		p.i++
		if p.peek() == closing {
			return false, p.fail("another element after ','")
		}
		return true, nil
	}
	return false, p.fail("',' or '" + string(rune(closing)) + "'")
}

// end skips white space and reads the end of the input.
func (p *scanner) end() error {
	if p.space(); p.i < len(p.s) {
		return p.fail("the end")
	}
	return nil
}

// text reads a string.
func (p *scanner) text() (string, error) {
	if err := p.take('"'); err != nil {
		return "", err
	}
	start := p.i
	p.i = start + plainRun(p.s[start:])
	switch {
	case p.i == len(p.s):
		return "", p.fail("'\"' at the end of a string")
	case p.s[p.i] == '"':
		p.i++
		return p.s[start : p.i-1], nil
	case p.s[p.i] == '\\':
		return p.escaped(start)
	}
	return "", p.fail("no control character in a string")
}

// plainRun returns how many bytes come before the first quotation mark, backslash or control character.
func plainRun(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 { // eight bytes at a time: the lowest high bit of found marks the first such byte
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-0x20*ones)&^w) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return i
}

// escaped reads on in the string that began at start, from its first escape at p.i.
func (p *scanner) escaped(start int) (string, error) {
	b := append(make([]byte, 0, p.i-start+64), p.s[start:p.i]...)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			p.i++
			return string(b), nil
		case c < 0x20:
			return "", p.fail("no control character in a string")
		case c != '\\':
			b = append(b, c)
			p.i++
			continue
		}
		r, err := p.escape()
		if err != nil {
			return "", err
		}
		b = utf8.AppendRune(b, r)
	}
	return "", p.fail("'\"' at the end of a string")
}

// escape reads one escape sequence, or two that are a surrogate pair.
func (p *scanner) escape() (rune, error) {
	if p.i+1 >= len(p.s) {
		return 0, p.fail("an escape sequence")
	}
	switch c := p.s[p.i+1]; c {
	case '"', '\\', '/':
		p.i += 2
		return rune(c), nil
	case 'b':
		p.i += 2
		return '\b', nil
	case 'f':
		p.i += 2
		return '\f', nil
	case 'n':
		p.i += 2
		return '\n', nil
	case 'r':
		p.i += 2
		return '\r', nil
	case 't':
		p.i += 2
		return '\t', nil
	}
	high, ok := p.unit()
	if !ok {
		return 0, p.fail("an escape sequence")
	}
	if !utf16.IsSurrogate(high) {
		return high, nil
	}
	low, ok := p.unit()
	if r := utf16.DecodeRune(high, low); ok && r != utf8.RuneError {
		return r, nil
	}
	return 0, p.fail("a surrogate pair")
}

// unit reads \uXXXX.
func (p *scanner) unit() (rune, bool) {
	if len(p.s)-p.i < 6 || p.s[p.i] != '\\' || p.s[p.i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.s[p.i+2 : p.i+6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.i += 6
	return r, true
}

// number reads a number and returns it as it is written.
func (p *scanner) number() (string, error) {
	p.space()
	start := p.i
	run := func() bool {
		from := p.i
		for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
			p.i++
		}
		return p.i > from
	}
	at := func(chars string) bool {
		for i := range len(chars) {
			if p.i < len(p.s) && p.s[p.i] == chars[i] {
				p.i++
				return true
			}
		}
		return false
	}
	at("-")
	if !at("0") && !run() {
		return "", p.fail("a number")
	}
	if at(".") && !run() {
		return "", p.fail("a number")
	}
	if at("eE") {
		at("+-")
		if !run() {
			return "", p.fail("a number")
		}
	}
	return p.s[start:p.i], nil
}

// word reads true, false or null.
func (p *scanner) word(w string) error {
	p.space()
	if len(p.s)-p.i < len(w) || p.s[p.i:p.i+len(w)] != w {
		return p.fail("a value")
	}
	p.i += len(w)
	return nil
}

// maxDepth bounds the nesting of values that are skipped.
const maxDepth = 32

// skip reads one value of any kind.
func (p *scanner) skip(depth int) error {
	if depth > maxDepth {
		return p.fail("no deeper nesting")
	}
	var err error
	switch c := p.peek(); c {
	case '"':
		_, err = p.text()
	case '{', '[':
		p.i++
		for n := 0; ; n++ {
			on, err := p.more(n, c+2) // '}' and ']' are two after '{' and '['
			if !on || err != nil {
				return err
			}
			if c == '{' {
				if _, err := p.text(); err != nil {
					return err
				}
				if err := p.take(':'); err != nil {
					return err
				}
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
	case 't':
		err = p.word("true")
	case 'f':
		err = p.word("false")
	case 'n':
		err = p.word("null")
	default:
		_, err = p.number()
	}
	return err
}

// object reads an object that has exactly the named members, each once and in any order; those named with a "?" at the end may be absent.
// For each it calls member with the index of the name.
func (p *scanner) object(names []string, member func(i int) error) error {
	if err := p.take('{'); err != nil {
		return err
	}
	seen := make([]bool, len(names))
	for n := 0; ; n++ {
		on, err := p.more(n, '}')
		if err != nil {
			return err
		}
		if !on {
			break
		}
		key, err := p.text()
		if err != nil {
			return err
		}
		at := -1
		for i, name := range names {
			if key == name || key+"?" == name {
				at = i
			}
		}
		if at < 0 {
			return fmt.Errorf("unknown member %.40q", key)
		}
		if seen[at] {
			return fmt.Errorf("member %q is given twice", key)
		}
		seen[at] = true
		if err := p.take(':'); err != nil {
			return err
		}
		if err := member(at); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for i, name := range names {
		if !seen[i] && name[len(name)-1] != '?' {
			return fmt.Errorf("member %q is missing", name)
		}
	}
	return nil
}

// array reads an array of at most limit items and calls item for each.
func (p *scanner) array(limit int, item func() error) error {
	if err := p.take('['); err != nil {
		return err
	}
	for n := 0; ; n++ {
		on, err := p.more(n, ']')
		if !on || err != nil {
			return err
		}
		if n == limit {
			return fmt.Errorf("more than %d items", limit)
		}
		if err := item(); err != nil {
			return fmt.Errorf("item %d: %w", n+1, err)
		}
	}
}
