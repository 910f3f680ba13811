package report

// fromSelfReports computes what only departments themselves can tell.
func (b *builder) fromSelfReports(said []*SelfReport, logs []Log, cases map[caseKey]caseCount) {
	reported := map[string]*SelfReport{}
	for _, s := range said {
		reported[s.Department] = s
	}
	b.definitive(reported, logs)
	b.notRecollected(reported, cases)
	for _, s := range said {
		for _, r := range s.OverAsking {
			if b.scope.includes(r.Department) {
				b.addFor(OverAsking, r.Department, orNone(r.Matter), uint64(r.Count), 0)
			}
		}
		if b.scope.includes(s.Department) {
			b.service(s)
		}
	}
}

// addFor adds to the rows of a department and a matter, and to those that take them together.
func (b *builder) addFor(code, department, matter string, numerator, denominator uint64) {
	b.add(code, Where{}, numerator, denominator)
	b.add(code, Where{Department: department}, numerator, denominator)
	b.add(code, Where{Matter: matter}, numerator, denominator)
}

// definitive adds, to what the logs of a verifier recorded, what it left unanswered: for departments
// whose logs are here and who said how much that is.
func (b *builder) definitive(reported map[string]*SelfReport, logs []Log) {
	keepers := map[string]bool{}
	for i := range logs {
		keeper := logs[i].Department
		if reported[keeper] == nil {
			continue
		}
		keepers[keeper] = true
		for _, t := range logs[i].Tally.parts {
			eachCount(t.askers, t.byAsker, func(department string, c *count) {
				b.add(Definitive, Where{}, c.definitive(), c.all())
				b.add(Definitive, Where{Department: department}, c.definitive(), c.all())
			})
			eachCount(t.matters, t.byMatter, func(matter string, c *count) {
				b.add(Definitive, Where{Matter: matter}, c.definitive(), c.all())
			})
		}
	}
	for keeper := range keepers {
		for _, r := range reported[keeper].Unanswered {
			if b.scope.includes(r.Department) {
				b.addFor(Definitive, r.Department, orNone(r.Matter), 0, uint64(r.Count))
			}
		}
	}
}

// notRecollected takes, from what verdicts met, what was collected all the same: for departments that
// said how much that is.
func (b *builder) notRecollected(reported map[string]*SelfReport, cases map[caseKey]caseCount) {
	again := map[caseKey]uint64{}
	for department, s := range reported {
		for _, r := range s.Recollected {
			again[caseKey{department, r.Matter}] = uint64(r.Count)
		}
	}
	for key, c := range cases {
		if reported[key.department] != nil && c.materials > 0 {
			b.addFor(NotRecollected, key.department, key.matter, c.met-min(again[key], c.met), c.materials)
		}
	}
}

func (b *builder) service(s *SelfReport) {
	for _, r := range s.Ratings {
		favourable := uint64(r.Scores[2] + r.Scores[3] + r.Scores[4])
		b.addFor(Ratings, s.Department, orNone(r.Matter), favourable, favourable+uint64(r.Scores[0]+r.Scores[1]))
	}
	o := s.Objections
	if o == (Objections{}) {
		return
	}
	for _, w := range []Where{{}, {Department: s.Department}} {
		b.add(ObjectionsReceived, w, uint64(o.Received), 0)
		b.add(ObjectionsInTime, w, uint64(o.InTime), uint64(o.Settled))
		b.add(ObjectionDays, w, uint64(o.Days), uint64(o.Settled))
	}
}
