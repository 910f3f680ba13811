package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
)

// Text reads a string of low to high characters, whatever they are.
func Text(to *string, low, high int) Value {
	return func(r *Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		if n := utf8.RuneCount(b); n < low || n > high {
			return r.Invalid(fmt.Sprintf("must have %d to %d characters", low, high))
		}
		*to = string(b)
		return nil
	}
}

// Line reads a string of 1 to high characters, and at most size bytes, that can stand in a log or on a
// page: one line, without control characters and those that change the direction of text.
func Line(to *string, high, size int) Value {
	return func(r *Reader) error {
		if err := Text(to, 1, high)(r); err != nil {
			return err
		}
		if len(*to) > size {
			return r.Invalid(fmt.Sprintf("must have at most %d bytes in UTF-8", size))
		}
		if !isLine(*to) {
			return r.Invalid("must not have line breaks, control characters or invisible characters")
		}
		return nil
	}
}

func isLine(s string) bool {
	for _, c := range s {
		if unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return true
}

// ID reads the id of a department, type, matter or agency.
func ID(to *string) Value {
	return func(r *Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		if !IsID(string(b)) {
			return r.Invalid("must be an id: 1 to 32 of a-z, 0-9 and -")
		}
		*to = string(b)
		return nil
	}
}

// IsID reports whether s is an id: 1 to 32 of a-z, 0-9 and -.
func IsID(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || 'z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 32
}

// FieldKeys reads the keys of fields, each once.
func FieldKeys(to *[]string, max int) Value {
	return func(r *Reader) error {
		*to = []string{}
		return r.List(max, func(r *Reader) error {
			b, err := r.String()
			if err != nil {
				return err
			}
			key := string(b)
			if !isFieldKey(key) {
				return r.Invalid("must be the key of a field: a letter, then up to 63 letters and digits")
			}
			if slices.Contains(*to, key) {
				return r.Invalid("is given twice")
			}
			*to = append(*to, key)
			return nil
		})
	}
}

func isFieldKey(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || s[i] < '0' || '9' < s[i]) {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 64
}

// Encoded reads up to high bytes in standard base64 with padding.
func Encoded(to *[]byte, high int) Value {
	return func(r *Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		if len(b) > base64.StdEncoding.EncodedLen(high) {
			return r.Invalid(fmt.Sprintf("must hold at most %d bytes", high))
		}
		out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
		n, err := base64.StdEncoding.Strict().Decode(out, b)
		if err != nil || n == 0 || n > high || bytes.ContainsAny(b, "\r\n") { // Decode passes over line breaks
			return r.Invalid(fmt.Sprintf("must be 1 to %d bytes in standard base64, with padding and without line breaks", high))
		}
		*to = out[:n]
		return nil
	}
}

// Nonce reads 16 to 64 bytes in lower-case hexadecimal.
func Nonce(to *[]byte) Value {
	return func(r *Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		out, err := hex.DecodeString(string(b))
		if err != nil || hex.EncodeToString(out) != string(b) || len(out) < 16 || len(out) > 64 {
			return r.Invalid("must be 16 to 64 bytes in lower-case hexadecimal")
		}
		*to = out
		return nil
	}
}

// Day reads a date as in ISO 8601.
func Day(to **licence.Date) Value {
	return func(r *Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		d, err := licence.ParseDate(string(b))
		if err != nil || d.String() != string(b) { // ParseDate reads other ways of writing it too
			return r.Invalid("must be a day like 2026-01-31")
		}
		*to = &d
		return nil
	}
}

// Flag reads true or false.
func Flag(to *bool) Value {
	return func(r *Reader) (err error) {
		*to, err = r.Boolean()
		return err
	}
}

// Number reads a whole number from low to high.
func Number(to *uint64, low, high uint64) Value {
	return func(r *Reader) (err error) {
		*to, err = r.Integer(low, high)
		return err
	}
}

// Raw reads any value, for a reader that knows what may stand there, and takes it as it stands in the
// body. Arrays and objects nest at most two deep in it.
func Raw(to *[]byte) Value {
	return func(r *Reader) error {
		r.space()
		start := r.i
		if err := r.skip(2); err != nil {
			return err
		}
		*to = r.b[start:r.i]
		return nil
	}
}

// skip passes over a value.
func (r *Reader) skip(depth int) error {
	switch c := r.peek(); {
	case c == '"':
		_, err := r.text()
		return err
	case (c == '{' || c == '[') && depth == 0:
		return r.Invalid("nests too deep")
	case c == '{':
		return r.skipElements('}', depth, true)
	case c == '[':
		return r.skipElements(']', depth, false)
	}
	start := r.i
	for r.i < len(r.b) && (r.b[r.i] >= 'a' && r.b[r.i] <= 'z' || r.b[r.i] >= '0' && r.b[r.i] <= '9' || strings.IndexByte("+-.E", r.b[r.i]) >= 0) {
		r.i++
	}
	if !json.Valid(r.b[start:r.i]) { // a number, or true, false, null
		return r.malformed("a value")
	}
	return nil
}

func (r *Reader) skipElements(closing byte, depth int, named bool) error {
	r.i++
	for n := 0; ; n++ {
		if more, err := r.more(n, closing); err != nil || !more {
			return err
		}
		if named {
			if _, err := r.text(); err != nil {
				return err
			}
			if r.peek() != ':' {
				return r.malformed("':'")
			}
			r.i++
		}
		if err := r.skip(depth - 1); err != nil {
			return err
		}
	}
}

// Time reads a time as in RFC 3339, in UTC and in whole seconds.
func Time(to **time.Time) Value {
	return func(r *Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		t, err := time.Parse(time.RFC3339, string(b))
		if err != nil || RFC3339(t) != string(b) {
			return r.Invalid("must be a time like 2026-01-31T08:00:00Z, in UTC")
		}
		*to = &t
		return nil
	}
}
