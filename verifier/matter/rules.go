package matter

import (
	"strings"

	"github.com/credledger/credledger/sdk/licence"
)

// facts are what the licences of a case say.
type facts struct {
	licences map[string][]*shown // by type
	day      licence.Date
}

func newFacts(groups [][]shown, day licence.Date) *facts {
	f := &facts{licences: map[string][]*shown{}, day: day}
	for i := range groups {
		for j := range groups[i] {
			s := &groups[i][j]
			f.licences[s.Type] = append(f.licences[s.Type], s)
		}
	}
	return f
}

// values collects the texts of fields from every licence that has them. It returns how many
// licences there are, and whether each of them could be read: it is genuine, and discloses a value.
func (f *facts) values(fields ...string) (texts []string, licences int, readable bool) {
	readable = true
	for _, field := range fields {
		typ, key, _ := strings.Cut(field, ".")
		for _, s := range f.licences[typ] {
			licences++
			value, disclosed := s.value(key)
			if !s.genuine() || !disclosed || value.Len() == 0 {
				readable = false
				continue
			}
			texts = append(texts, value.Strings()...)
		}
	}
	return texts, licences, readable
}

// dates is values for fields that are dates.
func (f *facts) dates(field string) (dates []licence.Date, licences int, readable bool) {
	texts, licences, readable := f.values(field)
	for _, text := range texts {
		d, err := licence.ParseDate(text)
		if err != nil {
			readable = false
			continue
		}
		dates = append(dates, d)
	}
	return dates, licences, readable
}

// judge applies a rule. What fails for values that are there fails whatever else could not be read.
func (f *facts) judge(r *Rule) Judgement {
	switch {
	case r.Equals != nil:
		texts, n, readable := f.values(r.Equals.Field)
		return settle(n, readable, all(texts, func(s string) bool { return s == r.Equals.Value }))
	case r.Within != nil:
		dates, n, readable := f.dates(r.Within.Field)
		return settle(n, readable, all(dates, func(d licence.Date) bool {
			return d <= f.day && int64(f.day)-int64(d) <= int64(r.Within.Days)
		}))
	case r.NotAfter != nil:
		dates, n, readable := f.dates(r.NotAfter.Field)
		bounds, m, bounded := f.dates(r.NotAfter.Bound)
		return settle(min(n, m), readable && bounded, all(dates, func(d licence.Date) bool {
			return all(bounds, func(bound licence.Date) bool { return d <= bound })
		}))
	}
	return f.member(r)
}

// member applies a rule of the form every, in. A value that is not found may be in a licence that
// could not be read, or is yet to be shown.
func (f *facts) member(r *Rule) Judgement {
	texts, n, readable := f.values(r.Every...)
	among, m, complete := f.values(r.In...)
	known := map[string]bool{}
	for _, s := range among {
		known[s] = true
	}
	found := all(texts, func(s string) bool { return known[s] })
	switch {
	case n == 0:
		return NotApplicable
	case !found && m > 0 && complete:
		return Fail
	case !found || !readable:
		return Unknown
	}
	return Pass
}

// settle says what a rule came to that holds for every value that could be read.
func settle(licences int, readable, holds bool) Judgement {
	switch {
	case licences == 0:
		return NotApplicable
	case !holds:
		return Fail
	case !readable:
		return Unknown
	}
	return Pass
}

func all[T any](list []T, holds func(T) bool) bool {
	for _, v := range list {
		if !holds(v) {
			return false
		}
	}
	return true
}
