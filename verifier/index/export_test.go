package index_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// told is all that an export tells, in an order.
func told(t testing.TB, e *index.Export) []string {
	t.Helper()
	out := []string{fmt.Sprint(e.Ledger(), e.Head(), e.Heartbeat(), sm.Sum(e.Genesis()))}
	var last ledger.Position
	for a, changes := range e.Anchors {
		if before, after := e.Bracket(a.Position); before != a.Before || after != a.After {
			t.Errorf("the anchor at %v stands between %v and %v, its place between %v and %v", a.Position, a.Before, a.After, before, after)
		}
		at := ledger.Position{Block: a.Position.Block, Index: a.Position.Index}
		if at.Compare(last) <= 0 {
			t.Errorf("an anchor at %v comes after one at %v", at, last)
		}
		last = at
		out = append(out, fmt.Sprintf("anchor %+v %+v", a, changes))
	}
	e.Licences(func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool {
		for i := range changes {
			if changes[i].Successor != nil { // not where it lies
				out = append(out, fmt.Sprint("successor of ", digest, *changes[i].Successor))
				changes[i].Successor = nil
			}
		}
		out = append(out, fmt.Sprintf("licence %s %s %s %+v %+v", issuer, typ, digest, changes, restrictions))
		return true
	})
	for department, binding := range e.Withdrawn {
		out = append(out, fmt.Sprint("withdrawn ", department, binding))
	}
	e.Checkpoints(func(department, log string, c verify.Checkpoint) bool {
		out = append(out, fmt.Sprintf("checkpoint %s %s %+v", department, log, c))
		return true
	})
	for _, d := range e.Departments() {
		out = append(out, fmt.Sprintf("department %+v", *d))
	}
	for _, k := range e.Keys() {
		out = append(out, fmt.Sprint("key ", k.Department, k.Public.ID(), k.Purposes, k.State))
	}
	for _, typ := range e.Types() {
		out = append(out, fmt.Sprint("type ", typ.ID, typ.Version))
	}
	slices.Sort(out)
	return out
}

func export(t testing.TB, x *index.Index) *index.Export {
	t.Helper()
	e, err := x.Export()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fill puts something of everything on the ledger; what it changes, again changes it.
func (w *town) fill() {
	w.Helper()
	marriages, properties := w.anchor("marriage", 3), w.anchor("property", 2)
	w.beat()
	suspend := marriages.Change(0, suspended)
	w.change(marriages, suspend)
	w.change(marriages, ledgertest.After(w.T, suspend, active))
	supersede := marriages.Change(1, superseded)
	place := marriages.Place(2)
	supersede.Successor = &place
	w.change(marriages, supersede)
	w.change(properties, properties.ChangeAll(suspended))
	lay := properties.Restrict(0)
	w.restrict(properties, lay)
	w.restrict(properties, properties.Restrict(1))
	w.restrict(properties, ledgertest.AfterRestriction(w.T, lay, statement.RestrictionLift))
	w.consent(properties.Department, marriages.Digests[0], statement.ConsentWithdraw)
	w.consent(properties.Department, marriages.Digests[1], statement.ConsentGive)
	w.beat()
}

// TestExport: an export tells what the index knew, live and after a restart alike, and goes on telling
// that when the index knows more, and is closed.
func TestExport(t *testing.T) {
	w := newTown(t)
	w.fill()
	w.checkpoint(w.city.Department(t, ledgertest.Marriages), "first", 10)
	w.checkpoint(w.city.Department(t, ledgertest.Marriages), "first", 12)
	w.checkpoint(w.city.Department(t, ledgertest.Properties), "second", 7)
	dir := t.TempDir()
	x, err := index.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	stop := follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	e := export(t, x)
	want := told(t, e)
	count := map[string]int{}
	for _, line := range want {
		var kind string
		fmt.Sscan(line, &kind)
		count[kind]++
	}
	if count["anchor"] != 2 || count["licence"] != 3 || count["successor"] != 1 || count["withdrawn"] != 1 || count["checkpoint"] != 2 {
		t.Errorf("%v:\n%q", count, want)
	}
	if count["department"] != 1+len(w.city.Departments) || count["type"] != len(w.city.Types) || count["key"] < 6*len(w.city.Departments) {
		t.Errorf("%v:\n%q", count, want)
	}
	_ = stop()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if got := told(t, e); !slices.Equal(got, want) {
		t.Errorf("after the end:\n got %q\nwant %q", got, want)
	}
	if _, err := x.Export(); code(err) != index.CodeClosed {
		t.Errorf("of a closed index: %v", err)
	}

	x = openIndex(t, dir)
	again := export(t, x)
	if got := told(t, again); !slices.Equal(got, want) {
		t.Errorf("after a restart:\n got %q\nwant %q", got, want)
	}
	follow(t, x, w.as(ledgertest.Authority))
	w.fill()
	marriages := w.batches[0]
	w.change(marriages, marriages.ChangeAll(suspended))
	disown := w.city.EndKey(marriages.Issuer, marriages.Department.Anchor, statement.KeyCompromise, marriages.Root())
	w.submit(marriages.Issuer, ledgertest.Sign(t, disown, marriages.Department.Govern))
	wait(t, x, w.height())
	for name, e := range map[string]*index.Export{"live": e, "after a restart": again} {
		if got := told(t, e); !slices.Equal(got, want) {
			t.Errorf("%s, when there is more:\n got %q\nwant %q", name, got, want)
		}
	}
	if got := told(t, export(t, x)); slices.Equal(got, want) {
		t.Error("a new export tells nothing new")
	}
}

// TestExportOfNothing: an index that has seen nothing has nothing to export.
func TestExportOfNothing(t *testing.T) {
	if _, err := openIndex(t, "").Export(); code(err) != index.CodeEmpty {
		t.Error(err)
	}
}

// TestExportMeanwhile: exports that are taken while blocks come are each of one moment.
func TestExportMeanwhile(t *testing.T) {
	w := newTown(t)
	x := w.index()
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				e, err := x.Export()
				if err != nil {
					t.Error(err)
					return
				}
				anchors := 0
				for a, changes := range e.Anchors {
					anchors++
					if a.Position.Block >= e.Head().Height || len(changes) > 0 && changes[len(changes)-1].Position.Block >= e.Head().Height {
						t.Errorf("an export of %d blocks has %+v, %+v", e.Head().Height, a, changes)
					}
				}
				e.Licences(func(_, _ string, _ sm.Hash, changes []verify.Change, _ []verify.Restriction) bool {
					if len(changes) > 0 && (changes[len(changes)-1].Position.Block >= e.Head().Height || anchors == 0) {
						t.Errorf("an export of %d blocks and %d anchors has %+v", e.Head().Height, anchors, changes)
					}
					return true
				})
			}
		})
	}
	for range 4 {
		w.fill()
	}
	wait(t, x, w.height())
	close(done)
	all.Wait()
}
