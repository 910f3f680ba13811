package report

import (
	"regexp"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// A Period is a month, a quarter or a year in UTC+8. The zero Period is none of them.
type Period struct {
	text        string
	first, last licence.Date
}

var periodForm = regexp.MustCompile(`^(2[0-9]{3})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?$`)

// ParsePeriod reads a month, 2026-11, a quarter, 2026-Q4, or a year, 2026, of the years 2000 to 2999.
// The error is an *Error with CodePeriod.
func ParsePeriod(s string) (Period, error) {
	part := periodForm.FindStringSubmatch(s)
	if part == nil {
		return Period{}, errorf(CodePeriod, "a period is a month (2026-11), a quarter (2026-Q4) or a year (2026)")
	}
	number := func(s string) int {
		n, _ := strconv.Atoi(s) // digits only, or ""
		return n
	}
	month, months := 1, 12
	switch {
	case part[2] != "":
		month, months = 3*number(part[2])-2, 3
	case part[3] != "":
		month, months = number(part[3]), 1
	}
	day := func(month int) licence.Date {
		return licence.DateOf(time.Date(number(part[1]), time.Month(month), 1, 0, 0, 0, 0, time.UTC))
	}
	return Period{s, day(month), day(month+months) - 1}, nil
}

// String returns what ParsePeriod read.
func (p Period) String() string { return p.text }

// First returns the first day of the period.
func (p Period) First() licence.Date { return p.first }

// Last returns the last day of the period.
func (p Period) Last() licence.Date { return p.last }

// Bounds returns the first second of the period, and the first after it.
func (p Period) Bounds() (from, until time.Time) {
	at := func(day licence.Date) time.Time { return time.Unix(int64(begin(day)), 0) }
	return at(p.first), at(p.last + 1)
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText implements encoding.TextUnmarshaler with the form of ParsePeriod.
func (p *Period) UnmarshalText(b []byte) error {
	parsed, err := ParsePeriod(string(b))
	if err == nil {
		*p = parsed
	}
	return err
}

// begin returns the first second of a day in UTC+8, in seconds since 1970-01-01T00:00:00Z.
func begin(day licence.Date) uint64 { return uint64(int64(day)*86400 - 8*3600) }

// dayOf returns the day of a time in seconds since 1970-01-01T00:00:00Z; times are below 2^40.
func dayOf(seconds uint64) licence.Date { return licence.Date((seconds + 8*3600) / 86400) }

// has reports whether a time lies in the period.
func (p Period) has(seconds uint64) bool {
	return begin(p.first) <= seconds && seconds < begin(p.last+1)
}
