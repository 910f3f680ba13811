package licence

import (
	"strings"
	"time"
)

// Date is a civil date: days since 1970-01-01, as in RFC 8943. A day is a day in UTC+8.
type Date int32

// DateOf returns the civil date at t in UTC+8.
func DateOf(t time.Time) Date {
	seconds := t.Unix() + 8*3600
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return Date(days)
}

// DateError is why ParseDate refused a text. It does not quote the text.
type DateError struct {
	Code    string // BadValue
	Message string
}

func (e *DateError) Error() string { return e.Message }

// ParseDate parses a date from 1800-01-01 to 9999-12-31 in one of the ways registries write it: 2006-05-06, 20060506, 2006/5/6, 2006.5.6,
// 2006年5月6日, with full-width characters too, and any of these followed by a time of midnight as databases export it
// (2006-05-06 00:00:00.0, 2006-05-06T00:00:00+08:00). The error is a *DateError.
func ParseDate(s string) (Date, error) {
	text, wrong := canonicalDate(s)
	if wrong == "" && text == "" {
		wrong = wrongDate
	}
	if wrong != "" {
		return 0, &DateError{BadValue, "the date " + wrong}
	}
	return days(text), nil
}

// days counts the days to a canonical date.
func days(canonical string) Date {
	n := func(s string) (n int) {
		for i := range len(s) {
			n = n*10 + int(s[i]-'0')
		}
		return n
	}
	t := time.Date(n(canonical[:4]), time.Month(n(canonical[5:7])), n(canonical[8:]), 0, 0, 0, 0, time.UTC)
	return DateOf(t)
}

// String returns the date as in ISO 8601: 2006-05-06.
func (d Date) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

const wrongDate = "must be a calendar date from 1800 to 9999, as in 2006-05-06"

// canonicalDate brings a date to the form 2006-05-06; "" if it is blank.
func canonicalDate(s string) (text, wrong string) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' { // the canonical form, by far the most frequent
		if civil(s[:4], s[5:7], s[8:]) {
			return s, ""
		}
	}
	s = strings.TrimFunc(widthOnly(s), blank)
	if s == "" {
		return "", ""
	}
	s = withoutMidnight(s)
	var y, m, d string
	switch {
	case len(s) == 8 && digits(s):
		y, m, d = s[:4], s[4:6], s[6:]
	case strings.Contains(s, "年"):
		var ok1, ok2, ok3 bool
		s = narrow(s)
		y, s, ok1 = strings.Cut(s, "年")
		m, s, ok2 = strings.Cut(s, "月")
		d, ok3 = strings.CutSuffix(s, "日")
		if !ok1 || !ok2 || !ok3 {
			return "", wrongDate
		}
	default:
		at := strings.IndexAny(s, "-/.")
		if at < 0 {
			return "", wrongDate
		}
		var ok bool
		separator := s[at : at+1]
		y, s = s[:at], s[at+1:]
		if m, d, ok = strings.Cut(s, separator); !ok {
			return "", wrongDate
		}
	}
	if len(m) == 1 {
		m = "0" + m
	}
	if len(d) == 1 {
		d = "0" + d
	}
	if !civil(y, m, d) {
		return "", wrongDate
	}
	return y + "-" + m + "-" + d, ""
}

// widthOnly replaces full-width characters by their ASCII counterparts and keeps white space.
func widthOnly(s string) string {
	if plainASCII(s) {
		return s
	}
	return strings.Map(halfWidth, s)
}

// withoutMidnight cuts a time of midnight off a date; a text with another time is returned whole.
func withoutMidnight(s string) string {
	at := strings.IndexAny(s, "T ")
	if at < 0 {
		return s
	}
	switch clock := strings.TrimSuffix(s[at+1:], "+08:00"); {
	case clock == "00:00", clock == "00:00:00",
		strings.HasPrefix(clock, "00:00:00.0") && strings.Trim(clock[len("00:00:00."):], "0") == "":
		return s[:at]
	}
	return s
}

// civil checks four digits of a year from 1800, two of a month and two of a day.
func civil(y, m, d string) bool {
	if len(y) != 4 || len(m) != 2 || len(d) != 2 || !digits(y) || !digits(m) || !digits(d) {
		return false
	}
	year := int(y[0]-'0')*1000 + int(y[1]-'0')*100 + int(y[2]-'0')*10 + int(y[3]-'0')
	month := int(m[0]-'0')*10 + int(m[1]-'0')
	day := int(d[0]-'0')*10 + int(d[1]-'0')
	if year < 1800 || month < 1 || month > 12 || day < 1 {
		return false
	}
	last := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		last = 29
	}
	return day <= last
}
