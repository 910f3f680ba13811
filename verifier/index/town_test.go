package index_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// patience bounds everything that a test waits for.
const patience = time.Minute

// A town is a city on an embedded ledger, and what a test anchored there.
type town struct {
	*testing.T
	city    *ledgertest.City
	ledger  *embedded.Store
	beats   uint64
	batches []*ledgertest.Batch
	grants  []sm.Hash // digests that consents were about
}

func newTown(t *testing.T) *town {
	t.Helper()
	city := ledgertest.NewCity(t, t.Name())
	return newTownOf(t, city)
}

func newTownOf(t *testing.T, city *ledgertest.City) *town {
	t.Helper()
	store, err := embedded.Create(t.TempDir(), city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
	})
	city.Found(t, store.As)
	return &town{T: t, city: city, ledger: store}
}

func (w *town) as(department string) ledger.Ledger { return w.ledger.As(department) }

func (w *town) submit(department string, tx *chaincode.Transaction) {
	w.Helper()
	ledgertest.Submit(w.T, w.as(department), tx)
}

// beat submits the next heartbeat.
func (w *town) beat() {
	w.Helper()
	w.beats++
	w.submit(ledgertest.Authority, ledgertest.Sign(w.T, w.city.Heartbeat(w.beats), w.city.Authority.Log))
}

// now is a second after the newest heartbeat.
func (w *town) now() time.Time { return time.Unix(int64(ledgertest.Time+60*w.beats+1), 0) }

// anchor issues and anchors licences.
func (w *town) anchor(typ string, n int) *ledgertest.Batch {
	w.Helper()
	b := w.city.Issue(w.T, typ, n)
	w.submit(b.Issuer, b.Tx)
	w.batches = append(w.batches, b)
	return b
}

// change submits changes of status.
func (w *town) change(b *ledgertest.Batch, changes ...*statement.Status) {
	w.Helper()
	w.submit(b.Issuer, ledgertest.SignAll(w.T, changes, b.Department.Status))
}

// consent submits a consent of a department.
func (w *town) consent(department *ledgertest.Department, digest sm.Hash, action string) {
	w.Helper()
	s := &statement.Consent{Ledger: w.city.ID, Department: department.ID, Digest: digest, Action: action, SignedAt: ledgertest.Time}
	w.submit(department.ID, ledgertest.Sign(w.T, s, department.Consent))
	w.grants = append(w.grants, digest)
}

func (w *town) restrict(b *ledgertest.Batch, r *statement.Restriction) {
	w.Helper()
	w.submit(b.Issuer, ledgertest.Sign(w.T, r, b.Department.Status))
}

// height is the number of blocks of the ledger.
func (w *town) height() uint64 {
	w.Helper()
	head, err := w.as(ledgertest.Authority).Head(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return head.Height
}

// openIndex opens an index that the test closes.
func openIndex(t *testing.T, dir string) *index.Index {
	t.Helper()
	x, err := index.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("close the index: %v", err)
		}
	})
	return x
}

