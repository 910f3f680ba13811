package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// A month begins and ends at midnight in UTC+8.
func TestBounds(t *testing.T) {
	s := scope(t, "2026-11")
	var entries []*access.Entry
	for _, at := range []uint64{0, november - 1, november, november + 30*day - 1, november + 30*day, 1<<40 - 1} {
		entries = append(entries, entry(t, at, "tax", transfer, "1", "property", verify.Valid))
	}
	r := made(t, s, newWorld(), []report.Log{logOf("tax", "a", 6, tally(t, s, entries...))})
	want(t, r, report.Verifications, report.Where{}, 2, 0)
}

// Definitive is every outcome but undetermined; what no verdict says is not definitive.
func TestOutcomes(t *testing.T) {
	s := scope(t, "2026-11")
	var entries []*access.Entry
	for i, outcome := range []verify.Outcome{verify.Valid, verify.Valid, verify.Restricted, verify.NotCurrent, verify.Invalid, verify.Undetermined, "other"} {
		entries = append(entries, entry(t, november+uint64(i), "tax", transfer, "1", "property", outcome))
	}
	unread := entry(t, november, "tax", transfer, "1", "", verify.Invalid)
	public := entry(t, november, "", "", "", "marriage", verify.Valid)
	r := made(t, s, newWorld(), []report.Log{logOf("tax", "a", 9, tally(t, s, append(entries, unread, public)...))})
	want(t, r, report.RecordedDefinitive, report.Where{}, 6, 8)
	want(t, r, report.RecordedDefinitive, report.Where{Department: "tax"}, 6, 8)
	want(t, r, report.RecordedDefinitive, report.Where{Type: "property"}, 5, 7)
	want(t, r, report.RecordedDefinitive, report.Where{Type: report.None}, 1, 1)
	want(t, r, report.Verifications, report.Where{}, 8, 0)
	want(t, r, report.Verifications, report.Where{Outcome: "undetermined"}, 2, 0)
	want(t, r, report.Verifications, report.Where{Outcome: "invalid"}, 2, 0)
	want(t, r, report.Verifications, report.Where{Department: "tax", Outcome: "valid"}, 2, 0)
	want(t, r, report.Verifications, report.Where{Type: "marriage"}, -1, 0)
	want(t, r, report.PublicVerifications, report.Where{}, 1, 0)
	want(t, r, report.PublicVerifications, report.Where{Outcome: "valid"}, 1, 0)
	want(t, r, report.Definitive, report.Where{}, -1, 0) // nobody said how much went unanswered
}

// At a shared counter it is the department that the counter acts for that asked.
func TestOneDepartment(t *testing.T) {
	s := scope(t, "2026-11")
	s.Department = "tax"
	own := entry(t, november, "tax", transfer, "1", "property", verify.Valid)
	own.Overall = "valid"
	counterFor := entry(t, november, "shared-counter", transfer, "1", "property", verify.Undetermined)
	counterFor.OnBehalf, counterFor.Overall = "tax", "undetermined"
	housing := entry(t, november, "shared-counter", transfer, "1", "property", verify.Valid)
	housing.OnBehalf = "housing"
	counter := entry(t, november, "shared-counter", transfer, "1", "property", verify.Valid)
	public := entry(t, november, "", "", "", "property", verify.Valid)
	r := made(t, s, newWorld(), []report.Log{logOf("tax", "a", 5, tally(t, s, own, counterFor, housing, counter, public))})
	want(t, r, report.RecordedDefinitive, report.Where{}, 1, 2)
	want(t, r, report.RecordedDefinitive, report.Where{Department: "tax"}, 1, 2)
	want(t, r, report.RecordedDefinitive, report.Where{Department: "housing"}, -1, 0)
	want(t, r, report.PublicVerifications, report.Where{}, -1, 0)
	want(t, r, report.Coverage, report.Where{}, -1, 0) // it issues nothing
	want(t, r, report.FirstCall, report.Where{}, 1, 2) // two agencies: two cases
}

