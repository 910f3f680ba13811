package report

import (
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// A Ledger is what a report asks of all that the ledger holds up to one block; *index.Export is one.
type Ledger interface {
	// Ledger returns the ledger's id.
	Ledger() sm.Hash
	// Head returns the block that all this is as of.
	Head() ledger.Head
	// Heartbeat returns the newest heartbeat.
	Heartbeat() verify.Heartbeat
	// Bracket returns the newest heartbeat before a place and the first after it; sequence number 0
	// means that there is none.
	Bracket(verify.Position) (before, after verify.Heartbeat)
	// Departments returns all departments.
	Departments() []*verify.Department
	// Types returns all versions of all licence types.
	Types() []*licence.Type
	// Anchors visits all anchors, with the changes of the status of all licences under each.
	Anchors(yield func(a verify.Anchor, changes []verify.Change) bool)
	// Licences visits every licence whose own status was ever changed, with the changes.
	Licences(yield func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool)
}

// What stands on the ledger has the time of the newest heartbeat before it: it came no earlier, and
// that never changes. What comes before the first heartbeat has no time, and is counted as undated.
const (
	causeAnchor = "anchor"
	causeChange = "status-change"
)

// fromLedger computes what the ledger tells.
func (b *builder) fromLedger(l Ledger) {
	inUse := map[[2]string]bool{} // issuer and type, by the end of the period
	for a, changes := range l.Anchors {
		h := &a.Head
		b.changes(l, h.Issuer, h.Type, changes)
		if !b.scope.includes(h.Issuer) || a.Disowned {
			continue
		}
		if a.Before.Sequence == 0 {
			b.undated(h.Issuer, causeAnchor)
			continue
		}
		if a.Before.Time < begin(b.scope.Period.last+1) {
			inUse[[2]string{h.Issuer, h.Type}] = true
		}
		if !b.scope.Period.has(a.Before.Time) {
			continue
		}
		for _, w := range []Where{{}, {Department: h.Issuer}, {Type: h.Type}, {Department: h.Issuer, Unit: h.Unit, Type: h.Type}} {
			b.add(Issued, w, uint64(h.Size), 0)
			b.add(IssuedBatches, w, 1, 0)
		}
	}
	l.Licences(func(issuer, typ string, _ sm.Hash, changes []verify.Change, _ []verify.Restriction) bool {
		b.changes(l, issuer, typ, changes)
		return true
	})
	for _, d := range l.Departments() {
		if !b.scope.includes(d.Profile.ID) {
			continue
		}
		for _, typ := range d.Profile.Issues {
			used := uint64(0)
			if inUse[[2]string{d.Profile.ID, typ}] {
				used = 1
			}
			b.add(Coverage, Where{}, used, 1)
			b.add(Coverage, Where{Department: d.Profile.ID}, used, 1)
		}
	}
}

// changes judges changes of status: one is late if the day from which it holds was over when the
// heartbeat before it was made.
func (b *builder) changes(l Ledger, issuer, typ string, changes []verify.Change) {
	if !b.scope.includes(issuer) {
		return
	}
	for i := range changes {
		before, _ := l.Bracket(changes[i].Position)
		if before.Sequence == 0 {
			b.undated(issuer, causeChange)
			continue
		}
		if !b.scope.Period.has(before.Time) {
			continue
		}
		late, delay := uint64(0), uint64(0)
		if days := int64(dayOf(before.Time)) - int64(changes[i].Effective); days > 0 {
			late, delay = 1, uint64(days)
		}
		for _, w := range []Where{{}, {Department: issuer}, {Type: typ}, {Department: issuer, Type: typ}} {
			b.add(StatusChanges, w, late, 1)
			b.add(StatusDelay, w, delay, late)
		}
	}
}

func (b *builder) undated(issuer, cause string) {
	b.add(Undated, Where{Cause: cause}, 1, 0)
	b.add(Undated, Where{Department: issuer, Cause: cause}, 1, 0)
}
