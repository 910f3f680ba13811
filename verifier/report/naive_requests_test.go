package report_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/report"
)

// A kept entry is one with the log that it is in.
type kept struct {
	*access.Entry
	keeper  string // department
	answers bool   // the log has nothing but answers
	behind  bool
}

// lawGives reads the policy that counted on the day of a request: what it gives that agency for the matter, less what it
// gives nobody.
func lawGives(s *report.Scope, e *access.Entry) bool {
	today := china(e.Time)
	var newest *policy.Policy
	for _, p := range s.Policies {
		if p.From <= today && (newest == nil || p.Version > newest.Version) {
			newest = p.Policy
		}
	}
	if newest == nil {
		return false
	}
	holds := func(from, until string) bool { return (from == "" || from <= today) && (until == "" || today <= until) }
	is := func(wanted, id string) bool { return wanted == "" || wanted == id }
	for _, field := range e.Fields {
		given := false
		for _, b := range newest.Bases {
			given = given || b.Agency == e.Agency && b.Matter == e.Matter && b.Issuer == e.Asked && b.Type == e.Type && holds(b.From, b.Until) && slices.Contains(b.Fields, field)
		}
		for _, x := range newest.Negative {
			if x.Type == e.Type && is(x.Agency, e.Agency) && is(x.Matter, e.Matter) && holds(x.From, x.Until) && (len(x.Fields) == 0 || slices.Contains(x.Fields, field)) {
				given = false
			}
		}
		if !given {
			return false
		}
	}
	return true
}

// factsOfRequests brings together what several logs have about each request.
func factsOfRequests(s *report.Scope, all []kept, heartbeat uint64) (facts []fact) {
	first, last := s.Period.First().String(), s.Period.Last().String()
	byAsked := func(e kept) bool { return e.answers && e.keeper == e.Asked }
	answers, ends := map[string]bool{}, map[string]bool{} // departments whose answers, and ends, are all here
	for _, whole := range []bool{true, false} {
		for _, e := range all {
			switch {
			case e.Asked == "" || whole == e.behind:
			case byAsked(e):
				answers[e.Asked] = whole
			default:
				ends[e.Agency] = whole
			}
		}
	}
	about := map[string][]kept{}
	for _, e := range all {
		if e.Asked != "" && (s.Department == "" || s.Department == e.Asked || s.Department == e.Agency) {
			name := fmt.Sprint(e.Call, e.Asked, e.Agency)
			about[name] = append(about[name], e)
		}
	}
	says := func(e kept) string { return fmt.Sprintf("%q %q %q %q", e.Outcome, e.Matter, e.Type, e.Reasons) }
	ended := uint64(0)
	refused := map[string]uint64{}
	for _, one := range about {
		slices.SortFunc(one, func(x, y kept) int {
			side := map[bool]int{true: 1}
			return cmp.Or(cmp.Compare(side[byAsked(x)], side[byAsked(y)]), cmp.Compare(x.Time, y.Time), strings.Compare(says(x), says(y)))
		})
		e := one[0]
		if at := china(e.Time); at < first || at > last {
			continue
		}
		if s.Department == "" || s.Department == e.Asked {
			where := map[string]string{"department": e.Asked, "matter": e.Matter}
			n := map[string]uint64{e.Outcome: 1}
			by := []string{"", "department", "matter"}
			if lawGives(s, e.Entry) {
				withheld := n["unanswered"]
				if e.Outcome == "refused" && e.Reasons[0] != "licence-unknown" && e.Reasons[0] != "field-unknown" {
					withheld = 1
				}
				facts = append(facts, fact{report.RefusalsToShare, where, by, withheld, 1})
			}
			facts = append(facts, fact{report.Refusals, where, by, n["refused"], 1}, fact{report.Silences, where, by, n["unanswered"], 1})
			ended++
			if e.Outcome == "released" {
				facts = append(facts, fact{report.Releases, where, by, 1, 0})
				bases := slices.Clone(e.Reasons[1:])
				if e.Reasons[0] != "basis" {
					bases = append(bases, "grant")
				}
				slices.Sort(bases)
				for _, basis := range slices.Compact(bases) {
					facts = append(facts, fact{report.Releases, map[string]string{"matter": e.Matter, "basis": basis}, []string{"basis", "matter basis"}, 1, 0})
				}
			}
			if e.Outcome == "refused" {
				refused[e.Reasons[0]]++
			}
		}
		cut := slices.IndexFunc(one, byAsked)
		if cut < 0 {
			cut = len(one)
		}
		differ := func(some []kept) bool {
			return slices.ContainsFunc(some, func(e kept) bool { return says(e) != says(some[0]) })
		}
		cause, department := "", e.Asked
		switch own, theirs := one[:cut], one[cut:]; {
		case differ(own) || differ(theirs):
			cause = "logs-contradict"
		case len(theirs) == 0:
			if e.Outcome != "unanswered" && answers[e.Asked] && e.Time < heartbeat {
				cause = "not-in-log-of-asked"
			}
		case len(own) == 0:
			if ends[e.Agency] && e.Time+31*86400 < heartbeat {
				cause, department = "not-in-log-of-asking", e.Agency
			}
		case e.Outcome == "unanswered":
			cause = "answer-not-received"
		case says(own[0]) != says(theirs[0]):
			cause = "logs-contradict"
		}
		if cause != "" {
			facts = append(facts, fact{report.Disagreements, map[string]string{"department": department, "cause": cause}, []string{"", "department", "cause", "department cause"}, 1, 0})
		}
	}
	for cause, n := range refused {
		facts = append(facts, fact{report.Refusals, map[string]string{"cause": cause}, []string{"cause"}, n, ended})
	}
	return facts
}