// What a case needs, and what its first call found.
func TestCases(t *testing.T) {
	judged := func(overall string, e *access.Entry) *access.Entry {
		e.Overall = overall
		return e
	}
	property := func(at uint64, outcome verify.Outcome) *access.Entry {
		return entry(t, november+at, "tax", transfer, "1", "property", outcome)
	}
	marriage := func(at uint64) *access.Entry {
		return entry(t, november+at, "tax", transfer, "1", "marriage", verify.Valid)
	}
	other := func(number string) *access.Entry {
		e := marriage(1)
		e.Case = number
		return e
	}
	hidden := property(0, verify.Valid)
	hidden.Fields = slices.Clone(hidden.Fields[1:])
	for _, c := range []struct {
		name           string
		entries        []*access.Entry
		atOnce, of     int
		met, materials int
	}{
		{"nothing", nil, -1, 0, -1, 0},
		{"both at once", []*access.Entry{judged("valid", property(0, verify.Valid)), judged("valid", marriage(0))}, 1, 1, 2, 2},
		{"a second apart", []*access.Entry{judged("valid", property(5, verify.Valid)), judged("valid", marriage(6))}, 1, 1, 2, 2},
		{"restricted, but in force", []*access.Entry{judged("restricted", property(0, verify.Restricted)), judged("restricted", marriage(0))}, 1, 1, 2, 2},
		{"two calls", []*access.Entry{judged("incomplete", property(0, verify.Valid)), judged("valid", property(1, verify.Valid)), judged("valid", marriage(1))}, 0, 1, 2, 2},
		{"the other way round", []*access.Entry{judged("valid", marriage(0)), judged("valid", property(0, verify.Valid)), judged("inconsistent", marriage(10))}, 1, 1, 2, 2},
		{"two calls in a second", []*access.Entry{judged("valid", marriage(3)), judged("valid", property(3, verify.Valid)), judged("incomplete", marriage(3))}, 0, 1, 2, 2},
		{"complete, but not in order", []*access.Entry{judged("inconsistent", marriage(0)), judged("inconsistent", property(0, verify.Valid))}, 0, 1, 2, 2},
		{"by themselves first", []*access.Entry{marriage(0), judged("valid", property(9, verify.Valid)), judged("valid", marriage(9))}, 1, 1, 2, 2},
		{"by themselves alone", []*access.Entry{property(0, verify.Valid), marriage(0)}, -1, 0, 2, 2},
		{"nothing valid", []*access.Entry{judged("not-current", property(0, verify.NotCurrent)), property(9, verify.Invalid)}, 0, 1, 0, 2},
		{"a field is missing", []*access.Entry{judged("incomplete", hidden), judged("incomplete", marriage(0))}, 0, 1, 1, 2},
		{"a type that is not wanted", []*access.Entry{judged("incomplete", entry(t, november, "tax", transfer, "1", "business", verify.Valid))}, 0, 1, 0, 2},
		{"two cases", []*access.Entry{judged("incomplete", property(0, verify.Valid)), other("2")}, 0, 1, 2, 4},
		{"no number", []*access.Entry{judged("valid", other(""))}, -1, 0, -1, 0},
	} {
		s := scope(t, "2026-11")
		for turn := range 2 {
			entries := slices.Clone(c.entries)
			if turn == 1 {
				slices.Reverse(entries)
			}
			r := made(t, s, newWorld(), []report.Log{logOf("tax", "a", 1, tally(t, s, entries...))})
			for _, w := range []report.Where{{}, {Department: "tax"}, {Matter: transfer}} {
				want(t, r, report.FirstCall, w, c.atOnce, c.of)
				want(t, r, report.MaterialsMet, w, c.met, c.materials)
			}
			if t.Failed() {
				t.Fatal(c.name)
			}
			// In two logs: a verifier may have several.
			var logs []report.Log
			for i, e := range entries {
				logs = append(logs, logOf("tax", fmt.Sprint(i), 1, tally(t, s, e)))
			}
			again := made(t, s, newWorld(), logs)
			for _, code := range []string{report.FirstCall, report.MaterialsMet, report.Verifications, report.LeftOut} {
				if !slices.Equal(again.Indicator(code).Rows, r.Indicator(code).Rows) {
					t.Errorf("%s: in a log for each entry %s is %v, in one %v", c.name, code, again.Indicator(code).Rows, r.Indicator(code).Rows)
				}
			}
		}
	}
}

