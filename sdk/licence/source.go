package licence

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// MaxRecord is the greatest size of one record of an input, in bytes as it stands there. A greater one is passed over without being held in memory.
const MaxRecord = 1 << 20

// source is a window on an io.Reader: buf holds what was read and not yet used. Memory stays within a few MaxRecord because the splitters, which
// look for the end of a record, use up (and so drop) what is longer than that.
type source struct {
	r     io.Reader
	buf   []byte
	line  int   // line of buf[0], from 1
	err   error // why nothing more will come: io.EOF or the reader's own error
	store []byte
	room  int // the least room for a read
}

// readSize is the room for a read from a reader that does not say how much it has.
const readSize = 64 << 10

func newSource(r io.Reader) *source {
	s := &source{r: r, line: 1, room: readSize}
	if known, ok := r.(interface{ Len() int }); ok { // the record of one licence takes little
		s.room = min(readSize, known.Len()+1)
	}
	return s
}

// more reads once into the window. False: nothing more will come.
func (s *source) more() bool {
	if s.err != nil {
		return false
	}
	if len(s.store)-len(s.buf) < s.room { // too small for the window and another read
		s.store = append(make([]byte, 0, 2*len(s.store)+s.room), s.buf...)
		s.store = s.store[:cap(s.store)]
		s.buf = s.store[:len(s.buf)]
	} else if cap(s.buf)-len(s.buf) < s.room {
		s.buf = s.store[:copy(s.store, s.buf)]
	}
	room := s.buf[len(s.buf):cap(s.buf)]
	for range 100 {
		n, err := s.r.Read(room)
		if n < 0 || n > len(room) {
			n, err = 0, errors.New("reader returned an impossible count")
		}
		s.buf, s.err = s.buf[:len(s.buf)+n], err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// use drops the first n bytes of the window. They stay readable in slices of it until more is called.
func (s *source) use(n int) {
	s.line += bytes.Count(s.buf[:n], []byte{'\n'})
	s.buf = s.buf[n:]
}

// space uses white space. False: the input ends here.
func (s *source) space() bool {
	for {
		for i, c := range s.buf {
			if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
				s.use(i)
				return true
			}
		}
		s.use(len(s.buf))
		if !s.more() {
			return false
		}
	}
}

// fail makes the error that ends the reading at the current line: ReadFailed if the reader failed, NotUTF8 if the window is not text at all, which
// explains anything else, and otherwise the given one.
func (s *source) fail(code, message string) error {
	if s.err != nil && s.err != io.EOF {
		return &InputError{Code: ReadFailed, Line: s.line, Message: "reading the input failed: " + s.err.Error(), Err: s.err}
	}
	if !validPrefix(s.buf) {
		return notUTF8(s.line)
	}
	return &InputError{Code: code, Line: s.line, Message: message}
}

// ended is called where the input ended between records: io.EOF, or the reader's failure.
func (s *source) ended() error {
	if s.err == io.EOF {
		return io.EOF
	}
	return s.fail("", "")
}

const convert = "is not UTF-8 text; convert the file first, for instance with: iconv -f GB18030 -t UTF-8"

func notUTF8(line int) error {
	return &InputError{Code: NotUTF8, Line: line, Message: "the input " + convert}
}

// validPrefix reports whether b is UTF-8, perhaps cut off inside its last character.
func validPrefix(b []byte) bool {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}
