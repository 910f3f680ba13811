package verify

import (
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
)

// A Result is what one axis came to. The zero Result is Unknown.
type Result uint8

// The results of an axis.
const (
	Unknown Result = iota
	Pass
	Fail
)

// String returns "unknown", "pass" or "fail".
func (r Result) String() string {
	switch r {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// An Axis is one of the independent questions that a verdict answers.
type Axis int

// The axes, in the order in which they are reported.
const (
	AxisContent      Axis = iota // one canonical encoding; hashes, proof and path agree with the dictionary
	AxisIssuer                   // the head was signed by a key that was this department's, for this
	AxisAnchor                   // this very head is on the ledger
	AxisStatus                   // active on the day in question
	AxisRestrictions             // none is open
	AxisHolder                   // a holder of the licence shows it, now, to this verifier
	AxisFreshness                // the view is recent enough for this type of licence

	numAxes = 7
)

// String returns the name of the axis: content, issuer, anchor, status, restrictions, holder or
// freshness.
func (a Axis) String() string {
	if a < 0 || a >= numAxes {
		return "axis-unknown"
	}
	return [numAxes]string{"content", "issuer", "anchor", "status", "restrictions", "holder", "freshness"}[a]
}

// A Finding is the result of one axis and the reason for it.
type Finding struct {
	Result Result
	Reason Reason
}

// An Outcome sums the axes up.
type Outcome string

// The outcomes.
const (
	Valid        Outcome = "valid"
	Restricted   Outcome = "restricted"   // valid, but a restriction lies on it
	NotCurrent   Outcome = "not-current"  // genuine, and known to be not in force
	Undetermined Outcome = "undetermined" // says nothing against the licence
	Invalid      Outcome = "invalid"
)

// findings is a Finding for each Axis.
type findings [numAxes]Finding

// outcome sums up, in this order: what makes it invalid; what cannot be told about that; what is
// known to be not current; whether that is known at all, and of late; restrictions.
func (f *findings) outcome(holderRequired bool) Outcome {
	genuine := least(f[AxisContent].Result, f[AxisIssuer].Result, f[AxisAnchor].Result)
	if holderRequired {
		genuine = least(genuine, f[AxisHolder].Result)
	}
	switch {
	case genuine == Fail:
		return Invalid
	case genuine == Unknown:
		return Undetermined
	case f[AxisStatus].Result == Fail:
		return NotCurrent
	case f[AxisStatus].Result == Unknown, f[AxisFreshness].Result != Pass, f[AxisRestrictions].Result == Unknown:
		return Undetermined
	case f[AxisRestrictions].Result == Fail:
		return Restricted
	}
	return Valid
}

// least returns Fail if there is one, else Unknown if there is one, else Pass.
func least(results ...Result) Result {
	least := Pass
	for _, r := range results {
		if r == Fail || r == Unknown && least == Pass {
			least = r
		}
	}
	return least
}

// A Verdict is the answer to a Request. It holds what was found out; texts and JSON are made of it
// when asked for. It shares memory with the presentation and is not changed.
type Verdict struct {
	Outcome        Outcome
	Now            time.Time    // of the request
	Day            licence.Date // that the status holds for
	AsOf           bool         // the day was asked for; else it is that of Now
	HolderRequired bool

	// Presentation is nil if it did not parse, Opened if it could not be recomputed.
	Presentation *credential.Presentation
	Opened       *credential.Opened
	Problem      string // what is wrong with the contents, for developers; "" if nothing

	Known   Licence       // what the view said
	Issuer  *Department   // nil if unknown
	MaxAge  time.Duration // that the type allows the view; 0 if unknown
	Change  *Change       // the change that made the status; nil if there was none by the day
	OfBatch bool          // that change was of all licences under the root
	Pending *Change       // the next change that takes effect after the day; nil if there is none

	findings findings
	keep     func(key string) bool // see Withhold; nil keeps all
}

// Finding returns the result of one axis.
func (v *Verdict) Finding(a Axis) Finding {
	if a < 0 || a >= numAxes {
		return Finding{}
	}
	return v.findings[a]
}

// Reasons returns the reason of each axis, in the order of the axes: what a verification receipt
// records.
func (v *Verdict) Reasons() []string {
	out := make([]string, numAxes)
	for i := range v.findings {
		out[i] = string(v.findings[i].Reason)
	}
	return out
}

// Age returns the time since the newest heartbeat of the view, at least 0; known is false if there
// is none.
func (v *Verdict) Age() (age time.Duration, known bool) {
	if v.Known.Heartbeat.Sequence == 0 {
		return 0, false
	}
	seconds := v.Now.Unix() - int64(v.Known.Heartbeat.Time)
	return time.Duration(max(seconds, 0)) * time.Second, true
}

// RestrictionsInEffect returns how many of the open restrictions are in effect on the day, and since
// when there is one.
func (v *Verdict) RestrictionsInEffect() (n int, since licence.Date) {
	for i := range v.Known.Restrictions {
		if e := v.Known.Restrictions[i].Effective; e <= v.Day {
			if n == 0 || e < since {
				since = e
			}
			n++
		}
	}
	return n, since
}

// Since returns the first day of the status that the verdict reports; known is false if it is
// active from the start, not yet valid or not known.
func (v *Verdict) Since() (day licence.Date, known bool) {
	switch {
	case v.Opened == nil:
	case v.findings[AxisStatus].Reason == ReasonExpired:
		return *v.Opened.Record.ValidUntil + 1, true
	case v.findings[AxisStatus].Reason != ReasonNotYetValid && v.Change != nil:
		return v.Change.Effective, true
	}
	return 0, false
}
