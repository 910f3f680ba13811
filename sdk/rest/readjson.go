package rest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A Reader reads the body of a request: one JSON object (RFC 8259) of members that are known in
// advance. What is not known is refused where it stands, so nothing nests deeper than the requests of
// the API do. Names are compared exactly, after escapes are resolved; none may be given twice; null
// stands for nothing here and is refused.
type Reader struct {
	b    []byte
	i    int
	path []string // names and positions that lead to where the reader is
}

// A Value reads one JSON value.
type Value func(*Reader) error

// A Member is one that an object can have.
type Member struct {
	Name     string
	Read     Value
	Required bool
}

// ReadBody reads the body of a request. The error is a *Problem.
func ReadBody(b []byte, members ...Member) error {
	if !utf8.Valid(b) {
		return Refuse(CodeBodyMalformed, "the body is not UTF-8")
	}
	r := &Reader{b: b}
	if r.peek() != '{' {
		return r.malformed("an object")
	}
	if err := r.Object(members); err != nil {
		return err
	}
	if r.space(); r.i < len(r.b) {
		return r.malformed("the end")
	}
	return nil
}

// Object reads an object.
func (r *Reader) Object(members []Member) error {
	if r.peek() != '{' {
		return r.Invalid("must be an object")
	}
	r.i++
	var seen uint64 // bit i: members[i]
	for n := 0; ; n++ {
		if more, err := r.more(n, '}'); err != nil {
			return err
		} else if !more {
			break
		}
		name, err := r.text()
		if err != nil {
			return err
		}
		if r.peek() != ':' {
			return r.malformed("':'")
		}
		r.i++
		if err := r.member(members, name, &seen); err != nil {
			return err
		}
	}
	for i := range members {
		if members[i].Required && seen&(1<<i) == 0 {
			return r.at(members[i].Name, func() error { return r.Invalid("is missing") })
		}
	}
	return nil
}

func (r *Reader) member(members []Member, name []byte, seen *uint64) error {
	for i := range members {
		if members[i].Name != string(name) {
			continue
		}
		return r.at(members[i].Name, func() error {
			if *seen&(1<<i) != 0 {
				return r.Invalid("is given twice")
			}
			*seen |= 1 << i
			return members[i].Read(r)
		})
	}
	return r.Invalid("has a member that is not known here; names are case-sensitive") // the name is the caller's: not repeated
}

// List reads an array of up to max values.
func (r *Reader) List(max int, read Value) error {
	if r.peek() != '[' {
		return r.Invalid("must be an array")
	}
	r.i++
	for n := 0; ; n++ {
		if more, err := r.more(n, ']'); err != nil || !more {
			return err
		}
		if n == max {
			return r.Invalid(fmt.Sprintf("has more than %d elements", max))
		}
		if err := r.at(strconv.Itoa(n), func() error { return read(r) }); err != nil {
			return err
		}
	}
}

// at reads what stands under a name.
func (r *Reader) at(name string, read func() error) error {
	r.path = append(r.path, name)
	err := read()
	r.path = r.path[:len(r.path)-1]
	return err
}

// String reads a string that is a value.
func (r *Reader) String() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.Invalid("must be a string")
	}
	return r.text()
}

// Boolean reads true or false.
func (r *Reader) Boolean() (bool, error) {
	r.space()
	for _, word := range [...]string{"true", "false"} {
		if rest, found := bytes.CutPrefix(r.b[r.i:], []byte(word)); found {
			r.i = len(r.b) - len(rest)
			return word == "true", nil
		}
	}
	return false, r.Invalid("must be true or false")
}

// Integer reads a whole number from low to high, without sign, fraction or exponent.
func (r *Reader) Integer(low, high uint64) (uint64, error) {
	r.space()
	start := r.i
	for r.i < len(r.b) && r.i-start < 20 && '0' <= r.b[r.i] && r.b[r.i] <= '9' {
		r.i++
	}
	n, err := strconv.ParseUint(string(r.b[start:r.i]), 10, 64)
	other := r.i < len(r.b) && strings.IndexByte("+-.eE0123456789", r.b[r.i]) >= 0
	zeros := r.i-start > 1 && r.b[start] == '0'
	if err != nil || other || zeros || n < low || n > high {
		return 0, r.Invalid(fmt.Sprintf("must be a whole number from %d to %d", low, high))
	}
	return n, nil
}

