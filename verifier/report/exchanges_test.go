package report_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// end is an entry about a request of the natural resources bureau to the civil affairs bureau.
func end(request string, at uint64, outcome string, reasons ...string) *access.Entry {
	return &access.Entry{
		Time: november + at, Call: access.RequestCall(sm.Sum([]byte(request))), Agency: "natural-resources", Matter: transfer, Asked: "civil-affairs",
		Type: "marriage", Fields: []string{"spouse1Name"}, Outcome: outcome, Reasons: reasons, Day: 20758,
	}
}

// What becomes of a request counts once, by the log of who asked if that is there; and what the logs of
// the two do not agree about is told.
func TestExchanges(t *testing.T) {
	const later = 40 * day // what proves that a log has whatever it should have
	released := end("a", 10, access.Released, "grant")
	released2 := end("a", 12, access.Released, "grant")
	other := end("other", 20, access.Released, "basis", "property-law-5")
	refused := end("a", 10, access.Refused, "no-basis")
	silence := end("a", 400, access.Unanswered)
	self := end("a", 10, access.Released, "grant")
	self.Agency = "civil-affairs"
	type log struct {
		keeper  string
		behind  uint64
		entries []*access.Entry
	}
	asked := func(entries ...*access.Entry) log { return log{"civil-affairs", 0, entries} }
	asking := func(entries ...*access.Entry) log { return log{"natural-resources", 0, entries} }
	verification := entry(t, november, "natural-resources", transfer, "1", "marriage", verify.Valid)
	for _, c := range []struct {
		name                      string
		heartbeat                 uint64
		logs                      []log
		released, refused, silent int
		disagreements, cause, by  string
	}{
		{"nothing", later, []log{asked(), asking(verification)}, 0, 0, 0, "", "", ""},
		{"in both logs", later, []log{asked(released), asking(verification, released2)}, 1, 0, 0, "", "", ""},
		{"recorded twice", later, []log{asked(released, released), asking(released2, released2)}, 1, 0, 0, "", "", ""},
		{"in two logs of one department", later, []log{asked(released), asked(released), asking(released2)}, 1, 0, 0, "", "", ""},
		{"by who was asked alone", later, []log{asked(released, other)}, 2, 0, 0, "", "", ""},
		{"by who asked alone", later, []log{asking(released, other)}, 2, 0, 0, "", "", ""},
		{"a refusal", later, []log{asked(refused), asking(refused)}, 0, 1, 0, "", "", ""},
		{"a silence", later, []log{asked(other), asking(silence, other)}, 1, 0, 1, "", "", ""},
		{"removed by who was asked", later, []log{asked(other), asking(other, released2)}, 2, 0, 0, "a", report.CauseNotByAsked, "civil-affairs"},
		{"a refusal removed by who was asked", later, []log{asked(other), asking(other, refused)}, 1, 1, 0, "a", report.CauseNotByAsked, "civil-affairs"},
		{"not in a log that is not whole", later, []log{{"civil-affairs", 1, []*access.Entry{other}}, asking(other, released2)}, 2, 0, 0, "", "", ""},
		{"not in a log that may be older", 12, []log{asked(other), asking(other, released2)}, 2, 0, 0, "", "", ""},
		{"removed by who asked", later, []log{asked(other, released), asking(other)}, 2, 0, 0, "a", report.CauseNotByAsking, "natural-resources"},
		{"not yet recorded by who asked", 30 * day, []log{asked(other, released), asking(other)}, 2, 0, 0, "", "", ""},
		{"an answer that never came", later, []log{asked(released), asking(silence)}, 0, 0, 1, "a", report.CauseNotReceived, "civil-affairs"},
		{"an answer that never came, of a log that is not whole", later, []log{{"civil-affairs", 9, []*access.Entry{released}}, asking(silence)}, 0, 0, 1, "a", report.CauseNotReceived, "civil-affairs"},
		{"two answers", later, []log{asked(released), asking(refused)}, 0, 1, 0, "a", report.CauseContradict, "civil-affairs"},
		{"two answers in one log", later, []log{asked(released, refused), asking(released2)}, 1, 0, 0, "a", report.CauseContradict, "civil-affairs"},
		{"two grounds", later, []log{asked(end("a", 10, access.Released, "basis", "property-law-5")), asking(released2)}, 1, 0, 0, "a", report.CauseContradict, "civil-affairs"},
		{"through a verifier of who was asked", later, []log{asked(released, other), {"civil-affairs", 0, []*access.Entry{verification, released2, other}}}, 2, 0, 0, "", "", ""},
		{"removed, and through a verifier of who was asked", later, []log{asked(other), {"civil-affairs", 0, []*access.Entry{verification, released2, other}}}, 2, 0, 0, "a", report.CauseNotByAsked, "civil-affairs"},
		{"of itself", later, []log{asked(self), {"civil-affairs", 0, []*access.Entry{verification, self}}}, 1, 0, 0, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.first, w.height = november, 2+c.heartbeat/3600
			if c.heartbeat < 3600 {
				w.first = november + c.heartbeat
			}
			s := scope(t, "2026-11")
			var logs []report.Log
			for i, l := range c.logs {
				made := logOf(l.keeper, fmt.Sprint(i), uint64(len(l.entries)), tally(t, s, l.entries...))
				made.Behind = l.behind
				logs = append(logs, made)
			}
			all := c.released + c.refused + c.silent
			r := made(t, s, w, logs)
			for _, where := range []report.Where{{}, {Department: "civil-affairs"}, {Matter: transfer}} {
				if c.released > 0 {
					want(t, r, report.Releases, where, c.released, 0)
				}
				if all > 0 {
					want(t, r, report.Refusals, where, c.refused, all)
					want(t, r, report.Silences, where, c.silent, all)
				}
			}
			if len(c.logs) > 0 && all > 0 && c.refused > 0 {
				want(t, r, report.Refusals, report.Where{Cause: "no-basis"}, c.refused, all)
			}
			if c.disagreements == "" {
				if len(r.Disagreements) > 0 || len(r.Indicator(report.Disagreements).Rows) > 0 {
					t.Errorf("they disagree: %+v", r.Disagreements)
				}
				return
			}
			expected := report.Disagreement{Call: access.RequestCall(sm.Sum([]byte(c.disagreements))), Asked: "civil-affairs", Agency: "natural-resources", Cause: c.cause}
			if !slices.Equal(r.Disagreements, []report.Disagreement{expected}) {
				t.Errorf("they disagree about %+v, want %+v", r.Disagreements, expected)
			}
			for _, where := range []report.Where{{}, {Department: c.by}, {Cause: c.cause}, {Department: c.by, Cause: c.cause}} {
				want(t, r, report.Disagreements, where, 1, 0)
			}
		})
	}
}

