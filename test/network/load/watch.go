package load

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// WatchOptions say what a Watcher does.
type WatchOptions struct {
	City *ledgertest.City // City.Found has run

	// Connect returns a new connection of a department; the Watcher closes it. By these it submits
	// the authority's heartbeats and licences to verify.
	Connect func(department string) ledger.Ledger

	// Sources are what the verifiers follow, each by an index of its own, under a name for it.
	Sources map[string]index.Source
}

// A Watcher is some verifiers, to whom licences are shown all the time while harm is done to the
// ledger. What may become of a genuine licence by an outage is an undetermined verdict, and nothing
// else.
type Watcher struct {
	tb      testing.TB
	options WatchOptions
	base    uint64    // the Watcher's clock at started
	started time.Time // it keeps its own, which no heartbeat on the ledger is ahead of

	cancel      context.CancelFunc
	pausing     chan struct{} // closed when nothing new is to be issued
	issuing     sync.WaitGroup
	verifying   sync.WaitGroup
	connections map[string]ledger.Ledger
	followers   []*follower

	mu        sync.Mutex
	shown     []*shown
	sightings Sightings
}

// Sightings are what a Watcher has seen.
type Sightings struct {
	Verdicts map[verify.Outcome]int
	Findings []string // verdicts that must not be, and what the indexes found wrong with the ledger
	Fresh    int      // licences issued meanwhile
	Reopened int      // times that a stream of blocks ended and was followed again

	// LongestUndetermined is the longest time from the acknowledgement of a licence until the last of
	// the verifiers called it valid.
	LongestUndetermined time.Duration

	// LongestSilence is the longest time in which a verifier got no block.
	LongestSilence time.Duration
}

// Watch issues the licences that are shown, checks that the verifiers judge them as they should while
// the ledger is well, and begins to watch. It ends with Stop, or with the test.
func Watch(tb testing.TB, o WatchOptions) *Watcher {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{
		tb: tb, options: o, started: time.Now(), cancel: cancel, pausing: make(chan struct{}),
		connections: map[string]ledger.Ledger{},
	}
	w.sightings.Verdicts = map[verify.Outcome]int{}
	tb.Cleanup(w.close)
	for _, d := range o.City.All() {
		w.connections[d.ID] = o.Connect(d.ID)
	}
	authority := w.connections[ledgertest.Authority]
	sequence := w.setClock(authority)
	height := w.issueSamples()
	sequence, at := w.beat(ctx, authority, sequence)
	height = max(height, at)
	for _, name := range slices.Sorted(maps.Keys(o.Sources)) {
		f := w.follow(ctx, name, o.Sources[name])
		w.followers = append(w.followers, f)
		waiting, cancel := context.WithTimeout(tb.Context(), patience)
		if err := f.index.WaitFor(waiting, height); err != nil {
			tb.Fatalf("verifier %s: %v", name, err)
		}
		cancel()
		w.look(f, true)
	}
	if findings := w.sightings.Findings; len(findings) > 0 {
		tb.Fatalf("before any harm was done: %v", findings)
	}

	w.issuing.Go(func() {
		for w.pause(ctx, time.Second) {
			sequence, _ = w.beat(ctx, authority, sequence)
		}
	})
	w.issuing.Go(func() {
		for n := 0; w.pause(ctx, 700*time.Millisecond); n++ {
			typ := issuedTypes[n%len(issuedTypes)]
			w.issueFresh(ctx, typ)
		}
	})
	for _, f := range w.followers {
		w.verifying.Go(func() {
			for ctx.Err() == nil {
				w.look(f, false)
				sleep(ctx, again)
			}
		})
	}
	return w
}

// patience bounds what Watch waits for before any harm is done.
const patience = 30 * time.Second

// pause waits for a time, and reports whether to go on.
func (w *Watcher) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-w.pausing:
	case <-ctx.Done():
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// clock returns the Watcher's time in seconds since 1970-01-01T00:00:00Z.
func (w *Watcher) clock() uint64 { return w.base + uint64(time.Since(w.started)/time.Second) }

