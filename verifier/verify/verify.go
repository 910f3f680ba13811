// Package verify gives the verdict on a presentation.
//
// Verify is a pure function of the presentation, a view of the ledger and the time. A verdict
// answers seven questions, each with pass, fail or unknown and a stable reason code:
//
//	content       is it the one encoding of something whose hashes agree with its dictionary?
//	issuer        did a key of this issuer, enrolled for this, sign the head of its batch?
//	anchor        is this very head on the ledger?
//	status        is the licence active on the day in question?
//	restrictions  is it free of seizures, mortgages, objections and the like?
//	holder        does a holder of it show it, now, to this verifier?
//	freshness     is the view of the ledger recent enough for this type of licence?
//
// and sums them up in this order:
//
//	invalid       content, issuer, anchor or a required holder proof fails
//	undetermined  one of these is unknown
//	not-current   the status fails
//	undetermined  status or restrictions are unknown, or the view is not fresh
//	restricted    a restriction is in effect
//	valid         otherwise
//
// Unknown is not invalid: that a peer is down, that the view is old or that the licence is of
// another ledger never makes a genuine licence look forged. And unknown is not active: a status
// that could not be had is never taken for a good one.
//
// The package does no I/O, reads no clock, keeps nothing and calls no network.
package verify

import (
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// Skew is how far the clocks of issuer, holder and verifier may be apart.
const Skew = 2 * time.Minute

// settling is how long a signed head may be on its way to the ledger: an issuer that waited out an
// outage submits the bytes that it signed before, and a view may know a heartbeat that was sent
// meanwhile.
const settling = 15 * time.Minute

// maxAhead bounds how far in the future a head may be dated and still count as one that the view
// has not seen yet, rather than as one that is not on the ledger.
const maxAhead = 24 * time.Hour

// A Request is what a verifier asks.
type Request struct {
	Presentation []byte                   // as package credential encodes it
	Parsed       *credential.Presentation // instead of Presentation, if the caller has parsed it
	Now          time.Time

	// AsOf asks for the status on another day than that of Now. Restrictions are those that are
	// open now and were in effect by that day.
	AsOf *licence.Date

	// Audience and Nonce are what the verifier told the holder: who it is, and random bytes that it
	// never used before. Without a nonce of the verifier's own no holder proof passes.
	Audience       string
	Nonce          []byte
	HolderRequired bool
}

// A check is one verification on its way. It does not hold the view, so that it and the verdict can
// stay on the stack.
type check struct {
	*Verdict
	request *Request
}

// Verify answers a request by what a view knows.
func Verify(view View, r Request) Verdict {
	v := Verdict{Now: r.Now, Day: licence.DateOf(r.Now), HolderRequired: r.HolderRequired}
	if r.AsOf != nil {
		v.Day, v.AsOf = *r.AsOf, true
	}
	c := check{Verdict: &v, request: &r}
	if c.content(view) {
		c.issuer(view)
		c.anchor()
		c.status()
		c.restrictions()
		c.holder(view)
		c.freshness()
	}
	v.Outcome = v.findings.outcome(r.HolderRequired)
	return v
}

func (c *check) set(a Axis, r Result, reason Reason) { c.findings[a] = Finding{r, reason} }

// settle sets the axis of the contents, and all others to unknown; it reports false.
func (c *check) settle(r Result, reason, others Reason) bool {
	for a := range c.findings {
		c.findings[a] = Finding{Unknown, others}
	}
	c.set(AxisContent, r, reason)
	if c.Presentation != nil && c.Presentation.Holder == nil {
		c.set(AxisHolder, Unknown, ReasonStatic)
	}
	return false
}

// content parses the presentation, recomputes its hashes, and looks up what the view knows of it.
// It reports whether there is something for the other axes to examine.
func (c *check) content(view View) bool {
	p, err := c.request.Parsed, error(nil)
	if p == nil {
		if p, err = credential.Parse(c.request.Presentation); err != nil {
			return c.refuse(err)
		}
	}
	c.Presentation = p
	if p.Head.Ledger != view.Ledger() {
		return c.settle(Unknown, ReasonLedgerUnknown, ReasonLedgerUnknown)
	}
	t, newest := view.Type(p.Record.Type, p.Record.TypeVersion)
	if t == nil {
		return c.typeUnknown(view)
	}
	if c.Opened, err = p.Open(t); err != nil {
		return c.refuse(err)
	}
	c.MaxAge = newest.MaxStatusAge
	c.Issuer = view.Department(p.Record.Issuer)
	c.Known = view.Licence(p.Record.Issuer, c.Opened.Signed.Root, c.Opened.Digest)
	c.set(AxisContent, Pass, ReasonConsistent)
	return true
}

// typeUnknown settles the verdict on a presentation whose hashes cannot be recomputed for want of
// its dictionary. No head of a type is anchored before the type is published: what is not newer than
// the view is not on the ledger.
func (c *check) typeUnknown(view View) bool {
	c.Known = view.Licence(c.Presentation.Record.Issuer, sm.Hash{}, sm.Hash{})
	c.settle(Unknown, ReasonTypeUnknown, ReasonTypeUnknown)
	if !c.newerThanView(c.Presentation.Head.SignedAt) {
		c.set(AxisAnchor, Fail, ReasonNotAnchored)
	}
	return false
}

func (c *check) refuse(err error) bool {
	reason := ReasonMalformed
	var e *credential.Error
	if errors.As(err, &e) {
		reason = Reason(e.Code)
	}
	c.Opened, c.Problem = nil, err.Error()
	return c.settle(Fail, reason, ReasonNotExamined)
}

// freshness compares this machine's clock with the newest heartbeat.
func (c *check) freshness() {
	newest := c.Known.Heartbeat
	if newest.Sequence == 0 {
		c.set(AxisFreshness, Unknown, ReasonNoHeartbeat)
		return
	}
	switch age := c.Now.Unix() - int64(newest.Time); {
	case age < -seconds(Skew):
		c.set(AxisFreshness, Unknown, ReasonClockBehind)
	case age > seconds(c.MaxAge):
		c.set(AxisFreshness, Fail, ReasonStale)
	default:
		c.set(AxisFreshness, Pass, ReasonFresh)
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