func (r *Reader) space() {
	for r.i < len(r.b) {
		if c := r.b[r.i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		r.i++
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *Reader) peek() byte {
	r.space()
	if r.i < len(r.b) {
		return r.b[r.i]
	}
	return 0
}

// more is called before each element, with n the number of elements so far: it reads the comma, or
// the closing bracket.
func (r *Reader) more(n int, closing byte) (bool, error) {
	switch c := r.peek(); {
	case c == closing:
		r.i++
		return false, nil
	case n == 0:
		return true, nil
	case c == ',':
		r.i++
		if r.peek() == closing {
			return false, r.malformed("another element after ','")
		}
		return true, nil
	}
	return false, r.malformed("',' or '" + string(rune(closing)) + "'")
}

// text reads a string; without escapes it is a part of the body.
func (r *Reader) text() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.malformed("a string")
	}
	r.i++
	start := r.i
	for i, c := range r.b[start:] {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		r.i = start + i
		switch c {
		case '"':
			r.i++
			return r.b[start : r.i-1], nil
		case '\\':
			return r.escaped(start)
		}
		return nil, r.malformed("no control character in a string")
	}
	r.i = len(r.b)
	return nil, r.malformed("'\"' at the end of a string")
}

// escaped reads on in the string that began at start, from its first escape.
func (r *Reader) escaped(start int) ([]byte, error) {
	out := append(make([]byte, 0, r.i-start+64), r.b[start:r.i]...)
	for r.i < len(r.b) {
		c := r.b[r.i]
		switch {
		case c == '"':
			r.i++
			return out, nil
		case c < 0x20:
			return nil, r.malformed("no control character in a string")
		case c != '\\':
			out = append(out, c)
			r.i++
			continue
		}
		letter, err := r.escape()
		if err != nil {
			return nil, err
		}
		out = utf8.AppendRune(out, letter)
	}
	return nil, r.malformed("'\"' at the end of a string")
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads one escape sequence, or two that are a surrogate pair.
func (r *Reader) escape() (rune, error) {
	if r.i+1 < len(r.b) && r.b[r.i+1] != 'u' {
		letter, ok := escapes[r.b[r.i+1]]
		if !ok {
			return 0, r.malformed("an escape sequence")
		}
		r.i += 2
		return letter, nil
	}
	high, err := r.hex4()
	if err != nil || !utf16.IsSurrogate(high) {
		return high, err
	}
	low, err := r.hex4()
	if err != nil {
		return 0, err
	}
	letter := utf16.DecodeRune(high, low)
	if letter == utf8.RuneError {
		return 0, r.malformed("both halves of a surrogate pair")
	}
	return letter, nil
}

func (r *Reader) hex4() (rune, error) {
	if r.i+6 > len(r.b) || r.b[r.i] != '\\' || r.b[r.i+1] != 'u' {
		return 0, r.malformed(`\u and four hexadecimal digits`)
	}
	n, err := strconv.ParseUint(string(r.b[r.i+2:r.i+6]), 16, 16)
	if err != nil {
		return 0, r.malformed("four hexadecimal digits")
	}
	r.i += 6
	return rune(n), nil
}

// malformed says where the body is no JSON.
func (r *Reader) malformed(want string) error {
	return Refuse(CodeBodyMalformed, fmt.Sprintf("the body is not JSON: at byte %d, expected %s", r.i+1, want))
}

// Invalid says what is wrong with the value that is read: "must be ...". It repeats nothing out of it.
func (r *Reader) Invalid(what string) error {
	p := Refuse(CodeMemberInvalid, "the body "+what)
	if len(r.path) > 0 {
		p.Member = "/" + strings.Join(r.path, "/")
		p.Detail = p.Member + " " + what
	}
	return p
}
