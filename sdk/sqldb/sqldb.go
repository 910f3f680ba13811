// Package sqldb opens the databases that services keep their state in: a SQLite file, for one machine,
// or a PostgreSQL database. Both then do the same for the same SQL.
//
//	db, err := sqldb.Open(ctx, "postgres://issuer@database/vault", sqldb.Options{})
//	err = db.Migrate(ctx, "vault", steps, time.Now())
//	err = db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { ... })
//
// What Write has done is durable when it returns. The isolation is READ COMMITTED or better; who needs
// more takes a row's lock by an UPDATE of it. SQL for both databases keeps to what these, and the
// databases that were derived from an old PostgreSQL, have in common: $1 for arguments, BYTEA, BIGINT,
// TEXT and BOOLEAN, plain indexes, UPDATE and INSERT with RETURNING, but neither ON CONFLICT nor partial
// indexes, advisory locks, or types of an extension. Migrate says how a key that counts up is written.
//
// The package knows no table but the one that remembers migrations, never logs, and no error of it
// repeats an address, which may hold a password.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// A DB is an open database. It is safe for concurrent use.
type DB struct {
	engine engine
	write  *sql.DB
	read   *sql.DB       // the same as write, or other connections where one writer at a time is best
	turns  chan struct{} // taken by those who write, as many as there are connections for: they are served in order
}

// Options says how a database is used.
type Options struct {
	// Create makes the SQLite file, which must not exist. Otherwise it must exist. A PostgreSQL
	// database must always exist.
	Create bool

	// Zero has SQLite overwrite with zeros what is deleted (PRAGMA secure_delete).
	Zero bool

	// CachePages bounds the cache of SQLite's connection that writes, and LogPages how far its log grows
	// before it is copied into the file, in pages of 4 KiB. 0: SQLite's own values (500, 1000).
	CachePages, LogPages int
}

// patience is how long one waits for a database that is locked by another process, or that has to be
// reached first.
const patience = 5 * time.Second

// Open opens the database at an address: the URL of a PostgreSQL database (postgres://USER@HOST/NAME,
// with the parameters of libpq, as passfile or sslmode), or else the path of a SQLite file.
//
// Errors: CodeAddress, CodeExists, CodeMissing, CodeUnavailable, CodeBusy, CodeDamaged.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	if IsPostgreSQL(address) {
		return openPostgreSQL(address)
	}
	return openSQLite(ctx, address, o)
}

// IsPostgreSQL reports whether an address is the URL of a PostgreSQL database, and not a path.
func IsPostgreSQL(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// SQLite reports whether the database is a SQLite file.
func (d *DB) SQLite() bool { return d.engine == sqliteEngine{} }

// Close closes the database. What is under way may fail.
func (d *DB) Close() error {
	err := d.write.Close()
	if d.read != d.write {
		err = errors.Join(err, d.read.Close())
	}
	return Wrap("close the database", err)
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return Wrap("ask the database", d.read.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Read returns the connections for queries outside of transactions that write.
func (d *DB) Read() *sql.DB { return d.read }

// Write does something whole or not at all. In SQLite one writes at a time. An error of do ends the
// transaction and is returned as it is; those of the database come as Wrap gives them.
func (d *DB) Write(ctx context.Context, do func(*sql.Tx) error) error {
	if err := d.takeTurn(ctx); err != nil {
		return err
	}
	defer d.endTurn()
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return Wrap("begin a transaction", err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the first error says more
		return err
	}
	return Wrap("commit a transaction", tx.Commit())
}

// Single runs one statement outside of a transaction, which is done whole or not at all by itself and takes
// fewer round trips. An error of do is returned as Wrap gives it.
func (d *DB) Single(ctx context.Context, do func(*sql.DB) error) error {
	if err := d.takeTurn(ctx); err != nil {
		return err
	}
	defer d.endTurn()
	return Wrap("write to the database", do(d.write))
}

// Exec is Single for a statement without an answer, as a PRAGMA or VACUUM.
func (d *DB) Exec(ctx context.Context, statement string, args ...any) error {
	return d.Single(ctx, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement, args...)
		return err
	})
}

// takeTurn waits for the turn to write.
func (d *DB) takeTurn(ctx context.Context) error {
	select {
	case d.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return Wrap("wait for the database", context.Cause(ctx))
	}
}

func (d *DB) endTurn() { <-d.turns }
