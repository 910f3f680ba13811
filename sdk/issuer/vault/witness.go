package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// The access logs of what the vault has released stand outside of it, and so can tell when an old copy of the vault was put back.

// Names in the table vault_meta: of how much of a log was compared with the vault, followed by the log's id, and of when an old
// copy was noticed last. The values are numbers of 8 bytes.
const (
	metaWitness  = "witness/"
	metaRestored = "restored"
)

// maxLog is the greatest length of a log's id in bytes.
const maxLog = 32

// Witness returns how many entries of an access log were found to have their answers in the vault; 0: none yet.
func (v *Vault) Witness(ctx context.Context, log string) (size uint64, err error) {
	return v.metaNumber(ctx, metaWitness+log)
}

// Restored returns when EndGrants was called last: what was answered before may not be known any more. Zero: never.
func (v *Vault) Restored(ctx context.Context) (time.Time, error) {
	at, err := v.metaNumber(ctx, metaRestored)
	if err != nil || at == 0 {
		return time.Time{}, err
	}
	return time.Unix(int64(at), 0).UTC(), nil
}

func (v *Vault) metaNumber(ctx context.Context, name string) (uint64, error) {
	var b []byte
	err := v.db.Read().QueryRowContext(ctx, "SELECT value FROM vault_meta WHERE name = $1", name).Scan(&b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, sqldb.Wrap("read the vault", err)
	case len(b) != 8:
		return 0, damaged("a number")
	}
	return binary.BigEndian.Uint64(b), nil
}

func (t *Tx) setMetaNumber(name string, n uint64) error {
	b := binary.BigEndian.AppendUint64(nil, n)
	changed, err := t.exec("note a number", "UPDATE vault_meta SET value = $1 WHERE name = $2", b, name)
	if err == nil && changed == 0 {
		_, err = t.exec("note a number", "INSERT INTO vault_meta (name, value) VALUES ($1, $2)", name, b)
	}
	return err
}

// SetWitness notes how many entries of an access log, 1 to 32 bytes by its id, have their answers in the vault.
func (t *Tx) SetWitness(log string, size uint64) error {
	if log == "" || len(log) > maxLog {
		return errorf(CodeArgument, nil, "an access log has an id of 1 to %d bytes", maxLog)
	}
	return t.setMetaNumber(metaWitness+log, size)
}

// EndGrants takes every use from the grants that have some left, and returns how many these were: an old copy of the vault does not
// know how often they were used, and no number of a use is given twice.
func (t *Tx) EndGrants() (int64, error) {
	n, err := t.exec("end grants", "UPDATE vault_grant SET used = uses WHERE used < uses")
	if err == nil {
		err = t.setMetaNumber(metaRestored, uint64(t.at))
	}
	if err != nil {
		return 0, err
	}
	return n, t.record(ActionGrantsEnded, 0)
}

// AnsweredFrom reports whether there is an answer to a request whose name begins with some bytes.
func (v *Vault) AnsweredFrom(ctx context.Context, prefix []byte) (bool, error) {
	var last sm.Hash
	for i := range last {
		last[i] = 0xff
	}
	copy(last[:], prefix)
	var n int
	if err := v.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM vault_answer WHERE request >= $1 AND request <= $2", prefix, last[:]).Scan(&n); err != nil {
		return false, sqldb.Wrap("look for an answer", err)
	}
	return n > 0, nil
}
