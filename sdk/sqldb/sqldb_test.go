package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, code string) {
	t.Helper()
	if Code(err) != code {
		t.Fatalf("error %v, code %q; want %s", err, Code(err), code)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("the error repeats a secret: %v", err)
	}
}

func open(t testing.TB, address string, o Options) *DB {
	t.Helper()
	d, err := Open(t.Context(), address, o)
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

var steps = fstest.MapFS{
	"0001_a.sql": {Data: []byte("CREATE TABLE t (id BIGSERIAL PRIMARY KEY, k BYTEA NOT NULL UNIQUE, v TEXT);\nCREATE TABLE n (id BIGINT PRIMARY KEY, v TEXT NOT NULL);")},
	"readme.txt": {Data: []byte("no migration")},
}

func TestBoth(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	for name, test := range map[string]func(t *testing.T, d *DB, address string){
		"migrate": testMigrate, "write": testWrite, "rows": testRows, "errors": testErrors, "others": testOthers,
	} {
		t.Run("sqlite "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a database #1.db")
			open(t, path, Options{Create: true})
			test(t, open(t, path, Options{}), path)
		})
		t.Run("postgresql "+name, func(t *testing.T) {
			address := server.Database(t)
			test(t, open(t, address, Options{}), address)
		})
	}
}

