// Package store is what the replicas of one verifier share, so that each may answer for the others:
// which challenges were answered, the presentations behind one-time reference codes, how often an
// agency called on a day, and which clerks are signed in.
//
// It is a SQLite file, for replicas on one machine (they may be several processes), or a PostgreSQL
// database, for replicas on several. Both do the same, in the same SQL. What a method has done is
// durable when it returns, and what is promised to happen once happens once, whichever replicas are
// asked at the same time and however often they restart.
//
// A stolen copy of the database shows no presentation (each is sealed under a key that only its
// token gives) and lets nobody in (tokens are kept as digests). It holds the key under which challenges
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
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// A Store is safe for concurrent use.
type Store struct {
	engine       engine
	write        *sql.DB
	read         *sql.DB       // the same as write, or other connections where one writer at a time is best
	turns        chan struct{} // taken by those who write, as many as there are connections for: they are served in order
	now          func() time.Time
	challengeKey []byte
	redemptions  group[*redemption]
	references   room
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
	open := openSQLite
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		open = openPostgreSQL
	}
	s, err := open(ctx, address)
	if err != nil {
		return nil, err
	}
	s.now = now
	s.redemptions.run = s.redeem
	if err := s.load(ctx); err != nil {
		_ = s.Close() // the first error says more
		return nil, err
	}
	return s, nil
}

// load brings the tables up to date and reads the key of the challenges, which the first replica draws.
func (s *Store) load(ctx context.Context) error {
	const name = "challenge-key"
	return s.inTransaction(ctx, "open the store", func(tx *sql.Tx) error {
		if err := s.engine.lock(tx); err != nil {
			return err
		}
		if err := migrate(tx, s.now()); err != nil {
			return err
		}
		key := make([]byte, sm.HashSize)
		if _, err := rand.Read(key); err != nil {
			return err
		}
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
	err := s.write.Close()
	if s.read != s.write {
		if e := s.read.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return s.failed("close the store", err)
	}
	return nil
}

// Ping reports whether the database answers. Error: CodeUnavailable.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var one int
	if err := s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
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
	ended := s.now().Add(-skew).Unix()
	for _, p := range []struct {
		statement string
		before    int64
	}{
		{"DELETE FROM verifier_redeemed WHERE challenge IN (SELECT challenge FROM verifier_redeemed WHERE expires <= $1 LIMIT $2)", ended},
		{purgeReferences, s.now().Add(-referenceMemory).Unix()},
		{"DELETE FROM verifier_session WHERE id IN (SELECT id FROM verifier_session WHERE expires <= $1 LIMIT $2)", ended},
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
	err = s.inTurn(ctx, doing, func(ctx context.Context) error {
		result, err := s.write.ExecContext(ctx, statement, args...)
		if err == nil {
			rows, err = result.RowsAffected()
		}
		return err
	})
	return rows, err
}

// inTransaction does something whole or not at all.
func (s *Store) inTransaction(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	return s.inTurn(ctx, doing, func(ctx context.Context) error {
		tx, err := s.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			_ = tx.Rollback() // the first error says more
			return err
		}
		return tx.Commit()
	})
}

// inTurn writes, within the bounds of patience.
func (s *Store) inTurn(ctx context.Context, doing string, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return s.failed(doing, context.Cause(ctx))
	}
	if err := write(ctx); err != nil {
		return s.failed(doing, err)
	}
	return nil
}

// failed gives an error of the database its code.
func (s *Store) failed(doing string, err error) error {
	if Code(err) != "" {
		return err
	}
	if s.engine.damaged(err) {
		return errorf(CodeDamaged, err, "%s: the file is damaged, or not a store; restore a copy, or begin with an empty store", doing)
	}
	return errorf(CodeUnavailable, err, "%s: the store's database does not answer; try again", doing)
}
