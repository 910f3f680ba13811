package licence

import (
	"bytes"
	"io"
)

// objectOrLines tells whether an input that begins with "{" is one JSON object over several lines, or JSON Lines: its first line holds a whole object, or
// (the first line being damaged) its second begins another.
func objectOrLines(src *source) Format {
	var n nesting
	for i := 0; ; i++ {
		for i == len(src.buf) {
			if i > MaxRecord || !src.more() {
				return JSONLines
			}
		}
		switch c := src.buf[i]; {
		case c == '\n':
			for i++; ; i++ {
				if i == len(src.buf) && !src.more() || i > MaxRecord {
					return JSON
				}
				if c := src.buf[i]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
					if c == '{' {
						return JSONLines
					}
					return JSON
				}
			}
		case n.close(c):
			return JSONLines
		}
	}
}

// nesting follows the brackets of JSON, outside strings.
type nesting struct {
	depth             int
	inString, escaped bool
}

// close takes the next byte and reports whether it closes the outermost bracket.
func (n *nesting) close(c byte) bool {
	switch {
	case n.escaped:
		n.escaped = false
	case n.inString:
		n.escaped = c == '\\'
		n.inString = c != '"'
	case c == '"':
		n.inString = true
	case c == '{' || c == '[':
		n.depth++
	case c == '}' || c == ']':
		n.depth--
		return n.depth <= 0
	}
	return false
}

// jsonLines splits JSON Lines: a damaged line is one damaged record.
type jsonLines struct{ src *source }

func (j jsonLines) next() ([]byte, int, error) {
	for {
		line := j.src.line
		text, err := j.src.readLine()
		if err != nil {
			return nil, line, err
		}
		if text = bytes.Trim(text, " \t\r\n"); len(text) > 0 {
			return text, line, nil
		}
	}
}

// readLine uses one line, with its end.
func (s *source) readLine() ([]byte, error) {
	tooLarge, at := false, 0
	for {
		if i := bytes.IndexByte(s.buf[at:], '\n'); i >= 0 {
			text := s.buf[:at+i+1]
			s.use(len(text))
			if tooLarge || len(text) > MaxRecord+1 {
				return nil, errTooLarge
			}
			return text, nil
		}
		if at = len(s.buf); at > MaxRecord {
			s.use(at)
			tooLarge, at = true, 0
		}
		if s.more() {
			continue
		}
		switch text := s.buf; {
		case s.err != io.EOF:
			return nil, s.ended()
		case tooLarge:
			s.use(len(text))
			return nil, errTooLarge
		case len(text) == 0:
			return nil, io.EOF
		default:
			s.use(len(text))
			return text, nil
		}
	}
}

// jsonValues splits a JSON array of objects, or takes one object as the only record.
type jsonValues struct {
	src   *source
	array bool
	count int // records so far
	ended bool
}

func (j *jsonValues) next() ([]byte, int, error) {
	if !j.array {
		if j.count > 0 {
			return nil, 0, j.end("the object")
		}
	} else if on, err := j.element(); !on {
		return nil, 0, err
	}
	if j.src.buf[0] != '{' {
		return nil, 0, j.src.fail(Malformed, "malformed JSON: each element of the array must be an object")
	}
	j.count++
	line := j.src.line
	n, tooLarge, err := j.value()
	if err != nil {
		return nil, 0, err
	}
	record := j.src.buf[:n]
	j.src.use(n)
	if tooLarge || n > MaxRecord {
		return nil, line, errTooLarge
	}
	return record, line, nil
}

// element goes to the beginning of the array's next element. False: there is none, and err says why.
func (j *jsonValues) element() (bool, error) {
	if j.ended {
		return false, j.end("the array")
	}
	if j.count == 0 {
		j.src.use(1) // the opening bracket
	}
	if !j.src.space() {
		return false, j.truncated()
	}
	if j.src.buf[0] == ']' {
		j.src.use(1)
		j.ended = true
		return false, j.end("the array")
	}
	if j.count > 0 {
		if j.src.buf[0] != ',' {
			return false, j.src.fail(Malformed, "malformed JSON: expected ',' or ']' after an element of the array")
		}
		j.src.use(1)
		if !j.src.space() {
			return false, j.truncated()
		}
	}
	return true, nil
}

// value returns how long the value at the beginning of the window is. If it is too large, what is left of it in the window.
func (j *jsonValues) value() (n int, tooLarge bool, err error) {
	var brackets nesting
	for i := 0; ; i++ {
		if i == len(j.src.buf) {
			if i > MaxRecord {
				j.src.use(i)
				i, tooLarge = 0, true
			}
			if !j.src.more() {
				return 0, false, j.truncated()
			}
		}
		if brackets.close(j.src.buf[i]) {
			return i + 1, tooLarge, nil
		}
	}
}

func (j *jsonValues) truncated() error {
	return j.src.fail(Truncated, "the input ends inside the JSON: it was cut off, or a bracket or quotation mark is missing")
}

// end checks that nothing follows.
func (j *jsonValues) end(what string) error {
	if j.src.space() {
		return j.src.fail(Malformed, "malformed JSON: there is more after the end of "+what)
	}
	return j.src.ended()
}