func testMigrate(t *testing.T, d *DB, address string) {
	migrated := func() bool {
		t.Helper()
		ok, err := d.Migrated(t.Context(), "app")
		must(t, err)
		return ok
	}
	if migrated() {
		t.Fatal("an empty database was migrated")
	}
	var all sync.WaitGroup
	for range 4 { // several processes at once
		other := open(t, address, Options{})
		all.Go(func() {
			if _, err := other.Migrate(context.Background(), "app", steps, time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if !migrated() {
		t.Fatal("the database was not migrated")
	}
	more := fstest.MapFS{"0001_a.sql": steps["0001_a.sql"], "0002_b.sql": {Data: []byte("CREATE TABLE u (id BIGINT NOT NULL)")}}
	for _, want := range []int{1, 2} {
		before, err := d.Migrate(t.Context(), "app", more, time.Unix(1, 0))
		must(t, err)
		if before != want {
			t.Fatalf("%d were run before, want %d", before, want)
		}
	}
	_, err := d.Migrate(t.Context(), "app", steps, time.Unix(1, 0))
	refused(t, err, CodeNewer)
	bad := fstest.MapFS{"0001_a.sql": {Data: []byte("CREATE TABLE first (id BIGINT); CREATE NONSENSE")}}
	if _, err := d.Migrate(t.Context(), "other", bad, time.Unix(1, 0)); err == nil {
		t.Fatal("nonsense was run")
	}
	good := fstest.MapFS{"0001_a.sql": {Data: []byte("CREATE TABLE first (id BIGINT)")}}
	_, err = d.Migrate(t.Context(), "other", good, time.Unix(1, 0)) // nothing of the bad one was left
	must(t, err)
}

func begin(t *testing.T, d *DB) {
	t.Helper()
	_, err := d.Migrate(t.Context(), "app", steps, time.Unix(1, 0))
	must(t, err)
}

func count(t *testing.T, d *DB, table string) (n int) {
	t.Helper()
	must(t, d.Read().QueryRow("SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

func testWrite(t *testing.T, d *DB, _ string) {
	begin(t, d)
	insert := func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO n (id, v) VALUES ($1, $2)", 1, "one")
		return err
	}
	stop := errors.New("enough")
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { return errors.Join(insert(tx), stop) }); !errors.Is(err, stop) || Code(err) != "" {
		t.Fatalf("the error of a transaction is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	refused(t, d.Write(ctx, func(tx *sql.Tx) error { err := insert(tx); cancel(); return err }), CodeUnavailable)
	refused(t, d.Write(ctx, insert), CodeUnavailable)
	refused(t, d.Exec(ctx, "DELETE FROM n"), CodeUnavailable)
	if n := count(t, d, "n"); n != 0 {
		t.Fatalf("transactions that were broken off left %d rows", n)
	}
	must(t, d.Write(t.Context(), insert))
	must(t, d.Exec(t.Context(), "UPDATE n SET v = 'two'"))
	must(t, d.EmptyLog(t.Context()))
	must(t, d.Ping(t.Context()))
	if n := count(t, d, "n"); n != 1 {
		t.Fatalf("%d rows", n)
	}
	// Ids that count up are not given twice, also when the newest row is gone.
	var ids []int
	for i := range 3 {
		must(t, d.Write(t.Context(), func(tx *sql.Tx) error {
			var id int
			err := tx.QueryRow("INSERT INTO t (k) VALUES ($1) RETURNING id", []byte{byte(i)}).Scan(&id)
			ids = append(ids, id)
			return err
		}))
		must(t, d.Exec(t.Context(), "DELETE FROM t"))
	}
	if !slices.Equal(ids, []int{1, 2, 3}) {
		t.Fatalf("ids %v", ids)
	}
}

func testRows(t *testing.T, d *DB, _ string) {
	begin(t, d)
	for _, n := range []int{0, 1, 63, 64, 65, 200} {
		must(t, d.Exec(t.Context(), "DELETE FROM n"))
		must(t, d.Write(t.Context(), func(tx *sql.Tx) error {
			return d.Insert(t.Context(), tx, "n (id, v)", 2, n, func(i int, values []any) { values[0], values[1] = int64(i), fmt.Sprint(i) })
		}))
		var keys []any
		for i := range 3 * n {
			keys = append(keys, int64(i-n))
		}
		sum := 0
		must(t, d.SelectIn(t.Context(), d.Read(), "SELECT id, v FROM n WHERE id IN (?)", keys, func(rows *sql.Rows) error {
			var id int
			var v string
			err := rows.Scan(&id, &v)
			if v != fmt.Sprint(id) {
				t.Errorf("row %d holds %q", id, v)
			}
			sum += id + 1
			return err
		}))
		if sum != n*(n+1)/2 {
			t.Fatalf("of %d rows others were found", n)
		}
	}
	stop := errors.New("enough")
	if err := Select(t.Context(), d.Read(), "SELECT id FROM n WHERE id > $1", []any{0}, func(*sql.Rows) error { return stop }); err != stop {
		t.Fatalf("the error of a reader is %v", err)
	}
	twice := func(tx *sql.Tx) error {
		return d.Insert(t.Context(), tx, "n (id, v)", 2, 2, func(_ int, values []any) { values[0], values[1] = int64(7), "x" })
	}
	refused(t, d.Write(t.Context(), twice), CodeUnique)
}

func testErrors(t *testing.T, d *DB, _ string) {
	begin(t, d)
	_, err := d.Read().Exec("SELECT * FROM missing")
	refused(t, Wrap("read", err), CodeNoTable)
	err = d.Write(t.Context(), func(tx *sql.Tx) error {
		for range 2 {
			if _, err := tx.Exec("INSERT INTO t (k, v) VALUES ($1, $2)", []byte("hunter2"), "v"); err != nil {
				return Wrap("insert", err)
			}
		}
		return nil
	})
	refused(t, err, CodeUnique)
	if Wrap("nothing", nil) != nil || Wrap("again", err) != err {
		t.Fatal("Wrap changes what it should not")
	}
}

func testOthers(t *testing.T, d *DB, address string) {
	begin(t, d)
	other := open(t, address, Options{})
	var all sync.WaitGroup
	for i := range 40 {
		d := []*DB{d, other}[i%2]
		all.Go(func() {
			if err := d.Write(context.Background(), func(tx *sql.Tx) error {
				_, err := tx.Exec("INSERT INTO n (id, v) VALUES ($1, 'x')", i)
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := count(t, d, "n"); n != 40 {
		t.Fatalf("%d rows", n)
	}
	if IsPostgreSQL(address) == d.SQLite() {
		t.Fatal("the database is another than its address says")
	}
}

func TestAddresses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	must(t, os.WriteFile(text, []byte(strings.Repeat("this is not a database. ", 100)), 0o600))
	for name, c := range map[string]struct {
		address string
		options Options
		code    string
	}{
		"empty":            {"", Options{}, CodeAddress},
		"no directory":     {filepath.Join(dir, "none", "db"), Options{Create: true}, CodeAddress},
		"not there":        {filepath.Join(dir, "db"), Options{}, CodeMissing},
		"there":            {text, Options{Create: true}, CodeExists},
		"a directory":      {dir, Options{}, CodeAddress},
		"another file":     {text, Options{}, CodeDamaged},
		"a URL's port":     {"postgres://user:hunter2@host:port/name", Options{}, CodeAddress},
		"a URL's escape":   {"postgres://user:hunter2@%zz/name", Options{}, CodeAddress},
		"a parameter":      {"postgres://user:hunter2@host/name?sslmode=perhaps", Options{}, CodeAddress},
		"nobody listening": {"postgresql:///name?host=" + dir + "&password=hunter2", Options{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Open(t.Context(), c.address, c.options)
			if c.code != "" {
				refused(t, err, c.code)
				return
			}
			must(t, err)
			defer d.Close()
			refused(t, d.Ping(t.Context()), CodeUnavailable)
		})
	}
}

func TestSQLiteOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path, Options{Create: true, Zero: true, CachePages: 777, LogPages: 888})
	for pragma, want := range map[string]int{"secure_delete": 1, "cache_size": 777, "wal_autocheckpoint": 888, "synchronous": 2, "query_only": 0} {
		var got int
		must(t, d.write.QueryRow("PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %d, want %d", pragma, got, want)
		}
	}
	if _, err := d.Read().Exec("CREATE TABLE t (id BIGINT)"); err == nil {
		t.Error("those who read can write")
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("db%s has mode %v", suffix, info.Mode())
		}
	}
}

// TestEmptyLog empties the log of a file from which somebody reads.
func TestEmptyLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path, Options{Create: true})
	begin(t, d)
	rows, err := d.Read().Query("SELECT name FROM sqlite_master")
	must(t, err)
	if !rows.Next() {
		t.Fatal("there are no tables")
	}
	must(t, d.Exec(t.Context(), "INSERT INTO n (id, v) VALUES (1, 'x')"))
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = rows.Close()
	}()
	must(t, d.EmptyLog(t.Context()))
	info, err := os.Stat(path + "-wal")
	must(t, err)
	if info.Size() != 0 {
		t.Fatalf("the log has %d bytes", info.Size())
	}
}

func TestPostgreSQLErrors(t *testing.T) {
	for code, want := range map[string]string{
		"23505": CodeUnique, "42P07": CodeUnique, "42710": CodeUnique, "40001": CodeBusy, "40P01": CodeBusy, "55P03": CodeBusy, "XX001": CodeDamaged, "XX002": CodeDamaged,
		"42P01": CodeNoTable, "53100": CodeUnavailable, "57P01": CodeUnavailable,
	} {
		err := Wrap("try", &pgconn.PgError{Severity: "ERROR", Code: code, Message: "message", Detail: "Key (k)=(hunter2)"})
		refused(t, err, want)
		if !strings.Contains(err.Error(), code) {
			t.Errorf("%v does not say %s", err, code)
		}
	}
}
