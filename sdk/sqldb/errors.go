package sqldb

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeAddress     = "database-bad-address" // neither a file nor a PostgreSQL database can have this address
	CodeExists      = "database-exists"      // the file that should be made is there
	CodeMissing     = "database-missing"     // the file that should be opened is not there
	CodeUnavailable = "database-unavailable" // it could not be reached, read or written: a disk that is full, a server that is down
	CodeBusy        = "database-busy"        // others write for longer than one waits, or in the way of this: try again
	CodeDamaged     = "database-damaged"     // the file is not a database, or not what was written
	CodeNewer       = "database-newer"       // written by a later version of this software
	CodeUnique      = "database-unique"      // a row with this key, or a table, is there
	CodeNoTable     = "database-no-table"    // a table that the statement names is not there
)

// An Error is why the database did not do what it was asked.
type Error struct {
	Code    string // one of the codes above
	Message string // what was attempted and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of the outermost *Error in err's chain, "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func errorf(code string, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// advice says what to do about an error.
var advice = map[string]string{
	CodeUnavailable: "the database could not be read or written; try again, and see whether it runs and its disk has room",
	CodeBusy:        "others are writing to the database; try again",
	CodeDamaged:     "the database is damaged, or not the right file; restore a copy",
	CodeUnique:      "the database has this already",
	CodeNoTable:     "the database does not have the tables that it should",
}

// Wrap gives an error of the database an *Error with its code; nil, and an error that has a code, stay as they
// are. Drivers put values that were refused into the detail of their errors, which is dropped here.
func Wrap(doing string, err error) error {
	if err == nil || Code(err) != "" {
		return err
	}
	code := classify(err)
	var e *pgconn.PgError
	if errors.As(err, &e) {
		err = errors.New(e.Severity + ": " + e.Message + " (SQLSTATE " + e.Code + ")")
	}
	return errorf(code, err, "%s: %s", doing, advice[code])
}

// Result codes of SQLite, https://www.sqlite.org/rescode.html; the low byte of the extended ones.
const (
	sqliteError      = 1
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteCorrupt    = 11
	sqliteConstraint = 19
	sqliteNotADB     = 26

	sqliteConstraintPrimaryKey = sqliteConstraint | 6<<8
	sqliteConstraintUnique     = sqliteConstraint | 8<<8
)

// Error codes of PostgreSQL, appendix A of its manual.
const (
	pgUniqueViolation      = "23505"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
	pgUndefinedTable       = "42P01"
	pgDuplicateObject      = "42710" // also the row type of a table that another process makes
	pgDuplicateTable       = "42P07"
	pgLockNotAvailable     = "55P03"
	pgDataCorrupted        = "XX001"
	pgIndexCorrupted       = "XX002"
)

func classify(err error) string {
	var s *sqlite.Error
	if errors.As(err, &s) {
		switch s.Code() {
		case sqliteConstraintPrimaryKey, sqliteConstraintUnique:
			return CodeUnique
		}
		switch s.Code() & 0xff {
		case sqliteBusy, sqliteLocked:
			return CodeBusy
		case sqliteCorrupt, sqliteNotADB:
			return CodeDamaged
		case sqliteError:
			if strings.Contains(s.Error(), "no such table") { // SQLite has no code for it
				return CodeNoTable
			}
		}
		return CodeUnavailable
	}
	var p *pgconn.PgError
	if errors.As(err, &p) {
		switch p.Code {
		case pgUniqueViolation, pgDuplicateTable, pgDuplicateObject:
			return CodeUnique
		case pgSerializationFailure, pgDeadlockDetected, pgLockNotAvailable:
			return CodeBusy
		case pgDataCorrupted, pgIndexCorrupted:
			return CodeDamaged
		case pgUndefinedTable:
			return CodeNoTable
		}
	}
	return CodeUnavailable
}
