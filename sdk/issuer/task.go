package issuer

import (
	"context"
	"errors"
	"io"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// A task is a job of the vault that one run works on: what Issue and SetStatusList have in common. It reads
// inputs from where an earlier run had come, and writes what it rejects to a file.
type task struct {
	iss  *Issuer
	by   vault.By
	done string // what is done with a record that is accepted, in a word

	row     vault.Job // as the vault has it
	resumed bool
	in      *inputs
	rejects *rejectsFile
}

// find looks for the task's job in the vault, by its id, or if that is 0 by its name.
func (t *task) find(ctx context.Context, id int64, name sm.Hash) (known bool, err error) {
	var row *vault.Job
	if id != 0 {
		row, err = t.iss.vault.Job(ctx, id)
	} else if row, err = t.iss.vault.JobNamed(ctx, name); vault.Code(err) == vault.CodeUnknown {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.row, t.resumed = *row, id == 0 || row.Done || row.Records > 0
	return true, nil
}

// add begins the task's job in the vault.
func (t *task) add(ctx context.Context, name sm.Hash, kind, typ string) error {
	t.row = vault.Job{Name: name, Kind: kind, Type: typ, Prefix: t.in.sum()}
	err := t.iss.write(ctx, t.by, func(tx *vault.Tx) error { return tx.AddJob(&t.row) })
	if vault.Code(err) == vault.CodeJobExists {
		return errorf(CodeJobInUse, err, "another run has just begun this job; let it come to its end")
	}
	return err
}

// look reads again how far the job has come: a run that has just ended may have brought it further.
func (t *task) look(ctx context.Context) error {
	row, err := t.iss.vault.Job(ctx, t.row.ID)
	if err == nil {
		t.row = *row
	}
	return err
}

// alreadyDone makes sure that the input is the one that was finished, so that nobody believes that
// anything was done with records which were added to it.
func (t *task) alreadyDone(ctx context.Context) error {
	if err := t.in.skip(ctx, t.row.Records, t.row.Prefix); err != nil {
		return err
	}
	if _, err := t.in.next(); !errors.Is(err, io.EOF) {
		return errorf(CodeInputChanged, err, "the input has more than the %d records that were %s or rejected when this run was finished; "+
			"give the others in a file of their own", t.row.Records, t.done)
	}
	return errorf(CodeJobDone, nil, "this run was finished before: %d records, %d %s, %d rejected; nothing was %s now",
		t.row.Records, t.row.Accepted, t.done, t.row.Rejected, t.done)
}

// close closes what the task has open.
func (t *task) close() {
	if t.rejects != nil && t.rejects.tail != nil {
		t.rejects.close()
	}
	if t.in != nil {
		t.in.close()
	}
}
