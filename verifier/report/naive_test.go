package report_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/report"
)

var _ report.Ledger = (*index.Export)(nil)

// What follows computes the indicators of the ledger and of the access logs a second time, from the
// blocks and the entries themselves: without regard for time and memory, and by docs/INDICATORS.md.

// A fact counts for every row that tells apart some of what it is about.
type fact struct {
	code                   string
	about                  map[string]string
	by                     []string // what rows tell apart, each joined by spaces
	numerator, denominator uint64
}

// rows adds facts up: "CODE dimension=value ..." to "numerator/denominator".
func rows(facts []fact) map[string]string {
	sums := map[string][2]uint64{}
	for _, f := range facts {
		for _, by := range f.by {
			name := f.code
			for _, d := range strings.Fields(by) {
				name += " " + d + "=" + f.about[d]
			}
			sum := sums[name]
			sums[name] = [2]uint64{sum[0] + f.numerator, sum[1] + f.denominator}
		}
	}
	out := map[string]string{}
	for name, sum := range sums {
		out[name] = fmt.Sprintf("%d/%d", sum[0], sum[1])
	}
	return out
}

// reported is a report in the same form.
func reported(r *report.Report) map[string]string {
	out := map[string]string{}
	for _, i := range r.Indicators {
		for _, row := range i.Rows {
			name := i.Code
			for _, d := range [][2]string{
				{"department", row.Where.Department}, {"unit", row.Where.Unit}, {"type", row.Where.Type},
				{"matter", row.Where.Matter}, {"outcome", row.Where.Outcome}, {"basis", row.Where.Basis}, {"cause", row.Where.Cause},
			} {
				if d[1] != "" {
					name += " " + d[0] + "=" + d[1]
				}
			}
			out[name] = fmt.Sprintf("%d/%d", row.Numerator, row.Denominator)
		}
	}
	return out
}

// china is the day of a time, as a calendar says it.
func china(seconds uint64) string {
	return time.Unix(int64(seconds), 0).In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly)
}