// A release counts for each thing that it was on, and once in all.
func TestReleasesByBasis(t *testing.T) {
	s := scope(t, "2026-11")
	r := made(t, s, newWorld(), []report.Log{logOf("civil-affairs", "releases", 5, tally(t, s,
		end("1", 1, access.Released, "basis-and-grant", "property-law-5", "tax-law-6", "tax-law-6"),
		end("2", 2, access.Released, "grant"),
		end("3", 3, access.Released, "basis", "tax-law-6"),
		end("4", 4, access.Released), // by a log that does not say why
	))})
	want(t, r, report.Releases, report.Where{}, 4, 0)
	want(t, r, report.Releases, report.Where{Basis: report.BasisGrant}, 2, 0)
	want(t, r, report.Releases, report.Where{Basis: "tax-law-6"}, 2, 0)
	want(t, r, report.Releases, report.Where{Basis: "property-law-5", Matter: transfer}, 1, 0)
	want(t, r, report.Releases, report.Where{Basis: report.None}, 1, 0)
	want(t, r, report.Releases, report.Where{Basis: "basis"}, -1, 0)
	want(t, r, report.Verifications, report.Where{}, -1, 0) // none of this is a verification
}

// lawOf is a policy that gives the natural resources bureau a field of marriage certificates from a day on.
func lawOf(t testing.TB, version int, from string) *policy.Published {
	t.Helper()
	text := fmt.Sprintf(`{version: %d, from: "%s", answerWithin: 300, bases: [{id: property-law-5, text: {zh: 例, en: x}, agency: natural-resources,
		matter: second-hand-home-transfer, issuer: civil-affairs, type: marriage, fields: [spouse1Name]}]}`, version, from)
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Published{Policy: p, Digest: sm.Sum([]byte(text))}
}

