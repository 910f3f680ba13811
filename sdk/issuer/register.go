package issuer

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"modernc.org/sqlite"

	"github.com/credledger/credledger/sdk/sm"
)

// A Register is a department's register of what it has issued on one ledger, in one SQLite file
// (with -wal and -shm files beside it while it is open). It is safe for concurrent use, by several
// processes too: each transaction is durable when it returns, and one of them at a time issues.
//
// The migrations directory has the tables, with what they mean.
type Register struct {
	db         *sql.DB
	path       string
	numberKey  []byte  // of the HMAC over licence numbers
	ledger     sm.Hash // id
	department string  // id
}

// Names in the table meta.
const (
	metaNumberKey  = "number-key"
	metaLedger     = "ledger"
	metaDepartment = "department"
)

// busyTimeout is how long one waits for another process that writes, or issues.
var busyTimeout = 5 * time.Second

// cachePages bounds SQLite's page cache, of each connection, and walPages how long its log grows
// before it is copied into the file; in pages of 4 KiB. The index over licence numbers is written at
// random places: with a long log a page is copied once for many of them.
const (
	cachePages = 4096
	walPages   = 16384
)

// CreateRegister makes the register of a department for a ledger, and opens it. A register is never
// made by the way: one that was lost must be noticed, because licence numbers could be issued twice.
func CreateRegister(path string, ledger sm.Hash, department string) (*Register, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, errorf(CodeRegisterExists, nil, "%s exists already", path)
	} else if err != nil {
		return nil, storageError("make the register", err)
	}
	if err := f.Close(); err != nil {
		return nil, storageError("make the register", err)
	}
	r, err := connect(path)
	if err != nil {
		return nil, err
	}
	err = r.begin(ledger, department)
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// begin makes the tables, in one transaction with what the register is for.
func (r *Register) begin(ledger sm.Hash, department string) error {
	r.ledger, r.department = ledger, department
	r.numberKey = make([]byte, sm.HashSize)
	if _, err := rand.Read(r.numberKey); err != nil {
		return errorf(CodeStorage, err, "draw the register's key")
	}
	if _, err := r.db.Exec("PRAGMA journal_mode = wal"); err != nil { // the file remembers it
		return r.failed("make the register", err)
	}
	return r.write(context.Background(), "make the register", func(tx *sql.Tx) error {
		if err := migrate(tx); err != nil {
			return err
		}
		for name, value := range map[string][]byte{
			metaNumberKey: r.numberKey, metaLedger: ledger[:], metaDepartment: []byte(department),
		} {
			if _, err := tx.Exec("INSERT INTO meta (name, value) VALUES (?, ?)", name, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// OpenRegister opens a register that CreateRegister made, and brings its tables up to date.
func OpenRegister(path string) (*Register, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, errorf(CodeRegisterMissing, nil, "there is no register %s; if it was lost, restore it: without it licence numbers could be issued twice", path)
	} else if err != nil {
		return nil, storageError("open the register", err)
	}
	r, err := connect(path)
	if err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// load reads what the register is for before it touches anything: the file may be another database.
func (r *Register) load() error {
	meta := map[string][]byte{}
	for _, name := range []string{metaNumberKey, metaLedger, metaDepartment} {
		var value []byte
		err := r.db.QueryRow("SELECT value FROM meta WHERE name = ?", name).Scan(&value)
		var e *sqlite.Error
		if errors.Is(err, sql.ErrNoRows) || errors.As(err, &e) && e.Code() == sqliteError {
			return errorf(CodeRegisterDamaged, nil, "%s was never finished, or is not a register: if making it was interrupted, remove it and make it again", r.path)
		} else if err != nil {
			return r.failed("open the register", err)
		}
		meta[name] = value
	}
	if len(meta[metaNumberKey]) != sm.HashSize || len(meta[metaLedger]) != sm.HashSize {
		return errorf(CodeRegisterDamaged, nil, "%s does not hold what a register begins with; restore a copy", r.path)
	}
	r.numberKey, r.ledger, r.department = meta[metaNumberKey], sm.Hash(meta[metaLedger]), string(meta[metaDepartment])
	return r.write(context.Background(), "open the register", migrate)
}

// connect opens the database.
func connect(path string) (*Register, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, storageError("open the register", err)
	}
	db, err := openDatabase(absolute, "rw",
		"synchronous(full)", // a transaction is on the disk when it returns
		"cache_size("+strconv.Itoa(cachePages)+")",
		"wal_autocheckpoint("+strconv.Itoa(walPages)+")",
	)
	if err != nil {
		return nil, storageError("open the register", err)
	}
	db.SetMaxOpenConns(4)
	return &Register{db: db, path: path}, nil
}

func openDatabase(path, mode string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}}
	q.Add("_pragma", "busy_timeout("+strconv.FormatInt(busyTimeout.Milliseconds(), 10)+")")
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
}

// Close closes the register.
func (r *Register) Close() error {
	if err := r.db.Close(); err != nil {
		return r.failed("close the register", err)
	}
	return nil
}

// write does a transaction.
func (r *Register) write(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err == nil {
		if err = do(tx); err == nil {
			err = tx.Commit()
		} else {
			_ = tx.Rollback() // the first error says more
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx) // it has ended the transaction, which gives errors of its own
	}
	return r.failed(doing, err)
}

// Result codes of SQLite, https://www.sqlite.org/rescode.html; the low byte of the extended ones.
const (
	sqliteError   = 1 // an SQL error: no such table
	sqliteBusy    = 5
	sqliteLocked  = 6
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

// failed gives an error of the database its code.
func (r *Register) failed(doing string, err error) error {
	var known *Error
	var e *sqlite.Error
	switch {
	case errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case !errors.As(err, &e):
		return fmt.Errorf("%s: %w", doing, err)
	case e.Code()&0xff == sqliteBusy, e.Code()&0xff == sqliteLocked:
		return errorf(CodeRegisterInUse, err, "%s: another process is writing to %s; try again when it is done", doing, r.path)
	case e.Code()&0xff == sqliteCorrupt, e.Code()&0xff == sqliteNotADB:
		return errorf(CodeRegisterDamaged, err, "%s: %s is damaged, or not a register; restore a copy", doing, r.path)
	}
	return errorf(CodeStorage, err, "%s: %s could not be read or written; if the disk is full, make room and try again", doing, r.path)
}

// lease makes the caller the only one that issues from this register, in this process or another.
// It ends with release, or with the process: it is the lock of SQLite on a database beside the
// register that stays empty.
func (r *Register) lease(ctx context.Context) (release func(), err error) {
	absolute, err := filepath.Abs(r.path)
	if err != nil {
		return nil, storageError("open the register", err)
	}
	db, err := openDatabase(absolute+".issuing", "rwc")
	if err != nil {
		return nil, storageError("open the register", err)
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err != nil {
		_ = db.Close() // the first error says more
		return nil, r.failed("begin to issue", err)
	}
	return func() { _ = conn.Close(); _ = db.Close() }, nil // nothing was written
}
