package verify

import (
	"github.com/credledger/credledger/sdk/licence"
)

// on returns the change that holds on a day: the last in the ledger's order that is in effect by
// then; nil if there is none.
func on(changes []Change, day licence.Date) *Change {
	for i := len(changes) - 1; i >= 0; i-- {
		if changes[i].Effective <= day {
			return &changes[i]
		}
	}
	return nil
}

// after returns the change that takes effect first after a day; of several on one day the last in
// the ledger's order, which is the one that will hold; nil if there is none.
func after(changes []Change, day licence.Date) *Change {
	var next *Change
	for i := range changes {
		if e := changes[i].Effective; e > day && (next == nil || e <= next.Effective) {
			next = &changes[i]
		}
	}
	return next
}

func (c *Change) restrictiveness() int {
	if c == nil {
		return licence.Active.Restrictiveness()
	}
	return c.State.Restrictiveness()
}

// status finds out the status on the day: the more restrictive of that of the licence and that of
// all under its root, and then the validity that the licence was issued with.
func (c *check) status() {
	if c.findings[AxisAnchor].Result != Pass {
		c.set(AxisStatus, Unknown, ReasonNotExamined)
		return
	}
	c.statusChanges()
	if c.Change != nil && c.Change.State != licence.Active {
		c.set(AxisStatus, Fail, Reason(c.Change.State))
		return
	}
	r := &c.Opened.Record
	from := r.ValidFrom
	if from == nil && c.AsOf {
		issued := licence.DateOf(unix(r.IssuedAt)) // it was not there before
		from = &issued
	}
	switch {
	case from != nil && c.Day < *from:
		c.set(AxisStatus, Fail, ReasonNotYetValid)
	case r.ValidUntil != nil && c.Day > *r.ValidUntil:
		c.set(AxisStatus, Fail, ReasonExpired)
	default:
		c.set(AxisStatus, Pass, ReasonActive)
	}
}

func (c *check) statusChanges() {
	if len(c.Known.Changes) == 0 && len(c.Known.RootChanges) == 0 {
		return
	}
	own, batch := on(c.Known.Changes, c.Day), on(c.Known.RootChanges, c.Day)
	c.Change, c.OfBatch = own, false
	if batch.restrictiveness() > own.restrictiveness() || own == nil && batch != nil {
		c.Change, c.OfBatch = batch, true
	}
	c.Pending = after(c.Known.Changes, c.Day)
	if next := after(c.Known.RootChanges, c.Day); next != nil && (c.Pending == nil || next.Effective < c.Pending.Effective) {
		c.Pending = next
	}
}

// restrictions finds out whether one is in effect on the day.
func (c *check) restrictions() {
	if c.findings[AxisAnchor].Result != Pass {
		c.set(AxisRestrictions, Unknown, ReasonNotExamined)
		return
	}
	if n, _ := c.RestrictionsInEffect(); n > 0 {
		c.set(AxisRestrictions, Fail, ReasonRestricted)
		return
	}
	c.set(AxisRestrictions, Pass, ReasonUnrestricted)
}
