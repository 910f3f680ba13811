package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"modernc.org/sqlite"
)

// An engine is what differs between the two databases.
type engine interface {
	lock(tx *sql.Tx) error  // keeps other replicas from changing the tables until the transaction ends
	damaged(err error) bool // whether an error says that the data are not what was written
}

type sqliteEngine struct{}

// openSQLite opens a file. There is one connection that writes, since SQLite lets one write at a time
// and a queue in this process is fairer than its polling; and others that read meanwhile.
func openSQLite(ctx context.Context, path string) (*Store, error) {
	absolute, err := filepath.Abs(path)
	if err != nil || path == "" {
		return nil, errorf(CodeAddress, err, "the store needs the path of a file, or the URL of a PostgreSQL database")
	}
	f, err := os.OpenFile(absolute, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would let everybody read it
	if err != nil {
		var e *fs.PathError
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, errorf(CodeAddress, err, "the store %s cannot be opened", path)
	}
	if err := f.Close(); err != nil {
		return nil, errorf(CodeUnavailable, err, "open the store %s", path)
	}
	s := &Store{engine: sqliteEngine{}, turns: make(chan struct{}, 1)}
	if s.write, err = connectSQLite(absolute, 1); err != nil {
		return nil, errorf(CodeAddress, err, "the store %s cannot be opened", path)
	}
	if s.read, err = connectSQLite(absolute, max(4, runtime.NumCPU())); err != nil {
		_ = s.write.Close()
		return nil, errorf(CodeAddress, err, "the store %s cannot be opened", path)
	}
	if err := s.startLog(ctx); err != nil {
		_ = s.Close() // the first error says more
		return nil, s.failed("open the store", err)
	}
	return s, nil
}

func connectSQLite(path string, connections int) (*sql.DB, error) {
	q := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + strconv.FormatInt(patience.Milliseconds(), 10) + ")",
		"synchronous(full)", // a transaction is on the disk when it returns
	}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// startLog makes the file use a write-ahead log, which it then remembers. SQLite does not wait for
// other processes that are about to do the same.
func (s *Store) startLog(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := s.write.ExecContext(ctx, "PRAGMA journal_mode = wal")
		var e *sqlite.Error
		if !errors.As(err, &e) || e.Code()&0xff != sqliteBusy {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Result codes of SQLite, https://www.sqlite.org/rescode.html; the low byte of the extended ones.
const (
	sqliteBusy    = 5
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

func (sqliteEngine) lock(*sql.Tx) error { return nil } // a transaction begins as the only one that writes

func (sqliteEngine) damaged(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == sqliteCorrupt || e.Code()&0xff == sqliteNotADB)
}
