package load

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
)

// Numbers are what a record says of speed and of recovery.
type Numbers struct {
	Acknowledged int           // transactions
	Licences     int           // in those of them that are anchors
	Took         time.Duration // of the load
	Unknown      int           // attempts whose outcome was unknown at first
	NotSubmitted int           // attempts that were not submitted
	Longest      Longest       // of the whole load
	Faults       []Recovery    // in their order
}

// Longest is the worst that callers met in some time.
type Longest struct {
	Gap     time.Duration // between two acknowledgements
	Call    time.Duration // of one Submit
	Outcome time.Duration // from the first submission of a transaction until its true outcome was known
}

// A Recovery is what came of a fault, until the next one or the end of the load.
type Recovery struct {
	Name        string
	At          time.Duration // since the load began
	InFlight    int           // submissions that were under way
	FirstCommit time.Duration // from the fault to the first acknowledgement of what was submitted after it; negative if there was none
	Longest     Longest       // of what was under way at the fault, or was submitted after it
}

// Numbers makes the numbers of a record that Stop has returned.
func (r *Record) Numbers() Numbers {
	n := Numbers{Took: r.Ended.Sub(r.Began), Longest: r.longest(r.Began, r.Ended)}
	for _, e := range r.Entries {
		if e.acknowledged() {
			n.Acknowledged++
			n.Licences += e.Licences
		}
		for _, a := range e.Attempts {
			switch a.Code {
			case ledger.CodeOutcomeUnknown:
				n.Unknown++
			case ledger.CodeNotSubmitted:
				n.NotSubmitted++
			}
		}
	}
	for i, f := range r.faults {
		until := r.Ended
		if i+1 < len(r.faults) {
			until = r.faults[i+1].at
		}
		n.Faults = append(n.Faults, r.recovery(f, until))
	}
	return n
}

func (r *Record) recovery(f mark, until time.Time) Recovery {
	out := Recovery{Name: f.name, At: f.at.Sub(r.Began), FirstCommit: -1, Longest: r.longest(f.at, until)}
	for _, e := range r.Entries {
		for i, a := range e.Attempts {
			switch {
			case a.Began.Before(f.at) && a.Ended.After(f.at):
				out.InFlight++
			case a.Began.After(f.at) && e.acknowledged() && i == len(e.Attempts)-1:
				if took := e.Settled.Sub(f.at); out.FirstCommit < 0 || took < out.FirstCommit {
					out.FirstCommit = took
				}
			}
		}
	}
	return out
}

// longest looks at what was under way at some time, or began after it and before another.
func (r *Record) longest(from, until time.Time) (out Longest) {
	commits := []time.Time{from, until}
	for _, e := range r.Entries {
		if e.acknowledged() && e.Settled.After(from) && e.Settled.Before(until) {
			commits = append(commits, e.Settled)
		}
		concerned := false
		for _, a := range e.Attempts {
			if a.Ended.After(from) && a.Began.Before(until) {
				concerned = true
				out.Call = max(out.Call, a.Ended.Sub(a.Began))
			}
		}
		if concerned && e.Outcome != Unsettled {
			out.Outcome = max(out.Outcome, e.Settled.Sub(e.Attempts[0].Began))
		}
	}
	slices.SortFunc(commits, time.Time.Compare)
	for i := range commits[1:] {
		out.Gap = max(out.Gap, commits[i+1].Sub(commits[i]))
	}
	return out
}

// String is a report for people, in several lines.
func (n Numbers) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d transactions and %d licences acknowledged in %s (%.0f and %.0f a second); %d outcomes unknown at first, %d not submitted; %s",
		n.Acknowledged, n.Licences, short(n.Took), float64(n.Acknowledged)/n.Took.Seconds(), float64(n.Licences)/n.Took.Seconds(),
		n.Unknown, n.NotSubmitted, n.Longest)
	for _, f := range n.Faults {
		first := "nothing committed after it"
		if f.FirstCommit >= 0 {
			first = "first commit after " + short(f.FirstCommit)
		}
		fmt.Fprintf(&b, "\n%s, at %s with %d in flight: %s; %s", f.Name, short(f.At), f.InFlight, first, f.Longest)
	}
	return b.String()
}

func (l Longest) String() string {
	return fmt.Sprintf("longest gap %s, longest submission %s, longest wait for an outcome %s", short(l.Gap), short(l.Call), short(l.Outcome))
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }
