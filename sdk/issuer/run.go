package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// A run is one call of Issue. It takes the steps of docs/ISSUANCE.md for many records at a time.
//
// The records of the inputs are read in chunks of one batch each, drafted and sealed on all cores, and settled
// in their order, several chunks in one transaction of the vault. In it, beside the batches:
//
//   - what was rejected is appended to the rejects file, which is synced;
//   - batches of earlier transactions that have come to the ledger, and to where they are delivered, are
//     noted; the bundle is synced up to their end;
//   - the job notes how far it has come: how many records are settled, a hash over them, and how long
//     the bundle is.
//
// Then each of the new batches is submitted to the ledger, while the next chunks are settled, and when it is
// there it is delivered: its credentials become files of their own, each written under another name first,
// synced and renamed; or they are appended to the bundle, one batch after the other. Without both it is
// delivered as it is.
//
// Killed at any moment, and run again:
//
//   - What the job does not count is cut off the bundle and the rejects file, and these records are issued anew:
//     their transaction never was.
//   - Batches of the job that the vault does not take for delivered are submitted, byte for byte as they
//     are in the vault, unless they are on the ledger, and delivered from the vault; files that are there with
//     the right content are left as they are.
//   - The records settled are read again and not parsed; if the hash over them differs, the input was
//     changed, and the run goes no further.
type run struct {
	task
	job      Job
	typ      *licence.Type
	terms    terms
	progress func(Progress)

	ledger int64    // licences found on the ledger at the end; -1: not counted
	dir    *os.File // the directory, locked; nil: none
	bundle *tail    // nil: none

	slots    chan struct{}  // one for each batch that is on its way
	files    chan struct{}  // one for each file that is being written
	queue    chan *delivery // batches in the order of the bundle, if there is one
	work     sync.WaitGroup
	fail     context.CancelCauseFunc
	anchored atomic.Int64 // licences

	mu       sync.Mutex
	finished []*delivery // delivered, and not yet noted in the vault
}

// submissionsAtOnce is how many batches are on their way to the ledger at the same time; a ledger
// commits many at once.
const submissionsAtOnce = 64

// The steps of a run, beside those of the batches, after which a test can end it.
const (
	stepBegun     = "begun"     // the job is in the vault, its files are there
	stepWritten   = "written"   // the rejects file is, and the transaction is not
	stepDelivered = "delivered" // one batch is
	stepDone      = "done"      // all is, and noted
	stepListed    = "listed"    // one transaction of a list of status changes is, and noted
)

// importKind is the kind of the jobs that Issue begins in the vault.
const importKind = "import"

// A detail is what a run needs to go on, beside what the vault's job has.
type detail struct {
	Bundle int64 `json:"bundle"` // length that counts
}

