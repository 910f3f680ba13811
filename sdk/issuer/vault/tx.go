package vault

import (
	"context"
	"database/sql"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/sqldb"
)

// By says who does something, and for what; both stand in the history, sealed.
type By struct {
	Actor   string // a person or a service, 1 to 200 bytes
	Purpose string // a matter, a case, a reason; up to 500 bytes
}

// Bounds of By in bytes.
const (
	maxActor   = 200
	maxPurpose = 500
)

// Check refuses one that is not of its form: CodeArgument.
func (b *By) Check() error {
	if b.Actor == "" || len(b.Actor) > maxActor || len(b.Purpose) > maxPurpose || !utf8.ValidString(b.Actor) || !utf8.ValidString(b.Purpose) {
		return errorf(CodeArgument, nil, "who does something has a name of 1 to %d bytes, and a purpose of up to %d", maxActor, maxPurpose)
	}
	return nil
}

// A Tx is a transaction that is under way. It must not be used from several goroutines, nor after the
// function that got it has returned. After an error of any method the function must return an error too.
type Tx struct {
	v    *Vault
	ctx  context.Context
	tx   *sql.Tx
	by   By
	at   int64
	turn bool // this transaction has the turn
	next ID   // of the next licence, once it has the turn
	seen int64
}

// Write does a transaction: all that do does by its methods, or nothing. It is durable when Write returns
// nil. An error of do is returned as it is.
//
// Errors of its own: CodeArgument; CodeRolledBack; those of package sqldb, of which sqldb.CodeBusy says
// that it can be done again at once. After sqldb.CodeUnavailable the transaction may have been done or not.
func (v *Vault) Write(ctx context.Context, by By, do func(*Tx) error) error {
	if err := by.Check(); err != nil {
		return err
	}
	t := &Tx{v: v, ctx: ctx, by: by, at: v.seconds()}
	err := v.db.Write(ctx, func(tx *sql.Tx) error {
		t.tx = tx
		return do(t)
	})
	if err == nil && t.turn {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.next = max(v.next, t.next)
	}
	return err
}

// takeTurn waits until nobody else writes licences, their numbers or states.
func (t *Tx) takeTurn() error {
	if t.turn {
		return nil
	}
	err := t.tx.QueryRowContext(t.ctx, "UPDATE vault_turn SET next = next WHERE id = 1 RETURNING next, newest").Scan(&t.next, &t.seen)
	if err != nil {
		return sqldb.Wrap("take the turn to write", err)
	}
	t.turn = true
	t.v.mu.Lock()
	defer t.v.mu.Unlock()
	if t.next < t.v.next {
		t.v.checked = false
		t.v.next = t.next
		return errorf(CodeRolledBack, nil, "the database is older than this process has seen it: a copy was put back; let the vault catch up with the ledger")
	}
	return nil
}

// exec runs a statement and returns the number of rows that it changed.
func (t *Tx) exec(doing, statement string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, statement, args...)
	var rows int64
	if err == nil {
		rows, err = result.RowsAffected()
	}
	if err != nil {
		return 0, sqldb.Wrap(doing, err)
	}
	return rows, nil
}

// insertID runs an INSERT with RETURNING.
func (t *Tx) insertID(doing, statement string, args ...any) (id int64, err error) {
	if err := t.tx.QueryRowContext(t.ctx, statement, args...).Scan(&id); err != nil {
		return 0, sqldb.Wrap(doing, err)
	}
	return id, nil
}
