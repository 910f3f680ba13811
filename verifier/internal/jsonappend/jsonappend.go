// Package jsonappend appends values in JSON to what a caller writes, without reflection: for the
// answers that a verifier gives thousands of in a second. What it writes is, byte for byte, what
// package encoding/json makes of the same value, with <, > and & escaped.
//
// It writes values only; braces, member names and commas are the caller's.
package jsonappend

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// String appends a text. What is not UTF-8 in it is replaced by U+FFFD.
func String[S ~string](b []byte, s S) []byte {
	if isPlain(string(s)) {
		return append(append(append(b, '"'), s...), '"')
	}
	escaped, _ := json.Marshal(string(s)) // of a string: cannot fail
	return append(b, escaped...)
}

// isPlain reports whether a text stands in JSON as it is. It says so of no text with a byte that begins
// U+2028 or U+2029, which end lines in JavaScript.
func isPlain(s string) bool {
	var all byte
	for i := range len(s) {
		if special[s[i]] {
			return false
		}
		all |= s[i]
	}
	return all < utf8.RuneSelf || utf8.ValidString(s)
}

var special = func() (table [256]bool) {
	for c := range byte(' ') {
		table[c] = true
	}
	for _, c := range []byte{'"', '\\', '<', '>', '&', 0xe2} {
		table[c] = true
	}
	return table
}()

// Strings appends an array of texts, which is empty for nil.
func Strings[S ~string](b []byte, list []S) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = String(b, s)
	}
	return append(b, ']')
}

// Text appends a text in both languages.
func Text(b []byte, t licence.Text) []byte {
	b = String(append(b, `{"zh":`...), t.Zh)
	b = String(append(b, `,"en":`...), t.En)
	return append(b, '}')
}

// Hash appends a hash in 64 lower-case hexadecimal digits.
func Hash(b []byte, h sm.Hash) []byte {
	return append(hex.AppendEncode(append(b, '"'), h[:]), '"')
}

// Base64 appends bytes in base64 (RFC 4648, section 4).
func Base64(b, data []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), data), '"')
}

// Time appends the time so many seconds after 1970-01-01T00:00:00Z as in RFC 3339, in UTC.
func Time(b []byte, seconds uint64) []byte {
	return append(time.Unix(int64(seconds), 0).UTC().AppendFormat(append(b, '"'), time.RFC3339), '"')
}
