package issuer

import (
	"database/sql"
	"embed"
	"fmt"
	"time"
)

// migrations holds the steps from an empty database to the tables of this version, one file each:
// NNNN_name.sql, numbered from 1 without gaps. A file is never changed once it was released.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate takes the steps that the database has not taken.
func migrate(tx *sql.Tx) error {
	files, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil {
		return err
	}
	if _, err := tx.Exec("CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)"); err != nil {
		return err
	}
	var version int
	if err := tx.QueryRow("SELECT COALESCE(MAX(version), 0) FROM migration").Scan(&version); err != nil {
		return err
	}
	if version > len(files) {
		return errorf(CodeRegisterNewer, nil, "the register was written by a later version of this software; use that one")
	}
	for i, file := range files[version:] {
		step, err := migrations.ReadFile("migrations/" + file.Name())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(string(step)); err != nil {
			return fmt.Errorf("migration %s: %w", file.Name(), err)
		}
		if _, err := tx.Exec("INSERT INTO migration (version, applied_at) VALUES (?, ?)", version+i+1, time.Now().Unix()); err != nil {
			return err
		}
	}
	return nil
}
