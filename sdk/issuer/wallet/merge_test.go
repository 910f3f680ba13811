package wallet

import (
	"fmt"
	"testing"
	"time"

	"github.com/credledger/credledger/verifier/access"
)

// logOf makes n accesses, newest first, one every so many seconds.
func logOf(n, every int, release bool) []Access {
	out := make([]Access, n)
	for i := range out {
		index := uint64(n - 1 - i)
		out[i] = Access{Index: index, Time: time.Unix(int64(index)*int64(every), 0), Call: fmt.Sprint(release, index), Release: release, Outcome: "valid"}
	}
	return out
}

// page returns the first accesses of a log before an index.
func page(log []Access, before uint64) []Access {
	var out []Access
	for _, a := range log {
		if a.Index < before && len(out) < accessPage {
			out = append(out, a)
		}
	}
	return out
}

// Page by page everything is told once, and the newest first.
func TestMergePages(t *testing.T) {
	for _, c := range []struct{ verified, released, every int }{
		{0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {50, 0, 1}, {51, 0, 1}, {50, 50, 1}, {49, 1, 7}, {120, 33, 3}, {3, 200, 11}, {1, 50, 1000},
	} {
		verified, released := logOf(c.verified, c.every, false), logOf(c.released, 1, true)
		from, told, last := &Newest, map[string]bool{}, time.Unix(1<<40, 0)
		for range 20 {
			var v, r []Access
			if from.Verifier > 0 {
				v = page(verified, from.Verifier)
			}
			if from.Releases > 0 {
				r = page(released, from.Releases)
			}
			all, next := merge(v, r, *from, true)
			for _, a := range all {
				if told[a.Call] || a.Time.After(last) {
					t.Errorf("%+v: %s is told twice, or too late", c, a.Call)
				}
				told[a.Call], last = true, a.Time
			}
			if from = next; from == nil {
				break
			}
		}
		if from != nil || len(told) != c.verified+c.released {
			t.Errorf("%+v: %d were told, next is %v", c, len(told), from)
		}
	}
}

// What stands in both logs is told once; the verification of what was released is another thing.
func TestMergeOnce(t *testing.T) {
	at := time.Unix(1000, 0)
	verified := []Access{
		{Index: 2, Time: at, Call: "a", Outcome: "valid"}, {Index: 1, Time: at, Call: "a", Outcome: access.Released}, {Index: 0, Time: at, Call: "b", Outcome: access.Unanswered},
	}
	released := []Access{{Index: 0, Time: at, Call: "a", Release: true, Outcome: access.Released}}
	all, next := merge(verified, released, Newest, true)
	if next != nil || len(all) != 3 || all[0].Outcome != "valid" || all[1].Call != "b" || !all[2].Release {
		t.Errorf("%+v, %v", all, next)
	}
	// The verifier is away: its place stays where it was.
	_, next = merge(nil, logOf(60, 1, true)[:50], Place{70, access.MaxEntries}, false)
	if next == nil || next.Verifier != 70 || next.Releases != 10 {
		t.Errorf("%+v", next)
	}
}
