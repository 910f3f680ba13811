package sqldb

import (
	"context"
	"database/sql"
	"io/fs"
	"slices"
	"time"
)

// Keys in migrations, as PostgreSQL understands them. Where a table's key is written like this, it is
// the number of SQLite's row.
const (
	countingKey = "BIGSERIAL PRIMARY KEY" // the database counts up; a number is never given twice
	numberKey   = "BIGINT PRIMARY KEY"    // the caller gives the number
)

// Migrate brings the tables of an application up to date: it runs the files of steps that were not run
// before, in the order of their names, and remembers them in the table NAME_migration. A file that was
// released never changes. Several processes may call it at once. A key that counts up is written
// BIGSERIAL PRIMARY KEY.
//
// It returns how many had been run before. Error: CodeNewer, or one of the database.
func (d *DB) Migrate(ctx context.Context, name string, steps fs.FS, now time.Time) (before int, err error) {
	files, err := fs.Glob(steps, "*.sql")
	if err != nil {
		return 0, Wrap("read the migrations", err)
	}
	slices.Sort(files)
	table := name + "_migration"
	if err := d.makeMigrationTable(ctx, table); err != nil {
		return 0, err
	}
	err = d.Write(ctx, func(tx *sql.Tx) error {
		if err := d.engine.lock(tx, table); err != nil {
			return Wrap("lock the migrations", err)
		}
		if err := tx.QueryRow("SELECT COALESCE(MAX(version), 0) FROM " + table).Scan(&before); err != nil {
			return Wrap("read the migrations", err)
		}
		if before > len(files) {
			return errorf(CodeNewer, nil, "the database was written by a later version of this software; use that one")
		}
		for i, file := range files[before:] {
			step, err := fs.ReadFile(steps, file)
			if err != nil {
				return Wrap("read a migration", err)
			}
			if _, err := tx.Exec(d.engine.dialect(string(step))); err != nil {
				return Wrap("run the migration "+file, err)
			}
			if _, err := tx.Exec("INSERT INTO "+table+" (version, applied_at) VALUES ($1, $2)", before+i+1, now.Unix()); err != nil {
				return Wrap("run the migration "+file, err)
			}
		}
		return nil
	})
	return before, err
}

// makeMigrationTable makes the table that remembers. In PostgreSQL IF NOT EXISTS fails when another
// process makes the table at the same time; then it is there the next time.
func (d *DB) makeMigrationTable(ctx context.Context, table string) error {
	var err error
	for range 3 {
		err = d.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec("CREATE TABLE IF NOT EXISTS " + table + " (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)")
			if err != nil {
				return Wrap("remember migrations", err)
			}
			return nil
		})
		if Code(err) != CodeUnique {
			return err
		}
	}
	return err
}

// Migrated reports whether Migrate was ever run for a name.
func (d *DB) Migrated(ctx context.Context, name string) (bool, error) {
	var version int
	err := d.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM "+name+"_migration").Scan(&version)
	if err == nil {
		return version > 0, nil
	}
	if err = Wrap("read the migrations", err); Code(err) == CodeNoTable {
		return false, nil
	}
	return false, err
}