// setClock sets the clock to a time after whatever is on the ledger, and returns the sequence number
// of the next heartbeat.
func (w *Watcher) setClock(authority ledger.Ledger) (sequence uint64) {
	w.tb.Helper()
	var newest struct {
		Sequence uint64 `json:"sequence"`
		Time     uint64 `json:"time"`
	}
	if err := ask(w.tb.Context(), authority, &newest, "heartbeat"); err != nil && chaincode.Code(err) != chaincode.CodeNotFound {
		w.tb.Fatalf("query heartbeat: %v", err)
	}
	w.base = max(newest.Time, ledgertest.Time) + 1
	return newest.Sequence + 1
}

// beat submits one heartbeat, and returns the sequence number of the next and the height at which it
// is on the ledger, if that is known. Of a heartbeat whose outcome is unknown it is found out at the
// next whether it was the one.
func (w *Watcher) beat(ctx context.Context, authority ledger.Ledger, sequence uint64) (next, height uint64) {
	h := &statement.Heartbeat{Ledger: w.options.City.ID, Sequence: sequence, Time: w.clock()}
	receipt, err := authority.Submit(ctx, ledgertest.Sign(w.tb, h, w.options.City.Authority.Log))
	switch code := chaincode.Code(err); {
	case err == nil:
		return sequence + 1, receipt.Position.Block + 1
	case code == chaincode.CodeSequence:
		return sequence + 1, 0 // the one before is on the ledger
	case code == chaincode.CodeHeartbeatOld:
		return sequence, 0 // two within a second
	case code != "":
		w.find("a heartbeat is refused: " + err.Error())
	}
	return sequence, 0
}

func (w *Watcher) find(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.sightings.Findings, text) {
		w.sightings.Findings = append(w.sightings.Findings, text)
	}
}

// A follower is one verifier.
type follower struct {
	name   string
	index  *index.Index
	height uint64
	since  time.Time // when it got the newest block
}

// follow opens an index and lets it follow a source, again whenever that ends.
func (w *Watcher) follow(ctx context.Context, name string, source index.Source) *follower {
	w.tb.Helper()
	x, err := index.Open("")
	if err != nil {
		w.tb.Fatal(err)
	}
	w.verifying.Go(func() {
		for {
			err := x.Follow(ctx, source)
			if ctx.Err() != nil {
				return
			}
			var wrong *index.Discrepancy
			var broken *index.Error
			if errors.As(err, &wrong) || errors.As(err, &broken) {
				w.find("the index of " + name + ": " + err.Error())
				return
			}
			w.mu.Lock()
			w.sightings.Reopened++
			w.mu.Unlock()
			sleep(ctx, again)
		}
	})
	return &follower{name: name, index: x, since: time.Now()}
}

// end ends all that goes on.
func (w *Watcher) end() {
	w.cancel()
	w.issuing.Wait()
	w.verifying.Wait()
}

// close ends all that goes on, and frees what it needed.
func (w *Watcher) close() {
	w.end()
	for id, l := range w.connections {
		if err := l.Close(); err != nil {
			w.tb.Errorf("close the connection of %s: %v", id, err)
		}
	}
	for _, f := range w.followers {
		if err := f.index.Close(); err != nil {
			w.tb.Errorf("close the index of %s: %v", f.name, err)
		}
	}
}

// Stop issues nothing more, waits until every verifier calls every licence valid that was issued
// meanwhile, or until ctx is done, and returns what was seen.
func (w *Watcher) Stop(ctx context.Context) Sightings {
	close(w.pausing)
	for ctx.Err() == nil && w.undetermined() > 0 {
		sleep(ctx, again)
	}
	w.end()
	if n := w.undetermined(); n > 0 {
		w.find("licences are still undetermined, though they were acknowledged and the ledger is well")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sightings
}
