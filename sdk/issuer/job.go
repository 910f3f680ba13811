package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Job is what Issue is to do. A run that was interrupted goes on when Issue is called with the
// same job again; only Batch and Open may be others then.
type Job struct {
	Type   string
	Inputs []string // paths of files in any format of licence.NewReader, one after the other

	// Open opens an input by its path, from the beginning each time. Default: os.Open.
	Open func(path string) (io.ReadCloser, error)

	// Where the credentials go: at most one of the two. In Dir each becomes a file of its own, see
	// CredentialFile; Bundle is one file with all of them in the order of the input, a CBOR
	// sequence (RFC 8742). Neither may hold credentials of another run. Without both they stay in the
	// vault alone, see Credentials.
	Dir    string
	Bundle string

	// Rejects is the path of the rejects file, see Rejection. Default: rejects.jsonl in Dir, or Bundle with
	// .rejects.jsonl; without both it must be named.
	Rejects string

	Batch int // records per batch, 1 to statement.MaxBatch; default: 1

	// First and last day of validity of every licence, instead of those in the input. Types that
	// are permanent take no last day.
	ValidFrom, ValidUntil *licence.Date

	// Predecessor is the licence that the only record of the input takes the place of; 0: none. The new
	// licence names it, and may have the same number. It stays what it is until SetStatus makes it
	// superseded.
	Predecessor vault.ID

	// ID is a job of the vault that was begun for this one with vault.Tx.AddJob; 0: Issue begins one,
	// named by the arguments above. Kind and Detail of the former stay as they are, and it has no Bundle.
	ID int64
}

// A Report is what came of a job, over all runs that worked on it.
type Report struct {
	Job      int64 // its id in the vault; 0 of a dry run
	Rows     int64 // records of the input that are settled: Issued + Rejected
	Issued   int64 // put into the vault under a signed head; in a dry run, those that would be
	Rejected int64
	Batches  int64
	Anchored int64 // of Issued, those that the vault knows to be on the ledger
	OnLedger int64 // of Issued, those that were found on the ledger when the job was done; -1: it is not done
	Resumed  bool  // this run went on where another had been interrupted

	Reasons map[string]int64 // of Rejected: how many records by the code of the first thing that is wrong with them
	Rejects string           // path of the rejects file; empty if nothing was rejected

	// ClockBehind is by how much the clock lagged behind the newest licence of the vault, which is
	// what the licences are dated with in that case: dates of issue never go back.
	ClockBehind time.Duration
}

// Progress is how far a run has come.
type Progress struct {
	Rows, Issued, Rejected int64 // as in Report
	Anchored               int64 // licences that this run has brought to the ledger
	Bytes                  int64 // of the inputs that were read
}

// Issue issues the licences in the inputs. Records that are not right go to the rejects file while
// the rest goes on; progress, unless it is nil, is called now and then. The vault must have caught up with
// the ledger (CatchUp).
//
// After an error (Ctrl-C, a full disk, a ledger that is down) the report says what is settled, and
// Issue goes on from there when it is called with the same job again. An input that cannot be read
// further has the code of package licence, and what stands before is issued. A job that was finished
// is CodeJobDone, and nothing is issued. While somebody else works on the job, or writes to the same
// output, it is CodeJobInUse.
//
// At the end the job is reconciled: the records of the input are those issued and those rejected, and
// those issued are on the ledger, counted in the vault and on the ledger itself. If they are not, it is
// CodeUnreconciled.
func (iss *Issuer) Issue(ctx context.Context, by vault.By, job Job, progress func(Progress)) (Report, error) {
	r := &run{task: task{iss: iss, by: by, done: "issued"}, progress: progress}
	if err := r.prepareJob(job); err != nil {
		return Report{}, err
	}
	defer r.close()
	err := r.begin(ctx)
	if err == nil {
		err = r.issue(ctx)
	}
	return r.report(ctx, err)
}

// prepareJob checks the arguments of a job, and fills in what was left out.
func (r *run) prepareJob(job Job) error {
	var err error
	if r.typ, err = r.iss.issuable(job.Type); err != nil {
		return err
	}
	if err := checkValidity(r.typ, job.ValidFrom, job.ValidUntil); err != nil {
		return err
	}
	if job.Batch == 0 {
		job.Batch = 1
	}
	switch {
	case len(job.Inputs) == 0:
		return errorf(CodeArguments, nil, "there is no input to issue from")
	case job.Dir != "" && job.Bundle != "":
		return errorf(CodeArguments, nil, "the credentials go either to a directory or to a bundle")
	case job.ID != 0 && job.Bundle != "":
		return errorf(CodeArguments, nil, "a job that was begun in the vault has no bundle")
	case job.Dir == "" && job.Bundle == "" && job.Rejects == "":
		return errorf(CodeArguments, nil, "say where the rejects go")
	case job.Batch < 1 || job.Batch > statement.MaxBatch:
		return errorf(CodeArguments, nil, "a batch has 1 to %d licences", statement.MaxBatch)
	}
	switch {
	case job.Rejects != "":
	case job.Dir != "":
		job.Rejects = filepath.Join(job.Dir, "rejects.jsonl")
	default:
		job.Rejects = job.Bundle + ".rejects.jsonl"
	}
	job.Inputs = slices.Clone(job.Inputs)
	paths := []*string{&job.Dir, &job.Bundle, &job.Rejects}
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
	r.job = job
	return nil
}

// name tells a job from every other one: SM3 of its arguments, without those that may change.
func (j *Job) name() (sm.Hash, error) {
	b, err := json.Marshal(struct {
		Type                  string
		Inputs                []string
		Dir, Bundle, Rejects  string
		ValidFrom, ValidUntil *licence.Date
		Predecessor           vault.ID
	}{j.Type, j.Inputs, j.Dir, j.Bundle, j.Rejects, j.ValidFrom, j.ValidUntil, j.Predecessor})
	if err != nil {
		return sm.Hash{}, fmt.Errorf("name the run: %w", err)
	}
	return sm.Sum(b), nil
}

// outputs are the files that a new job must not find.
func (j *Job) outputs() ([]string, error) {
	paths := []string{j.Rejects}
	if j.Bundle != "" {
		paths = append(paths, j.Bundle)
	}
	if j.Dir != "" {
		other, err := credentialIn(j.Dir)
		if err != nil {
			return nil, err
		}
		if other != "" {
			paths = append(paths, other)
		}
	}
	return paths, nil
}

// mustBeNew refuses outputs that are there.
func (j *Job) mustBeNew() error {
	paths, err := j.outputs()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return errorf(CodeOutputExists, nil, "%s exists, and is not of this run; name another output, or move it away", path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return storageError("look for the output", err)
		}
	}
	return nil
}
