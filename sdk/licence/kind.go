package licence

import (
	"fmt"
	"strings"
)

// Limits of values, in bytes of UTF-8 and in items of a list.
const (
	MaxName   = 512
	MaxString = 4096
	MaxText   = 64 << 10
	MaxItems  = 1000
)

// known reports whether k is one of the kinds.
func (k Kind) known() bool {
	switch k {
	case KindString, KindText, KindName, KindNames, KindDate, KindDecimal, KindResidentID, KindIDs, KindUSCC, KindPropertyUnit:
		return true
	}
	return false
}

// canonical brings one text of the kind (one item, for a list) to its canonical form, which is its own canonical form.
// The result is "" for text that is blank; wrong says what is wrong, in words that do not quote it.
// A licence number is narrowed like a code, but keeps its letters' case.
func (k Kind) canonical(s string, number bool) (text, wrong string) {
	limit := MaxString
	switch k {
	case KindString:
		if number && !narrowed(s) {
			s = narrow(s)
		}
		text, wrong = clean(s, false)
	case KindText:
		limit = MaxText
		text, wrong = clean(s, true)
	case KindName, KindNames:
		limit = MaxName
		text, wrong = clean(s, false)
	case KindDate:
		return canonicalDate(s)
	case KindDecimal:
		return canonicalDecimal(s)
	default:
		return k.code(foldCode(s))
	}
	if len(text) > limit {
		return "", fmt.Sprintf("is longer than %d bytes", limit)
	}
	return text, wrong
}

// plainASCII reports whether s has only visible ASCII characters.
func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// code checks a folded code.
func (k Kind) code(s string) (text, wrong string) {
	if s == "" {
		return "", ""
	}
	switch k {
	case KindResidentID:
		wrong = wrongResidentID(s)
	case KindUSCC:
		wrong = wrongUSCC(s)
	case KindIDs:
		if wrongResidentID(s) != "" && wrongUSCC(s) != "" {
			wrong = "must be a resident identity number (GB 11643) or a unified social credit code (GB 32100), with a right check character"
		}
	case KindPropertyUnit:
		wrong = wrongPropertyUnit(s)
	}
	if wrong != "" {
		return "", wrong
	}
	return s, ""
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// wrongResidentID checks a resident identity number, GB 11643: six digits of a division, a date of birth, three digits, and the check character of
// ISO 7064 MOD 11-2. The division is not looked up.
func wrongResidentID(s string) string {
	if len(s) == 15 && digits(s) {
		return "is an identity number of the first generation (15 digits), which is no longer valid; give the one of 18"
	}
	if len(s) != 18 || !digits(s[:17]) {
		return "must be a resident identity number: 17 digits and a check character"
	}
	if !civil(s[6:10], s[10:12], s[12:14]) {
		return "must be a resident identity number with a date of birth in it"
	}
	p := 0
	for i := range 17 {
		p = (p + int(s[i]-'0')) * 2 % 11
	}
	if s[17] != "10X98765432"[p] {
		return "has a wrong check character (GB 11643); one of its characters was mistyped"
	}
	return ""
}

// The alphabet of unified social credit codes, GB 32100: digits and capitals without I, O, S, V, Z.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// usccValue maps a character to its value and everything that is not in the alphabet to 31.
var usccValue = func() (v [256]uint8) {
	for i := range v {
		v[i] = 31
	}
	for i := range usccAlphabet {
		v[usccAlphabet[i]] = uint8(i)
	}
	return v
}()

// IsUSCC reports whether a text is a unified social credit code, GB 32100, with the right check character.
func IsUSCC(s string) bool { return wrongUSCC(s) == "" }

// wrongUSCC checks a unified social credit code, GB 32100: 18 characters, the third to the eighth digits, the last a check character,
// which makes the sum of value(i) * 3^i over the first 17 and its own value divisible by 31.
func wrongUSCC(s string) string {
	if len(s) != 18 || !digits(s[2:8]) {
		return "must be a unified social credit code: 18 characters, the third to the eighth of them digits"
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := int(usccValue[s[i]])
		if v == 31 {
			return "must be a unified social credit code: digits and capital letters without I, O, S, V and Z"
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	if s[17] != usccAlphabet[(31-sum%31)%31] {
		return "has a wrong check character (GB 32100); one of its characters was mistyped"
	}
	return ""
}

// wrongPropertyUnit checks the shape of a real property unit number, GB/T 37346: 12 digits (division, cadastral district and sub-district), two letters and
// five digits (parcel), a letter and eight digits (fixture).
func wrongPropertyUnit(s string) string {
	capital := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	if len(s) != 28 || !digits(s[:12]) || !capital(s[12]) || !capital(s[13]) || !digits(s[14:19]) || !capital(s[19]) || !digits(s[20:]) {
		return "must be a real property unit number: 28 characters, as in 990101001001GB00001F00010001"
	}
	return ""
}

// maxDecimal is the greatest number of digits in a decimal.
const maxDecimal = 38

// canonicalDecimal: an optional "-", digits without leading zeros, and a fraction without trailing zeros if it is not zero.
func canonicalDecimal(s string) (text, wrong string) {
	const hint = "must be a decimal number without separators, units or an exponent, of at most 38 digits"
	if !plainASCII(s) {
		s = narrow(s)
	}
	if s == "" {
		return "", ""
	}
	digitsOf := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digitsOf, ".")
	if !digits(whole) || !digits(fraction) || len(whole)+len(fraction) > maxDecimal || point == (fraction == "") || whole+fraction == "" {
		return "", hint
	}
	if canonicalWhole(whole) && (!point || fraction[len(fraction)-1] != '0') && !(s[0] == '-' && whole == "0" && !point) {
		return s, ""
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if s[0] == '-' && whole != "0" {
		whole = "-" + whole
	}
	return whole, ""
}

func canonicalWhole(s string) bool { return s == "0" || s != "" && s[0] != '0' }
