// Package load puts a ledger under load while a test does harm to it, and says afterwards whether
// the ledger kept its word.
//
//	l := load.Start(t, load.Options{City: city, Connect: network.Connect, InFlight: 16, Batch: 256, Arrivals: 200 * time.Millisecond})
//	l.Await(ctx, 200)
//	l.Fault("kill -9 of the leading orderer")
//	network.Kill(leader)
//	l.Await(ctx, 200)
//	record := l.Stop(ctx)
//	for _, f := range record.Check(ctx, peers...) {
//		t.Error(f)
//	}
//	t.Log(record.Numbers())
//
// A Load is the client of some departments: it anchors single licences and batches and changes
// statuses, keeps every transaction from before its first submission, and submits it byte for byte
// until its true outcome is known. It can be killed in the middle, and resumed from what it kept. Its
// Record is what the ledger has told it; Record.Check compares that with the blocks of every peer.
// A Watcher is a verifier meanwhile, for which an outage must never make a genuine licence invalid.
//
// Everything is done through ledger.Ledger: which ledger it is, and what harm is done to it, is the
// affair of whoever uses the package. It is for tests alone.
package load

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// Options say what a Load does.
type Options struct {
	City *ledgertest.City // City.Found has run

	// Connect returns a new connection of a department; the Load closes it.
	Connect func(department string) ledger.Ledger

	// InFlight is the number of transactions that are on their way at any time: each is followed
	// by the next when its outcome is known. They are single anchors, batches and changes of
	// status in turn, of the three departments that issue.
	InFlight int

	Batch int // licences in a batch

	// Arrivals is the time between single anchors that are submitted beside these, whatever is on
	// its way: as people come to a counter. By them it is seen when the ledger goes on.
	Arrivals time.Duration
}

// A Load goes on until Stop. Its methods are safe for concurrent use, but for Kill, Resume and Stop,
// which one goroutine calls.
type Load struct {
	tb      testing.TB
	options Options
	record  Record
	pools   []pool // of each worker

	mu      sync.Mutex    // of the record
	settled chan struct{} // closed, and replaced, when an outcome became known

	client *client // nil after Kill
}

// A client is one life of the program that submits.
type client struct {
	ctx         context.Context // done when the client was killed
	kill        context.CancelFunc
	connections map[string]ledger.Ledger
	draining    chan struct{} // closed when nothing new is to begin
	working     sync.WaitGroup
}

// issuedTypes are what the load issues, of one department each.
var issuedTypes = []string{"marriage", "property", "business"}

// Start begins a load. It ends with Stop, or with the test.
func Start(tb testing.TB, o Options) *Load {
	tb.Helper()
	if o.InFlight < 1 || o.Batch < 1 || o.Arrivals <= 0 {
		tb.Fatalf("a load needs transactions in flight, a size of batches and a time between arrivals: %+v", o)
	}
	l := &Load{tb: tb, options: o, settled: make(chan struct{}), pools: make([]pool, o.InFlight)}
	l.record.Began = time.Now()
	tb.Cleanup(func() { l.Kill() })
	l.begin()
	return l
}

// begin begins the life of a client: first it goes on with what the record has that is not settled.
func (l *Load) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{ctx: ctx, kill: cancel, connections: map[string]ledger.Ledger{}, draining: make(chan struct{})}
	for _, typ := range issuedTypes {
		id := l.options.City.Issuer(l.tb, typ).ID
		c.connections[id] = l.options.Connect(id)
	}
	l.client = c
	left := make(chan *Entry, len(l.record.Entries))
	for _, e := range l.record.Entries {
		if e.Outcome == Unsettled {
			left <- e
		}
	}
	close(left)
	for i := range l.options.InFlight {
		c.working.Go(func() { l.work(c, i, left) })
	}
	c.working.Go(func() { l.arrive(c) })
}

// Kill ends the client as kill -9 does, as far as its transactions can tell: whatever is on its way
// is given up, and it hears of no answer. It returns how many transactions are left whose outcome the
// client does not know. It does nothing if there is no client.
func (l *Load) Kill() (unsettled int) {
	if l.client == nil {
		return 0
	}
	l.client.kill()
	for id, connection := range l.client.connections {
		if err := connection.Close(); err != nil {
			l.tb.Errorf("close the connection of %s: %v", id, err)
		}
	}
	l.client.working.Wait()
	l.client = nil
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.record.Entries {
		if e.Outcome == Unsettled {
			unsettled++
		}
	}
	return unsettled
}

// Resume begins another client after Kill, with nothing but what the one before it has kept: the
// signed statements, which it submits byte for byte.
func (l *Load) Resume() {
	l.tb.Helper()
	if l.client != nil {
		l.tb.Fatal("a load is resumed after it was killed")
	}
	l.begin()
}

// Stop begins no more transactions, waits until the outcome of each that was begun is known, or
// until ctx is done, and returns the record.
func (l *Load) Stop(ctx context.Context) *Record {
	if c := l.client; c != nil {
		close(c.draining)
		done := make(chan struct{})
		go func() {
			c.working.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-ctx.Done():
		}
		l.Kill()
	}
	l.record.Ended = time.Now()
	return &l.record
}

// Fault notes that harm is done now.
func (l *Load) Fault(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.faults = append(l.record.faults, mark{name, time.Now()})
}

// Await waits until n more transactions are acknowledged. The error is that of ctx.
func (l *Load) Await(ctx context.Context, n int) error {
	for first, last := -1, 0; ; {
		l.mu.Lock()
		last = l.record.acknowledged
		settled := l.settled
		l.mu.Unlock()
		if first < 0 {
			first = last
		}
		if last-first >= n {
			return nil
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
