package issuer

import (
	"context"
	"database/sql"
	"errors"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A jobRow is how far a run has come.
type jobRow struct {
	id       int64
	records  int64
	prefix   sm.Hash
	issued   int64
	rejected int64
	stream   int64
	rejects  int64
	done     bool
}

// The states of a batch.
const (
	batchPending   = "pending"   // signed and registered; perhaps on the ledger
	batchAnchored  = "anchored"  // known to be on the ledger
	batchDelivered = "delivered" // and its credentials are where they should be
)

// A batchRow is one signed head with what it takes to submit it and to deliver what stands under it.
type batchRow struct {
	id       int64
	root     sm.Hash
	head     []byte // the signed head
	digests  []byte
	size     int
	first    int64 // id of the licence with index 0
	issuedAt uint64
	offset   int64 // of its credentials in the stream
	length   int64
	state    string
}

// job returns a run by its name, nil if there is none.
func (r *Register) job(ctx context.Context, name sm.Hash) (*jobRow, error) {
	j := new(jobRow)
	var prefix []byte
	err := r.db.QueryRowContext(ctx,
		"SELECT id, records, prefix, issued, rejected, stream, rejects, done FROM job WHERE name = ?", name[:],
	).Scan(&j.id, &j.records, &prefix, &j.issued, &j.rejected, &j.stream, &j.rejects, &j.done)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, r.failed("look for the run", err)
	}
	copy(j.prefix[:], prefix)
	return j, nil
}

// addJob registers a run that has not done anything yet.
func (r *Register) addJob(ctx context.Context, name sm.Hash, typ string, startedAt uint64) (*jobRow, error) {
	j := &jobRow{prefix: sm.Sum(nil)}
	err := r.write(ctx, "register the run", func(tx *sql.Tx) error {
		if err := tx.QueryRow("SELECT COALESCE(MAX(id), 0) + 1 FROM job").Scan(&j.id); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO job (id, name, type, started_at, records, prefix, issued, rejected, stream, rejects, done) "+
			"VALUES (?, ?, ?, ?, 0, ?, 0, 0, 0, 0, FALSE)", j.id, name[:], typ, startedAt, j.prefix[:])
		return err
	})
	return j, err
}

// counters returns what the next batch begins with, and the newest issued-at: none of them ever goes
// back from one batch to the next.
func (r *Register) counters(ctx context.Context) (nextBatch, nextLicence int64, newest uint64, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT id + 1, first + size, issued_at FROM batch ORDER BY id DESC LIMIT 1").
		Scan(&nextBatch, &nextLicence, &newest)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, 1, 0, nil
	} else if err != nil {
		return 0, 0, 0, r.failed("read the register", err)
	}
	return nextBatch, nextLicence, newest, nil
}

// A batchState is a step that a batch has taken.
type batchState struct {
	id    int64
	state string
}

// A registrar registers what a run has done, in one transaction.
type registrar struct {
	tx     *sql.Tx
	taking *sql.Stmt
}

func newRegistrar(tx *sql.Tx) (*registrar, error) {
	taking, err := tx.Prepare("INSERT INTO licence (id, number, state, holds) VALUES (?, ?, 'active', TRUE) " +
		"ON CONFLICT (number) WHERE holds DO NOTHING")
	return &registrar{tx, taking}, err // the statement ends with the transaction
}

// take takes a number for the licence with an id. It reports false if another licence holds it.
func (g *registrar) take(id int64, n number) (free bool, err error) {
	result, err := g.taking.Exec(id, n[:])
	if err != nil {
		return false, err
	}
	rows, err := result.RowsAffected()
	return rows > 0, err
}

// pass makes a licence give its number free, if it is the one given: its successor is to have it.
func (g *registrar) pass(id int64, n number) error {
	_, err := g.tx.Exec("UPDATE licence SET holds = FALSE WHERE id = ? AND number = ?", id, n[:])
	return err
}

// settle registers new batches, the states that others have reached, and how far the run has come.
func (g *registrar) settle(j *jobRow, batches []*batchRow, states []batchState) error {
	for _, b := range batches {
		_, err := g.tx.Exec("INSERT INTO batch (id, job, state, size, first, issued_at, stream_offset, stream_length, root, head, digests) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			b.id, j.id, b.state, b.size, b.first, b.issuedAt, b.offset, b.length, b.root[:], b.head, b.digests)
		if err != nil {
			return err
		}
	}
	for _, b := range states {
		if _, err := g.tx.Exec("UPDATE batch SET state = ? WHERE id = ?", b.state, b.id); err != nil {
			return err
		}
	}
	_, err := g.tx.Exec("UPDATE job SET records = ?, prefix = ?, issued = ?, rejected = ?, stream = ?, rejects = ?, done = ? WHERE id = ?",
		j.records, j.prefix[:], j.issued, j.rejected, j.stream, j.rejects, j.done, j.id)
	return err
}

// undelivered returns the batches of a run that have not come to their end, oldest first.
func (r *Register) undelivered(ctx context.Context, job int64) ([]*batchRow, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT id, state, size, first, issued_at, stream_offset, stream_length, root, head, digests "+
		"FROM batch WHERE job = ? AND state IN (?, ?) ORDER BY id", job, batchPending, batchAnchored)
	if err != nil {
		return nil, r.failed("read the register", err)
	}
	defer rows.Close()
	var out []*batchRow
	for rows.Next() {
		b := new(batchRow)
		var root []byte
		if err := rows.Scan(&b.id, &b.state, &b.size, &b.first, &b.issuedAt, &b.offset, &b.length, &root, &b.head, &b.digests); err != nil {
			return nil, r.failed("read the register", err)
		}
		copy(b.root[:], root)
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		return nil, r.failed("read the register", err)
	}
	return out, nil
}

// replaceHead registers another signed head for a batch that is pending.
func (r *Register) replaceHead(ctx context.Context, batch int64, head []byte) error {
	return r.write(ctx, "register a batch that was signed anew", func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE batch SET head = ? WHERE id = ? AND state = ?", head, batch, batchPending)
		return err
	})
}

// batches returns how many batches of a run are on the ledger, and how many licences stand in the
// others.
func (r *Register) batches(ctx context.Context, job int64) (anchored, pendingLicences int64, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT COUNT(CASE WHEN state <> ? THEN 1 END), COALESCE(SUM(CASE WHEN state = ? THEN size END), 0) "+
		"FROM batch WHERE job = ?", batchPending, batchPending, job).Scan(&anchored, &pendingLicences)
	if err != nil {
		err = r.failed("read the register", err)
	}
	return anchored, pendingLicences, err
}

// licence returns the id of the licence at a place, and its state; 0 if the register has none there.
func (r *Register) licence(ctx context.Context, root sm.Hash, index uint32) (id int64, state licence.State, err error) {
	if id, state, err = licenceAt(ctx, r.db, root, index); err != nil {
		err = r.failed("look the licence up", err)
	}
	return id, state, err
}

// A querier is a database, or a transaction on it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func licenceAt(ctx context.Context, q querier, root sm.Hash, index uint32) (id int64, state licence.State, err error) {
	err = q.QueryRowContext(ctx,
		"SELECT licence.id, licence.state FROM batch JOIN licence ON licence.id = batch.first + ? WHERE batch.root = ? AND batch.size > ?",
		index, root[:], index).Scan(&id, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return id, state, err
}
