package store

import (
	"database/sql"
	"embed"
	"fmt"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date: it runs the files of migrations that were not run before, in
// the order of their names. A file that was released never changes.
func migrate(tx *sql.Tx, now time.Time) error {
	files, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil {
		return err
	}
	if _, err := tx.Exec("CREATE TABLE IF NOT EXISTS verifier_migration (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)"); err != nil {
		return err
	}
	var version int
	if err := tx.QueryRow("SELECT COALESCE(MAX(version), 0) FROM verifier_migration").Scan(&version); err != nil {
		return err
	}
	if version > len(files) {
		return errorf(CodeNewer, nil, "the store was written by a later version of this software; use that one")
	}
	for i, file := range files[version:] {
		step, err := migrations.ReadFile("migrations/" + file.Name())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(string(step)); err != nil {
			return fmt.Errorf("migration %s: %w", file.Name(), err)
		}
		if _, err := tx.Exec("INSERT INTO verifier_migration (version, applied_at) VALUES ($1, $2)", version+i+1, now.Unix()); err != nil {
			return err
		}
	}
	return nil
}
