package issuer

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/credledger/credledger/sdk/licence"
)

// A run is one call of Issue.
//
// The records of the inputs are read in chunks of one batch each, drafted (parsed, checked,
// committed to) on all cores, and settled in their order, several chunks at a time:
//
//  1. A transaction of the register begins. In random order the licences take their numbers; those
//     whose number is held by another are rejected. The others are put under one signed head per
//     chunk.
//  2. The credentials are appended to the stream (the bundle, or the staging file of a run that makes
//     one file per licence), and what was rejected to the rejects file. Both are synced.
//  3. The batches are registered as pending: their signed heads, digests and places in the stream;
//     and how far the run has come: the records settled, a hash over them, and how long stream and
//     rejects file are. The transaction is committed, and synced.
//  4. Each batch is submitted to the ledger, while the next chunks are settled.
//  5. What is known to be on the ledger is registered as anchored, with step 3 of later chunks.
//  6. If each licence gets its own file: the files of an anchored batch are written from the staging
//     file, each under another name first, synced and renamed. Then the batch is registered as
//     delivered, with step 3 of later chunks. In a bundle it is delivered when it is anchored.
//  7. When the inputs have come to their end and all is delivered, the run is registered as done. The
//     staging file is removed.
//
// Killed at any moment, and run again:
//
//   - Before the end of step 3 the transaction never was, and nobody has seen what was written: the
//     stream and the rejects file are cut to the lengths that are registered, and these records are
//     issued anew.
//   - After step 3 the numbers are taken, so that nothing is issued twice, and the batch is known
//     before the ledger can know it. A pending batch is submitted byte for byte as it is registered;
//     that the ledger has it already is as good as that it takes it now. Only if the ledger refuses
//     it because its key was retired since, it is signed anew, see resign.
//   - After step 4 likewise, and files that are there with the right content are left as they are.
//   - The records settled are read again and not parsed; if the hash over them differs, the input was
//     changed, and the run goes no further.
type run struct {
	iss      *Issuer
	job      Job
	typ      *licence.Type
	progress func(Progress)

	row         jobRow // what is registered
	resumed     bool
	predecessor int64 // licence id of the job's predecessor; 0: none, or not in this register

	in    *inputs // of the reader, as is the clock
	clock clock

	stream                 *tail
	rejects                *tail
	nextBatch, nextLicence int64
	shuffle                *rand.Rand
	numbers                map[number]bool // of the chunk in work
	buf                    []byte

	slots       chan struct{} // one for each batch on its way to the ledger
	files       chan struct{} // one for each file that is being written
	submissions sync.WaitGroup
	fail        context.CancelCauseFunc
	anchored    atomic.Int64 // licences

	mu     sync.Mutex
	states []batchState // reached and not yet registered
}

// submissionsAtOnce is how many batches are on their way to the ledger at the same time; a ledger
// commits many at once.
const submissionsAtOnce = 64

// issue settles the rest of the inputs, once begin has seen to what an earlier run left.
func (r *run) issue(ctx context.Context) error {
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)

	cores := runtime.GOMAXPROCS(0)
	depth := max(cores, recordsInFlight/r.job.Batch)
	toDraft, ordered := make(chan *chunk, depth), make(chan *chunk, depth)
	var inputErr error // that ended the reading; what was read before is settled
	var stages sync.WaitGroup
	stages.Go(func() {
		inputErr = r.read(ctx, toDraft, ordered)
		close(toDraft)
		close(ordered)
	})
	for range cores {
		stages.Go(func() {
			if err := r.draft(ctx, toDraft); err != nil {
				r.fail(err)
			}
		})
	}
	if err := r.settleAll(ctx, ordered); err != nil {
		r.fail(err)
	}
	stages.Wait()
	r.submissions.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return r.finish(ctx, inputErr)
}

// finish registers the end of the run: of the whole job if the inputs were read to their end.
func (r *run) finish(ctx context.Context, inputErr error) error {
	if err := r.settle(ctx, nil, inputErr == nil); err != nil {
		return err
	}
	if inputErr != nil {
		return inputErr
	}
	if err := r.iss.step(stepDone); err != nil {
		return err
	}
	return r.removeStaging()
}

// report says what is settled, beside the error with which the run ended.
func (r *run) report(ctx context.Context, err error) (Report, error) {
	if r.row.id == 0 {
		return Report{}, err
	}
	report := Report{
		Rows: r.row.records, Issued: r.row.issued, Rejected: r.row.rejected,
		Resumed: r.resumed, ClockBehind: r.clock.lag(),
	}
	if r.row.rejected > 0 {
		report.Rejects = r.job.Rejects
	}
	var countErr error
	report.Batches, report.Pending, countErr = r.iss.register.batches(context.WithoutCancel(ctx), r.row.id)
	return report, errors.Join(err, countErr)
}

// tell calls the caller's function.
func (r *run) tell() {
	if r.progress != nil {
		r.progress(Progress{
			Rows: r.row.records, Issued: r.row.issued, Rejected: r.row.rejected,
			Anchored: r.anchored.Load(), Bytes: r.in.bytes.Load(),
		})
	}
}
