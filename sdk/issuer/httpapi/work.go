package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// How long Run waits before it looks again for what could not be done.
const workEvery = 30 * time.Second

// rejectsTTL is how long rejects can be downloaded.
const rejectsTTL = 90 * 24 * time.Hour

// Run does the jobs that callers have begun, and what was approved and could not be done at once, until ctx ends. What
// another Run was interrupted in goes on where it was. Trouble is told to failed, and what can be tried again is, a
// while later. The vault has caught up with the ledger before; one process at a time runs it for a spool.
func (a *API) Run(ctx context.Context, failed func(error)) {
	ticker := time.NewTicker(workEvery)
	defer ticker.Stop()
	for {
		for _, do := range []func(context.Context) error{a.finishApproved, a.doJobs, a.endJobs, a.tidy} {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-a.begun:
		case <-ticker.C:
		}
	}
}

// finishApproved makes the changes that were approved and are still to be made.
func (a *API) finishApproved(ctx context.Context) error {
	approved, err := a.Vault.Proposals(ctx, kindStatus, vault.Approved, maxProposals)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range approved {
		if _, err := a.carryOut(ctx, p.ID); err != nil {
			errs = append(errs, fmt.Errorf("carry out what was approved: %w", err))
		}
	}
	return errors.Join(errs...)
}

// doJobs does all jobs that are not done, oldest first.
func (a *API) doJobs(ctx context.Context) error {
	open, err := a.openJobs(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, j := range open {
		if err := a.do(ctx, j); err != nil {
			errs = append(errs, fmt.Errorf("job %d: %w", j.ID, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// endJobs brings jobs to their end that were killed after the last record and before their upload was destroyed.
func (a *API) endJobs(ctx context.Context) error {
	done, err := a.Vault.Jobs(ctx, true, maxJobs)
	if err != nil {
		return err
	}
	for _, d := range done {
		if d.Kind != kindUpload && d.Kind != kindCheck {
			continue
		}
		j, err := parseJob(d)
		if err == nil && j.Upload.Spool == a.spool && j.Upload.Key != nil {
			err = a.close(ctx, j, issuer.Report{}, j.detail.Problem)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openJobs returns the jobs that are not done and whose uploads lie in the spool, oldest first.
func (a *API) openJobs(ctx context.Context) ([]*job, error) {
	all, err := a.Vault.Jobs(ctx, false, 1<<30)
	if err != nil {
		return nil, err
	}
	var out []*job
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind != kindUpload && all[i].Kind != kindCheck {
			continue
		}
		j, err := parseJob(all[i])
		if err != nil {
			return nil, err
		}
		if j.Upload.Spool == a.spool {
			out = append(out, j)
		}
	}
	return out, nil
}

// do does a job. What can be tried again is an error; what cannot is noted with the job.
func (a *API) do(ctx context.Context, j *job) error {
	a.progress.set(j.ID, issuer.Progress{Rows: j.Records, Issued: j.Accepted, Rejected: j.Rejected})
	defer a.progress.set(0, issuer.Progress{})
	task := issuer.Job{
		Type: j.Type, Inputs: []string{j.Upload.Name}, Rejects: a.rejects(&j.Upload), Batch: statement.MaxBatch,
		Open:      func(string) (io.ReadCloser, error) { return a.openUpload(&j.Upload) },
		ValidFrom: j.ValidFrom, ValidUntil: j.ValidUntil, Predecessor: j.Predecessor,
	}
	tell := func(at issuer.Progress) { a.progress.set(j.ID, at) }
	var report issuer.Report
	var err error
	if j.Kind == kindCheck {
		if err := os.Remove(task.Rejects); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return storageError(err)
		}
		report, err = a.Issuer.DryRun(ctx, j.By, task, tell)
	} else {
		task.ID = j.ID
		report, err = a.Issuer.Issue(ctx, j.By, task, tell)
	}
	problem := failed(err)
	if err != nil && problem == nil && issuer.Code(err) != issuer.CodeJobDone {
		return err
	}
	return a.close(ctx, j, report, problem)
}

// close notes that a job has come to its end. What was uploaded for it is destroyed: the file, and the key that it was
// sealed under, so that no copy of the file can be read either.
func (a *API) close(ctx context.Context, j *job, report issuer.Report, problem *failure) error {
	now, err := a.Vault.Job(ctx, j.ID)
	if err != nil {
		return err
	}
	if j.Kind == kindCheck && !now.Done {
		now.Records, now.Accepted, now.Rejected = report.Rows, report.Issued, report.Rejected
	}
	ended := j.detail
	ended.Problem, ended.Upload.Key = problem, nil
	if now.Detail, err = json.Marshal(ended); err != nil {
		return err
	}
	now.Done = true
	if err := a.Vault.Write(ctx, j.By, func(tx *vault.Tx) error { return tx.PutJob(now) }); err != nil {
		return err
	}
	a.drop(&j.Upload)
	return nil
}

// failed returns why a job can never be done; nil if it can be tried again.
func failed(err error) *failure {
	var input *licence.InputError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errSpoolAltered), errors.Is(err, fs.ErrNotExist):
		return &failure{codeInput, "the upload is not there any more, or was altered: send the file again; what was issued of it is rejected then"}
	case errors.As(err, &input):
		if input.Line > 0 {
			return &failure{codeInput, fmt.Sprintf("line %d: %s", input.Line, input.Message)}
		}
		return &failure{codeInput, input.Message}
	}
	switch code := issuer.Code(err); code {
	case issuer.CodeArguments, issuer.CodeInputChanged, issuer.CodeUnreconciled, issuer.CodeOutputDamaged, issuer.CodeTypeUnknown:
		return &failure{codeInput, "the job cannot be done (" + code + "); ask the operator"}
	case vault.CodeErased, vault.CodeNoContent, vault.CodeContentsLost:
		return &failure{code, "send the file again once that is repaired"}
	}
	return nil
}

// drop removes the file of an upload.
func (a *API) drop(u *upload) { _ = os.Remove(a.path(u)) }

// tidy removes uploads that belong to no job that is to be done, which an interruption can leave, and rejects that are
// old. A file that was made a moment ago may belong to a job that is just being begun.
func (a *API) tidy(ctx context.Context) error {
	files, err := os.ReadDir(a.Spool)
	if err != nil {
		return storageError(err)
	}
	open, err := a.openJobs(ctx)
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	for _, j := range open {
		needed[j.Upload.Name] = true
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue // gone
		}
		age := time.Since(info.ModTime())
		upload, isUpload := strings.CutSuffix(f.Name(), uploadExtension)
		rejects, isRejects := strings.CutSuffix(f.Name(), rejectsExtension)
		if isUpload && !needed[upload] && age > time.Hour || isRejects && !needed[rejects] && age > rejectsTTL {
			if err := os.Remove(filepath.Join(a.Spool, f.Name())); err != nil {
				return storageError(err)
			}
		}
	}
	return nil
}