// begin brings the run to where it can go on: it begins a new job, or finds one that was interrupted, and opens
// the outputs as they are settled.
func (r *run) begin(ctx context.Context) error {
	r.ledger = -1
	name, err := r.job.name()
	if err != nil {
		return err
	}
	known, err := r.find(ctx, r.job.ID, name)
	if err != nil {
		return err
	}
	r.in = newInputs(licenceRecords(r.typ), r.job.Open, r.job.Inputs)
	switch {
	case known && r.row.Type != r.typ.ID:
		return errorf(CodeArguments, nil, "job %d of the vault is of another type than %s", r.row.ID, r.typ.ID)
	case known && r.row.Done:
		return r.alreadyDone(ctx)
	}
	if _, err := r.iss.signers(ctx, statement.PurposeAnchor, false); err != nil {
		return err
	}
	if err := r.prepareTerms(ctx); err != nil {
		return err
	}
	if !known {
		if err := r.checkNew(); err != nil {
			return err
		}
		if err := r.job.mustBeNew(); err != nil {
			return err
		}
		if err := r.add(ctx, name, importKind, r.typ.ID); err != nil {
			return err
		}
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	r.slots, r.files = make(chan struct{}, submissionsAtOnce), make(chan struct{}, filesAtOnce)
	r.queue = make(chan *delivery, submissionsAtOnce)
	return r.iss.step(stepBegun)
}

// prepareTerms finds out what is said about all licences of the job.
func (r *run) prepareTerms(ctx context.Context) (err error) {
	r.terms = terms{validFrom: r.job.ValidFrom, validUntil: r.job.ValidUntil}
	if r.job.Predecessor != 0 {
		r.terms.predecessor, err = r.iss.predecessor(ctx, r.by, r.typ, r.job.Predecessor)
	}
	return err
}

// checkNew refuses inputs that cannot be those of a new job.
func (r *run) checkNew() error {
	if err := checkInputs(licenceRecords(r.typ), r.job.Open, r.job.Inputs); err != nil || r.job.Predecessor == 0 {
		return err
	}
	in := newInputs(licenceRecords(r.typ), r.job.Open, r.job.Inputs)
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

// open opens the outputs, and cuts them to what is settled, which it looks up once they are locked.
func (r *run) open(ctx context.Context) error {
	var err error
	if r.job.Dir != "" {
		if err := os.MkdirAll(r.job.Dir, 0o700); err != nil {
			return storageError("make the output directory", err)
		}
		if r.dir, err = os.Open(r.job.Dir); err != nil {
			return storageError("open the output directory", err)
		}
		if err := lock(r.dir); err != nil {
			return err
		}
	}
	var d detail
	if r.job.Bundle != "" {
		if d, err = parseDetail(&r.row); err != nil {
			return err
		}
		if r.bundle, err = openTail(r.job.Bundle, d.Bundle, false); err != nil {
			return err
		}
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	if r.bundle != nil {
		if d, err = parseDetail(&r.row); err != nil {
			return err
		}
		if err := r.bundle.cut(d.Bundle); err != nil {
			return err
		}
	}
	r.rejects, err = openRejects(r.job.Rejects, r.row.Records, r.row.Rejected)
	return err
}

func parseDetail(row *vault.Job) (d detail, err error) {
	if len(row.Detail) > 0 && json.Unmarshal(row.Detail, &d) != nil {
		return d, errorf(CodeStorage, nil, "the vault's job %d was not begun by this software", row.ID)
	}
	return d, nil
}

// issue finishes what an earlier run left, and settles the rest of the inputs.
func (r *run) issue(ctx context.Context) error {
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.fail(nil)
	r.work.Go(func() { r.fillBundle(ctx) })
	inputErr, err := r.settleInputs(ctx)
	if err != nil {
		r.fail(err)
	}
	close(r.queue)
	r.work.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return r.finish(ctx, inputErr)
}

// settleInputs settles the inputs from where an earlier run had come. inputErr is what has ended the
// reading; what was read before is settled.
func (r *run) settleInputs(ctx context.Context) (inputErr, err error) {
	if err := r.goOn(ctx); err != nil {
		return nil, err
	}
	if err := r.in.skip(ctx, r.row.Records, r.row.Prefix); err != nil {
		return nil, err
	}
	return r.iss.pipeline(r.typ, r.terms, r.in, r.job.Batch, true).run(ctx, r.fail, r.settleAll)
}

// finish notes the end of the run: of the whole job if the inputs were read to their end, and all of it is where
// it should be.
func (r *run) finish(ctx context.Context, inputErr error) error {
	if err := r.settle(ctx, nil, false); err != nil || inputErr != nil {
		return errors.Join(err, inputErr)
	}
	var err error
	if r.ledger, err = r.reconcile(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx, nil, true); err != nil {
		return err
	}
	return r.iss.step(stepDone)
}

// report says what is settled, beside the error with which the run ended.
func (r *run) report(ctx context.Context, err error) (Report, error) {
	if r.row.ID == 0 {
		return Report{}, err
	}
	report := Report{
		Job: r.row.ID, Rows: r.row.Records, Issued: r.row.Accepted, Rejected: r.row.Rejected, OnLedger: r.ledger,
		Resumed: r.resumed, ClockBehind: r.iss.clock.behind(),
	}
	if r.rejects != nil {
		report.Reasons = r.rejects.reasons
	}
	if r.row.Rejected > 0 {
		report.Rejects = r.job.Rejects
	}
	totals, countErr := r.iss.vault.JobTotals(context.WithoutCancel(ctx), r.row.ID)
	report.Batches, report.Anchored = totals.Batches, totals.Anchored
	return report, errors.Join(err, countErr)
}

// tell calls the caller's function.
func (r *run) tell() {
	if r.progress != nil {
		r.progress(Progress{
			Rows: r.row.Records, Issued: r.row.Accepted, Rejected: r.row.Rejected,
			Anchored: r.anchored.Load(), Bytes: r.in.bytes.Load(),
		})
	}
}

// close closes what the run has open.
func (r *run) close() {
	_ = closeIf(r.dir)
	if r.bundle != nil {
		r.bundle.close()
	}
	r.task.close()
}