// follow has an index follow a source until the test ends, or until stop is called, which returns
// why it ended.
func follow(t *testing.T, x *index.Index, source index.Source) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- x.Follow(ctx, source) }()
	var result error
	stopped := false
	stop = func() error {
		cancel()
		if !stopped {
			stopped, result = true, <-ended
		}
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// wait waits until an index that follows, or is about to, has a number of blocks.
func wait(t *testing.T, x *index.Index, height uint64) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		err := x.WaitFor(ctx, height) // may tell why the Follow before ended
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// index returns an index in memory that follows the town's ledger, and has all of it so far.
func (w *town) index() *index.Index {
	w.Helper()
	x := openIndex(w.T, "")
	follow(w.T, x, w.as(ledgertest.Authority))
	wait(w.T, x, w.height())
	return x
}

// show discloses one field of a licence.
func (w *town) show(b *ledgertest.Batch, i int) *credential.Presentation {
	w.Helper()
	typ := w.city.Type(w.T, b.Head.Type)
	p, err := credential.Disclose(b.Licences.Credential(i), typ, typ.NumberField().Key)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// verdict is on licence i of a batch, by an index that has caught up with the ledger.
func (w *town) verdict(x *index.Index, b *ledgertest.Batch, i int, change ...func(*verify.Request)) verify.Verdict {
	w.Helper()
	wait(w.T, x, w.height())
	r := verify.Request{Parsed: w.show(b, i), Now: w.now()}
	for _, f := range change {
		f(&r)
	}
	return verify.Verify(x, r)
}

// expect compares outcome and reasons; reasons are for some axes.
func expect(t *testing.T, v verify.Verdict, outcome verify.Outcome, reasons map[verify.Axis]verify.Reason) {
	t.Helper()
	if v.Outcome != outcome {
		t.Errorf("outcome = %s, want %s; reasons %v", v.Outcome, outcome, v.Reasons())
	}
	for axis, want := range reasons {
		if got := v.Finding(axis).Reason; got != want {
			t.Errorf("%s = %s, want %s", axis, got, want)
		}
	}
}

// sameView compares what two indexes say of everything in the town.
func (w *town) sameView(got, want *index.Index) {
	w.Helper()
	if got.Head() != want.Head() || got.Ledger() != want.Ledger() {
		w.Fatalf("head %v of %s, want %v of %s", got.Head(), got.Ledger(), want.Head(), want.Ledger())
	}
	for _, b := range w.batches {
		for i := range b.Digests {
			g, w1 := got.Licence(b.Issuer, b.Root(), b.Digests[i]), want.Licence(b.Issuer, b.Root(), b.Digests[i])
			if !reflect.DeepEqual(g, w1) {
				w.Errorf("licence %d of %s:\n got %+v\nwant %+v", i, b.Head.Type, g, w1)
			}
		}
	}
	for _, d := range append([]*ledgertest.Department{w.city.Authority}, w.city.Departments...) {
		if !reflect.DeepEqual(got.Department(d.ID), want.Department(d.ID)) {
			w.Errorf("department %s: %+v, want %+v", d.ID, got.Department(d.ID), want.Department(d.ID))
		}
		for _, digest := range w.grants {
			if g, w1 := got.Withdrawn(d.ID, digest), want.Withdrawn(d.ID, digest); g != w1 {
				w.Errorf("withdrawn by %s: %v, want %v", d.ID, g, w1)
			}
			if g, w1 := got.Grants().Consent(d.ID, digest), want.Grants().Consent(d.ID, digest); g != w1 {
				w.Errorf("consent of %s: %q, want %q", d.ID, g, w1)
			}
		}
		for _, k := range []*sm.PrivateKey{d.Govern, d.Anchor, d.Status, d.Second, d.Log, d.Consent} {
			g, w1 := got.Key(k.Public().ID()), want.Key(k.Public().ID())
			if g == nil || w1 == nil || g.Department != w1.Department || g.State != w1.State || g.Purposes != w1.Purposes || !g.Public.Equal(w1.Public) {
				w.Errorf("key of %s: %+v, want %+v", d.ID, g, w1)
			}
		}
	}
	for _, t := range w.city.Types {
		if g, newest := got.Type(t.ID, uint32(t.Version)); g == nil || newest != g || string(g.Canonical()) != string(t.Canonical()) {
			w.Errorf("type %s: %v", t.ID, g)
		}
	}
}

func discrepancy(t *testing.T, err error) *index.Discrepancy {
	t.Helper()
	var d *index.Discrepancy
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a discrepancy", err)
	}
	return d
}

func code(err error) string {
	var e *index.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

const (
	active     = licence.Active
	suspended  = licence.Suspended
	revoked    = licence.Revoked
	superseded = licence.Superseded
)
