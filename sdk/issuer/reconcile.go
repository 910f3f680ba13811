package issuer

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer/vault"
)

// queriesAtOnce is how many questions are asked of the ledger at the same time.
const queriesAtOnce = 16

// reconcile makes sure that the records of the inputs are those that were issued and those that were rejected,
// and that those issued are on the ledger: as the vault has it, and as the ledger itself says of each
// batch. It returns how many licences the ledger has.
func (r *run) reconcile(ctx context.Context) (onLedger int64, err error) {
	totals, err := r.iss.vault.JobTotals(ctx, r.row.ID)
	if err != nil {
		return -1, err
	}
	if onLedger, err = r.countOnLedger(ctx); err != nil {
		return -1, err
	}
	row := &r.row
	if r.in.record == row.Records && row.Records == row.Accepted+row.Rejected && r.rejects.records == row.Rejected &&
		totals.Licences == row.Accepted && totals.Anchored == row.Accepted && onLedger == row.Accepted {
		return onLedger, nil
	}
	return onLedger, errorf(CodeUnreconciled, nil, "the job does not add up: %d records read, %d settled, %d rejected (%d in the rejects file); "+
		"%d issued, of which the vault has %d, takes %d for anchored, and the ledger has %d; audit the ledger and see whether the vault is an old copy",
		r.in.record, row.Records, row.Rejected, r.rejects.records, row.Accepted, totals.Licences, totals.Anchored, onLedger)
}

// countOnLedger asks the ledger for every batch of the job, and returns the number of licences in those that
// are there as they are in the vault.
func (r *run) countOnLedger(ctx context.Context) (int64, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var found atomic.Int64
	var asking sync.WaitGroup
	slots := make(chan struct{}, queriesAtOnce)
	for after := int64(0); ctx.Err() == nil; {
		page, err := r.iss.vault.Batches(ctx, vault.Delivered, r.row.ID, after, submissionsAtOnce)
		if err != nil {
			fail(err)
			break
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].ID
		for _, b := range page {
			slots <- struct{}{}
			asking.Go(func() {
				defer func() { <-slots }()
				switch on, err := r.iss.onLedger(ctx, b); {
				case err != nil:
					fail(err)
				case on:
					found.Add(int64(b.Size))
				}
			})
		}
	}
	asking.Wait()
	return found.Load(), context.Cause(ctx)
}

// onLedger reports whether the ledger has a batch, byte for byte.
func (iss *Issuer) onLedger(ctx context.Context, b *vault.Batch) (bool, error) {
	var anchor struct {
		Size      int    `json:"size"`
		Statement []byte `json:"statement"`
	}
	err := iss.query(ctx, &anchor, "anchor", iss.department.ID, b.Root.String())
	if Code(err) == chaincode.CodeNotFound {
		return false, nil
	}
	return err == nil && anchor.Size == b.Size && bytes.Equal(anchor.Statement, b.Head), err
}
