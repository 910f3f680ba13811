package sqldb

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

type postgresEngine struct{}

// Bounds of the connections of one process to PostgreSQL. One in reserve is left for those who read,
// also while all turns to write are taken.
const (
	postgresConnections = 16
	postgresWriters     = postgresConnections - 4
	postgresIdle        = 5 * time.Minute
)

func openPostgreSQL(address string) (*DB, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		var e *pgconn.ParseConfigError
		if errors.As(err, &e) {
			err = e.Unwrap()
		}
		return nil, errorf(CodeAddress, err, "this is not the URL of a PostgreSQL database, postgres://USER@HOST/NAME")
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
	return &DB{engine: postgresEngine{}, write: db, read: db, turns: make(chan struct{}, postgresWriters)}, nil
}

func (postgresEngine) dialect(statements string) string { return statements }

// atOnce shares a round trip, and is far from the bound on arguments of a statement.
func (postgresEngine) atOnce() (rows, keys int) { return 64, 256 }

func (postgresEngine) lock(tx *sql.Tx, table string) error {
	_, err := tx.Exec("LOCK TABLE " + table + " IN EXCLUSIVE MODE")
	return err
}
