package qr

import (
	"strings"
	"unicode/utf8"

	"rsc.io/qr/coding"
)

// mode is one of the three ways in which a segment of a symbol writes characters.
type mode int

const (
	numeric      mode = iota // ten bits for three digits
	alphanumeric             // eleven bits for two of 45 characters
	octets                   // eight bits for a byte of UTF-8
	modes
)

// alphanumerics is the character set of alphanumeric mode (ISO/IEC 18004, table 5).
const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// maxDigits is the number of digits in the fullest symbol, version 40 at level L: no symbol holds a text of more bytes.
const maxDigits = 7089

// unit is the fraction of a bit in which costs are counted, so that a third and a half of a bit are whole numbers.
const unit = 6

// never is the cost of what cannot be written.
const never = 1 << 30

// sizeClasses are the highest versions of the three classes that have their own widths of the character count.
var sizeClasses = [3]int{9, 26, 40}

// headerBits is the length of a segment's mode indicator and character count, by class and mode (ISO/IEC 18004, table 3).
var headerBits = [3][modes]int{{4 + 10, 4 + 9, 4 + 8}, {4 + 12, 4 + 11, 4 + 16}, {4 + 14, 4 + 13, 4 + 16}}

// charCost returns the cost of one byte of text in a mode, in units.
func charCost(m mode, c byte) int {
	switch {
	case m == octets:
		return 8 * unit
	case m == alphanumeric && strings.IndexByte(alphanumerics, c) >= 0:
		return 11 * unit / 2
	case m == numeric && '0' <= c && c <= '9':
		return 10 * unit / 3
	}
	return never
}

// plan is the cheapest division of a text into segments for one size class.
type plan struct {
	text string
	// bits[i] is the length of the first i bytes of the text, in bits.
	bits []int
	// from[i][m] is the mode of byte i-1 where byte i is written in mode m; the same mode means the same segment.
	from [][modes]mode
	last mode
}

// newPlan finds the cheapest segments by dynamic programming over (bytes written, mode of the last one). A segment
// is rounded up to whole bits where it ends, which is exact, because a smaller fraction never rounds to more.
func newPlan(text string, class int) *plan {
	p := &plan{text: text, bits: make([]int, len(text)+1), from: make([][modes]mode, len(text))}
	best := [modes]int{never, never, never}
	for i := range len(text) {
		var next [modes]int
		for m := range modes {
			next[m], p.from[i][m] = best[m], m
			if start := unit * (p.bits[i] + headerBits[class][m]); start < best[m] {
				next[m], p.from[i][m] = start, p.last
			}
			next[m] = min(never, next[m]+charCost(m, text[i]))
		}
		best, p.last = next, numeric
		for m := range modes {
			if best[m] < best[p.last] {
				p.last = m
			}
		}
		p.bits[i+1] = (best[p.last] + unit - 1) / unit
	}
	return p
}

// length returns the length of the whole text in bits.
func (p *plan) length() int { return p.bits[len(p.text)] }

// fits returns how many characters from the start of the text a symbol of that many bits holds.
func (p *plan) fits(capacity int) int {
	n := 0
	for n < len(p.text) && p.bits[n+1] <= capacity {
		n++
	}
	for n > 0 && n < len(p.text) && !utf8.RuneStart(p.text[n]) {
		n--
	}
	return utf8.RuneCountInString(p.text[:n])
}

// segments returns the segments in order.
func (p *plan) segments() []coding.Encoding {
	var reversed []coding.Encoding
	end, m := len(p.text), p.last
	for i := len(p.text) - 1; i >= 0; i-- {
		before := p.from[i][m]
		if i > 0 && before == m {
			continue
		}
		reversed = append(reversed, segment(m, p.text[i:end]))
		end, m = i, before
	}
	out := make([]coding.Encoding, 0, len(reversed))
	for i := len(reversed) - 1; i >= 0; i-- {
		out = append(out, reversed[i])
	}
	return out
}

func segment(m mode, text string) coding.Encoding {
	switch m {
	case numeric:
		return coding.Num(text)
	case alphanumeric:
		return coding.Alpha(text)
	}
	return coding.String(text)
}
