package report

import (
	"cmp"
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A Log is an access log that a report is made from: its entries, tallied, and what an audit says of it
// (accesslog.Report).
type Log struct {
	Tally      *Tally
	Ledger     sm.Hash // to which its checkpoints go
	Department string  // that keeps it
	Name       string
	Size       uint64 // entries
	Root       sm.Hash
	Anchored   uint64 // entries under the newest of its checkpoints on the ledger
	Behind     uint64 // entries that the ledger knows of beyond these
	Clean      bool   // the audit found nothing wrong
}

// A Report is the indicators of a period, and what they were made from. It is not changed.
type Report struct {
	Period      Period
	Department  string // that it is about; "" for all
	Ledger      Source
	Logs        []Log // by department and name
	SelfReports []string
	Indicators  []Indicator // all of them, in their order
	Names       Names

	Policies      []Policy       // by version
	Disagreements []Disagreement // at most MaxDisagreements
}

// A Source is the ledger that a report is made from.
type Source struct {
	ID        sm.Hash
	Height    uint64  // number of blocks
	Block     sm.Hash // the newest
	Heartbeat uint64  // the newest, in seconds since 1970-01-01T00:00:00Z; 0 if there is none
	Complete  bool    // that heartbeat is later than the period
}

// Names are the names that people know ids by: of departments and licence types as they are on the
// ledger, of units by DEPARTMENT/UNIT, of matters as on the last day of the period.
type Names struct {
	Departments map[string]licence.Text `json:"departments"`
	Units       map[string]licence.Text `json:"units"`
	Types       map[string]licence.Text `json:"types"`
	Matters     map[string]licence.Text `json:"matters"`
}

// New makes the report of a scope. Tallies must have been made for this scope. It is the same whatever
// the order of logs and self-reports. The error is an *Error.
func New(s *Scope, l Ledger, logs []Log, said []*SelfReport) (*Report, error) {
	if s.Period == (Period{}) {
		return nil, errorf(CodePeriod, "name the period of the report")
	}
	if err := checkLogs(s, l, logs); err != nil {
		return nil, err
	}
	if err := checkSaid(s, said); err != nil {
		return nil, err
	}
	r := &Report{Period: s.Period, Department: s.Department, Names: namesOf(s, l), Logs: slices.Clone(logs), Policies: s.policies()}
	head, heartbeat := l.Head(), l.Heartbeat()
	r.Ledger = Source{l.Ledger(), head.Height, head.Hash, heartbeat.Time, heartbeat.Time >= begin(s.Period.last+1)}
	slices.SortFunc(r.Logs, func(x, y Log) int {
		return cmp.Or(cmp.Compare(x.Department, y.Department), cmp.Compare(x.Name, y.Name))
	})
	for _, s := range said {
		r.SelfReports = append(r.SelfReports, s.Department)
	}
	slices.Sort(r.SelfReports)

	b := &builder{scope: s, figures: map[string]figures{}}
	b.fromLedger(l)
	cases := b.fromLogs(r.Logs)
	r.Disagreements = b.fromRequests(r.Logs, heartbeat.Time)
	b.fromSelfReports(said, r.Logs, cases)
	for i := range definitions {
		r.Indicators = append(r.Indicators, Indicator{&definitions[i], b.figures[definitions[i].Code].rows()})
	}
	return r, nil
}

// Indicator returns the indicator of a code, nil if there is none.
func (r *Report) Indicator(code string) *Indicator {
	for i := range r.Indicators {
		if r.Indicators[i].Code == code {
			return &r.Indicators[i]
		}
	}
	return nil
}

func checkLogs(s *Scope, l Ledger, logs []Log) error {
	seen := map[[2]string]bool{}
	for i := range logs {
		log := &logs[i]
		key := [2]string{log.Department, log.Name}
		switch {
		case log.Tally == nil || log.Tally.scope != s:
			return errorf(CodeScope, "the entries of the access log %s of %s were tallied for another report; tally them again", log.Name, log.Department)
		case log.Tally.err() != nil:
			return log.Tally.err()
		case log.Ledger != l.Ledger():
			return errorf(CodeOtherLedger, "the access log %s of %s is of another ledger; leave it out", log.Name, log.Department)
		case seen[key]:
			return errorf(CodeDuplicate, "the access log %s of %s is there twice; leave one out", log.Name, log.Department)
		}
		seen[key] = true
	}
	return nil
}

func checkSaid(s *Scope, said []*SelfReport) error {
	seen := map[string]bool{}
	for _, one := range said {
		if err := one.check(); err != nil {
			return err
		}
		switch {
		case one.Period != s.Period.String():
			return errorf(CodeSelfReport, "the self-report of %s is about %s, the report about %s", one.Department, one.Period, s.Period)
		case seen[one.Department]:
			return errorf(CodeDuplicate, "the self-report of %s is there twice; leave one out", one.Department)
		}
		seen[one.Department] = true
	}
	return nil
}

// A builder adds up the figures of a report.
type builder struct {
	scope   *Scope
	figures map[string]figures // by the code of the indicator
}

func (b *builder) add(code string, w Where, numerator, denominator uint64) {
	f := b.figures[code]
	if f == nil {
		f = figures{}
		b.figures[code] = f
	}
	f.add(w, numerator, denominator)
}

// fromLogs computes what the access logs tell, and returns what became of the cases.
func (b *builder) fromLogs(logs []Log) map[caseKey]caseCount {
	var parts []*part
	for i := range logs {
		parts = append(parts, logs[i].Tally.parts...)
	}
	for _, t := range parts {
		eachCount(t.askers, t.byAsker, func(department string, c *count) {
			b.verified(Where{}, c)
			b.verified(Where{Department: department}, c)
		})
		eachCount(t.matters, t.byMatter, func(matter string, c *count) { b.verified(Where{Matter: matter}, c) })
		eachCount(t.types, t.byType, func(typ string, c *count) { b.verified(Where{Type: typ}, c) })
		if n := t.public.all(); n > 0 {
			b.add(PublicVerifications, Where{}, n, 0)
		}
		for k, n := range t.public {
			if n > 0 {
				b.add(PublicVerifications, Where{Outcome: string(outcomes[k])}, n, 0)
			}
		}
		for cause, n := range map[string]uint64{causeMatterUnknown: t.withoutMatter, causeWithoutNumber: t.withoutNumber} {
			if n > 0 {
				b.add(LeftOut, Where{Cause: cause}, n, 0)
			}
		}
	}
	cases := countCases(parts)
	for key, c := range cases {
		if c.cases > 0 {
			b.addFor(FirstCall, key.department, key.matter, c.atOnce, c.cases)
		}
		if c.materials > 0 {
			b.addFor(MaterialsMet, key.department, key.matter, c.met, c.materials)
		}
	}
	return cases
}

// verified adds to the figures about authorised verifications.
func (b *builder) verified(w Where, c *count) {
	b.add(Verifications, w, c.all(), 0)
	b.add(RecordedDefinitive, w, c.definitive(), c.all())
	if w.Type != "" || w.Matter != "" {
		return
	}
	for k, n := range c {
		if n > 0 {
			w.Outcome = string(outcomes[k])
			b.add(Verifications, w, n, 0)
		}
	}
}

// eachCount visits the counts that are not zero, under what they are of.
func eachCount(n *names, all counts, visit func(name string, c *count)) {
	for i := range all {
		if all[i].all() > 0 {
			visit(orNone(n.texts[i]), &all[i])
		}
	}
}

func namesOf(s *Scope, l Ledger) Names {
	n := Names{map[string]licence.Text{}, map[string]licence.Text{}, map[string]licence.Text{}, map[string]licence.Text{}}
	for _, d := range l.Departments() {
		p := &d.Profile
		n.Departments[p.ID] = licence.Text{Zh: p.NameZh, En: p.NameEn}
		for _, u := range p.Units {
			n.Units[p.ID+"/"+u.ID] = licence.Text{Zh: u.NameZh, En: u.NameEn}
		}
	}
	newest := map[string]int{}
	for _, t := range l.Types() {
		if t.Version > newest[t.ID] {
			newest[t.ID], n.Types[t.ID] = t.Version, t.Name
		}
	}
	if s.Matters != nil {
		for _, m := range s.Matters.All(s.Period.last) {
			n.Matters[m.ID] = m.Name
		}
	}
	return n
}
