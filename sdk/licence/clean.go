package licence

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain reports whether s, which is valid UTF-8, is clean as it stands: one line, without white space at its ends, and made only of characters
// that are allowed and that NFC leaves alone whatever stands beside them. False means only that it takes a closer look.
func plain(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c < 0x80:
			if c < 0x20 || c == 0x7f {
				return false
			}
			i++
		case 0xe4 <= c && c <= 0xe9: // U+4000 to U+9FFF: Han
			i += 3
		case c == 0xef && s[i+1] == 0xbc && s[i+2] > 0x80: // U+FF01 to U+FF3F: full-width punctuation, digits, capitals
			i += 3
		case c == 0xe3 && s[i+1] == 0x80 && 0x81 <= s[i+2] && s[i+2] <= 0xa9: // U+3001 to U+3029: ideographic punctuation
			i += 3
		case c == 0xe2 && s[i+1] == 0x80 && 0x93 <= s[i+2] && s[i+2] <= 0x9f: // U+2013 to U+201F: dashes and quotation marks
			i += 3
		case c == 0xc2 && s[i+1] == 0xb7: // U+00B7: the dot in names
			i += 2
		default:
			return false
		}
	}
	return true
}

// clean brings text to its canonical form: NFC, without white space or invisible characters at its ends, line ends as "\n".
// It says what is wrong with text that cannot be made clean, in words that do not quote it. Several lines are an error unless multiline.
func clean(s string, multiline bool) (text, wrong string) {
	if plain(s) {
		return s, ""
	}
	s = norm.NFC.String(s)
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	s = strings.TrimFunc(s, blank)
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			if !multiline {
				return "", "must be on one line"
			}
		case r == utf8.RuneError:
			return "", "holds a replacement character (U+FFFD): the text was damaged by an earlier conversion; export it anew as UTF-8"
		case forbidden(r):
			return "", "holds a control character or an invisible one"
		}
	}
	return s, ""
}

// blank reports whether r is trimmed from the ends of text and left out of codes.
func blank(r rune) bool { return unicode.IsSpace(r) || r == 0x200b || r == 0xfeff }

// forbidden reports whether r has no place in text: control characters, separators and marks that change what a reader sees without being seen
// themselves, and noncharacters. Private-use characters are allowed: rare characters in names are often encoded by them.
func forbidden(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r < 0xa0,
		r == 0xad, r == 0x200b, r == 0x200e, r == 0x200f,
		0x2028 <= r && r <= 0x202e,
		0x2060 <= r && r <= 0x206f,
		r == 0xfeff,
		0xfff9 <= r && r <= 0xfffb,
		0xfdd0 <= r && r <= 0xfdef,
		r&0xfffe == 0xfffe,
		0xe0000 <= r && r <= 0xe007f:
		return true
	}
	return false
}

// foldCode brings a code to its canonical form: full-width characters as ASCII, without white space, ASCII letters in upper case.
func foldCode(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return strings.Map(func(r rune) rune {
				if r = narrowRune(r); 'a' <= r && r <= 'z' {
					r -= 'a' - 'A'
				}
				return r
			}, s)
		}
	}
	return s
}

// narrow leaves out white space and replaces full-width characters by their ASCII counterparts.
func narrow(s string) string { return strings.Map(narrowRune, s) }

// narrowed reports whether s holds only visible ASCII characters and Han, which narrow leaves alone.
func narrowed(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || 0xc0 <= c && c < 0xe4 || c > 0xe9 {
			return false
		}
	}
	return true
}

// narrowRune maps full-width characters (U+FF01 to U+FF5E) to ASCII and white space to -1.
func narrowRune(r rune) rune {
	if blank(r) {
		return -1
	}
	return halfWidth(r)
}

func halfWidth(r rune) rune {
	if 0xff01 <= r && r <= 0xff5e {
		return r - 0xfee0
	}
	return r
}
