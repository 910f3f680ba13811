package vault

import (
	"context"
	"database/sql"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// A Job is something long, an import or a list of status changes, and how far it has come.
type Job struct {
	ID        int64
	Name      sm.Hash // of its arguments: the same job is not begun twice
	Kind      string  // 1 to 40 bytes
	Type      string  // licence type; empty: none
	StartedAt time.Time
	ChangedAt time.Time
	Records   int64   // of the input, those that are settled: Accepted + Rejected
	Accepted  int64   //
	Rejected  int64   //
	Prefix    sm.Hash // running hash over the settled records as they came
	Done      bool
	By        By     // who began it
	Detail    []byte // what it needs to go on, up to MaxDetail bytes; sealed

	settled int64 // Records, as they are in the vault
}

// MaxDetail is the greatest length of what a job needs to go on, in bytes.
const MaxDetail = 64 << 10

const maxKind = 40

func (j *Job) check() error {
	if j.Kind == "" || len(j.Kind) > maxKind || len(j.Type) > maxType || len(j.Detail) > MaxDetail {
		return errorf(CodeArgument, nil, "a job has a kind of 1 to %d bytes and a detail of up to %d", maxKind, MaxDetail)
	}
	return nil
}

// AddJob begins a job, and fills in its id, times and By. Error: CodeJobExists.
func (t *Tx) AddJob(j *Job) error {
	if err := j.check(); err != nil {
		return err
	}
	at := time.Unix(t.at, 0).UTC()
	j.StartedAt, j.ChangedAt, j.By, j.settled = at, at, t.by, j.Records
	sealed, err := t.sealJob(j)
	if err != nil {
		return err
	}
	j.ID, err = t.insertID("begin a job", "INSERT INTO vault_job (name, kind, type, started_at, changed_at, records, accepted, rejected, prefix, sealed, done) "+
		"VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
		j.Name[:], j.Kind, j.Type, t.at, j.Records, j.Accepted, j.Rejected, j.Prefix[:], sealed, j.Done)
	if sqldb.Code(err) == sqldb.CodeUnique {
		return errorf(CodeJobExists, nil, "a job with these arguments was begun before")
	}
	return err
}

// PutJob writes how far a job has come: its counters, Prefix, Done and Detail. It may be called with the same
// Job again only if the transaction was done.
//
// Errors: CodeUnknown; CodeJobMoved if the job has come further than where this Job was read, or put, last:
// somebody else works on it.
func (t *Tx) PutJob(j *Job) error {
	if err := j.check(); err != nil {
		return err
	}
	sealed, err := t.sealJob(j)
	if err != nil {
		return err
	}
	n, err := t.exec("write a job", "UPDATE vault_job SET changed_at = $1, records = $2, accepted = $3, rejected = $4, prefix = $5, sealed = $6, done = $7 WHERE id = $8 AND records = $9",
		t.at, j.Records, j.Accepted, j.Rejected, j.Prefix[:], sealed, j.Done, j.ID, j.settled)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.notPut(j.ID)
	}
	j.ChangedAt, j.settled = time.Unix(t.at, 0).UTC(), j.Records
	return nil
}

// notPut says why a job could not be written.
func (t *Tx) notPut(id int64) error {
	var n int
	if err := t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM vault_job WHERE id = $1", id).Scan(&n); err != nil {
		return sqldb.Wrap("write a job", err)
	}
	if n == 0 {
		return errorf(CodeUnknown, nil, "there is no job %d in the vault", id)
	}
	return errorf(CodeJobMoved, nil, "somebody else is working on job %d, and has come further", id)
}

func (t *Tx) sealJob(j *Job) ([]byte, error) {
	plain := dcbor.AppendBytes(appendBy(dcbor.AppendArray(nil, 2), &j.By), j.Detail)
	return t.v.sealRecord(purposeJob, j.Name[:], plain)
}

const selectJob = "SELECT id, name, kind, type, started_at, changed_at, records, accepted, rejected, prefix, sealed, done FROM vault_job "

// Job returns a job by its id. Error: CodeUnknown.
func (v *Vault) Job(ctx context.Context, id int64) (*Job, error) {
	return v.job(ctx, "WHERE id = $1", id)
}

// JobNamed returns a job by the hash of its arguments. Error: CodeUnknown.
func (v *Vault) JobNamed(ctx context.Context, name sm.Hash) (*Job, error) {
	return v.job(ctx, "WHERE name = $1", name[:])
}

func (v *Vault) job(ctx context.Context, where string, arg any) (*Job, error) {
	found, err := v.jobs(ctx, where, arg)
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no such job in the vault")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Jobs returns up to limit jobs that are done, or that are not, newest first.
func (v *Vault) Jobs(ctx context.Context, done bool, limit int) ([]*Job, error) {
	return v.jobs(ctx, "WHERE done = $1 ORDER BY id DESC LIMIT $2", done, limit)
}

func (v *Vault) jobs(ctx context.Context, where string, args ...any) ([]*Job, error) {
	var out []*Job
	err := sqldb.Select(ctx, v.db.Read(), selectJob+where, args, func(rows *sql.Rows) error {
		j := new(Job)
		var name, prefix, sealed []byte
		var started, changed int64
		if err := rows.Scan(&j.ID, &name, &j.Kind, &j.Type, &started, &changed, &j.Records, &j.Accepted, &j.Rejected, &prefix, &sealed, &j.Done); err != nil {
			return sqldb.Wrap("read a job", err)
		}
		if len(name) != sm.HashSize || len(prefix) != sm.HashSize {
			return damaged("a job")
		}
		j.Name, j.Prefix, j.settled = sm.Hash(name), sm.Hash(prefix), j.Records
		j.StartedAt, j.ChangedAt = time.Unix(started, 0).UTC(), time.Unix(changed, 0).UTC()
		plain, err := v.unsealRecord(purposeJob, name, sealed)
		if err != nil {
			return err
		}
		r := dcbor.NewReader(plain)
		r.ArrayOf(2)
		j.By = readBy(&r)
		j.Detail = r.Bytes(MaxDetail)
		if !r.OK() || len(r.Rest()) != 0 {
			return damaged("a job")
		}
		out = append(out, j)
		return nil
	})
	return out, err
}

// JobTotals are the batches and licences that a job has put into the vault.
type JobTotals struct {
	Batches  int64
	Licences int64
	Anchored int64 // of Licences, those whose batch is known to be on the ledger
}

// JobTotals counts what a job has put into the vault; nothing if there is no such job.
func (v *Vault) JobTotals(ctx context.Context, job int64) (t JobTotals, err error) {
	err = v.db.Read().QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(CASE WHEN state <> 'pending' THEN size END), 0) "+
		"FROM vault_batch WHERE job = $1", job).Scan(&t.Batches, &t.Licences, &t.Anchored)
	return t, sqldb.Wrap("count what a job has issued", err)
}
