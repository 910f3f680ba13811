package report

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verify"
)

// A Scope says what a report is about. It is not changed while one is made.
type Scope struct {
	Period     Period
	Department string          // id of the only department that the report is about; "" for all
	Matters    *matter.Catalog // by which cases are judged; without one, none is

	// Policies say what the law gives, and so which requests had to be answered: each version, in any order.
	Policies []*policy.Published
}

// matter returns the version of a matter that counts on the day of a time, nil if there is none.
func (s *Scope) matter(id string, time uint64) *matter.Matter {
	if s.Matters == nil {
		return nil
	}
	return s.Matters.Matter(id, dayOf(time))
}

// includes reports whether the report is about a department.
func (s *Scope) includes(department string) bool {
	return s.Department == "" || s.Department == department
}

// Why an authorised verification is not part of a case.
const (
	causeMatterUnknown = "matter-unknown"
	causeWithoutNumber = "case-number-missing"
)

// outcomes are those that verifications are counted by; what a log has beside them is Undetermined.
var outcomes = [...]verify.Outcome{verify.Valid, verify.Restricted, verify.NotCurrent, verify.Invalid, verify.Undetermined}

const undetermined = len(outcomes) - 1

// A count is a number of verifications for each of the outcomes.
type count [len(outcomes)]uint64

func (c *count) definitive() (n uint64) {
	for _, k := range c[:undetermined] {
		n += k
	}
	return n
}

func (c *count) all() uint64 { return c.definitive() + c[undetermined] }

// counts are for each of some names, by number.
type counts []count

func (c *counts) add(number uint32, outcome int) {
	if missing := int(number) + 1 - len(*c); missing > 0 {
		*c = append(*c, make([]count, missing)...)
	}
	(*c)[number][outcome]++
}

// A Tally counts the entries of one access log. It is safe for concurrent use: each goroutine that adds
// entries fills a part of its own.
type Tally struct {
	scope *Scope

	mu    sync.Mutex
	parts []*part
	idle  []*part // of these
}

// NewTally returns a Tally without entries, for a report of the scope.
func NewTally(s *Scope) *Tally { return &Tally{scope: s} }

// Add counts an entry, if the report is about it. Entries may come in any order. The tally keeps
// nothing of the entry. The error is an *Error with CodeTooMany, and is that of New too.
func (t *Tally) Add(e *access.Entry) error {
	p := t.take()
	err := p.add(e)
	t.mu.Lock()
	t.idle = append(t.idle, p)
	t.mu.Unlock()
	return err
}

// take takes a part that nobody fills.
func (t *Tally) take() *part {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.idle); n > 0 {
		p := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return p
	}
	p := newPart(t.scope)
	t.parts = append(t.parts, p)
	return p
}

// err returns the first error of Add.
func (t *Tally) err() error {
	for _, p := range t.parts {
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// verified reports whether there is an entry that is not about a request, whenever.
func (t *Tally) verified() bool {
	return slices.ContainsFunc(t.parts, func(p *part) bool { return p.verified })
}

// A part of a tally is what one goroutine at a time fills.
type part struct {
	scope *Scope

	askers, matters, types       *names
	byAsker, byMatter, byType    counts // of authorised requests
	public                       count  // of everybody else's
	withoutMatter, withoutNumber uint64 // authorised requests that no case can be made of

	verified bool
	requests requests

	plans    map[*matter.Matter]*plan
	groups   map[group]uint32
	byNumber []group
	cases    [caseBuckets]pile[caseEntry]

	scratch []byte
	err     error
}

func newPart(s *Scope) *part {
	return &part{
		scope: s, askers: newNames(), matters: newNames(), types: newNames(),
		requests: requests{pairs: map[pair]struct{}{}, numbers: map[string]uint32{}, law: newLaw(s.Policies)},
		plans:    map[*matter.Matter]*plan{}, groups: map[group]uint32{},
	}
}

// add is Add.
func (t *part) add(e *access.Entry) error {
	if e.Asked != "" {
		if t.err == nil {
			t.err = t.addRequest(e)
		}
		return t.err
	}
	t.verified = true
	if t.err != nil || !t.scope.Period.has(e.Time) {
		return t.err
	}
	outcome := slices.Index(outcomes[:], verify.Outcome(e.Outcome))
	if outcome < 0 {
		outcome = undetermined
	}
	if e.Agency == "" {
		if t.scope.Department == "" {
			t.public[outcome]++
		}
		return nil
	}
	if t.scope.includes(asker(e)) {
		t.err = t.authorised(e, outcome)
	}
	return t.err
}

// asker returns the department that a verification was asked for by: at a shared counter, the one that
// the counter acts for.
func asker(e *access.Entry) string {
	if e.OnBehalf != "" {
		return e.OnBehalf
	}
	return e.Agency
}

// authorised counts a verification that an agency asked for.
func (t *part) authorised(e *access.Entry, outcome int) error {
	department, err := t.askers.number(asker(e))
	if err != nil {
		return err
	}
	number, err := t.matters.number(e.Matter)
	if err != nil {
		return err
	}
	typ, err := t.types.number(e.Type)
	if err != nil {
		return err
	}
	t.byAsker.add(department, outcome)
	t.byMatter.add(number, outcome)
	t.byType.add(typ, outcome)
	switch m := t.scope.matter(e.Matter, e.Time); {
	case m == nil:
		t.withoutMatter++
	case e.Case == "":
		t.withoutNumber++
	default:
		return t.addCase(e, m, department)
	}
	return nil
}

// addCase files an entry under its case.
func (t *part) addCase(e *access.Entry, m *matter.Matter, department uint32) error {
	agency, err := t.askers.number(e.Agency)
	if err != nil {
		return err
	}
	p := t.plans[m]
	if p == nil {
		p = newPlan(m)
		t.plans[m] = p
	}
	g := group{agency, department, p}
	number, known := t.groups[g]
	if !known {
		if len(t.byNumber) == maxGroups {
			return errorf(CodeTooMany, "the entries of an access log combine agencies and matters in more than %d ways: audit it", maxGroups)
		}
		number = uint32(len(t.byNumber))
		t.groups[g] = number
		t.byNumber = append(t.byNumber, g)
	}
	t.scratch = append(t.scratch[:0], e.Case...)
	h := sm.Sum(t.scratch)
	t.cases[h[0]].add(caseEntry{
		name: binary.BigEndian.Uint64(h[1:]),
		rest: uint64(number)<<groupShift | (e.Time-begin(t.scope.Period.first))<<timeShift | wholeOf(e)<<wholeShift | uint64(p.role(e)),
	})
	return nil
}
