package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sqldb"
)

// A CountKind is what became of a request of an agency that is not in the access log.
type CountKind string

// The kinds.
const (
	OverAsking CountKind = "over-asking" // refused, because it asked for what the agency may not have
	Unanswered CountKind = "unanswered"  // the verifier failed, or took longer than the caller waited
)

// A Count says how many requests of a kind there were on a day.
type Count struct {
	Day        licence.Date
	Kind       CountKind
	Department string // that asked
	Matter     string // for which; "" if it named none that it may name
	Number     uint64
}

const (
	countDays   = 800     // for which counts are kept: two years, and time to report on them
	maxCounting = 1 << 12 // counts that wait to be written, each of its own day, kind, department and matter
)

// A counting is what waits to be written. Its keys are Counts without a Number.
type counting struct {
	mu      sync.Mutex
	waiting map[Count]uint64
	writing bool
	closed  bool
	writer  sync.WaitGroup
}

// Count counts a request, today. It never waits: the count is written at once, together with others that
// come meanwhile, by a goroutine; and again with the next one, or by Purge or Close, if the database does not
// take it. Only a process that is killed, or closes without a database, loses what is not written yet.
func (s *Store) Count(kind CountKind, department, matter string) {
	c := &s.counting
	key := Count{Day: licence.DateOf(s.now()), Kind: kind, Department: department, Matter: matter}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[Count]uint64{}
	}
	if _, known := c.waiting[key]; !known && len(c.waiting) == maxCounting {
		return // the database has been away for long: that is known otherwise
	}
	c.waiting[key]++
	if !c.writing && !c.closed {
		c.writing = true
		c.writer.Go(s.writeCounts)
	}
}

// writeCounts writes counts until none waits, or the database does not take them.
func (s *Store) writeCounts() {
	c := &s.counting
	for {
		c.mu.Lock()
		if len(c.waiting) == 0 {
			c.writing = false
			c.mu.Unlock()
			return
		}
		counts := c.waiting
		c.waiting = map[Count]uint64{}
		c.mu.Unlock()
		if err := s.addCounts(context.Background(), counts); err != nil {
			c.mu.Lock()
			for key, n := range counts {
				c.waiting[key] += n
			}
			c.writing = false
			c.mu.Unlock()
			return
		}
	}
}

// flushCounts has the counts that wait written once more, and waits for it.
func (s *Store) flushCounts(closing bool) {
	c := &s.counting
	c.mu.Lock()
	c.closed = c.closed || closing
	begin := !c.writing && len(c.waiting) > 0
	if begin {
		c.writing = true
	}
	c.mu.Unlock()
	if begin {
		s.writeCounts()
	}
	if closing {
		c.writer.Wait()
	}
}

func (s *Store) addCounts(ctx context.Context, counts map[Count]uint64) error {
	return s.inTransaction(ctx, "count requests", func(tx *sql.Tx) error {
		for key, n := range counts {
			_, err := tx.Exec("INSERT INTO verifier_count (day, kind, department, matter, counted) VALUES ($1, $2, $3, $4, $5) "+
				"ON CONFLICT (day, kind, department, matter) DO UPDATE SET counted = verifier_count.counted + excluded.counted",
				int64(key.Day), string(key.Kind), key.Department, key.Matter, int64(n))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Counts returns what was counted from one day to another, both included, by all replicas; the days are not
// told apart: Day is the first. Error: CodeUnavailable.
func (s *Store) Counts(ctx context.Context, first, last licence.Date) ([]Count, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out []Count
	err := sqldb.Select(ctx, s.db.Read(),
		"SELECT kind, department, matter, SUM(counted) FROM verifier_count WHERE day >= $1 AND day <= $2 "+
			"GROUP BY kind, department, matter ORDER BY kind, department, matter", []any{int64(first), int64(last)},
		func(rows *sql.Rows) error {
			c := Count{Day: first}
			err := rows.Scan(&c.Kind, &c.Department, &c.Matter, &c.Number)
			out = append(out, c)
			return err
		})
	if err != nil {
		return nil, s.failed("read the counts of requests", err)
	}
	return out, nil
}

// purgeCounts deletes the counts from before a day.
const purgeCounts = "DELETE FROM verifier_count WHERE day < $1 AND $2 > 0"

// countsSince is the first day of which counts are kept.
func countsSince(now time.Time) int64 { return int64(licence.DateOf(now)) - countDays }