// What no case can be made of is told.
func TestLeftOut(t *testing.T) {
	s := scope(t, "2026-11")
	r := made(t, s, newWorld(), []report.Log{logOf("tax", "a", 3, tally(t, s,
		entry(t, november, "tax", transfer, "", "property", verify.Valid),
		entry(t, november, "tax", "unheard-of", "1", "property", verify.Valid),
		entry(t, november, "tax", "", "", "property", verify.Valid),
	))})
	want(t, r, report.LeftOut, report.Where{Cause: "matter-unknown"}, 2, 0)
	want(t, r, report.LeftOut, report.Where{Cause: "case-number-missing"}, 1, 0)
	want(t, r, report.Verifications, report.Where{Matter: report.None}, 1, 0)
	if rows := r.Indicator(report.FirstCall).Rows; len(rows) != 0 {
		t.Errorf("there are cases: %v", rows)
	}
	s = &report.Scope{Period: s.Period}
	r = made(t, s, newWorld(), []report.Log{logOf("tax", "a", 1, tally(t, s, entry(t, november, "tax", transfer, "1", "property", verify.Valid)))})
	want(t, r, report.LeftOut, report.Where{Cause: "matter-unknown"}, 1, 0)
}

// A log that somebody made up takes no more memory than there may be.
func TestTooManyNames(t *testing.T) {
	for _, name := range []func(*access.Entry, string){
		func(e *access.Entry, s string) { e.Agency = s },
		func(e *access.Entry, s string) { e.Matter = s },
		func(e *access.Entry, s string) { e.Type = s },
	} {
		s := scope(t, "2026-11")
		out := report.NewTally(s)
		var err error
		n := 0
		for ; err == nil && n < 1<<17; n++ {
			e := *entry(t, november, "tax", "unheard-of", "1", "property", verify.Valid)
			name(&e, fmt.Sprint("n-", n))
			err = out.Add(&e)
		}
		var wrong *report.Error
		if !errors.As(err, &wrong) || wrong.Code != report.CodeTooMany || n < 1<<15 {
			t.Errorf("after %d names: %v", n, err)
		}
		if err := out.Add(entry(t, november, "tax", transfer, "1", "property", verify.Valid)); !errors.As(err, &wrong) {
			t.Errorf("the tally goes on: %v", err)
		}
		if _, err := report.New(s, newWorld(), []report.Log{logOf("tax", "a", 1, out)}, nil); !errors.As(err, &wrong) || wrong.Code != report.CodeTooMany {
			t.Errorf("there is a report: %v", err)
		}
	}
}

// Entries that several goroutines add count as those that one adds.
func TestAddTogether(t *testing.T) {
	s := scope(t, "2026-11")
	entries := randomEntries(t, 8, 4000, november, november+30*day)
	together := report.NewTally(s)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := g; i < len(entries); i += 8 {
				if err := together.Add(entries[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	var reports [2][]byte
	for i, tallied := range []*report.Tally{together, tally(t, s, entries...)} {
		b, err := json.Marshal(made(t, s, newWorld(), []report.Log{logOf("tax", "a", 4000, tallied)}))
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = b
	}
	if !bytes.Equal(reports[0], reports[1]) {
		t.Errorf("together they are\n%s\nwant\n%s", reports[0], reports[1])
	}
}
