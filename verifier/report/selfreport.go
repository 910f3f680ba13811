package report

import (
	"regexp"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/strictyaml"
)

// Bounds of a self-report.
const (
	MaxSelfReport = 128 << 10 // bytes

	maxRows  = 1000 // of each of its lists
	maxCount = 1e9  // of anything in it
)

// A SelfReport is what a department says of itself about a period, where nothing that is recorded tells
// it: a file of YAML (of which JSON is a part), whose lists can be left out. A count is from 0 to 10^9; the
// matter of what went unanswered, asked for too much or was rated is "" if none was named.
//
//	department: data-bureau             # who says it
//	period: 2026-11
//	unanswered:                         # of its verifiers: authorised requests that got no answer
//	  - {department: tax, matter: second-hand-home-transfer, count: 12}   # who asked
//	overAsking:                         # of its verifiers: requests refused because they asked for too much
//	  - {department: tax, matter: second-hand-home-transfer, count: 3}
//	recollected:                        # materials that it collected though a verdict had met them
//	  - {matter: second-hand-home-transfer, count: 2}
//	ratings:                            # of its service, from very poor to very good
//	  - {matter: second-hand-home-transfer, scores: [0, 1, 4, 20, 70]}
//	objections: {received: 4, settled: 3, inTime: 2, days: 17}
//
// Days are those from each objection that was settled to its settlement, added up.
type SelfReport struct {
	Department  string        `yaml:"department" json:"department"`
	Period      string        `yaml:"period" json:"period"`
	Unanswered  []AskedBy     `yaml:"unanswered" json:"unanswered,omitempty"`
	OverAsking  []AskedBy     `yaml:"overAsking" json:"overAsking,omitempty"`
	Recollected []Recollected `yaml:"recollected" json:"recollected,omitempty"`
	Ratings     []Rated       `yaml:"ratings" json:"ratings,omitempty"`
	Objections  Objections    `yaml:"objections" json:"objections"`
}

// A Number is a count, from 0 to 10^9.
type Number uint64

// UnmarshalYAML reads a count: of a fraction, nothing is cut off in silence.
func (n *Number) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	count, ok := v.(uint64)
	if !ok {
		return errorf(CodeSelfReport, "a count is a whole number from 0 to 10^9")
	}
	*n = Number(count)
	return nil
}

// AskedBy counts requests to a verifier by who asked, and for what.
type AskedBy struct {
	Department string `yaml:"department" json:"department"`
	Matter     string `yaml:"matter" json:"matter"`
	Count      Number `yaml:"count" json:"count"`
}

// Recollected counts materials of a matter.
type Recollected struct {
	Matter string `yaml:"matter" json:"matter"`
	Count  Number `yaml:"count" json:"count"`
}

// Rated counts ratings of the service in a matter (好差评).
type Rated struct {
	Matter string    `yaml:"matter" json:"matter"`
	Scores [5]Number `yaml:"scores" json:"scores"` // very poor, poor, fair, good, very good
}

// Objections counts objections (异议) to what was found.
type Objections struct {
	Received Number `yaml:"received" json:"received"`
	Settled  Number `yaml:"settled" json:"settled"`
	InTime   Number `yaml:"inTime" json:"inTime"` // of those that were settled
	Days     Number `yaml:"days" json:"days"`     // that these took, added up
}

var idForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// ParseSelfReport reads a self-report, strictly. The error is an *Error with CodeSelfReport.
func ParseSelfReport(b []byte) (*SelfReport, error) {
	if len(b) > MaxSelfReport || !utf8.Valid(b) {
		return nil, errorf(CodeSelfReport, "a self-report has at most %d bytes of UTF-8", MaxSelfReport)
	}
	s := new(SelfReport)
	if err := strictyaml.Decode(b, s); err != nil {
		return nil, errorf(CodeSelfReport, "%v", err)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *SelfReport) check() error {
	if !idForm.MatchString(s.Department) {
		return errorf(CodeSelfReport, "department: must be the id of a department")
	}
	if _, err := ParsePeriod(s.Period); err != nil {
		return errorf(CodeSelfReport, "period: %v", err)
	}
	for _, list := range []struct {
		name string
		rows []AskedBy
	}{{"unanswered", s.Unanswered}, {"overAsking", s.OverAsking}} {
		if err := checkRows(list.name, list.rows, false, func(r AskedBy) (string, string, []Number) {
			return r.Department, r.Matter, []Number{r.Count}
		}); err != nil {
			return err
		}
	}
	if err := checkRows("recollected", s.Recollected, true, func(r Recollected) (string, string, []Number) {
		return s.Department, r.Matter, []Number{r.Count}
	}); err != nil {
		return err
	}
	if err := checkRows("ratings", s.Ratings, false, func(r Rated) (string, string, []Number) {
		return s.Department, r.Matter, r.Scores[:]
	}); err != nil {
		return err
	}
	o := s.Objections
	if err := checkCounts("objections", o.Received, o.Settled, o.InTime, o.Days); err != nil {
		return err
	}
	if o.InTime > o.Settled || o.Settled == 0 && o.Days > 0 {
		return errorf(CodeSelfReport, "objections: those in time, and the days, are of those that were settled")
	}
	return nil
}

// checkRows checks the ids and the counts of the rows of a list, each of which is about something else.
// If named is false, the matter may be "".
func checkRows[T any](list string, rows []T, named bool, of func(T) (department, matter string, counts []Number)) error {
	if len(rows) > maxRows {
		return errorf(CodeSelfReport, "%s: must be at most %d", list, maxRows)
	}
	seen := map[[2]string]bool{}
	for _, r := range rows {
		department, matter, counts := of(r)
		if !idForm.MatchString(department) || !idForm.MatchString(matter) && (named || matter != "") {
			return errorf(CodeSelfReport, "%s: departments and matters are named by their ids, of lower-case letters, digits and hyphens", list)
		}
		key := [2]string{department, matter}
		if seen[key] {
			return errorf(CodeSelfReport, "%s: %v is there twice", list, key)
		}
		seen[key] = true
		if err := checkCounts(list, counts...); err != nil {
			return err
		}
	}
	return nil
}

func checkCounts(list string, counts ...Number) error {
	for _, n := range counts {
		if n > maxCount {
			return errorf(CodeSelfReport, "%s: a count is at most 10^9", list)
		}
	}
	return nil
}
