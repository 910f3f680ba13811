package licence

import (
	"strings"
	"unicode/utf8"
)

// The masks a field can name.
const (
	MaskName = "name" // the first character of a name: 张*, 阿**
	MaskID   = "id"   // the first three and the last four characters of a long number, else the first and the last: 990***********6439
)

// Masked renders a value where the field was not disclosed for a purpose: by the field's mask if it names one; else as "***" if the field is
// sensitive, and in full if it is not. Items of a list are masked one by one and joined by "、"; null is "".
func (f Field) Masked(v Value) string {
	var mask func(string) string
	switch {
	case f.Mask == MaskName:
		mask = maskName
	case f.Mask == MaskID:
		mask = maskID
	case f.Classification == Public || f.Classification == Internal:
		return v.String()
	default:
		mask = func(string) string { return "***" }
	}
	var b strings.Builder
	n := 0
	for s := range v.All() {
		if n > 0 {
			b.WriteString("、")
		}
		n++
		b.WriteString(mask(s))
	}
	return b.String()
}

// maskName leaves the first character; one or two stars stand for the rest, so that the length of a long name is not shown.
func maskName(s string) string {
	n := utf8.RuneCountInString(s)
	if n < 2 {
		return "*"
	}
	_, w := utf8.DecodeRuneInString(s)
	return s[:w] + strings.Repeat("*", min(n-1, 2))
}

func maskID(s string) string {
	r := []rune(s)
	head, tail := 1, 1
	switch {
	case len(r) >= 15:
		head, tail = 3, 4
	case len(r) < 5:
		head, tail = 0, 0
	}
	return string(r[:head]) + strings.Repeat("*", len(r)-head-tail) + string(r[len(r)-tail:])
}
