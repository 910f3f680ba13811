package issuer

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// A dryRun goes through the inputs of a job as a run does, and keeps nothing.
type dryRun struct {
	run
	seen map[sm.Hash]bool // SM3 of the licence numbers of the inputs so far
}

// dryChunk is the number of records whose licence numbers are looked up at a time.
const dryChunk = 1024

// DryRun says what Issue would do with a job that is new: how many records it would issue, and which it would
// reject for what, by the licence numbers that are in use now. Nothing is kept but the rejects file, if the job
// names one, which must not exist; the job needs no output, and its batches are not counted.
//
// An input that cannot be read to its end has the code of package licence, and the report is about what
// stands before.
func (iss *Issuer) DryRun(ctx context.Context, by vault.By, job Job, progress func(Progress)) (Report, error) {
	d := &dryRun{run: run{task: task{iss: iss, by: by, rejects: newRejects()}, progress: progress}, seen: map[sm.Hash]bool{}}
	keep := job.Rejects != ""
	if job.Dir, job.Bundle, job.ID = "", "", 0; !keep {
		job.Rejects = os.DevNull
	}
	if err := d.prepareJob(job); err != nil {
		return Report{}, err
	}
	if keep {
		if err := d.openNew(); err != nil {
			return Report{}, err
		}
	}
	defer d.close()
	err := d.checkNew()
	if err == nil {
		err = d.prepareTerms(ctx)
	}
	if err != nil {
		return Report{}, err
	}
	d.in = newInputs(licenceRecords(d.typ), d.job.Open, d.job.Inputs)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	inputErr, err := iss.pipeline(d.typ, d.terms, d.in, dryChunk, false).run(ctx, fail, d.judgeAll)
	report := Report{Rows: d.row.Records, Issued: d.row.Accepted, Rejected: d.row.Rejected, OnLedger: -1, Reasons: d.rejects.reasons}
	if keep && report.Rejected > 0 {
		report.Rejects = d.job.Rejects
		err = errors.Join(err, d.rejects.flush(), d.rejects.sync())
	}
	return report, errors.Join(err, inputErr)
}

// openNew prepares the rejects file.
func (d *dryRun) openNew() (err error) {
	if _, err := os.Lstat(d.job.Rejects); err == nil {
		return errorf(CodeOutputExists, nil, "%s exists; name another rejects file, or move it away", d.job.Rejects)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return storageError("look for the rejects file", err)
	}
	d.rejects.tail, err = openTail(d.job.Rejects, 0, true)
	return err
}

// judgeAll counts what would be issued and rejected.
func (d *dryRun) judgeAll(ctx context.Context, ordered <-chan *chunk) error {
	for c := range ordered {
		if err := c.wait(ctx); err != nil {
			return err
		}
		if err := d.takeNumbers(ctx, c); err != nil {
			return err
		}
		for i := range c.items {
			d.row.Records++
			it := &c.items[i]
			problems := d.problems(it)
			if problems == nil {
				d.row.Accepted++
				continue
			}
			d.row.Rejected++
			if err := d.rejects.write(Rejection{Record: it.record, Input: it.input, Line: it.line}, problems); err != nil {
				return err
			}
		}
		d.rejects.settle()
		d.tell()
	}
	return context.Cause(ctx)
}

// takeNumbers notes on the drafts of a chunk whether their numbers are taken.
func (d *dryRun) takeNumbers(ctx context.Context, c *chunk) error {
	drafts := c.drafts()
	numbers := make([]string, len(drafts))
	for i, draft := range drafts {
		numbers[i] = draft.number
	}
	holding, err := d.iss.vault.Holding(ctx, d.typ.ID, numbers)
	if err != nil {
		return err
	}
	for i, draft := range drafts {
		name := sm.Sum([]byte(draft.number))
		draft.taken = d.seen[name] || holding[i] != 0 && holding[i] != d.job.Predecessor
		d.seen[name] = true
	}
	return nil
}
