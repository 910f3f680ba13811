package issuer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// begin brings the run to where it can go on: it registers a new job, or brings an interrupted one to
// the state that the register describes, with its pending batches anchored and delivered, which takes
// no input.
func (r *run) begin(ctx context.Context) error {
	name, err := r.job.name()
	if err != nil {
		return err
	}
	known, err := r.iss.register.job(ctx, name)
	if err != nil {
		return err
	}
	if r.resumed = known != nil; !r.resumed {
		if err := r.checkNew(ctx); err != nil {
			return err
		}
		if known, err = r.iss.register.addJob(ctx, name, r.typ.ID, r.iss.seconds()); err != nil {
			return err
		}
	}
	r.row = *known
	r.in = newInputs(r.typ, r.job.Inputs)
	if r.row.done {
		return r.alreadyDone(ctx)
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	if err := r.iss.step(stepBegun); err != nil {
		return err
	}
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	return r.in.skip(ctx, r.row.records, r.row.prefix)
}

// checkNew refuses a new job that cannot be begun, before anything is made.
func (r *run) checkNew(ctx context.Context) error {
	if err := checkInputs(r.typ, r.job.Inputs); err != nil {
		return err
	}
	paths := []string{r.job.Rejects}
	if r.job.Bundle != "" {
		paths = append(paths, r.job.Bundle)
	} else {
		paths = append(paths, filepath.Join(r.job.Dir, stagingFile))
		other, err := credentialIn(r.job.Dir)
		if err != nil {
			return err
		}
		if other != "" {
			paths = append(paths, other)
		}
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return errorf(CodeOutputExists, nil, "%s exists, and is not of this run; name another output, or move it away", path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return storageError("look for the output", err)
		}
	}
	if r.job.Predecessor == nil {
		return nil
	}
	if _, err := r.iss.standing(ctx, r.job.Predecessor); err != nil {
		return err
	}
	in := newInputs(r.typ, r.job.Inputs)
	defer in.close()
	for range 2 {
		if _, err := in.next(); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if in.record != 1 {
		return errorf(CodeArguments, nil, "the successor of a licence is issued from an input of one record")
	}
	return nil
}

// alreadyDone makes sure that the input is the one that was finished, so that nobody believes that
// records which were added to it have been issued.
func (r *run) alreadyDone(ctx context.Context) error {
	if err := r.in.skip(ctx, r.row.records, r.row.prefix); err != nil {
		return err
	}
	if _, err := r.in.next(); !errors.Is(err, io.EOF) {
		return errorf(CodeInputChanged, err, "the input has more than the %d records that were issued or rejected when this run was finished; "+
			"give the others in a file of their own", r.row.records)
	}
	if err := r.removeStaging(); err != nil {
		return err
	}
	return errorf(CodeJobDone, nil, "this run was finished before: %d records, %d issued, %d rejected; nothing was issued now",
		r.row.records, r.row.issued, r.row.rejected)
}

// open opens the files that the run writes, at the lengths that are registered.
func (r *run) open(ctx context.Context) error {
	stream := r.job.Bundle
	if r.job.Dir != "" {
		if err := os.MkdirAll(r.job.Dir, 0o700); err != nil {
			return storageError("make the output directory", err)
		}
		stream = filepath.Join(r.job.Dir, stagingFile)
	}
	var err error
	if r.stream, err = openTail(stream, r.row.stream, false); err != nil {
		return err
	}
	if r.rejects, err = openTail(r.job.Rejects, r.row.rejects, true); err != nil {
		return err
	}
	if r.shuffle, err = newShuffle(r.iss.random); err != nil {
		return err
	}
	r.numbers = make(map[number]bool, r.job.Batch)
	r.slots, r.files = make(chan struct{}, submissionsAtOnce), make(chan struct{}, filesAtOnce)
	r.clock.now = r.iss.seconds
	if r.nextBatch, r.nextLicence, r.clock.newest, err = r.iss.register.counters(ctx); err != nil {
		return err
	}
	if p := r.job.Predecessor; p != nil {
		r.predecessor, _, err = r.iss.register.licence(ctx, p.Signed.Root, p.Index)
	}
	return err
}

// catchUp has the batches that an earlier run has registered anchored and delivered.
func (r *run) catchUp(ctx context.Context) error {
	batches, err := r.iss.register.undelivered(ctx, r.row.id)
	if err != nil || len(batches) == 0 {
		return err
	}
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)
	for _, b := range batches {
		if b.state == batchPending {
			if err := r.restream(b); err != nil {
				r.fail(err)
				break
			}
		}
		if err := r.submit(ctx, b); err != nil {
			break // the cause of ctx
		}
	}
	r.submissions.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return r.settle(ctx, nil, false)
}

// close closes what the run has open.
func (r *run) close() {
	for _, t := range []*tail{r.stream, r.rejects} {
		if t != nil {
			t.close()
		}
	}
	if r.in != nil {
		r.in.close()
	}
}
