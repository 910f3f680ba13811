package report_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// november is 2026-11-01T00:00:00+08:00.
const november = 1793462400

const day = 86400

// transfer needs a property and something about the marital status; opening needs a property only.
const (
	transfer = "second-hand-home-transfer"
	opening  = "company-opening"
)

var readBuiltin = sync.OnceValues(matter.Builtin)

func builtin(t testing.TB) *matter.Catalog {
	t.Helper()
	c, err := readBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func period(t testing.TB, s string) report.Period {
	t.Helper()
	p, err := report.ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// scope is one of all departments.
func scope(t testing.TB, s string) *report.Scope {
	t.Helper()
	return &report.Scope{Period: period(t, s), Matters: builtin(t)}
}

// entry is a verification that an agency asked for on its own behalf.
func entry(t testing.TB, at uint64, agency, m, number, typ string, outcome verify.Outcome) *access.Entry {
	t.Helper()
	e := &access.Entry{
		Time: at, Agency: agency, Clerk: "wangfang", Unit: "窗口3", Matter: m, Case: number, Type: typ, Outcome: string(outcome),
		Licence: sm.Sum([]byte("a licence")), Day: 20758,
	}
	if builtin := builtin(t).Matter(m, licence.Date(20758)); builtin != nil {
		e.Fields = builtin.Fields(typ)
	}
	return e
}

// tally tallies entries.
func tally(t testing.TB, s *report.Scope, entries ...*access.Entry) *report.Tally {
	t.Helper()
	out := report.NewTally(s)
	for _, e := range entries {
		if err := out.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// logOf is a log of a tally, kept by a department on the ledger of world.
func logOf(keeper, name string, size uint64, t *report.Tally) report.Log {
	return report.Log{
		Tally: t, Ledger: worldID, Department: keeper, Name: name,
		Size: size, Root: sm.Sum([]byte(name)), Anchored: size / 2, Clean: true,
	}
}

// made makes a report.
func made(t testing.TB, s *report.Scope, l report.Ledger, logs []report.Log, said ...*report.SelfReport) *report.Report {
	t.Helper()
	r, err := report.New(s, l, logs, said)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// want wants one row of an indicator, or that there is none if numerator and denominator are -1.
func want(t testing.TB, r *report.Report, code string, w report.Where, numerator, denominator int) {
	t.Helper()
	got, wanted := "no row", "no row"
	if numerator >= 0 {
		wanted = fmt.Sprint(numerator, "/", denominator)
	}
	for _, row := range r.Indicator(code).Rows {
		if row.Where == w {
			got = fmt.Sprint(row.Numerator, "/", row.Denominator)
		}
	}
	if got != wanted {
		t.Errorf("%s of %+v is %s, want %s", code, w, got, wanted)
	}
}

var worldID = sm.Sum([]byte("ledger"))

// A world is a ledger by its word: a heartbeat in each block, an hour after the other.
type world struct {
	first       uint64 // time of the heartbeat of block 1
	height      uint64
	departments []*verify.Department
	types       []*licence.Type
	anchors     []verify.Anchor
	batches     [][]verify.Change // of each anchor
	licences    []changed
}

type changed struct {
	issuer, typ string
	changes     []verify.Change
}

func (w *world) Ledger() sm.Hash { return worldID }

func (w *world) Head() ledger.Head {
	return ledger.Head{Height: w.height, Hash: sm.Sum([]byte("newest"))}
}

func (w *world) beat(block uint64) verify.Heartbeat {
	if block == 0 || block >= w.height {
		return verify.Heartbeat{}
	}
	return verify.Heartbeat{Sequence: block, Time: w.first + 3600*(block-1), Block: block}
}

func (w *world) Heartbeat() verify.Heartbeat { return w.beat(w.height - 1) }

// Bracket: the heartbeat stands first in its block.
func (w *world) Bracket(p verify.Position) (before, after verify.Heartbeat) {
	return w.beat(p.Block), w.beat(p.Block + 1)
}

func (w *world) Departments() []*verify.Department { return w.departments }
func (w *world) Types() []*licence.Type            { return w.types }

func (w *world) Anchors(yield func(verify.Anchor, []verify.Change) bool) {
	for i, a := range w.anchors {
		a.Before, a.After = w.Bracket(a.Position)
		if !yield(a, w.batches[i]) {
			return
		}
	}
}

func (w *world) Licences(yield func(string, string, sm.Hash, []verify.Change, []verify.Restriction) bool) {
	for i, l := range w.licences {
		if !yield(l.issuer, l.typ, sm.Sum(fmt.Append(nil, i)), l.changes, nil) {
			return
		}
	}
}

// anchor anchors a batch in the block that begins so many seconds after the first heartbeat.
func (w *world) anchor(after uint64, issuer, unit, typ string, size uint32, changes ...verify.Change) *verify.Anchor {
	w.anchors = append(w.anchors, verify.Anchor{
		Head:     statement.Head{Ledger: worldID, Issuer: issuer, Unit: unit, Type: typ, TypeVersion: 1, Size: size},
		Position: w.at(after),
	})
	w.batches = append(w.batches, changes)
	return &w.anchors[len(w.anchors)-1]
}

func (w *world) at(after uint64) verify.Position {
	return verify.Position{Block: 1 + after/3600, Index: 1}
}

// change changes a status then, with effect from a day.
func (w *world) change(after uint64, effective licence.Date) verify.Change {
	return verify.Change{State: licence.Revoked, Effective: effective, Position: w.at(after)}
}

// newWorld is a ledger whose first heartbeat is at the beginning of October 2026, for a quarter, with three
// departments.
func newWorld() *world {
	department := func(id, zh, en, unit string, issues ...string) *verify.Department {
		return &verify.Department{State: statement.DepartmentActive, Profile: statement.Profile{
			ID: id, NameZh: zh, NameEn: en, Issues: issues, Units: []statement.Unit{{ID: unit, DivisionCode: "990101", NameZh: "登记处", NameEn: "Registry"}},
		}}
	}
	return &world{
		first: november - 31*day, height: 92 * 24,
		departments: []*verify.Department{
			department("civil-affairs", "示范市民政局", "Demo City Civil Affairs Bureau", "marriage-registry", "divorce", "marriage"),
			department("natural-resources", "示范市自然资源和规划局", "Demo City Natural Resources Bureau", "property-registry", "property"),
			department("tax", "示范市税务局", "Demo City Tax Bureau", "hall"),
		},
		types: []*licence.Type{
			{ID: "marriage", Version: 1, Name: licence.Text{Zh: "结婚证(旧)", En: "Marriage certificate (old)"}},
			{ID: "marriage", Version: 2, Name: licence.Text{Zh: "结婚证", En: "Marriage certificate"}},
			{ID: "property", Version: 1, Name: licence.Text{Zh: "不动产权证书", En: "Real property certificate"}},
		},
	}
}

// random is a source of numbers that is the same each time.
func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 6)) }
