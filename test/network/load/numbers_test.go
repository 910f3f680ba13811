package load

import (
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
)

// TestNumbers computes the numbers of a record that was written by hand. Times are in seconds.
func TestNumbers(t *testing.T) {
	zero := time.Unix(1_800_000_000, 0)
	at := func(s float64) time.Time { return zero.Add(time.Duration(s * float64(time.Second))) }
	lost := unknown(nil)
	entry := func(outcome Outcome, licences int, times ...float64) *Entry { // of each attempt: begin, end
		e := &Entry{Kind: Single, Licences: licences, Outcome: outcome}
		for i := 0; i < len(times); i += 2 {
			a := Attempt{Began: at(times[i]), Ended: at(times[i+1])}
			if e.Settled = a.Ended; i+2 < len(times) || outcome == Unsettled {
				a.Err, a.Code = lost, ledger.CodeOutcomeUnknown
			}
			e.Attempts = append(e.Attempts, a)
		}
		return e
	}
	r := &Record{Began: zero, Ended: at(20), Entries: []*Entry{
		entry(Written, 1, 0, 1),
		entry(Written, 64, 1, 2),
		entry(Existing, 1, 1.5, 8, 8.1, 9), // in flight at the first fault, its answer lost
		entry(Written, 1, 3, 7),            // begun after the first fault
		entry(Written, 1, 9, 9.5),
		entry(Unsettled, 1, 13, 20), // begun after the second fault
		entry(Refused, 1, 14, 14.5),
	}, faults: []mark{{"first", at(2.5)}, {"second", at(12)}}}

	s := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	n := r.Numbers()
	want := Numbers{
		Acknowledged: 5, Licences: 68, Took: s(20), Unknown: 2,
		Longest: Longest{Gap: s(10.5), Call: s(7), Outcome: s(7.5)},
		Faults: []Recovery{
			{Name: "first", At: s(2.5), InFlight: 1, FirstCommit: s(4.5), Longest: Longest{Gap: s(4.5), Call: s(6.5), Outcome: s(7.5)}},
			{Name: "second", At: s(12), FirstCommit: -1, Longest: Longest{Gap: s(8), Call: s(7), Outcome: s(0.5)}},
		},
	}
	if n.String() != want.String() || n.Faults[0] != want.Faults[0] || n.Faults[1] != want.Faults[1] {
		t.Errorf("numbers\n%+v\nwant\n%+v", n, want)
	}
	const text = `5 transactions and 68 licences acknowledged in 20s (0 and 3 a second); 2 outcomes unknown at first, 0 not submitted; longest gap 10.5s, longest submission 7s, longest wait for an outcome 7.5s
first, at 2.5s with 1 in flight: first commit after 4.5s; longest gap 4.5s, longest submission 6.5s, longest wait for an outcome 7.5s
second, at 12s with 0 in flight: nothing committed after it; longest gap 8s, longest submission 7s, longest wait for an outcome 500ms`
	if n.String() != text {
		t.Errorf("text\n%s\nwant\n%s", n, text)
	}
}
