package sqldb

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
	"strings"
	"time"

	"modernc.org/sqlite"
)

// An engine is what differs between the two databases.
type engine interface {
	atOnce() (rows, keys int)            // how many rows one statement inserts, and how many keys one asks for
	dialect(statements string) string    // turns a migration into the engine's own
	lock(tx *sql.Tx, table string) error // keeps others from writing to the table until the transaction ends
}

type sqliteEngine struct{}

// openSQLite opens a file. There is one connection that writes, since SQLite lets one write at a time
// and a queue in this process is fairer than its polling; and others that read meanwhile.
func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil || path == "" {
		return nil, errorf(CodeAddress, err, "a database has the path of a file, or the URL postgres://USER@HOST/NAME")
	}
	if err := prepareFile(path, absolute, o.Create); err != nil {
		return nil, err
	}
	pragmas := []string{
		"busy_timeout(" + strconv.FormatInt(patience.Milliseconds(), 10) + ")",
		"synchronous(full)", // a transaction is on the disk when it returns
	}
	d := &DB{engine: sqliteEngine{}, turns: make(chan struct{}, 1)}
	if d.write, err = connectSQLite(absolute, 1, append(pragmas, writerPragmas(o)...)); err != nil {
		return nil, errorf(CodeAddress, err, "the database %s cannot be opened", path)
	}
	if d.read, err = connectSQLite(absolute, max(4, runtime.NumCPU()), append(pragmas, "query_only(true)")); err != nil {
		_ = d.write.Close()
		return nil, errorf(CodeAddress, err, "the database %s cannot be opened", path)
	}
	if err := d.startLog(ctx); err != nil {
		_ = d.Close() // the first error says more
		return nil, Wrap("open the database "+path, err)
	}
	return d, nil
}

// prepareFile makes the file, which SQLite itself would let everybody read, or sees that it is there.
func prepareFile(path, absolute string, create bool) error {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(absolute, flags, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err == nil && create {
		err = syncDir(filepath.Dir(absolute))
	}
	var e *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return errorf(CodeExists, nil, "%s exists already", path)
	case errors.Is(err, fs.ErrNotExist) && !create:
		return errorf(CodeMissing, nil, "there is no database %s", path)
	case errors.As(err, &e):
		err = e.Err
	}
	return errorf(CodeAddress, err, "the database %s cannot be opened", path)
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func writerPragmas(o Options) []string {
	var out []string
	if o.Zero {
		out = append(out, "secure_delete(on)")
	}
	if o.CachePages > 0 {
		out = append(out, "cache_size("+strconv.Itoa(o.CachePages)+")")
	}
	if o.LogPages > 0 {
		out = append(out, "wal_autocheckpoint("+strconv.Itoa(o.LogPages)+")")
	}
	return out
}

func connectSQLite(path string, connections int, pragmas []string) (*sql.DB, error) {
	q := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": pragmas}
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
func (d *DB) startLog(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := d.write.ExecContext(ctx, "PRAGMA journal_mode = wal")
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

// dialect makes keys the numbers of SQLite's own rows, which takes one tree per table instead of two.
func (sqliteEngine) dialect(statements string) string {
	return strings.NewReplacer(
		countingKey, "INTEGER PRIMARY KEY AUTOINCREMENT",
		numberKey, "INTEGER PRIMARY KEY",
	).Replace(statements)
}

// atOnce is small: there is no round trip to share, and the time that the driver takes for the arguments of
// a statement grows with the square of their number.
func (sqliteEngine) atOnce() (rows, keys int) { return 1, 32 }

func (sqliteEngine) lock(*sql.Tx, string) error { return nil } // a transaction begins as the only one that writes

// EmptyLog copies the write-ahead log of a SQLite file into the file and cuts it to nothing, for which
// it waits until nobody reads from it. In PostgreSQL it does nothing.
func (d *DB) EmptyLog(ctx context.Context) error {
	if !d.SQLite() {
		return nil
	}
	for {
		var busy, pages, copied int
		if err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied); err != nil {
			return Wrap("empty the log of the database", err)
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errorf(CodeBusy, context.Cause(ctx), "empty the log of the database: %s", advice[CodeBusy])
		case <-time.After(20 * time.Millisecond):
		}
	}
}
