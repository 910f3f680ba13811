package store

import (
	"math"
	"sync/atomic"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
)

func today(p *place) licence.Date { return licence.Date(p.time().Unix() / 86400) }

func testUsage(t *testing.T, p *place) {
	s, other, day := p.open(t), p.open(t), today(p)
	for _, step := range []struct {
		name     string
		store    *Store
		agency   string
		day      licence.Date
		n, limit uint64
		total    uint64
		ok       bool
	}{
		{"first", s, "a", day, 3, 10, 3, true},
		{"more than there may be at all", s, "a", day, 11, 10, 3, false},
		{"up to the limit, elsewhere", other, "a", day, 7, 10, 10, true},
		{"one more", s, "a", day, 1, 10, 10, false},
		{"none", s, "a", day, 0, 10, 10, true},
		{"a limit that was lowered", s, "a", day, 1, 5, 10, false},
		{"a limit that was raised", s, "a", day, 1, 11, 11, true},
		{"another day", s, "a", day + 1, 10, 10, 10, true},
		{"another agency", s, "b", day, 10, 10, 10, true},
		{"nothing is allowed", s, "c", day, 1, 0, 0, false},
		{"too many at once", s, "c", day, math.MaxUint64, 10, 0, false},
		{"no limit", s, "c", day, maxCalls, math.MaxUint64, maxCalls, true},
		{"beyond every limit", s, "c", day, maxCalls, math.MaxUint64, maxCalls, false},
	} {
		total, ok, err := step.store.Add(t.Context(), step.agency, step.day, step.n, step.limit)
		if err != nil || total != step.total || ok != step.ok {
			t.Fatalf("%s: %d, %v, %v; want %d, %v", step.name, total, ok, err, step.total, step.ok)
		}
	}
}

func testUsageOfReplicas(t *testing.T, p *place) {
	replicas := []*Store{p.open(t), p.open(t)}
	var counted atomic.Uint64
	inParallel(8, func(i int) {
		for range 20 {
			_, ok, err := replicas[i%len(replicas)].Add(t.Context(), "a", today(p), 3, 100)
			if err != nil {
				t.Error(err)
			}
			if ok {
				counted.Add(3)
			}
		}
	})
	if n := counted.Load(); n != 99 {
		t.Fatalf("%d calls were allowed of 100, three at a time", n)
	}
	if total, ok, err := replicas[0].Add(t.Context(), "a", today(p), 1, 100); total != 100 || !ok || err != nil {
		t.Fatalf("the last call: %d, %v, %v", total, ok, err)
	}
}
