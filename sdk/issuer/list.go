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

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A List is what SetStatusList is to do. A run that was interrupted goes on when SetStatusList is called
// with the same list again.
type List struct {
	Type string // of the licences

	// Inputs are paths of files, one after the other: CSV with a header line, or JSON Lines with one object a
	// line, of texts. Columns, or fields: number or digest of the licence; to, the new state; reason, the
	// code of one; effective, the first day (2026-01-31); successor, number or digest of one that takes its
	// place. Under a number stands the licence that holds it, else the newest that had it.
	Inputs []string

	// What holds for the rows that do not say it; may be empty.
	To        licence.State
	Reason    string
	Effective *licence.Date

	Rejects string // path of the rejects file, which must not exist before
}

// A ListReport is what came of a list, over all runs that worked on it.
type ListReport struct {
	Job      int64 // its id in the vault
	Rows     int64 // those that are settled: Changed + Already + Rejected
	Changed  int64
	Already  int64 // the licence was in that state, perhaps since an interrupted run
	Rejected int64
	Resumed  bool // this run went on where another had been interrupted

	Reasons map[string]int64 // of Rejected, by the code of the first thing that is wrong with the row
	Rejects string           // path of the rejects file; empty if nothing was rejected
}

// SetStatusList changes the status of licences as a list says. A row that is not right, or a change that cannot be
// made, goes to the rejects file (see Rejection) while the rest goes on. The vault must have caught up with the
// ledger (CatchUp). progress, unless it is nil, is called now and then, with Issued for what was changed or was
// in that state already.
//
// For an error holds what holds for Issue. A list that was finished is CodeJobDone.
func (iss *Issuer) SetStatusList(ctx context.Context, by vault.By, list List, progress func(Progress)) (ListReport, error) {
	r := &listRun{task: task{iss: iss, by: by, done: "changed"}, list: list, progress: progress}
	if err := r.prepare(); err != nil {
		return ListReport{}, err
	}
	defer r.close()
	err := r.begin(ctx)
	if err == nil {
		err = r.run(ctx)
	}
	return r.report(), err
}

// A listRun is one call of SetStatusList. Rows are read and looked up in blocks; their changes are made in
// transactions of the ledger, after each of which the job notes how far it has come. A change that was made
// and not noted is made again, and found to be there already.
type listRun struct {
	task
	list     List
	typ      *licence.Type
	progress func(Progress)
	count    listDetail
}

// A listDetail is how far a list has come, beside what the vault's job has.
type listDetail struct {
	Already int64 `json:"already"`
}

// listKind is the kind of the jobs that SetStatusList begins in the vault.
const listKind = "status"

// listBlock is how many rows are looked up at a time: a digest is looked for among all of the vault.
const listBlock = 1 << 16

// prepare checks the arguments of a list.
func (r *listRun) prepare() (err error) {
	if r.typ, err = r.iss.typ(r.list.Type); err != nil {
		return err
	}
	switch l := &r.list; {
	case len(l.Inputs) == 0:
		return errorf(CodeArguments, nil, "there is no list")
	case l.Rejects == "":
		return errorf(CodeArguments, nil, "say where the rejects go")
	case l.To != "" && !l.To.Valid():
		return errorf(CodeArguments, nil, "the new state is active, suspended, revoked or superseded")
	}
	r.list.Inputs = slices.Clone(r.list.Inputs)
	paths := []*string{&r.list.Rejects}
	for i := range r.list.Inputs {
		paths = append(paths, &r.list.Inputs[i])
	}
	for _, p := range paths {
		if *p, err = filepath.Abs(*p); err != nil {
			return storageError("find a file", err)
		}
	}
	return nil
}

// name tells a list from every other one: SM3 of its arguments.
func (l *List) name() (sm.Hash, error) {
	b, err := json.Marshal(struct {
		Kind, Type string
		Inputs     []string
		To, Reason string
		Effective  *licence.Date
		Rejects    string
	}{listKind, l.Type, l.Inputs, string(l.To), l.Reason, l.Effective, l.Rejects})
	if err != nil {
		return sm.Hash{}, fmt.Errorf("name the list: %w", err)
	}
	return sm.Sum(b), nil
}

// begin brings the run to where it can go on.
func (r *listRun) begin(ctx context.Context) error {
	name, err := r.list.name()
	if err != nil {
		return err
	}
	known, err := r.find(ctx, 0, name)
	if err != nil {
		return err
	}
	if len(r.row.Detail) > 0 && json.Unmarshal(r.row.Detail, &r.count) != nil {
		return errorf(CodeStorage, nil, "the vault's job %d was not begun by this software", r.row.ID)
	}
	r.in = newInputs(listRows, nil, r.list.Inputs)
	switch {
	case known && r.row.Done:
		return r.alreadyDone(ctx)
	case !known:
		if err := r.beginNew(ctx, name); err != nil {
			return err
		}
	}
	if r.rejects, err = openRejects(r.list.Rejects, r.row.Records, r.row.Rejected); err != nil {
		return err
	}
	return r.in.skip(ctx, r.row.Records, r.row.Prefix)
}

