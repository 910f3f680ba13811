package issuer

import (
	"context"
	"database/sql"
	"time"
)

// groupRecords and groupDelay bound what one transaction of the register settles. To sync the register
// costs the same for one batch as for many, and a page of its index is written once for all licence
// numbers of a group that fall on it.
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
			select {
			case <-c.ready:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			group = append(group, c)
			if records += len(c.items); records < r.iss.groupRecords {
				if late == nil {
					late = time.After(groupDelay)
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

// settle takes steps 1 to 3 for a group of chunks, and begins step 4. With it go the states that
// batches of earlier groups have reached: steps 5 and 6, and with done step 7.
func (r *run) settle(ctx context.Context, group []*chunk, done bool) error {
	states := r.takeStates()
	row := r.row
	row.done = done
	var batches []*batchRow
	err := r.iss.register.write(ctx, "register what was issued", func(tx *sql.Tx) error {
		reg, err := newRegistrar(tx)
		if err != nil {
			return err
		}
		for _, c := range group {
			if err := r.sealChunk(reg, c); err != nil {
				return err
			}
			row.records += int64(len(c.items))
			row.rejected += int64(len(c.items))
			row.prefix = c.prefix
			if c.batch != nil {
				row.issued += int64(c.batch.size)
				row.rejected -= int64(c.batch.size)
				batches = append(batches, c.batch)
			}
		}
		if err := r.stream.sync(); err != nil {
			return err
		}
		if err := r.rejects.sync(); err != nil {
			return err
		}
		if err := r.iss.step(stepWritten); err != nil {
			return err
		}
		row.stream, row.rejects = r.stream.length, r.rejects.length
		return reg.settle(&row, batches, states)
	})
	if err != nil {
		return err
	}
	r.row = row
	if err := r.iss.step(stepRegistered); err != nil {
		return err
	}
	for _, b := range batches {
		if err := r.submit(ctx, b); err != nil {
			return err
		}
	}
	r.tell()
	return nil
}

// takeStates returns the states that batches have reached since the last settlement.
func (r *run) takeStates() []batchState {
	r.mu.Lock()
	defer r.mu.Unlock()
	states := r.states
	r.states = nil
	return states
}
