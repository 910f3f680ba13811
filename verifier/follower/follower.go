// Package follower keeps an index up with a ledger for as long as a service runs, through outages and
// restarts of either, and says how it stands: whether the ledger is reached, how far the index is behind, and
// whether the ledger did what it must not.
//
// No question waits for it. What the index has seen is there all the time; a ledger that cannot be
// reached, or is not honest, makes it grow old and nothing else.
package follower

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/index"
)

// Pauses between attempts to follow the ledger, and how often its head is asked for.
const (
	shortestPause  = 500 * time.Millisecond
	longestPause   = 30 * time.Second
	afterDishonest = time.Minute // after a ledger did what it must not
	headInterval   = 5 * time.Second
	headTimeout    = 5 * time.Second
)

// A Follower keeps an index up with a ledger. It is safe for concurrent use.
type Follower struct {
	index  *index.Index
	ledger ledger.Ledger
	log    *slog.Logger

	mu          sync.Mutex
	asked       bool   // at least once
	reached     bool   // when it was last asked
	height      uint64 // of the ledger, when it was last reached
	first       uint64 // of the ledger, when it was first reached
	discrepancy string // code; "" if there is none
}

// New makes the follower of a ledger. What goes wrong is logged.
func New(x *index.Index, l ledger.Ledger, log *slog.Logger) *Follower {
	return &Follower{index: x, ledger: l, log: log}
}

// startPatience is how long CatchUp waits for an index that knows its ledger.
const startPatience = 10 * time.Second

// CatchUp follows until the index knows which ledger it is of, and then until it has what the ledger has,
// but no longer than startPatience: while the ledger cannot be reached, or has much more, what the index
// has must do. A new index cannot do without the ledger, and waits for it.
func (f *Follower) CatchUp(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- f.Run(following) }()
	for begun := time.Now(); ; {
		known := f.index.Ledger() != (sm.Hash{})
		if known && (f.State().Settled || time.Since(begun) > startPatience) {
			stop()
			<-ended
			return nil
		}
		select {
		case err := <-ended:
			if err == nil {
				err = ctx.Err()
			}
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Run follows until ctx is done, or until the index can go on no more: the error says why.
func (f *Follower) Run(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { f.watchHead(watching) })
	defer watch.Wait()
	defer stop()
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		before := f.index.Head().Height
		err := f.index.Follow(ctx, f.ledger)
		if ctx.Err() != nil {
			return nil
		}
		var own *index.Error
		if errors.As(err, &own) {
			return err // storage, or another ledger: nothing that waiting mends
		}
		if f.index.Head().Height > before {
			pause = shortestPause
		}
		if f.judge(err) {
			pause = afterDishonest
		}
		f.log.Warn("the ledger is not followed", "error", err, "retry", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// judge keeps whether the ledger did what it must not.
func (f *Follower) judge(err error) bool {
	var d *index.Discrepancy
	dishonest := errors.As(err, &d)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.discrepancy = ""
	if dishonest {
		f.discrepancy = d.Code
		f.log.Error("the ledger committed what it must not; verdicts stay as of the block before", "code", d.Code, "block", d.Block, "error", d)
	}
	return dishonest
}

// watchHead asks the ledger how high it is.
func (f *Follower) watchHead(ctx context.Context) {
	for {
		asking, cancel := context.WithTimeout(ctx, headTimeout)
		head, err := f.ledger.Head(asking)
		cancel()
		if ctx.Err() != nil {
			return
		}
		f.note(head.Height, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(headInterval):
		}
	}
}

func (f *Follower) note(height uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.reached
	f.asked, f.reached = true, err == nil
	if f.reached {
		f.height = max(f.height, height)
		if f.first == 0 {
			f.first = height
		}
	}
	switch {
	case was && !f.reached:
		f.log.Warn("the ledger cannot be reached; answers go on as of what was seen", "error", err)
	case !was && f.reached:
		f.log.Info("the ledger is reached", "height", height)
	}
}

// A State is what is known of the ledger, and of the index beside it.
type State struct {
	Reached     bool   // when it was last asked
	Settled     bool   // the index has what the ledger had when that was first reached, if it could be
	Behind      uint64 // blocks that the ledger had more than the index when it was last reached
	Discrepancy string // code of what the ledger did that it must not, see package index; "" if there is nothing
}

// State returns how it stands.
func (f *Follower) State() State {
	height := f.index.Head().Height
	f.mu.Lock()
	defer f.mu.Unlock()
	s := State{Reached: f.reached, Settled: f.asked && height >= f.first, Discrepancy: f.discrepancy}
	if f.height > height {
		s.Behind = f.height - height
	}
	return s
}
