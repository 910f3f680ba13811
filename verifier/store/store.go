// Package store is what the replicas of one verifier share, so that each may answer for the others:
// which challenges were answered, the presentations behind one-time reference codes, how often an
// agency called on a day, which clerks are signed in, what becomes of requests to issuers, and how many requests of
// agencies were refused or left unanswered.
//
// It is a SQLite file, for replicas on one machine (they may be several processes), or a PostgreSQL
// database, for replicas on several. Both do the same, in the same SQL. What a method has done is
// durable when it returns, and what is promised to happen once happens once, whichever replicas are
// asked at the same time and however often they restart.
//
// A stolen copy of the database shows no presentation (each is sealed under a key that only its
// token gives, or to a key of the department) and lets nobody in (tokens are kept as digests). It holds the key under which challenges
// are made, with which a thief could make challenges of his own: to have them answered he needs a
// holder all the same. A copy that is put back in place, or a standby that takes over and was behind, forgets
// what was used last, which could be used again until its time is up: within MaxChallengeTTL at most.
//
// Everything in it has an end and a bound. Purge deletes what has ended. Replicas decide by their own
// clocks what has ended, so these should agree within seconds.
//
// The package never logs, never opens a presentation, and knows nothing of HTTP.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"io/fs"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Store is safe for concurrent use.
type Store struct {
	db           *sqldb.DB
	now          func() time.Time
	challengeKey []byte
	redemptions  group[*redemption]
	references   room
	counting     counting
}

// patience bounds each call of the database.
const patience = 5 * time.Second

// Open opens the store at an address: the URL of a PostgreSQL database (postgres://USER@HOST/NAME,
// with the parameters of libpq, as passfile or sslmode), or else the path of a SQLite file, which is
// made if it is missing. It brings the tables up to date; several replicas may open it at once. The
// time comes from now.
//
// Errors: CodeAddress, CodeUnavailable, CodeDamaged, CodeNewer.
func Open(ctx context.Context, address string, now func() time.Time) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := &Store{now: now}
	s.redemptions.run = s.redeem
	var err error
	if s.db, err = openOrMake(ctx, address); err != nil {
		return nil, s.failed("open the store", err)
	}
	if err := s.load(ctx); err != nil {
		_ = s.Close() // the first error says more
		return nil, s.failed("open the store", err)
	}
	return s, nil
}

// openOrMake opens the database, and makes the file if it is missing, as other replicas may do meanwhile.
func openOrMake(ctx context.Context, address string) (*sqldb.DB, error) {
	db, err := sqldb.Open(ctx, address, sqldb.Options{})
	if sqldb.Code(err) == sqldb.CodeMissing {
		db, err = sqldb.Open(ctx, address, sqldb.Options{Create: true})
	}
	if sqldb.Code(err) == sqldb.CodeExists {
		db, err = sqldb.Open(ctx, address, sqldb.Options{})
	}
	return db, err
}

// load brings the tables up to date and reads the key of the challenges, which the first replica draws.
func (s *Store) load(ctx context.Context) error {
	const name = "challenge-key"
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if _, err := s.db.Migrate(ctx, "verifier", steps, s.now()); err != nil {
		return err
	}
	key := make([]byte, sm.HashSize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO verifier_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, key); err != nil {
			return err
		}
		if err := tx.QueryRow("SELECT value FROM verifier_secret WHERE name = $1", name).Scan(&s.challengeKey); err != nil {
			return err
		}
		if len(s.challengeKey) != sm.HashSize {
			return errorf(CodeDamaged, nil, "the store's key is damaged: restore a copy, or begin with an empty store")
		}
		return nil
	})
}

// Close closes the store. Calls that are under way may fail.
func (s *Store) Close() error {
	s.flushCounts(true)
	if err := s.db.Close(); err != nil {
		return s.failed("close the store", err)
	}
	return nil
}

// Ping reports whether the database answers. Error: CodeUnavailable.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		return s.failed("ask the store", err)
	}
	return nil
}

// Bounds of Purge.
const (
	// skew is for how long something is kept after its end: clocks of replicas differ, and a challenge that one of them
	// takes for expired must not be forgotten while another would still accept it. Meanwhile
	// whoever comes too late is told so.
	skew = 10 * time.Minute

	usageDays  = 7    // for which calls are kept
	purgeChunk = 1000 // rows that are deleted at a time, so that nobody waits long
)

// Purge deletes what has ended. It is meant to be called about once a minute, by any number of
// replicas. Error: CodeUnavailable; what was deleted before stays deleted.
func (s *Store) Purge(ctx context.Context) error {
	s.flushCounts(false)
	ended := s.now().Add(-skew).Unix()
	for _, p := range []struct {
		statement string
		before    int64
	}{
		{"DELETE FROM verifier_redeemed WHERE challenge IN (SELECT challenge FROM verifier_redeemed WHERE expires <= $1 LIMIT $2)", ended},
		{purgeReferences, s.now().Add(-referenceMemory).Unix()},
		{"DELETE FROM verifier_session WHERE id IN (SELECT id FROM verifier_session WHERE expires <= $1 LIMIT $2)", ended},
		{purgeRequests, s.now().Add(-RequestMemory).Unix()},
		{purgeCounts, countsSince(s.now())},
		{"DELETE FROM verifier_usage WHERE day < $1 AND $2 > 0", s.now().Unix()/86400 - usageDays},
	} {
		if err := s.purge(ctx, p.statement, p.before); err != nil {
			return err
		}
	}
	return nil
}

// purge repeats a statement until there is nothing left for it to delete.
func (s *Store) purge(ctx context.Context, statement string, before int64) error {
	for {
		done, err := s.exec(ctx, "delete what has ended", statement, before, purgeChunk)
		if err != nil || done < purgeChunk {
			return err
		}
	}
}

// exec runs one statement and returns the number of rows that it changed.
func (s *Store) exec(ctx context.Context, doing, statement string, args ...any) (rows int64, err error) {
	err = s.single(ctx, doing, func(ctx context.Context, db *sql.DB) error {
		result, err := db.ExecContext(ctx, statement, args...)
		if err == nil {
			rows, err = result.RowsAffected()
		}
		return err
	})
	return rows, err
}

// single runs one statement, within the bounds of patience.
func (s *Store) single(ctx context.Context, doing string, do func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.db.Single(ctx, func(db *sql.DB) error { return do(ctx, db) }); err != nil {
		return s.failed(doing, err)
	}
	return nil
}

// inTransaction does something whole or not at all, within the bounds of patience.
func (s *Store) inTransaction(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.db.Write(ctx, do); err != nil {
		return s.failed(doing, err)
	}
	return nil
}

// failed gives an error of the database its code.
func (s *Store) failed(doing string, err error) error {
	if Code(err) != "" {
		return err
	}
	err = sqldb.Wrap(doing, err)
	switch sqldb.Code(err) {
	case sqldb.CodeAddress:
		return errorf(CodeAddress, err, "the store needs the path of a file, or the URL of a PostgreSQL database, postgres://USER@HOST/NAME")
	case sqldb.CodeNewer:
		return errorf(CodeNewer, nil, "the store was written by a later version of this software; use that one")
	case sqldb.CodeDamaged:
		return errorf(CodeDamaged, err, "%s: the file is damaged, or not a store; restore a copy, or begin with an empty store", doing)
	}
	return errorf(CodeUnavailable, err, "%s: the store's database does not answer; try again", doing)
}