func (r *listRun) beginNew(ctx context.Context, name sm.Hash) error {
	if err := checkInputs(listRows, nil, r.list.Inputs); err != nil {
		return err
	}
	if _, err := os.Lstat(r.list.Rejects); err == nil {
		return errorf(CodeOutputExists, nil, "%s exists; name another rejects file, or move it away", r.list.Rejects)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return storageError("look for the rejects file", err)
	}
	return r.add(ctx, name, listKind, r.typ.ID)
}

// run makes the changes of the list.
func (r *listRun) run(ctx context.Context) error {
	for {
		block, inputErr := r.read()
		if err := r.change(ctx, block); err != nil {
			return err
		}
		if errors.Is(inputErr, io.EOF) {
			return r.settle(ctx, nil, r.in.sum(), true)
		} else if inputErr != nil {
			return inputErr
		}
	}
}

// A listed change is one row of a list on its way.
type listed struct {
	item
	prefix sm.Hash // running hash up to this row
	change StatusChange
	result StatusResult
}

// read reads rows until a block is full; the error is why there are no more.
func (r *listRun) read() ([]*listed, error) {
	var block []*listed
	for len(block) < listBlock {
		it, err := r.in.next()
		if err != nil {
			return block, err
		}
		block = append(block, &listed{item: it, prefix: r.in.sum()})
	}
	return block, nil
}

// change makes the changes of a block.
func (r *listRun) change(ctx context.Context, block []*listed) error {
	if err := r.prepareBlock(ctx, block); err != nil {
		return err
	}
	for group := range slices.Chunk(block, chaincode.MaxChanges) {
		var todo []*listed
		for _, l := range group {
			if l.problems == nil {
				todo = append(todo, l)
			}
		}
		if err := r.setStatus(ctx, todo); err != nil {
			return err
		}
		if err := r.settle(ctx, group, group[len(group)-1].prefix, false); err != nil {
			return err
		}
	}
	return nil
}

// rowErrors are the codes of errors that are about one change: the others can be made.
var rowErrors = map[string]bool{
	CodeTransition: true, CodeReason: true, CodeApprovals: true, CodeSuccessor: true, CodeNotAnchored: true, CodeLicenceActive: true,
	vault.CodeNumberTaken: true, vault.CodeUnknown: true,
	chaincode.CodeAnchorUnknown: true, chaincode.CodeAnchorDisowned: true, chaincode.CodeNotInAnchor: true,
}

// setStatus makes changes, in one transaction unless one of them cannot be made: that is found by halves, and
// rejected.
func (r *listRun) setStatus(ctx context.Context, rows []*listed) error {
	if len(rows) == 0 {
		return nil
	}
	changes := make([]StatusChange, len(rows))
	for i, l := range rows {
		changes[i] = l.change
	}
	results, err := r.iss.SetStatus(ctx, r.by, changes, nil)
	switch {
	case err == nil:
		for i, l := range rows {
			l.result = results[i]
		}
		return nil
	case !rowErrors[Code(err)]:
		return err
	case len(rows) == 1:
		rows[0].problems = problem(Code(err), "", "%s", innermost(err))
		return nil
	}
	half := len(rows) / 2
	if err := r.setStatus(ctx, rows[:half]); err != nil {
		return err
	}
	return r.setStatus(ctx, rows[half:])
}

// innermost returns the message of what went wrong, without what it is about.
func innermost(err error) string {
	for {
		cause := errors.Unwrap(err)
		if cause == nil {
			return err.Error()
		}
		err = cause
	}
}

// settle notes how far the list has come.
func (r *listRun) settle(ctx context.Context, group []*listed, prefix sm.Hash, done bool) error {
	row, count := r.row, r.count
	row.Done, row.Prefix = done, prefix
	if err := r.rejects.begin(); err != nil {
		return err
	}
	for _, l := range group {
		row.Records++
		switch {
		case l.problems != nil:
			row.Rejected++
			if err := r.rejects.write(Rejection{Record: l.record, Input: l.input, Line: l.line}, l.problems); err != nil {
				return err
			}
			continue
		case l.result.Outcome == StatusAlready:
			count.Already++
		}
		row.Accepted++
	}
	err := r.rejects.flush()
	if err == nil {
		err = r.rejects.sync()
	}
	if err == nil {
		row.Detail, err = json.Marshal(count)
	}
	if err != nil {
		return err
	}
	put := row
	err = r.iss.write(ctx, r.by, func(tx *vault.Tx) error {
		put = row
		return tx.PutJob(&put)
	})
	if err != nil {
		return err
	}
	r.row, r.count = put, count
	r.rejects.settle()
	if r.progress != nil {
		r.progress(Progress{Rows: r.row.Records, Issued: r.row.Accepted, Rejected: r.row.Rejected, Bytes: r.in.bytes.Load()})
	}
	return r.iss.step(stepListed)
}

// report says what is settled.
func (r *listRun) report() ListReport {
	if r.row.ID == 0 {
		return ListReport{}
	}
	report := ListReport{
		Job: r.row.ID, Rows: r.row.Records, Changed: r.row.Accepted - r.count.Already, Already: r.count.Already,
		Rejected: r.row.Rejected, Resumed: r.resumed,
	}
	if r.rejects != nil {
		report.Reasons = r.rejects.reasons
	}
	if r.row.Rejected > 0 {
		report.Rejects = r.list.Rejects
	}
	return report
}
