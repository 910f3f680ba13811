//go:build network

package figures

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// A load is transactions of one size, so many at a time.
type load struct {
	size         int // licences under a head
	transactions int
	inFlight     int
}

// A round is what became of a load.
type round struct {
	load
	elapsed   time.Duration
	latencies []time.Duration          // from Submit to its receipt, ascending
	receipts  []ledger.Receipt         // in the order in which they came
	cpu       map[string]time.Duration // by kind of process, "client" among them
}

// run signs and submits a load: the next transaction as soon as one of those in flight has its
// receipt. Signing is in the time that is measured. told, unless nil, gets each receipt at once.
func (s *setting) run(l ledger.Ledger, of load, told func(ledger.Receipt)) *round {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	r := &round{load: of}
	before, begun := s.processorTime(), time.Now()
	transactions := make(chan *chaincode.Transaction)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range of.inFlight {
		wg.Go(func() {
			for tx := range transactions {
				submitted := time.Now()
				receipt, err := l.Submit(ctx, tx)
				took := time.Since(submitted)
				if err != nil {
					if ctx.Err() == nil { // the first one; it ends the others
						s.Errorf("submit after %d receipts: %v", r.count(&mu), err)
						cancel()
					}
					continue
				}
				if told != nil {
					told(receipt)
				}
				mu.Lock()
				r.latencies, r.receipts = append(r.latencies, took), append(r.receipts, receipt)
				mu.Unlock()
			}
		})
	}
	for range of.transactions {
		select {
		case transactions <- s.signed(of.size):
		case <-ctx.Done():
		}
	}
	close(transactions)
	wg.Wait()
	r.elapsed = time.Since(begun)
	r.cpu = s.processorTime()
	for kind, t := range before {
		r.cpu[kind] -= t
	}
	if s.Failed() {
		s.FailNow()
	}
	slices.Sort(r.latencies)
	return r
}

func (r *round) count(mu *sync.Mutex) int {
	mu.Lock()
	defer mu.Unlock()
	return len(r.receipts)
}

func (r *round) perSecond() float64 { return float64(r.transactions) / r.elapsed.Seconds() }

// percentile returns the smallest of ascending durations that is not exceeded by so many percent.
func percentile(ascending []time.Duration, percent int) time.Duration {
	if len(ascending) == 0 {
		return 0
	}
	return ascending[min(len(ascending)-1, len(ascending)*percent/100)]
}

// median returns the middle one of some figures.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}
