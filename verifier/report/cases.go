package report

import (
	"cmp"
	"slices"

	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verify"
)

// A case (办件) is the entries that name the same agency, the same department that it acts for, the same
// version of a matter and the same number. Those of a year are kept in 16 bytes each: a case is known
// by its group, which is exact, and by 72 bits of the SM3 of its number, of which the first eight say
// in which bucket it is. Two of 10^7 cases coincide with a probability of 10^-8.

const (
	caseBuckets = 256
	maxGroups   = 1 << 20

	wholeShift = 8                    // below: the number of the role that is met, from 1; 0 for none
	timeShift  = wholeShift + 2       // below: what the call found of the whole case
	timeBits   = 25                   // seconds since the period began: a year has less than 2^25
	groupShift = timeShift + timeBits // above: the number of the group
	maxRoles   = 1<<wholeShift - 1    // package matter bounds them more tightly
)

// What a call found of the whole case. Of two calls in one second the one with the smaller number
// counts as the first.
const (
	wholeIncomplete = 1 + iota
	wholeComplete
	wholeNotJudged // the licence was verified by itself
)

// wholeOf returns what the call of an entry found of the whole case.
func wholeOf(e *access.Entry) uint64 {
	switch matter.Outcome(e.Overall) {
	case "":
		return wholeNotJudged
	case matter.Valid, matter.Restricted:
		return wholeComplete
	}
	return wholeIncomplete
}

// A caseEntry is what is kept of an entry.
type caseEntry struct {
	name uint64 // of the case, in its bucket
	rest uint64 // group, time, what was found of the whole, role
}

// A group is what the cases of one matter of one asking department have in common.
type group struct {
	agency, department uint32 // numbers among the tally's askers
	plan               *plan
}

// A plan is what a version of a matter requires.
type plan struct {
	matter *matter.Matter
	min    []int // of each role, how many licences
	types  map[string]planned
}

// A planned type of licence can play a role.
type planned struct {
	role   int
	fields []string // that have to be disclosed
}

func newPlan(m *matter.Matter) *plan {
	p := &plan{matter: m, types: map[string]planned{}}
	for i := range m.Requirements {
		r := &m.Requirements[i]
		p.min = append(p.min, r.Min)
		for j := range r.Alternatives {
			a := &r.Alternatives[j]
			p.types[a.Type] = planned{i, a.Fields}
		}
	}
	return p
}

// role returns one more than the number of the role that what an entry records plays: 0 if the
// licence is not for the matter, was not found genuine and in force, or did not show what is asked for.
func (p *plan) role(e *access.Entry) int {
	if o := verify.Outcome(e.Outcome); o != verify.Valid && o != verify.Restricted {
		return 0
	}
	a, known := p.types[e.Type]
	if !known {
		return 0
	}
	for _, key := range a.fields {
		if !slices.Contains(e.Fields, key) {
			return 0
		}
	}
	return a.role + 1
}

// A caseCount sums up the cases of one matter of one department.
type caseCount struct {
	cases     uint64 // that a call judged as a whole
	atOnce    uint64 // that the first of these calls found complete
	materials uint64 // required roles
	met       uint64 // that were met
}

func (c *caseCount) add(d caseCount) {
	c.cases += d.cases
	c.atOnce += d.atOnce
	c.materials += d.materials
	c.met += d.met
}

// A caseKey is what cases are counted by.
type caseKey struct{ department, matter string }

// A groupName is a group as it is known beyond its tally.
type groupName struct {
	agency, department string
	matter             *matter.Matter // of the catalogue that all parts of a report share
}

// countCases sums up the cases in parts of tallies: entries of one case may be in several logs.
func countCases(parts []*part) map[caseKey]caseCount {
	groups, translate := joinGroups(parts)
	out := map[caseKey]caseCount{}
	var bucket []caseEntry
	for b := range caseBuckets {
		bucket = bucket[:0]
		for i, t := range parts {
			for chunk := range t.cases[b].chunks() {
				for _, e := range chunk {
					e.rest = translate[i][e.rest>>groupShift]<<groupShift | e.rest&(1<<groupShift-1)
					bucket = append(bucket, e)
				}
			}
		}
		slices.SortFunc(bucket, func(x, y caseEntry) int {
			if x.name != y.name {
				return cmp.Compare(x.name, y.name)
			}
			return cmp.Compare(x.rest, y.rest)
		})
		for rest := bucket; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].name == rest[0].name && rest[n].rest>>groupShift == rest[0].rest>>groupShift {
				n++
			}
			g := &groups[rest[0].rest>>groupShift]
			if c := g.plan.judge(rest[:n]); c != (caseCount{}) {
				sum := out[g.key]
				sum.add(c)
				out[g.key] = sum
			}
			rest = rest[n:]
		}
	}
	return out
}

// A joinedGroup is one with what its cases are counted by, and judged.
type joinedGroup struct {
	key  caseKey
	plan *plan
}

// joinGroups numbers the groups of all parts together; translate[i] has the number of each group of
// the i-th part.
func joinGroups(parts []*part) (groups []joinedGroup, translate [][]uint64) {
	numbers := map[groupName]uint64{}
	translate = make([][]uint64, len(parts))
	for i, t := range parts {
		for _, g := range t.byNumber {
			n := groupName{t.askers.texts[g.agency], t.askers.texts[g.department], g.plan.matter}
			number, known := numbers[n]
			if !known {
				number = uint64(len(groups))
				numbers[n] = number
				groups = append(groups, joinedGroup{caseKey{n.department, n.matter.ID}, g.plan})
			}
			translate[i] = append(translate[i], number)
		}
	}
	return groups, translate
}

// judge judges a case by its entries, the earliest first.
func (p *plan) judge(entries []caseEntry) (c caseCount) {
	var shown [maxRoles + 1]int // licences for each role
	for _, e := range entries {
		shown[e.rest&maxRoles]++
		whole := e.rest >> wholeShift & (1<<(timeShift-wholeShift) - 1)
		if c.cases > 0 || whole == wholeNotJudged {
			continue
		}
		c.cases = 1
		if whole == wholeComplete {
			c.atOnce = 1
		}
	}
	for i, min := range p.min {
		if min == 0 {
			continue
		}
		c.materials++
		if shown[i+1] >= min {
			c.met++
		}
	}
	return c
}
