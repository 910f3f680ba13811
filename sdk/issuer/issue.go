package issuer

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Job is what Issue is to do. A run that was interrupted goes on when Issue is called with the
// same job again; only Batch may be another then.
type Job struct {
	Type   string
	Inputs []string // paths of files in any format of licence.NewReader, one after the other

	// Where the credentials go: one of the two. In Dir each becomes a file of its own, see
	// CredentialFile; Bundle is one file with all of them in the order of the input, a CBOR
	// sequence (RFC 8742). Neither may hold credentials of another run.
	Dir    string
	Bundle string

	Rejects string // path of the rejects file, see Rejection; default: rejects.jsonl in Dir, or Bundle with .rejects.jsonl
	Batch   int    // records per batch, 1 to statement.MaxBatch; default: 1

	// First and last day of validity of every licence, instead of those in the input. Types that
	// are permanent take no last day.
	ValidFrom, ValidUntil *licence.Date

	// Predecessor is the licence that the only record of the input takes the place of. The new
	// licence names it, and may have the same number. It stays what it is until SetStatus makes it
	// superseded.
	Predecessor *credential.Opened
}

// A Report is what came of a job, over all runs that worked on it.
type Report struct {
	Rows     int64 // records of the input that are settled: Issued + Rejected
	Issued   int64
	Rejected int64
	Batches  int64 // on the ledger
	Pending  int64 // of Issued, those not yet known to be on the ledger; 0 at the end of the job
	Resumed  bool  // this run went on where another had been interrupted

	Rejects string // path of the rejects file; empty if nothing was rejected

	// ClockBehind is by how much the clock lagged behind the newest licence of the register, which
	// is what the licences are dated with in that case: dates of issue never go back.
	ClockBehind time.Duration
}

// Progress is how far a run has come.
type Progress struct {
	Rows, Issued, Rejected int64 // as in Report
	Anchored               int64 // licences that this run has brought to the ledger
	Bytes                  int64 // of the inputs that were read
}

// Issue issues the licences in the inputs. Records that are not right go to the rejects file while
// the rest goes on; progress, unless it is nil, is called now and then. One Issue at a time works on
// a register, another waits for some seconds and then is CodeRegisterInUse.
//
// After an error (Ctrl-C, a full disk, a ledger that is down) the report says what is settled, and
// Issue goes on from there when it is called with the same job again. An input that cannot be read
// further has the code of package licence, and what stands before is issued. A job that was finished
// is CodeJobDone, and nothing is issued.
func (iss *Issuer) Issue(ctx context.Context, job Job, progress func(Progress)) (Report, error) {
	r := &run{iss: iss, progress: progress}
	if err := r.prepareJob(job); err != nil {
		return Report{}, err
	}
	release, err := iss.register.lease(ctx)
	if err != nil {
		return Report{}, err
	}
	defer release()
	defer r.close()
	if err = r.begin(ctx); err == nil {
		err = r.issue(ctx)
	}
	return r.report(ctx, err)
}

// prepareJob checks the arguments of a job, and fills in what was left out.
func (r *run) prepareJob(job Job) error {
	var err error
	if r.typ, err = r.iss.typ(job.Type); err != nil {
		return err
	}
	if job.Batch == 0 {
		job.Batch = 1
	}
	switch {
	case r.iss.anchor == nil:
		return errorf(CodeSignerMissing, nil, "issuing needs the department's key for anchors")
	case !slices.Contains(r.iss.department.Issues, job.Type):
		return errorf(chaincode.CodeTypeNotIssued, nil, "%s does not issue the type %s", r.iss.department.ID, job.Type)
	case len(job.Inputs) == 0:
		return errorf(CodeArguments, nil, "there is no input to issue from")
	case (job.Dir == "") == (job.Bundle == ""):
		return errorf(CodeArguments, nil, "the credentials go either to a directory or to a bundle")
	case job.Batch < 1 || job.Batch > statement.MaxBatch:
		return errorf(CodeArguments, nil, "a batch has 1 to %d licences", statement.MaxBatch)
	case job.ValidUntil != nil && r.typ.Validity == licence.ValidityPermanent:
		return errorf(CodeArguments, nil, "licences of the type %s have no last day of validity", r.typ.ID)
	case job.ValidFrom != nil && job.ValidUntil != nil && *job.ValidFrom > *job.ValidUntil:
		return errorf(CodeArguments, nil, "the last day of validity must not be before the first")
	}
	paths := []*string{&job.Dir, &job.Bundle, &job.Rejects}
	switch {
	case job.Rejects != "":
	case job.Dir != "":
		job.Rejects = filepath.Join(job.Dir, "rejects.jsonl")
	default:
		job.Rejects = job.Bundle + ".rejects.jsonl"
	}
	job.Inputs = slices.Clone(job.Inputs)
	for i := range job.Inputs {
		paths = append(paths, &job.Inputs[i])
	}
	for _, p := range paths {
		if *p == "" {
			continue
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return storageError("find a file", err)
		}
	}
	if job.Rejects == job.Bundle {
		return errorf(CodeArguments, nil, "bundle and rejects file must be two files")
	}
	if p := job.Predecessor; p != nil {
		if err := r.iss.ours(p); err != nil {
			return err
		}
		if p.Type.ID != job.Type {
			return errorf(CodeArguments, nil, "the predecessor is of another type than %s", job.Type)
		}
	}
	r.job = job
	return nil
}

// name tells a job from every other one: SM3 of its arguments, without those that may change.
func (j *Job) name() (sm.Hash, error) {
	arguments := struct {
		Type                  string
		Inputs                []string
		Dir, Bundle, Rejects  string
		ValidFrom, ValidUntil *licence.Date
		Predecessor           *sm.Hash
	}{j.Type, j.Inputs, j.Dir, j.Bundle, j.Rejects, j.ValidFrom, j.ValidUntil, nil}
	if j.Predecessor != nil {
		arguments.Predecessor = &j.Predecessor.Digest
	}
	b, err := json.Marshal(arguments)
	if err != nil {
		return sm.Hash{}, fmt.Errorf("name the run: %w", err)
	}
	return sm.Sum(b), nil
}
