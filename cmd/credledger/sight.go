package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/verifier/follower"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verify"
)

// A sight is the view of a ledger that the opener goes by, and what keeps it up.
type sight struct {
	view   func() verify.View
	chores []serve.Chore
	close  func() error
}

// Intervals of what is done again and again.
const (
	sightFlush = 30 * time.Second // of the index to disk
	sightLook  = 5 * time.Second  // at the file of a snapshot
)

// openSight opens what the flags say.
func (c *call) openSight(ctx context.Context, o *openOptions, log *slog.Logger) (*sight, error) {
	if o.snapshot.file != "" {
		return c.sightOfSnapshot(ctx, &o.snapshot, log)
	}
	h, err := c.connectHome(ctx, "")
	if err != nil {
		return nil, err
	}
	s, err := sightOfHome(ctx, h, log)
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return s, nil
}

// sightOfHome follows the home's ledger with an index of its own, so that other commands have theirs.
func sightOfHome(ctx context.Context, h *home, log *slog.Logger) (*sight, error) {
	var chores []serve.Chore
	if h.config.Ledger == ledgerEmbedded {
		if err := h.begin(ctx); err != nil {
			return nil, err
		}
		chores = append(chores, func(ctx context.Context) error {
			return serve.Every(ctx, log, govern.HeartbeatInterval/4, "the heartbeat", func(ctx context.Context) error {
				return h.beat(ctx, govern.HeartbeatInterval)
			})
		})
	}
	x, err := index.Open(filepath.Join(h.dir, openerDir, "index"))
	if err != nil {
		return nil, err
	}
	following := follower.New(x, h.ledger, log)
	if err := following.CatchUp(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return &sight{
		view: func() verify.View { return x },
		chores: append(chores, following.Run, func(ctx context.Context) error {
			return serve.Every(ctx, log, sightFlush, "writing the index", func(context.Context) error { return x.Flush() })
		}),
		close: func() error { return errors.Join(x.Close(), h.close()) },
	}, nil
}

// sightOfSnapshot goes by a snapshot, and by the next one once the file has changed: one that is refused
// leaves the one before, which grows old.
func (c *call) sightOfSnapshot(ctx context.Context, o *snapshotOptions, log *slog.Logger) (*sight, error) {
	var newest atomic.Pointer[snapshot.View]
	var readAt time.Time // modification time of the file
	read := func(ctx context.Context) error {
		info, err := os.Stat(o.file)
		if err != nil || info.ModTime().Equal(readAt) {
			return err
		}
		view, err := c.openSnapshot(ctx, o)
		if err != nil {
			return err
		}
		newest.Store(view)
		readAt = info.ModTime()
		return nil
	}
	if err := read(ctx); err != nil {
		return nil, err
	}
	return &sight{
		view: func() verify.View { return newest.Load() },
		chores: []serve.Chore{func(ctx context.Context) error {
			return serve.Every(ctx, log, sightLook, "reading the snapshot", read)
		}},
		close: func() error { return nil },
	}, nil
}
