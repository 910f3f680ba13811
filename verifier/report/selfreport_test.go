package report_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// code is the code of an error of the package.
func code(err error) string {
	var wrong *report.Error
	if errors.As(err, &wrong) {
		return wrong.Code
	}
	return ""
}

// said reads a self-report of testdata.
func said(t testing.TB, name string) *report.SelfReport {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := report.ParseSelfReport(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelfReported(t *testing.T) {
	s := scope(t, "2026-11")
	keeper := tally(t, s, // by verifiers of the tax bureau
		entry(t, november, "tax", transfer, "1", "property", verify.Valid),
		entry(t, november, "tax", transfer, "1", "marriage", verify.Valid),
		entry(t, november, "tax", transfer, "2", "property", verify.Undetermined),
	)
	silent := tally(t, s, entry(t, november, "natural-resources", opening, "1", "property", verify.Valid))
	logs := []report.Log{logOf("tax", "a", 3, keeper), logOf("natural-resources", "a", 1, silent)}
	r := made(t, s, newWorld(), logs, said(t, "tax.yaml"), said(t, "civil-affairs.yaml"))
	want(t, r, report.Definitive, report.Where{}, 2, 3+6) // the other verifier's does not count: it did not say
	want(t, r, report.Definitive, report.Where{Department: "tax"}, 2, 3+4)
	want(t, r, report.Definitive, report.Where{Department: "housing"}, 0, 2)
	want(t, r, report.Definitive, report.Where{Matter: transfer}, 2, 3+6)
	want(t, r, report.Definitive, report.Where{Department: "natural-resources"}, -1, 0)
	want(t, r, report.RecordedDefinitive, report.Where{}, 3, 4)
	want(t, r, report.MaterialsMet, report.Where{}, 3, 5)
	want(t, r, report.NotRecollected, report.Where{}, 1, 4) // of the tax bureau's two cases, two of which met
	want(t, r, report.NotRecollected, report.Where{Department: "natural-resources"}, -1, 0)
	want(t, r, report.OverAsking, report.Where{Department: "housing"}, 3, 0)
	want(t, r, report.Ratings, report.Where{}, 94, 95)
	want(t, r, report.ObjectionsReceived, report.Where{}, 4, 0)
	want(t, r, report.ObjectionsInTime, report.Where{Department: "civil-affairs"}, 2, 3)
	want(t, r, report.ObjectionDays, report.Where{}, 17, 3)

	one := scope(t, "2026-11")
	one.Department = "housing"
	r = made(t, one, newWorld(), []report.Log{logOf("tax", "a", 3, report.NewTally(one))}, said(t, "tax.yaml"), said(t, "civil-affairs.yaml"))
	want(t, r, report.Definitive, report.Where{}, 0, 2)
	want(t, r, report.OverAsking, report.Where{}, 3, 0)
	want(t, r, report.Ratings, report.Where{}, -1, 0)
}

// What was asked, or rated, without a matter counts for none.
func TestSelfReportedWithoutMatter(t *testing.T) {
	s := scope(t, "2026-11")
	said, err := report.ParseSelfReport([]byte(`{"department": "tax", "period": "2026-11", "unanswered": [{"department": "housing", "matter": "", "count": 2}],
		"overAsking": [{"department": "housing", "matter": "", "count": 3}], "ratings": [{"matter": "", "scores": [0, 0, 0, 0, 4]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := made(t, s, newWorld(), []report.Log{logOf("tax", "a", 0, report.NewTally(s))}, said)
	want(t, r, report.Definitive, report.Where{Matter: report.None}, 0, 2)
	want(t, r, report.OverAsking, report.Where{Matter: report.None}, 3, 0)
	want(t, r, report.Ratings, report.Where{Matter: report.None}, 4, 4)
	want(t, r, report.Ratings, report.Where{}, 4, 4)
}

// More collected again than was met is no more than all of it.
func TestRecollectedWithoutNeed(t *testing.T) {
	s := scope(t, "2026-11")
	logs := []report.Log{logOf("tax", "a", 1, tally(t, s, entry(t, november, "tax", transfer, "1", "property", verify.Valid)))}
	r := made(t, s, newWorld(), logs, &report.SelfReport{
		Department: "tax", Period: "2026-11", Recollected: []report.Recollected{{Matter: transfer, Count: 1000}, {Matter: opening, Count: 1}},
	})
	want(t, r, report.NotRecollected, report.Where{}, 0, 2)
}

func TestParseSelfReportRefused(t *testing.T) {
	const front = "department: tax\nperiod: 2026-11\n"
	many := "recollected:\n" + strings.Repeat("  - {matter: m, count: 1}\n", 1001)
	for name, text := range map[string]string{
		"nothing":             "",
		"no department":       "period: 2026-11\n",
		"no period":           "department: tax\n",
		"a day":               "department: tax\nperiod: 2026-11-07\n",
		"an unknown member":   front + "unanswerd: []\n",
		"a member twice":      front + "period: 2026-11\n",
		"two documents":       front + "---\n" + front,
		"a matter's name":     front + "recollected: [{matter: 二手房过户, count: 1}]\n",
		"no matter":           front + "recollected: [{count: 1}]\n",
		"what logs tell":      front + "requests: [{matter: m, basis: grant, released: 1}]\n",
		"none of its matters": front + "recollected: [{matter: \"\", count: 1}]\n",
		"none by its word":    front + "ratings: [{matter: (none), scores: [1, 2, 3, 4, 5]}]\n",
		"nobody":              front + "overAsking: [{department: \"\", matter: m, count: 1}]\n",
		"nothing twice":       front + "ratings: [{matter: \"\", scores: [1, 2, 3, 4, 5]}, {matter: \"\", scores: [1, 2, 3, 4, 5]}]\n",
		"less than none":      front + "recollected: [{matter: m, count: -1}]\n",
		"a fraction":          front + "recollected: [{matter: m, count: 1.5}]\n",
		"a number in a text":  front + "recollected: [{matter: m, count: \"1\"}]\n",
		"too much":            front + "recollected: [{matter: m, count: 1000000001}]\n",
		"a row twice":         front + "recollected: [{matter: m, count: 1}, {matter: m, count: 1}]\n",
		"too many rows":       front + many,
		"six scores":          front + "ratings: [{matter: m, scores: [1, 2, 3, 4, 5, 6]}]\n",
		"too many in time":    front + "objections: {received: 4, settled: 3, inTime: 4}\n",
		"days of none":        front + "objections: {received: 4, days: 4}\n",
		"no UTF-8":            front + "# \xff\n",
		"too long":            front + strings.Repeat("#\n", report.MaxSelfReport/2),
	} {
		if s, err := report.ParseSelfReport([]byte(text)); s != nil || code(err) != report.CodeSelfReport {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	// JSON is YAML; the days of an objection can go back further than the period.
	s, err := report.ParseSelfReport([]byte(`{"department": "tax", "period": "2026-11", "objections": {"settled": 2, "days": 90} } # days`))
	if err != nil || s.Objections.Days != 90 {
		t.Errorf("%+v, %v", s, err)
	}
}

// FuzzParseSelfReport: what is read can be reported.
func FuzzParseSelfReport(f *testing.F) {
	for _, name := range []string{"tax.yaml", "civil-affairs.yaml"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return
		}
		s, err := report.ParseSelfReport(b)
		if err != nil {
			if code(err) != report.CodeSelfReport {
				t.Fatalf("an error without its code: %v", err)
			}
			return
		}
		of := scope(t, s.Period)
		r := made(t, of, newWorld(), []report.Log{logOf(s.Department, "a", 0, report.NewTally(of))}, s)
		for _, i := range r.Indicators {
			for _, row := range i.Rows {
				if i.Form == report.Share && row.Numerator > row.Denominator {
					t.Errorf("%s has %d of %d", i.Code, row.Numerator, row.Denominator)
				}
			}
		}
	})
}
