package report_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// october is how many seconds the world's ledger has before November begins.
const october = 31 * day

func TestIssued(t *testing.T) {
	w := newWorld()
	w.anchor(october-3600, "civil-affairs", "marriage-registry", "marriage", 1000) // before the month
	w.anchor(october, "civil-affairs", "marriage-registry", "marriage", 3)
	w.anchor(october+5*day, "civil-affairs", "second", "marriage", 4)
	w.anchor(october+30*day-3600, "natural-resources", "property-registry", "property", 5)
	w.anchor(october+30*day, "natural-resources", "property-registry", "property", 1000) // after it
	w.anchor(october+day, "civil-affairs", "marriage-registry", "marriage", 1000).Disowned = true
	early := w.anchor(0, "civil-affairs", "marriage-registry", "divorce", 7)
	early.Position = verify.Position{Block: 0, Index: 9}
	r := made(t, scope(t, "2026-11"), w, nil)
	want(t, r, report.Issued, report.Where{}, 12, 0)
	want(t, r, report.IssuedBatches, report.Where{}, 3, 0)
	want(t, r, report.Issued, report.Where{Department: "civil-affairs"}, 7, 0)
	want(t, r, report.Issued, report.Where{Type: "marriage"}, 7, 0)
	want(t, r, report.Issued, report.Where{Department: "civil-affairs", Unit: "second", Type: "marriage"}, 4, 0)
	want(t, r, report.IssuedBatches, report.Where{Department: "natural-resources", Unit: "property-registry", Type: "property"}, 1, 0)
	want(t, r, report.Undated, report.Where{Cause: "anchor"}, 1, 0)
	want(t, r, report.Undated, report.Where{Department: "civil-affairs", Cause: "anchor"}, 1, 0)

	one := scope(t, "2026-11")
	one.Department = "natural-resources"
	r = made(t, one, w, nil)
	want(t, r, report.Issued, report.Where{}, 5, 0)
	want(t, r, report.Issued, report.Where{Department: "civil-affairs"}, -1, 0)
	want(t, r, report.Undated, report.Where{Cause: "anchor"}, -1, 0)
}

// Issued covers only what somebody has used by the end of the period.
func TestCoverage(t *testing.T) {
	w := newWorld()
	w.anchor(october-day, "civil-affairs", "marriage-registry", "marriage", 1)
	w.anchor(october+40*day, "natural-resources", "property-registry", "property", 1)
	w.anchor(october, "natural-resources", "property-registry", "divorce", 1) // not entitled any more
	w.anchor(october, "civil-affairs", "marriage-registry", "divorce", 1).Disowned = true
	for when, covered := range map[string]int{"2026-09": 0, "2026-10": 1, "2026-11": 1, "2026-Q4": 2} {
		r := made(t, scope(t, when), w, nil)
		want(t, r, report.Coverage, report.Where{}, covered, 3)
		want(t, r, report.Coverage, report.Where{Department: "civil-affairs"}, min(covered, 1), 2)
		want(t, r, report.Coverage, report.Where{Department: "tax"}, -1, 0)
	}
}

func TestLateChanges(t *testing.T) {
	first := licence.Date(20758) // of November
	w := newWorld()
	w.anchor(0, "civil-affairs", "marriage-registry", "marriage", 100,
		w.change(october+9*day, first+9),     // on the day
		w.change(october+9*day, first+5),     // four days late
		w.change(october-3600, first-1000),   // in October
		w.change(october+30*day, first-1000), // in December
	)
	w.licences = []changed{
		{"civil-affairs", "marriage", []verify.Change{w.change(october+day-3600, first+7), w.change(october+day, first)}}, // ahead; one day late
		{"natural-resources", "property", []verify.Change{w.change(october, first)}},
		{"civil-affairs", "marriage", []verify.Change{{Effective: first, Position: verify.Position{}}}}, // before the first heartbeat
	}
	r := made(t, scope(t, "2026-11"), w, nil)
	want(t, r, report.StatusChanges, report.Where{}, 2, 5)
	want(t, r, report.StatusDelay, report.Where{}, 5, 2)
	want(t, r, report.StatusChanges, report.Where{Department: "civil-affairs", Type: "marriage"}, 2, 4)
	want(t, r, report.StatusChanges, report.Where{Department: "natural-resources"}, 0, 1)
	want(t, r, report.StatusDelay, report.Where{Department: "natural-resources"}, 0, 0)
	want(t, r, report.Undated, report.Where{Cause: "status-change"}, 1, 0)
	one := scope(t, "2026-11")
	one.Department = "natural-resources"
	want(t, made(t, one, w, nil), report.StatusChanges, report.Where{}, 0, 1)
}

// A report says what it was made from, and whether that was all.
func TestSources(t *testing.T) {
	w := newWorld()
	s := scope(t, "2026-12")
	r := made(t, s, w, []report.Log{logOf("tax", "b", 1, report.NewTally(s)), logOf("tax", "a", 2, report.NewTally(s)), logOf("civil-affairs", "z", 3, report.NewTally(s))})
	if r.Ledger.ID != worldID || r.Ledger.Height != w.height || r.Ledger.Heartbeat != w.Heartbeat().Time || r.Ledger.Complete {
		t.Errorf("the ledger is %+v", r.Ledger)
	}
	if len(r.Logs) != 3 || r.Logs[0].Size != 3 || r.Logs[1].Size != 2 || r.Logs[2].Size != 1 {
		t.Errorf("the logs are %+v", r.Logs)
	}
	if r := made(t, scope(t, "2026-11"), w, nil); !r.Ledger.Complete {
		t.Error("November is not said to be over")
	}
	w.height++ // now the heartbeat that begins January is there
	w.height++
	if r := made(t, s, w, nil); !r.Ledger.Complete {
		t.Error("December is not said to be over")
	}
}

func TestRefused(t *testing.T) {
	s := scope(t, "2026-11")
	log := logOf("tax", "a", 1, report.NewTally(s))
	elsewhere := log
	elsewhere.Ledger = sm.Sum([]byte("another"))
	foreign := log
	foreign.Tally = report.NewTally(scope(t, "2026-11"))
	said := &report.SelfReport{Department: "tax", Period: "2026-11"}
	for name, c := range map[string]struct {
		scope *report.Scope
		logs  []report.Log
		said  []*report.SelfReport
		code  string
	}{
		"no period":              {&report.Scope{}, nil, nil, report.CodePeriod},
		"another ledger":         {s, []report.Log{elsewhere}, nil, report.CodeOtherLedger},
		"another report's tally": {s, []report.Log{foreign}, nil, report.CodeScope},
		"no tally":               {s, []report.Log{{Ledger: worldID}}, nil, report.CodeScope},
		"a log twice":            {s, []report.Log{log, log}, nil, report.CodeDuplicate},
		"a self-report twice":    {s, nil, []*report.SelfReport{said, said}, report.CodeDuplicate},
		"another period's":       {s, nil, []*report.SelfReport{{Department: "tax", Period: "2026-Q4"}}, report.CodeSelfReport},
		"a self-report of none":  {s, nil, []*report.SelfReport{{Period: "2026-11"}}, report.CodeSelfReport},
	} {
		r, err := report.New(c.scope, newWorld(), c.logs, c.said)
		if r != nil || code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}
