package issuer

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

// CatchUp compares the vault with the ledger (vault.CatchUp), and then settles what an earlier process has left:
// every batch that is in the vault and not on the ledger is submitted as it is stored, signed anew if its key
// was retired since. It must have been called once before anything is issued, and can be called at any time, by
// several processes.
//
// An error of the comparison ends it: nothing can be issued. A batch that the ledger does not take does not
// keep the others from it, nor anything from being issued; it stays in the vault, and all such errors are
// returned together, with the report.
func (iss *Issuer) CatchUp(ctx context.Context) (*vault.CatchUpReport, error) {
	report, err := iss.vault.CatchUp(ctx, iss.ledger)
	if err != nil {
		return nil, err
	}
	newest, err := iss.vault.Newest(ctx)
	if err != nil {
		return report, err
	}
	iss.clock.atLeast(newest)
	if !iss.left.Load() { // the first time: what was taken for licences that an earlier process did not bring back
		if err := iss.write(ctx, self, func(tx *vault.Tx) error { return tx.LeaveNumbers() }); err != nil {
			return report, err
		}
		iss.left.Store(true)
	}
	return report, iss.settlePending(ctx)
}

// learn has the vault learn what the ledger has done.
func (iss *Issuer) learn(ctx context.Context) error {
	_, err := iss.vault.CatchUp(ctx, iss.ledger)
	return err
}

// pendingAtOnce is how many batches that wait are read from the vault at a time.
const pendingAtOnce = 64

// settlePending brings what waits in the vault to the ledger: steps 5 and 6.
func (iss *Issuer) settlePending(ctx context.Context) error {
	var failed []error
	for after := int64(0); ctx.Err() == nil; {
		waiting, err := iss.vault.Batches(ctx, vault.Pending, 0, after, pendingAtOnce)
		if err != nil || len(waiting) == 0 {
			return errors.Join(append(failed, err)...)
		}
		after = waiting[len(waiting)-1].ID
		anchored, errs := iss.bringAll(ctx, waiting)
		failed = append(failed, errs...)
		if err := iss.write(ctx, self, func(tx *vault.Tx) error { return note(tx, anchored) }); err != nil {
			return errors.Join(append(failed, err)...)
		}
		if err := iss.step(stepNoted); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// bringAll brings batches to the ledger, several at a time.
func (iss *Issuer) bringAll(ctx context.Context, waiting []*vault.Batch) (anchored []*batch, failed []error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, 4*runtime.GOMAXPROCS(0))
	for _, kept := range waiting {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			b := &batch{Batch: kept}
			err := iss.bring(ctx, b)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				anchored = append(anchored, b)
			} else {
				failed = append(failed, err)
			}
		})
	}
	all.Wait()
	return anchored, failed
}
