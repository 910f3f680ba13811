package accesslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// When a log that has grown goes to the ledger again: after so long, or after so many entries.
const (
	anchorInterval = time.Minute
	anchorEntries  = 1000
)

// How long an Anchorer waits after a failure, at first and in the end, and for the ledger to answer.
const (
	firstRetry    = time.Second
	lastRetry     = time.Minute
	anchorTimeout = 2 * time.Minute
)

// An Anchorer brings a log's checkpoints to the ledger: every minute or every thousand entries, if the
// log has grown. It goes on through outages, and does not hold up the log. A checkpoint is of a size, so
// one after an outage covers all that was recorded meanwhile.
type Anchorer struct {
	log    *Log
	ledger ledger.Ledger

	agreed  bool               // the ledger's newest checkpoint is one of this log
	pending *access.Checkpoint // submitted, without knowing what came of it

	mu    sync.Mutex
	state AnchorState
}

// An AnchorState is how anchoring goes.
type AnchorState struct {
	Size uint64    // of the newest checkpoint that is on the ledger and stored here
	At   time.Time // of the last try that ended with nothing left to anchor; zero before the first
	Err  error     // why the last try failed; nil if it did not
}

// NewAnchorer returns an Anchorer of a log. The ledger is the connection of the log's department,
// which has enrolled the key of the log's signer.
func NewAnchorer(log *Log, l ledger.Ledger) *Anchorer { return &Anchorer{log: log, ledger: l} }

// State returns how anchoring goes. It may be called at any time.
func (a *Anchorer) State() AnchorState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// Run anchors until ctx is done, and returns its error then. It returns earlier only if the ledger
// contradicts the log, with an *Error: CodeRolledBack or CodeForked. Trying again does not help with
// that; entries can be recorded still, but not be anchored under this log's name.
func (a *Anchorer) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		err := a.Anchor(ctx)
		if code := Code(err); code == CodeRolledBack || code == CodeForked {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = a.due(ctx)
			retry = firstRetry
		} else {
			err = pause(ctx, retry)
			retry = min(2*retry, lastRetry)
		}
		if err != nil {
			return err
		}
	}
}

// due waits until there is something to anchor. The error is that of ctx.
func (a *Anchorer) due(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, anchorInterval)
	defer cancel()
	size := a.State().Size
	if a.log.wait(waiting, size+anchorEntries) == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return a.log.wait(ctx, size+1)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Anchor brings a checkpoint of the whole log to the ledger, if it has grown since the last one. The
// error is an *Error, or the ledger's. It is not for use at the same time as Run.
func (a *Anchorer) Anchor(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, anchorTimeout)
	defer cancel()
	now := a.log.now()
	size, err := a.anchor(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state.Err = err
	if err == nil {
		a.state.Size, a.state.At = size, now
	}
	return err
}

// anchor returns the size that is anchored.
func (a *Anchorer) anchor(ctx context.Context) (uint64, error) {
	anchored, err := a.log.Anchored()
	if err != nil {
		return 0, err
	}
	if !a.agreed {
		onLedger, err := a.agree(ctx)
		if err != nil {
			return anchored, err
		}
		a.agreed = true
		if onLedger > anchored && a.log.Size() == onLedger {
			// Whoever submitted it ended before it was stored. The same again changes nothing there.
			return onLedger, a.submit(ctx, onLedger)
		}
	}
	if a.pending != nil {
		anchored = a.pending.Size
		if err := a.settle(ctx); err != nil {
			return 0, err
		}
	}
	size := a.log.Size()
	if size <= anchored {
		return anchored, nil
	}
	return size, a.submit(ctx, size)
}

// agree compares the newest checkpoint on the ledger with the log, and returns its size: a log that was
// restored from an old copy, or that another one bears the name of, must not go on.
func (a *Anchorer) agree(ctx context.Context) (uint64, error) {
	b, err := a.ledger.Evaluate(ctx, chaincode.Query{Name: "checkpoint", Args: []string{a.log.id.Department, a.log.id.Log}})
	if chaincode.Code(err) == chaincode.CodeNotFound {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("ask the ledger for the newest checkpoint of the access log: %w", err)
	}
	var newest struct {
		Size uint64  `json:"size"`
		Root sm.Hash `json:"root"`
	}
	if err := json.Unmarshal(b, &newest); err != nil {
		return 0, fmt.Errorf("read the ledger's newest checkpoint of the access log: %w", err)
	}
	return newest.Size, a.log.continues(newest.Size, newest.Root)
}

// submit signs a checkpoint and brings it to the ledger.
func (a *Anchorer) submit(ctx context.Context, size uint64) error {
	r := a.log.reader()
	defer r.close()
	tree, err := r.tree(size)
	if err != nil {
		return err
	}
	if a.pending, err = a.log.sign(tree); err != nil {
		return err
	}
	return a.settle(ctx)
}

// settle brings the pending checkpoint to the ledger and stores it. It stays pending as long as the
// ledger may have it: then the same bytes are submitted again.
func (a *Anchorer) settle(ctx context.Context) error {
	_, err := a.ledger.Submit(ctx, &chaincode.Transaction{Statements: [][]byte{a.pending.Signed.Bytes()}})
	switch code := chaincode.Code(err); {
	case code == chaincode.CodeCheckpointConflict:
		return errorf(CodeForked, err, "the ledger has another checkpoint of the access log at %d entries: two logs bear this name, or an entry was changed; audit them, and go on under another name", a.pending.Size)
	case code == chaincode.CodeCheckpointOld:
		return errorf(CodeRolledBack, err, "the ledger has a checkpoint of the access log with more than %d entries: two logs bear this name, or a part of it is lost; go on under another name", a.pending.Size)
	case code != "":
		a.pending = nil // not with these bytes; another key may be needed, or a decision of the authority
		return fmt.Errorf("anchor the access log: %w", err)
	case err != nil:
		var outage *ledger.Error
		if errors.As(err, &outage) && outage.Code == ledger.CodeNotSubmitted {
			a.pending = nil
		}
		return fmt.Errorf("anchor the access log: %w", err)
	}
	if err := a.log.checkpoints.add(a.pending); err != nil {
		return err
	}
	a.pending = nil
	return nil
}