// What the law gives is given, or not; everything else is nobody's duty.
func TestRefusalsToShare(t *testing.T) {
	more := end("a", 0, access.Refused, policy.CodeNoBasis)
	more.Fields = []string{"spouse1Id", "spouse1Name"}
	nothing := end("a", 0, access.Unanswered)
	nothing.Fields = nil
	for _, c := range []struct {
		name           string
		law            []*policy.Published
		entry          *access.Entry
		withheld, owed int
	}{
		{"released", []*policy.Published{lawOf(t, 1, "2026-11-01")}, end("a", 0, access.Released, policy.CodeBasis), 0, 1},
		{"refused all the same", []*policy.Published{lawOf(t, 1, "2026-11-01")}, end("a", 0, access.Refused, policy.CodeNoBasis), 1, 1},
		{"refused without a reason", []*policy.Published{lawOf(t, 1, "2026-11-01")}, end("a", 0, access.Refused), 1, 1},
		{"silence", []*policy.Published{lawOf(t, 1, "2026-11-01")}, end("a", 0, access.Unanswered), 1, 1},
		{"there is no such licence", []*policy.Published{lawOf(t, 1, "2026-11-01")}, end("a", 0, access.Refused, policy.CodeLicenceUnknown), 0, 1},
		{"there is no such field", []*policy.Published{lawOf(t, 1, "2026-11-01")}, end("a", 0, access.Refused, policy.CodeFieldUnknown), 0, 1},
		{"more than the law gives", []*policy.Published{lawOf(t, 1, "2026-11-01")}, more, -1, 0},
		{"nothing", []*policy.Published{lawOf(t, 1, "2026-11-01")}, nothing, -1, 0},
		{"before the law", []*policy.Published{lawOf(t, 1, "2026-11-02")}, end("a", 0, access.Unanswered), -1, 0},
		{"no law", nil, end("a", 0, access.Unanswered), -1, 0},
		{"a later law", []*policy.Published{lawOf(t, 2, "2026-12-01"), lawOf(t, 1, "2026-10-01")}, end("a", 0, access.Unanswered), 1, 1},
	} {
		s := scope(t, "2026-11")
		s.Policies = c.law
		r := made(t, s, newWorld(), []report.Log{logOf("natural-resources", "main", 1, tally(t, s, c.entry))})
		for _, where := range []report.Where{{}, {Department: "civil-affairs"}, {Matter: transfer}} {
			want(t, r, report.RefusalsToShare, where, c.withheld, c.owed)
		}
		if len(r.Policies) != len(c.law) || len(c.law) == 2 && (r.Policies[0].Version != 1 || r.Policies[1].Digest != c.law[0].Digest) {
			t.Errorf("judged by %+v", r.Policies)
		}
		if t.Failed() {
			t.Fatal(c.name)
		}
	}
}

