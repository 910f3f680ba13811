//go:build network

package figures

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/verifier/index"
)

// A stopwatch notes when each block was first known to be committed, and when the verifier's index
// had applied it.
type stopwatch struct {
	mu                 sync.Mutex
	committed, applied map[uint64]time.Time // by block
}

// note notes a block the first time.
func (w *stopwatch) note(when map[uint64]time.Time, block uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := when[block]; !known {
		when[block] = time.Now()
	}
}

// lag runs a load while a verifier of another department follows its own peer into an index on the
// disk, and returns for each transaction of the load how long after its commit the index had it,
// ascending. Committed is what the issuer's receipt says or, if it comes first, the block at a
// follower of the issuer's peer.
func (s *setting) lag(of load) (*round, []time.Duration) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	x, err := index.Open(s.TempDir())
	if err != nil {
		s.Fatal(err)
	}
	from := s.head(s.issuer).Height
	w := &stopwatch{committed: map[uint64]time.Time{}, applied: map[uint64]time.Time{}}
	var wg sync.WaitGroup
	verifier, witness := s.network.Connect(ledgertest.Businesses), s.network.Connect(ledgertest.Marriages)
	wg.Go(func() {
		if err := x.Follow(ctx, verifier); !errors.Is(err, context.Canceled) {
			s.Errorf("the index ended: %v", err)
		}
	})
	if err := x.WaitFor(ctx, from); err != nil {
		s.Fatal(err)
	}
	wg.Go(func() {
		for block, err := range witness.Follow(ctx, from) {
			if err != nil {
				return
			}
			w.note(w.committed, block.Number)
		}
	})
	wg.Go(func() {
		for height := from + 1; x.WaitFor(ctx, height) == nil; height++ {
			w.note(w.applied, height-1)
		}
	})
	r := s.run(s.issuer, of, func(receipt ledger.Receipt) { w.note(w.committed, receipt.Position.Block) })
	if err := x.WaitFor(ctx, s.head(s.issuer).Height); err != nil {
		s.Fatalf("the index is not where the ledger is: %v", err)
	}
	for _, receipt := range r.receipts {
		for done := false; !done; time.Sleep(time.Millisecond) {
			w.mu.Lock()
			_, done = w.applied[receipt.Position.Block]
			w.mu.Unlock()
		}
	}
	cancel()
	wg.Wait()
	if err := x.Close(); err != nil {
		s.Fatal(err)
	}
	lags := make([]time.Duration, 0, len(r.receipts))
	for _, receipt := range r.receipts {
		lags = append(lags, max(0, w.applied[receipt.Position.Block].Sub(w.committed[receipt.Position.Block])))
	}
	slices.Sort(lags)
	return r, lags
}
