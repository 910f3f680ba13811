package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// wantCounts waits until the counts of some days are these: KIND DEPARTMENT MATTER NUMBER each.
func wantCounts(t *testing.T, s *Store, first, last licence.Date, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		counts, err := s.Counts(t.Context(), first, last)
		must(t, err)
		got = nil
		for _, c := range counts {
			got = append(got, fmt.Sprintf("%s %s %s %d", c.Kind, c.Department, c.Matter, c.Number))
		}
		if slices.Equal(got, want) {
			return
		}
	}
	t.Fatalf("the counts are %q, want %q", got, want)
}

func testCounts(t *testing.T, p *place) {
	s := p.open(t)
	day := licence.DateOf(p.time())
	wantCounts(t, s, day, day)
	s.Count(OverAsking, "tax", "transfer")
	s.Count(OverAsking, "tax", "transfer")
	s.Count(Unanswered, "tax", "transfer")
	s.Count(OverAsking, "tax", "")
	s.Count(OverAsking, "housing", "transfer")
	today := []string{"over-asking housing transfer 1", "over-asking tax  1", "over-asking tax transfer 2", "unanswered tax transfer 1"}
	wantCounts(t, s, day, day, today...)
	p.pass(24 * time.Hour)
	s.Count(OverAsking, "tax", "transfer")
	wantCounts(t, s, day, day, today...)
	wantCounts(t, s, day+1, day+9, "over-asking tax transfer 1")
	today[2] = "over-asking tax transfer 3"
	wantCounts(t, s, day, day+1, today...)
}

// What several replicas count at once is all counted, also by those that close at once.
func testCountsOfReplicas(t *testing.T, p *place) {
	s := p.open(t)
	inParallel(4, func(i int) {
		replica, err := Open(t.Context(), p.address, p.time)
		if err != nil {
			t.Error(err)
			return
		}
		inParallel(5, func(int) {
			for range 20 {
				replica.Count(Unanswered, "tax", "transfer")
			}
		})
		if err := replica.Close(); err != nil {
			t.Error(err)
		}
	})
	day := licence.DateOf(p.time())
	wantCounts(t, s, day, day, "unanswered tax transfer 400")
}

func testCountsPurged(t *testing.T, p *place) {
	s := p.open(t)
	day := licence.DateOf(p.time())
	s.Count(Unanswered, "tax", "")
	wantCounts(t, s, day, day, "unanswered tax  1")
	p.pass(countDays * 24 * time.Hour)
	must(t, s.Purge(t.Context()))
	wantCounts(t, s, day, day, "unanswered tax  1")
	p.pass(24 * time.Hour)
	must(t, s.Purge(t.Context()))
	wantCounts(t, s, day, day)
}

// A database that is away for long takes no memory without end.
func TestCountsBounded(t *testing.T) {
	s := &Store{now: time.Now}
	s.counting.writing = true // nobody else begins to write
	for i := range 3 * maxCounting {
		s.Count(Unanswered, "tax", fmt.Sprint(i))
	}
	if n := len(s.counting.waiting); n != maxCounting {
		t.Errorf("%d counts wait", n)
	}
}
