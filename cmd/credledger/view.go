package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/verifier/index"
)

// index returns the verifier's index of the ledger, up to its newest block. With an error that
// isOutage there is an index all the same, as it was.
func (h *home) index(ctx context.Context) (*index.Index, error) {
	if h.view == nil {
		if err := h.openIndex(ctx); err != nil {
			return nil, err
		}
	}
	head, err := h.notBehind(ctx, h.view.Head().Height)
	if err != nil {
		return h.view, err
	}
	if h.stop == nil {
		following, stop := context.WithCancel(context.WithoutCancel(ctx))
		h.stop = stop
		go h.view.Follow(following, h.ledger) // WaitFor says why it ended
	}
	return h.view, h.catchUp(ctx, head.Height)
}

// isOutage reports whether an error says that the network cannot be reached.
func isOutage(err error) bool { return errorCode(err) == fabric.CodeUnreachable }

// openIndex opens the index.
func (h *home) openIndex(ctx context.Context) error {
	dir := filepath.Join(h.dir, "index")
	err := whenFree(ctx, func() (err error) {
		h.view, err = index.Open(dir)
		return err
	})
	var unusable *index.Error
	if errors.As(err, &unusable) && unusable.Code == index.CodeStorage {
		return fmt.Errorf("%w (if %s is damaged, remove it: it is made again)", err, dir)
	}
	return err
}

// notBehind returns the ledger's head, when it has the blocks that the index has seen: a peer may lag.
func (h *home) notBehind(ctx context.Context, height uint64) (ledger.Head, error) {
	for deadline := time.Now().Add(patience); ; {
		head, err := h.ledger.Head(ctx)
		if err != nil || head.Height >= height {
			return head, err
		}
		if time.Now().After(deadline) {
			return head, failf("ledger-behind", "the ledger has %d blocks, but %s has seen %d: wait until the network has caught up; if an older "+
				"copy of the ledger was restored for good, remove that index, and it is made again", head.Height, filepath.Join(h.dir, "index"), height)
		}
		select {
		case <-ctx.Done():
			return head, ctx.Err()
		case <-time.After(patience / 50):
		}
	}
}

// stall is how long the next block that a ledger has may take to come, before the network is taken to
// have gone.
const stall = 15 * time.Second

func errStalled() error {
	return &ledger.Error{Code: fabric.CodeUnreachable, Message: "the blocks of the ledger have stopped coming; see whether the network is up"}
}

// catchUp waits until the index has so many blocks, as long as it gets on.
func (h *home) catchUp(ctx context.Context, height uint64) error {
	for {
		before := h.view.Head().Height
		waiting, cancel := context.WithTimeout(ctx, stall)
		err := h.view.WaitFor(waiting, height)
		cancel()
		switch {
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		case h.view.Head().Height == before:
			return errStalled()
		}
	}
}
