package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
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

// A follower keeps the index up with the ledger for as long as the service runs.
type follower struct {
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

// run follows until ctx is done, or until the index can go on no more: the error says why.
func (f *follower) run(ctx context.Context) error {
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
func (f *follower) judge(err error) bool {
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
func (f *follower) watchHead(ctx context.Context) {
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

func (f *follower) note(height uint64, err error) {
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

// A ledgerState is what is known of the ledger.
type ledgerState struct {
	reached     bool
	settled     bool   // the index has what the ledger had when that was first reached, if it could be
	behind      uint64 // blocks that the ledger had more than the index when it was last reached
	discrepancy string
}

func (f *follower) state() ledgerState {
	height := f.index.Head().Height
	f.mu.Lock()
	defer f.mu.Unlock()
	s := ledgerState{reached: f.reached, settled: f.asked && height >= f.first, discrepancy: f.discrepancy}
	if f.height > height {
		s.behind = f.height - height
	}
	return s
}
