package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/credledger/credledger/sdk/licence"
)

// maxCalls bounds the number of calls of a day; a greater limit is none.
const maxCalls = 1 << 53

// Add counts n calls of an agency on a day, unless they were more than limit together with those that
// all replicas have counted before: then nothing is counted and ok is false. It returns the number that
// is counted now.
//
// Error: CodeUnavailable, after which the calls may be counted or not.
func (s *Store) Add(ctx context.Context, agency string, day licence.Date, n, limit uint64) (total uint64, ok bool, err error) {
	const doing = "count calls"
	if limit = min(limit, maxCalls); n <= limit {
		err = s.single(ctx, doing, func(ctx context.Context, db *sql.DB) error {
			err := db.QueryRowContext(ctx,
				"INSERT INTO verifier_usage (agency, day, calls) VALUES ($1, $2, $3) "+
					"ON CONFLICT (agency, day) DO UPDATE SET calls = verifier_usage.calls + excluded.calls "+
					"WHERE verifier_usage.calls + excluded.calls <= $4 RETURNING calls",
				agency, int64(day), int64(n), int64(limit)).Scan(&total)
			if ok = err == nil; errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			return err
		})
		if ok || err != nil {
			return total, ok, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = s.db.Read().QueryRowContext(ctx, "SELECT calls FROM verifier_usage WHERE agency = $1 AND day = $2", agency, int64(day)).Scan(&total)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, s.failed(doing, err)
	}
	return total, false, nil
}