// factsOfLedger reads the blocks.
func factsOfLedger(t *testing.T, s *report.Scope, blocks []*ledger.Block) (facts []fact) {
	t.Helper()
	first, last := s.Period.First().String(), s.Period.Last().String()
	newest := uint64(0)
	heads := map[string]*statement.Head{}
	times := map[string]uint64{}
	entitled := map[string][]string{}
	disowned := map[string]bool{}
	for _, b := range blocks {
		for _, tx := range b.Transactions {
			parsed, err := chaincode.ParseTransaction(tx.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			for _, signed := range parsed.Statements {
				st, err := statement.Parse(signed)
				if err != nil {
					t.Fatal(err)
				}
				switch body := st.Body.(type) {
				case *statement.Heartbeat:
					newest = body.Time
				case *statement.Department:
					entitled[body.Profile.ID] = body.Profile.Issues
				case *statement.Key:
					for _, root := range body.Disowned {
						disowned[body.Department+root.String()] = true
					}
				case *statement.Head:
					heads[body.Issuer+body.Root.String()], times[body.Issuer+body.Root.String()] = body, newest
				case *statement.Status:
					if s.Department != "" && s.Department != body.Issuer {
						continue
					}
					about := map[string]string{"department": body.Issuer, "type": heads[body.Issuer+body.Root.String()].Type, "cause": "status-change"}
					if newest == 0 {
						facts = append(facts, fact{report.Undated, about, []string{"cause", "department cause"}, 1, 0})
						continue
					}
					if at := china(newest); at >= first && at <= last {
						by := []string{"", "department", "type", "department type"}
						effective := licence.Date(body.Effective)
						if days := daysBetween(t, effective.String(), at); days > 0 {
							facts = append(facts, fact{report.StatusChanges, about, by, 1, 1}, fact{report.StatusDelay, about, by, uint64(days), 1})
						} else {
							facts = append(facts, fact{report.StatusChanges, about, by, 0, 1}, fact{report.StatusDelay, about, by, 0, 0})
						}
					}
				}
			}
		}
	}
	used := map[string]bool{}
	for name, h := range heads {
		about := map[string]string{"department": h.Issuer, "unit": h.Unit, "type": h.Type, "cause": "anchor"}
		at := china(times[name])
		switch {
		case disowned[name] || s.Department != "" && s.Department != h.Issuer:
			continue
		case times[name] == 0:
			facts = append(facts, fact{report.Undated, about, []string{"cause", "department cause"}, 1, 0})
			continue
		case at >= first && at <= last:
			by := []string{"", "department", "type", "department unit type"}
			facts = append(facts, fact{report.Issued, about, by, uint64(h.Size), 0}, fact{report.IssuedBatches, about, by, 1, 0})
		}
		if at <= last {
			used[h.Issuer+" "+h.Type] = true
		}
	}
	for department, types := range entitled {
		for _, typ := range types {
			if s.Department == "" || s.Department == department {
				n := uint64(0)
				if used[department+" "+typ] {
					n = 1
				}
				facts = append(facts, fact{report.Coverage, map[string]string{"department": department}, []string{"", "department"}, n, 1})
			}
		}
	}
	return facts
}

func daysBetween(t *testing.T, from, to string) int {
	t.Helper()
	a, err := time.Parse(time.DateOnly, from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := time.Parse(time.DateOnly, to)
	if err != nil {
		t.Fatal(err)
	}
	return int(b.Sub(a).Hours() / 24)
}

// factsOfEntries reads the entries of all logs.
func factsOfEntries(t *testing.T, s *report.Scope, entries []*access.Entry) (facts []fact) {
	t.Helper()
	first, last := s.Period.First().String(), s.Period.Last().String()
	or := func(s string) string {
		if s == "" {
			return report.None
		}
		return s
	}
	cases := map[string][]*access.Entry{}
	for _, e := range entries {
		if e.Asked != "" {
			continue // see factsOfRequests
		}
		if at := china(e.Time); at < first || at > last {
			continue
		}
		outcome := e.Outcome
		if !slices.Contains([]string{"valid", "restricted", "not-current", "invalid"}, outcome) {
			outcome = "undetermined"
		}
		department := e.Agency
		if e.OnBehalf != "" {
			department = e.OnBehalf
		}
		about := map[string]string{"department": or(department), "type": or(e.Type), "matter": or(e.Matter), "outcome": outcome}
		if e.Agency == "" {
			if s.Department == "" {
				facts = append(facts, fact{report.PublicVerifications, about, []string{"", "outcome"}, 1, 0})
			}
			continue
		}
		if s.Department != "" && s.Department != department {
			continue
		}
		definitive := uint64(1)
		if outcome == "undetermined" {
			definitive = 0
		}
		facts = append(facts,
			fact{report.Verifications, about, []string{"", "department", "type", "matter", "outcome", "department outcome"}, 1, 0},
			fact{report.RecordedDefinitive, about, []string{"", "department", "type", "matter"}, definitive, 1})
		m := s.Matters.Matter(e.Matter, licence.DateOf(time.Unix(int64(e.Time), 0)))
		switch {
		case m == nil:
			facts = append(facts, fact{report.LeftOut, map[string]string{"cause": "matter-unknown"}, []string{"cause"}, 1, 0})
		case e.Case == "":
			facts = append(facts, fact{report.LeftOut, map[string]string{"cause": "case-number-missing"}, []string{"cause"}, 1, 0})
		default:
			name := fmt.Sprintf("%q %q %q %d %q", e.Agency, department, m.ID, m.Version, e.Case)
			cases[name] = append(cases[name], e)
		}
	}
	for _, one := range cases {
		facts = append(facts, factsOfCase(s, one)...)
	}
	return facts
}

func factsOfCase(s *report.Scope, entries []*access.Entry) (facts []fact) {
	e := entries[0]
	about := map[string]string{"department": e.Agency, "matter": e.Matter}
	if e.OnBehalf != "" {
		about["department"] = e.OnBehalf
	}
	by := []string{"", "department", "matter"}
	for _, r := range s.Matters.Matter(e.Matter, licence.DateOf(time.Unix(int64(e.Time), 0))).Requirements {
		if r.Min == 0 {
			continue
		}
		shown := 0
		for _, e := range entries {
			for _, a := range r.Alternatives {
				lacks := slices.ContainsFunc(a.Fields, func(key string) bool { return !slices.Contains(e.Fields, key) })
				if a.Type == e.Type && !lacks && (e.Outcome == "valid" || e.Outcome == "restricted") {
					shown++
				}
			}
		}
		met := uint64(0)
		if shown >= r.Min {
			met = 1
		}
		facts = append(facts, fact{report.MaterialsMet, about, by, met, 1})
	}
	judged := slices.DeleteFunc(slices.Clone(entries), func(e *access.Entry) bool { return e.Overall == "" })
	if len(judged) == 0 {
		return facts
	}
	first := slices.MinFunc(judged, func(x, y *access.Entry) int { return cmp.Compare(x.Time, y.Time) }).Time
	atOnce := uint64(1)
	for _, e := range judged {
		if e.Time == first && e.Overall != "valid" && e.Overall != "restricted" {
			atOnce = 0
		}
	}
	return append(facts, fact{report.FirstCall, about, by, atOnce, 1})
}
