//go:build network

package figures

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// A footprint is the memory of the client at some moment, in bytes: what is reachable after garbage
// collection, and what the process occupies once the rest is given back.
type footprint struct {
	heap, resident float64
	goroutines     int
}

func (s *setting) footprint() footprint {
	s.Helper()
	var m runtime.MemStats
	runtime.GC() // the first one moves what pools hold to where the second frees it
	debug.FreeOSMemory()
	runtime.ReadMemStats(&m)
	return footprint{heap: float64(m.HeapAlloc), resident: s.resident(os.Getpid()), goroutines: runtime.NumGoroutine()}
}

// memory submits single anchors through one connection that is followed all the while, and returns
// the client's footprint after each of the numbers of transactions.
func (s *setting) memory(inFlight int, after ...int) []footprint {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	l := s.network.Connect(ledgertest.Marriages)
	from := s.head(l).Height
	wg.Go(func() {
		for range l.Follow(ctx, from) {
		}
	})
	var footprints []footprint
	done := 0
	for _, n := range after {
		s.run(l, load{size: 1, transactions: n - done, inFlight: inFlight}, nil)
		done = n
		footprints = append(footprints, s.footprint())
	}
	return footprints
}
