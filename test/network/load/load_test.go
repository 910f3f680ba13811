package load

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// A town is a city on an embedded ledger whose connections can be disturbed.
type town struct {
	city  *ledgertest.City
	store *embedded.Store
	// disturb, unless nil, is called in place of Submit.
	disturb func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error)
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{city: ledgertest.NewCity(t, t.Name())}
	var err error
	if w.store, err = embedded.Create(t.TempDir(), w.city.Genesis); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
	})
	w.city.Found(t, w.store.As)
	return w
}

func (w *town) connect(department string) ledger.Ledger {
	return disturbed{w.store.As(department), w}
}

type disturbed struct {
	ledger.Ledger
	town *town
}

func (d disturbed) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	if d.town.disturb == nil {
		return d.Ledger.Submit(ctx, tx)
	}
	return d.town.disturb(ctx, d.Ledger, tx)
}

func (w *town) start(t *testing.T) *Load {
	t.Helper()
	return Start(t, Options{City: w.city, Connect: w.connect, InFlight: 6, Batch: 16, Arrivals: 5 * time.Millisecond})
}

func await(t *testing.T, l *Load, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Await(ctx, n); err != nil {
		t.Fatalf("wait for %d acknowledgements: %v", n, err)
	}
}

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func stop(t *testing.T, l *Load) *Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return l.Stop(ctx)
}

func (w *town) check(t *testing.T, r *Record, chains ...Chain) []Finding {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	peers := []Peer{{"first", w.store.As(ledgertest.Authority)}}
	for _, c := range chains {
		peers = append(peers, Peer{"second", c})
	}
	return r.Check(ctx, peers...)
}

func unknown(err error) error {
	return &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "the answer got lost", Err: err}
}

func notSubmitted() error {
	return &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "there was no connection"}
}

// unreliable loses transactions and answers, and says so.
func unreliable(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error) {
	time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
	switch rand.IntN(8) {
	case 0:
		return ledger.Receipt{}, notSubmitted()
	case 1:
		return ledger.Receipt{}, unknown(nil)
	case 2:
		_, err := l.Submit(ctx, tx)
		return ledger.Receipt{}, unknown(err)
	}
	receipt, err := l.Submit(ctx, tx)
	if err == nil && ctx.Err() != nil {
		return ledger.Receipt{}, unknown(ctx.Err())
	}
	return receipt, err
}

// TestUnreliable: through a bad connection and two deaths of the client everything comes to the
// ledger once.
func TestUnreliable(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.disturb = unreliable
	l := w.start(t)
	left := 0
	for range 2 {
		await(t, l, 100)
		l.Fault("the client is killed")
		left += l.Kill()
		l.Resume()
	}
	await(t, l, 100)
	r := stop(t, l)
	if findings := w.check(t, r, w.store.As(ledgertest.Marriages)); len(findings) > 0 {
		t.Errorf("%v", findings)
	}
	if left == 0 {
		t.Error("the client was killed, but nothing was on its way")
	}
	n := r.Numbers()
	t.Log(n)
	failures := r.Failures()
	if n.Acknowledged < 300 || n.Unknown == 0 || n.NotSubmitted == 0 || len(n.Faults) != 2 ||
		failures[ledger.CodeOutcomeUnknown] != n.Unknown || failures[ledger.CodeNotSubmitted] != n.NotSubmitted {
		t.Errorf("numbers %+v, failures %v", n, failures)
	}
	kinds := map[Kind]map[Outcome]int{Single: {}, Batch: {}, Change: {}}
	for _, e := range r.Entries {
		kinds[e.Kind][e.Outcome]++
	}
	existing := 0
	for kind, outcomes := range kinds {
		existing += outcomes[Existing]
		delete(outcomes, Existing) // of a kind that is rare there may be none
		if outcomes[Written] == 0 || len(outcomes) != 1 {
			t.Errorf("%s: %v; want some written and some found to exist, and nothing else", kind, outcomes)
		}
	}
	if existing == 0 {
		t.Error("none was found to exist")
	}
}

// TestKept: what was signed before the client died is submitted byte for byte by the next.
func TestKept(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	var mu sync.Mutex
	seen := map[string]int{}
	gate := make(chan struct{})
	w.disturb = func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error) {
		mu.Lock()
		seen[string(tx.Bytes())]++
		mu.Unlock()
		select {
		case <-gate:
			return l.Submit(ctx, tx)
		case <-ctx.Done():
			return ledger.Receipt{}, unknown(ctx.Err())
		}
	}
	l := w.start(t)
	until(t, "more than ten are submitted", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) > 10
	})
	left := l.Kill()
	before := len(seen)
	close(gate)
	l.Resume()
	await(t, l, left)
	r := stop(t, l)
	twice := 0
	for _, n := range seen {
		if n == 2 {
			twice++
		}
	}
	if left < 10 || twice != before {
		t.Errorf("%d transactions were on their way, %d submitted, and %d of them again", left, before, twice)
	}
	if findings := w.check(t, r); len(findings) > 0 {
		t.Errorf("%v", findings)
	}
}

// TestNeverBack: a ledger that does not come back leaves the load stopped and its outcomes unsettled.
func TestNeverBack(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	var submitted atomic.Int32
	w.disturb = func(ctx context.Context, _ ledger.Ledger, _ *chaincode.Transaction) (ledger.Receipt, error) {
		submitted.Add(1)
		<-ctx.Done()
		return ledger.Receipt{}, unknown(ctx.Err())
	}
	l := w.start(t)
	until(t, "six are submitted", func() bool { return submitted.Load() >= 6 })
	l.Fault("it does not come back")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.Await(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("await: %v", err)
	}
	r := l.Stop(ctx)
	findings := w.check(t, r)
	if len(findings) < 6 || findings[0].Code != FindingUnsettled {
		t.Errorf("%v", findings)
	}
	n := r.Numbers()
	if n.Acknowledged != 0 || len(n.Faults) != 1 || n.Faults[0].FirstCommit >= 0 || n.Faults[0].InFlight < 6 ||
		!strings.Contains(n.String(), "nothing committed after it") {
		t.Errorf("numbers: %v", n)
	}
}

// edited is a copy of the ledger in which some blocks are others.
type edited struct {
	Chain
	edit func(*ledger.Block) *ledger.Block // nil: the stream ends there
}

func (c edited) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for b, err := range c.Chain.Follow(ctx, from) {
			if err == nil {
				copied := *b
				copied.Transactions = append([]ledger.Transaction(nil), b.Transactions...)
				if b = c.edit(&copied); b == nil {
					err = errors.New("no more")
				}
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}