// A request belongs to the period in which it ended for who asked, whatever else the logs have.
func TestExchangeAtTheBounds(t *testing.T) {
	month := []string{"2026-10", "2026-11", "2026-12"}
	counted := func(asked, asking uint64) (in []string) {
		for _, m := range month {
			s := scope(t, m)
			r := made(t, s, newWorld(), []report.Log{
				logOf("civil-affairs", "releases", 1, tally(t, s, end("a", asked, access.Released, "grant"))),
				logOf("natural-resources", "main", 1, tally(t, s, end("a", asking, access.Released, "grant"))),
			})
			if rows := r.Indicator(report.Releases).Rows; len(rows) > 0 {
				in = append(in, m)
			}
			if len(r.Disagreements) > 0 {
				t.Errorf("%s: %+v", m, r.Disagreements)
			}
		}
		return in
	}
	for _, c := range []struct {
		asked, asking uint64
		want          string
	}{{0, 0, "2026-11"}, {1<<64 - 1, 0, "2026-11"}, {30*day - 1, 30 * day, "2026-12"}, {30 * day, 30*day - 1, "2026-11"}, {0, 30*day - 60, "2026-11"}} {
		if got := counted(c.asked, c.asking); !slices.Equal(got, []string{c.want}) {
			t.Errorf("answered at %d, ended at %d: counts in %v, want %s", int64(c.asked), c.asking, got, c.want)
		}
	}
}

// A report about one department has the requests to it; about those that it made it tells what the logs
// disagree about.
func TestExchangesOfOneDepartment(t *testing.T) {
	for _, c := range []struct {
		department        string
		releases, differs int
	}{{"civil-affairs", 2, 1}, {"natural-resources", -1, 1}, {"tax", -1, -1}} {
		s := scope(t, "2026-11")
		s.Department = c.department
		r := made(t, s, newWorld(), []report.Log{
			logOf("civil-affairs", "releases", 1, tally(t, s, end("a", 0, access.Released, "grant"))),
			logOf("natural-resources", "main", 2, tally(t, s, end("a", 0, access.Released, "grant"), end("b", 0, access.Released, "grant"))),
		})
		want(t, r, report.Releases, report.Where{}, c.releases, 0)
		want(t, r, report.Disagreements, report.Where{Cause: report.CauseNotByAsked}, c.differs, 0)
	}
}

// All disagreements are counted, and the first are named, in whatever order they come.
func TestManyDisagreements(t *testing.T) {
	s := scope(t, "2026-11")
	ends := []*access.Entry{end("kept", 0, access.Released, "grant")}
	for i := range 3*report.MaxDisagreements + 100 {
		ends = append(ends, end(fmt.Sprint(i), uint64(i), access.Released, "grant"))
	}
	var first []byte
	for range 2 {
		r := made(t, s, newWorld(), []report.Log{logOf("civil-affairs", "releases", 1, tally(t, s, ends[slices.IndexFunc(ends, func(e *access.Entry) bool { return e.Call == end("kept", 0, "").Call })])), logOf("tax", "main", 9, tally(t, s, ends...))})
		want(t, r, report.Disagreements, report.Where{}, 3*report.MaxDisagreements+100, 0)
		if len(r.Disagreements) != report.MaxDisagreements {
			t.Errorf("%d are named", len(r.Disagreements))
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if string(first) != string(b) {
			t.Error("another order gives another report")
		}
		if again, err := report.Parse(b); err != nil || !slices.Equal(again.Disagreements, r.Disagreements) {
			t.Errorf("read again: %v", err)
		}
		slices.Reverse(ends)
	}
}

// A log that somebody made up takes no more memory for requests than there may be.
func TestTooManyRequests(t *testing.T) {
	for name, change := range map[string]func(*access.Entry, string){
		"matters":                   func(e *access.Entry, s string) { e.Matter = s },
		"reasons":                   func(e *access.Entry, s string) { e.Reasons = []string{"basis", s} },
		"agency":                    func(e *access.Entry, s string) { e.Agency = s },
		"agency, out of the period": func(e *access.Entry, s string) { e.Agency, e.Time = s, 0 },
	} {
		out := report.NewTally(scope(t, "2026-11"))
		var err error
		n := 0
		for ; err == nil && n < 1<<17; n++ {
			e := end("a", 0, access.Released, "grant")
			change(e, fmt.Sprint("n-", n))
			err = out.Add(e)
		}
		var wrong *report.Error
		if !errors.As(err, &wrong) || wrong.Code != report.CodeTooMany || n < 1<<15 {
			t.Errorf("%s: after %d: %v", name, n, err)
		}
	}
}
