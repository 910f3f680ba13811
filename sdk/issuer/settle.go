package issuer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// groupRecords and groupDelay bound what one transaction of the vault settles. To sync it costs the same for one
// batch as for many, and a page of an index is written once for all licence numbers of a group that
// fall on it.
const (
	groupRecords = 8192
	groupDelay   = 200 * time.Millisecond
)

// settleAll settles the chunks that come, in order, in groups.
func (r *run) settleAll(ctx context.Context, ordered <-chan *chunk) error {
	var group []*chunk
	var late <-chan time.Time // the group has waited long enough
	records := 0
	for more := true; more; {
		var c *chunk
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late:
		case c, more = <-ordered:
		}
		if c != nil {
			if err := c.wait(ctx); err != nil {
				return err
			}
			group = append(group, c)
			if records += len(c.items); records < r.iss.groupRecords {
				if late == nil {
					late = time.After(r.iss.groupDelay)
				}
				continue
			}
		}
		if len(group) > 0 {
			if err := r.settle(ctx, group, false); err != nil {
				return err
			}
		}
		group, records, late = nil, 0, nil
	}
	return nil
}

// settle puts the batches of a group of chunks into the vault, in one transaction with what was delivered since
// the last one and with how far the job has come, done or not; and has the batches submitted.
func (r *run) settle(ctx context.Context, group []*chunk, done bool) error {
	delivered := r.takeFinished()
	if len(group)+len(delivered) == 0 && !done {
		return nil
	}
	if r.bundle != nil && len(delivered) > 0 {
		if err := r.bundle.sync(); err != nil {
			return err
		}
	}
	drafts := make([][]*draft, len(group))
	for i, c := range group {
		drafts[i] = c.drafts()
	}
	var row vault.Job
	post := posting{by: r.by, job: r.row.ID, groups: drafts}
	post.also = func(tx *vault.Tx, _ []*batch) (err error) {
		if row, err = r.advance(group, delivered, done); err != nil {
			return err
		}
		for _, d := range delivered {
			if err := tx.Anchored(d.batch.ID, *d.batch.Position); err != nil {
				return err
			}
			if err := tx.Delivered(d.batch.ID); err != nil {
				return err
			}
		}
		return tx.PutJob(&row)
	}
	batches, err := r.iss.put(ctx, &post)
	if err != nil {
		return err
	}
	r.row = row
	r.rejects.settle()
	if err := r.iss.step(stepStored); err != nil {
		return err
	}
	for _, b := range batches {
		if b == nil { // all its records were rejected
			continue
		}
		if err := r.submit(ctx, &delivery{batch: b}); err != nil {
			return err
		}
	}
	r.tell()
	return nil
}

// advance returns how far the job will have come, and writes what was rejected of a group to the rejects file.
// It may be called again, when the transaction is tried again.
func (r *run) advance(group []*chunk, delivered []*delivery, done bool) (vault.Job, error) {
	row := r.row
	row.Done = done
	if err := r.rejects.begin(); err != nil {
		return row, err
	}
	for _, c := range group {
		row.Records += int64(len(c.items))
		row.Prefix = c.prefix
		for i := range c.items {
			problems := r.problems(&c.items[i])
			if problems == nil {
				row.Accepted++
				continue
			}
			row.Rejected++
			it := &c.items[i]
			if err := r.rejects.write(Rejection{Record: it.record, Input: it.input, Line: it.line}, problems); err != nil {
				return row, err
			}
		}
	}
	if err := r.rejects.flush(); err != nil {
		return row, err
	}
	if err := r.rejects.sync(); err != nil {
		return row, err
	}
	if r.bundle != nil && len(delivered) > 0 {
		b, err := json.Marshal(detail{Bundle: delivered[len(delivered)-1].end})
		if err != nil {
			return row, fmt.Errorf("write how far the job has come: %w", err)
		}
		row.Detail = b
	}
	return row, r.iss.step(stepWritten)
}

// problems returns why a record is rejected; nil: it is not.
func (r *run) problems(it *item) []licence.Problem {
	if it.problems == nil && it.draft.taken {
		return taken(r.typ)
	}
	return it.problems
}
