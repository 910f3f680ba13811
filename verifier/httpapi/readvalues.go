package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/access"
)

// text reads a string of low to high characters, whatever they are.
func text(to *string, low, high int) value {
	return func(r *reader) error {
		b, err := r.string()
		if err != nil {
			return err
		}
		if n := utf8.RuneCount(b); n < low || n > high {
			return r.invalid(fmt.Sprintf("must have %d to %d characters", low, high))
		}
		*to = string(b)
		return nil
	}
}

// line reads a string of 1 to high characters, and at most access.MaxText bytes, that can stand in a
// log or on a page: one line, without control characters and those that change the direction of text.
func line(to *string, high int) value {
	return func(r *reader) error {
		if err := text(to, 1, high)(r); err != nil {
			return err
		}
		if len(*to) > access.MaxText {
			return r.invalid(fmt.Sprintf("must have at most %d bytes in UTF-8", access.MaxText))
		}
		if !isLine(*to) {
			return r.invalid("must not have line breaks, control characters or invisible characters")
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

// id reads the id of a department, type, matter or agency.
func id(to *string) value {
	return func(r *reader) error {
		b, err := r.string()
		if err != nil {
			return err
		}
		if !isID(string(b)) {
			return r.invalid("must be an id: 1 to 32 of a-z, 0-9 and -")
		}
		*to = string(b)
		return nil
	}
}

func isID(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || 'z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 32
}

// fieldKeys reads the keys of fields, each once.
func fieldKeys(to *[]string, max int) value {
	return func(r *reader) error {
		*to = []string{}
		return r.list(max, func(r *reader) error {
			b, err := r.string()
			if err != nil {
				return err
			}
			key := string(b)
			if !isFieldKey(key) {
				return r.invalid("must be the key of a field: a letter, then up to 63 letters and digits")
			}
			if slices.Contains(*to, key) {
				return r.invalid("is given twice")
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

// encoded reads up to high bytes in standard base64 with padding.
func encoded(to *[]byte, high int) value {
	return func(r *reader) error {
		b, err := r.string()
		if err != nil {
			return err
		}
		if len(b) > base64.StdEncoding.EncodedLen(high) {
			return r.invalid(fmt.Sprintf("must hold at most %d bytes", high))
		}
		out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
		n, err := base64.StdEncoding.Strict().Decode(out, b)
		if err != nil || n == 0 || n > high || bytes.ContainsAny(b, "\r\n") { // Decode passes over line breaks
			return r.invalid(fmt.Sprintf("must be 1 to %d bytes in standard base64, with padding and without line breaks", high))
		}
		*to = out[:n]
		return nil
	}
}

// nonce reads 16 to 64 bytes in lower-case hexadecimal.
func nonce(to *[]byte) value {
	return func(r *reader) error {
		b, err := r.string()
		if err != nil {
			return err
		}
		out, err := hex.DecodeString(string(b))
		if err != nil || hex.EncodeToString(out) != string(b) || len(out) < 16 || len(out) > 64 {
			return r.invalid("must be 16 to 64 bytes in lower-case hexadecimal")
		}
		*to = out
		return nil
	}
}

// day reads a date as in ISO 8601.
func day(to **licence.Date) value {
	return func(r *reader) error {
		b, err := r.string()
		if err != nil {
			return err
		}
		d, err := licence.ParseDate(string(b))
		if err != nil || d.String() != string(b) { // ParseDate reads other ways of writing it too
			return r.invalid("must be a day like 2026-01-31")
		}
		*to = &d
		return nil
	}
}

func flag(to *bool) value {
	return func(r *reader) (err error) {
		*to, err = r.boolean()
		return err
	}
}

func number(to *uint64, low, high uint64) value {
	return func(r *reader) (err error) {
		*to, err = r.integer(low, high)
		return err
	}
}
