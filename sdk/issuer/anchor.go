package issuer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/credledger/credledger/chaincode"
)

// The steps of a run after which a test can end it.
const (
	stepBegun      = "begun"      // the run is registered, its files are there
	stepWritten    = "written"    // step 2
	stepRegistered = "registered" // step 3
	stepResigned   = "resigned"   // a batch has a new head in the register, see resign
	stepAnchored   = "anchored"   // step 4, of one batch
	stepDelivered  = "delivered"  // step 6, of one batch
	stepDone       = "done"       // step 7, but for the staging file
)

// submit has a batch anchored and delivered, while the run goes on. It waits while too many are on
// their way.
func (r *run) submit(ctx context.Context, b *batchRow) error {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	r.submissions.Go(func() {
		defer func() { <-r.slots }()
		if err := r.bring(ctx, b); err != nil {
			r.fail(err)
		}
	})
	return nil
}

// bring brings a batch to the ledger and its credentials to where they go: steps 4 and 6.
func (r *run) bring(ctx context.Context, b *batchRow) error {
	if b.state == batchPending {
		err := r.anchor(ctx, b)
		if err != nil {
			if err = r.resign(ctx, b, err); err == nil {
				err = r.anchor(ctx, b)
			}
		}
		if err != nil {
			return err
		}
		r.anchored.Add(int64(b.size))
		if err := r.iss.step(stepAnchored); err != nil {
			return err
		}
	}
	if r.job.Dir != "" {
		r.reached(b, batchAnchored)
		if err := r.deliver(b); err != nil {
			return err
		}
		if err := r.iss.step(stepDelivered); err != nil {
			return err
		}
	}
	r.reached(b, batchDelivered)
	return nil
}

// anchor submits a batch as it is registered.
func (r *run) anchor(ctx context.Context, b *batchRow) error {
	_, err := r.iss.ledger.Submit(ctx, &chaincode.Transaction{Statements: [][]byte{b.head}, Digests: b.digests})
	if err != nil {
		return ledgerError("anchor a batch; it is registered, and the same run goes on with it", err)
	}
	return nil
}

// reached notes the state of a batch for the next settlement.
func (r *run) reached(b *batchRow, state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, batchState{b.id, state})
}

// removeStaging removes the staging file of a job that is done.
func (r *run) removeStaging() error {
	if r.job.Dir == "" {
		return nil
	}
	if err := os.Remove(filepath.Join(r.job.Dir, stagingFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storageError("remove the staging file", err)
	}
	return nil
}
