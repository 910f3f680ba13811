package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

type postgresEngine struct{}

// Bounds of the connections of one replica to PostgreSQL.
const (
	postgresConnections = 16
	postgresIdle        = 5 * time.Minute
)

// openPostgreSQL opens a database. No error repeats the URL, which may hold a password.
func openPostgreSQL(_ context.Context, address string) (*Store, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		var e *pgconn.ParseConfigError
		if errors.As(err, &e) {
			err = e.Unwrap()
		}
		return nil, errorf(CodeAddress, err, "the store's address is not the URL of a PostgreSQL database, postgres://USER@HOST/NAME")
	}
	if config.ConnectTimeout == 0 || config.ConnectTimeout > patience {
		config.ConnectTimeout = patience
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "credledger"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	db.SetConnMaxIdleTime(postgresIdle)
	return &Store{engine: postgresEngine{}, write: db, read: db, turns: make(chan struct{}, postgresConnections)}, nil
}

// migrationLock is the number of the advisory lock under which the tables are changed: "credledg".
const migrationLock = 0x637265646c656467

func (postgresEngine) lock(tx *sql.Tx) error {
	_, err := tx.Exec("SELECT pg_advisory_xact_lock($1)", int64(migrationLock))
	return err
}

// dataCorrupted is of class XX of the error codes of PostgreSQL (appendix A of its manual).
const dataCorrupted = "XX001"

func (postgresEngine) damaged(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == dataCorrupted
}
