package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// metaTold is the name in the table vault_meta of the place up to which subscribers know the ledger.
const metaTold = "told"

// Told returns up to where subscribers were told what is on the ledger; zero: from nowhere yet.
func (v *Vault) Told(ctx context.Context) (ledger.Head, error) {
	var b []byte
	err := v.db.Read().QueryRowContext(ctx, "SELECT value FROM vault_meta WHERE name = $1", metaTold).Scan(&b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ledger.Head{}, nil
	case err != nil:
		return ledger.Head{}, sqldb.Wrap("read the vault", err)
	case len(b) != 8+sm.HashSize:
		return ledger.Head{}, damaged("the place in the ledger")
	}
	return ledger.Head{Height: binary.BigEndian.Uint64(b), Hash: sm.Hash(b[8:])}, nil
}

func placeBytes(h ledger.Head) []byte {
	return append(binary.BigEndian.AppendUint64(nil, h.Height), h.Hash[:]...)
}

// Tell notes that subscribers are told, in this transaction, what is on the ledger between two places; a zero
// from: that they are told what comes after the second. It reports false if another process was here
// before: then nothing may be told.
func (t *Tx) Tell(from, to ledger.Head) (bool, error) {
	if err := t.takeTurn(); err != nil {
		return false, err
	}
	if from == (ledger.Head{}) {
		n, err := t.exec("note what was told", "INSERT INTO vault_meta (name, value) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM vault_meta WHERE name = $1)",
			metaTold, placeBytes(to))
		return n == 1, err
	}
	n, err := t.exec("note what was told", "UPDATE vault_meta SET value = $1 WHERE name = $2 AND value = $3", placeBytes(to), metaTold, placeBytes(from))
	return n == 1, err
}

// What subscribers are told of once, as the table vault_told has it.
const (
	toldExpiring = "expiring" // of a licence
	toldJob      = "job"
)

// NewlyExpiring returns up to limit licences of a type that are active or suspended, whose last day of validity is
// from one day to another, and that were not returned before: who calls it tells of them in this transaction.
func (t *Tx) NewlyExpiring(typ string, from, to licence.Date, limit int) ([]*Licence, error) {
	if err := t.takeTurn(); err != nil {
		return nil, err
	}
	found, err := licences(t.ctx, t.tx, selectLicence+
		"WHERE l.type = (SELECT id FROM vault_type WHERE name = $1) AND l.ends >= $2 AND l.ends <= $3 AND l.released = 0 AND b.state <> $4 "+
		"AND NOT EXISTS (SELECT 1 FROM vault_told w WHERE w.what = $5 AND w.id = l.id) ORDER BY l.id LIMIT $6",
		typ, int64(from), int64(to), Pending, toldExpiring, limit)
	if err != nil {
		return nil, err
	}
	return found, t.told(toldExpiring, len(found), func(i int) int64 { return int64(found[i].ID) })
}

// NewlyDone returns up to limit jobs that are done and were not returned before, without By and Detail: who
// calls it tells of them in this transaction.
func (t *Tx) NewlyDone(limit int) ([]*Job, error) {
	if err := t.takeTurn(); err != nil {
		return nil, err
	}
	var found []*Job
	err := sqldb.Select(t.ctx, t.tx, "SELECT j.id, j.kind, j.type, j.records, j.accepted, j.rejected FROM vault_job j WHERE j.done = $1 "+
		"AND NOT EXISTS (SELECT 1 FROM vault_told w WHERE w.what = $2 AND w.id = j.id) ORDER BY j.id LIMIT $3",
		[]any{true, toldJob, limit}, func(rows *sql.Rows) error {
			j := &Job{Done: true}
			found = append(found, j)
			return sqldb.Wrap("read a job", rows.Scan(&j.ID, &j.Kind, &j.Type, &j.Records, &j.Accepted, &j.Rejected))
		})
	if err != nil {
		return nil, err
	}
	return found, t.told(toldJob, len(found), func(i int) int64 { return found[i].ID })
}

// told notes what is told of in this transaction.
func (t *Tx) told(what string, n int, id func(i int) int64) error {
	if n == 0 {
		return nil
	}
	return t.v.db.Insert(t.ctx, t.tx, "vault_told (what, id)", 2, n, func(i int, values []any) { values[0], values[1] = what, id(i) })
}

// never is when a message that was given up is due.
const never = math.MaxInt64

// GiveUp keeps messages that are not to be tried any more, until Revive or Sent.
func (t *Tx) GiveUp(ids ...int64) error {
	for _, id := range ids {
		if _, err := t.exec("give a message up", "UPDATE vault_outbox SET due = $1 WHERE id = $2", int64(never), id); err != nil {
			return err
		}
	}
	return nil
}

// Revive has all messages tried again that were given up, and returns how many.
func (t *Tx) Revive() (int64, error) {
	return t.exec("revive messages", "UPDATE vault_outbox SET due = $1, created_at = $1 WHERE due = $2", t.at, int64(never))
}

// GivenUp returns how many messages were given up.
func (v *Vault) GivenUp(ctx context.Context) (n int64, err error) {
	if err := v.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM vault_outbox WHERE due = $1", int64(never)).Scan(&n); err != nil {
		return 0, sqldb.Wrap("count the messages", err)
	}
	return n, nil
}
