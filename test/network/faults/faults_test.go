//go:build network

package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/network/load"
)

// A fault is something that goes wrong while departments write.
type fault struct {
	name string

	// before, if there is one, prepares for it, while nobody writes.
	before func(x *experiment)

	// harm makes it go wrong and returns what makes it well again.
	harm func(x *experiment) (mend func())

	// lasts waits until it is time to mend; without it, that is after a while.
	lasts func(x *experiment)

	// stalls says that nothing can commit until it is well again, since no majority of the orderers
	// or no endorsement by the authority can be had.
	stalls bool
}

// faults are made one after the other on one network. The departments that write are all but the
// authority, so that whose peer is killed is the own organisation's for one of the clients and
// another's for the others.
var faults = []fault{
	{name: "leading orderer killed", harm: func(x *experiment) func() {
		leader := x.leader(x.T)
		x.kill(x.T, leader)
		return func() { x.start(x.T, leader) }
	}},
	{name: "two orderers of three killed", stalls: true, harm: func(x *experiment) func() {
		leader := x.leader(x.T)
		nodes := []string{leader}
		for _, node := range x.nodes(x.T, "orderer") {
			if node != leader && len(nodes) < 2 {
				nodes = append(nodes, node)
			}
		}
		x.kill(x.T, nodes...)
		return func() { x.start(x.T, nodes...) }
	}},
	{name: "peer of a department killed", harm: killed("peer1." + ledgertest.Marriages)},
	{name: "peer of the authority killed", stalls: true, harm: killed("peer1." + ledgertest.Authority)},
	{name: "chaincode server of a department killed", harm: killed("chaincode1." + ledgertest.Properties)},
	{name: "chaincode server of the authority killed", stalls: true, harm: killed("chaincode1." + ledgertest.Authority)},
	{name: "peer restarted after 200 blocks", harm: killed("peer1." + ledgertest.Businesses), lasts: func(x *experiment) {
		missed := x.height() + 200
		x.until("the others have 200 blocks more", func() bool { return x.height() >= missed })
	}},
	{name: "organisation of the leading orderer cut off", before: func(x *experiment) {
		x.leadElsewhere(ledgertest.Authority) // without the authority nothing would commit
	}, harm: func(x *experiment) func() {
		return x.cutOff(organisationOf(x.leader(x.T)))
	}, lasts: func(*experiment) {
		time.Sleep(30 * time.Second) // after 20 s the orderers give up the connection and try to make it again
	}},
	{name: "authority cut off", stalls: true, harm: func(x *experiment) func() { return x.cutOff(ledgertest.Authority) }},
	{name: "everything killed at once", stalls: true, harm: func(x *experiment) func() {
		var all []string
		for _, p := range x.status(x.T).Processes {
			all = append(all, p.Name)
		}
		x.kill(x.T, all...)
		return x.network.Up
	}},
	{name: "clients killed", stalls: true, harm: func(x *experiment) func() {
		x.Logf("%d transactions were on their way", x.load.Kill())
		return x.load.Resume
	}},
}

func killed(node string) func(*experiment) func() {
	return func(x *experiment) func() {
		x.kill(x.T, node)
		return func() { x.start(x.T, node) }
	}
}

func organisationOf(node string) string {
	_, org, _ := strings.Cut(node, ".")
	return org
}

const (
	while = 8 * time.Second // from harm to mending, under load

	// What must be so on a machine of one's own, and how much longer it may take on one that others use.
	commitsAgain = 5 * time.Second  // from a fault that stalls nothing, or its mending, to the next commit
	outcomeKnown = 10 * time.Second // until the client of a transaction that was on its way knows its outcome
	slack        = 3
)

func TestFaults(t *testing.T) {
	c := newCity(t)
	watch := c.watch(t)
	var all load.Record
	run := func(name string, do func(t *testing.T)) {
		if !t.Run(name, func(t *testing.T) {
			c.wellAgain(t)
			do(t)
		}) {
			t.FailNow() // what follows begins on a network that is well
		}
	}
	for _, f := range faults {
		run(f.name, func(t *testing.T) {
			x := &experiment{T: t, city: c}
			all.Entries = append(all.Entries, x.run(f).Entries...)
		})
	}
	run("issuing process killed", func(t *testing.T) { killedWhileIssuing(t, c) })
	run("issuing process cut off with its organisation", func(t *testing.T) { cutOffWhileIssuing(t, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	for _, finding := range all.Check(ctx, c.peers()...) { // nothing was lost by a later fault
		t.Error(finding)
	}
	s := watch.Stop(ctx)
	for _, finding := range s.Findings {
		t.Errorf("verifiers: %s", finding)
	}
	t.Logf("verifiers: verdicts %v, samples that must be invalid, revoked or restricted included; %d licences issued meanwhile, none undetermined for longer than %s, no block for %s at most; streams of blocks reopened %d times",
		s.Verdicts, s.Fresh, short(s.LongestUndetermined), short(s.LongestSilence), s.Reopened)
}

// An experiment is one fault.
type experiment struct {
	*testing.T
	*city
	load *load.Load
}

func (x *experiment) run(f fault) *load.Record {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.Context(), 4*patience)
	defer cancel()
	if f.before != nil {
		f.before(x)
	}
	x.load = load.Start(x.T, load.Options{
		City: x.City, Connect: x.connect, InFlight: 6, Batch: 64, Arrivals: 100 * time.Millisecond,
	})
	x.await(ctx, 200)

	begun := time.Now()
	x.load.Fault(f.name)
	mend := f.harm(x)
	harmed := time.Now()
	if f.lasts != nil {
		f.lasts(x)
	} else {
		time.Sleep(while - time.Since(begun))
	}
	mended := time.Now()
	x.load.Fault("mended")
	mend()
	back := x.caughtUp(x.T) + time.Since(mended)
	x.await(ctx, 200)
	record := x.load.Stop(ctx)

	ctx, cancel = context.WithTimeout(x.Context(), 4*patience)
	defer cancel()
	for _, finding := range record.Check(ctx, x.known...) {
		x.Error(finding)
	}
	n := record.Numbers()
	r := recoveryOf(record, begun, harmed)
	m := recoveryOf(record, mended, mended)
	x.Logf("%s: %d acknowledged, all there once; %d outcomes unknown at first, %d not submitted; in flight %d, outcomes known after %s at most; next commit after %s%s, none for %s at most; after mending (%s later): in flight %d, outcomes known after %s at most, next commit after %s, all peers level after %s",
		f.name, n.Acknowledged, n.Unknown, n.NotSubmitted, r.inFlight, short(r.known), short(r.next), r.byDepartment(), short(n.Faults[0].Longest.Gap),
		short(mended.Sub(begun)), m.inFlight, short(m.known), short(m.next), short(back))
	switch {
	case f.stalls && r.next < mended.Sub(harmed):
		x.Errorf("nothing can have been committed, but something was acknowledged after %s", r.next)
	case !f.stalls && r.next > slack*commitsAgain:
		x.Errorf("commits went on after %s only", r.next)
	case !f.stalls && r.known > slack*outcomeKnown:
		x.Errorf("the outcome of what was in flight was known after %s only", r.known)
	}
	if m.next > slack*commitsAgain || m.known > slack*outcomeKnown {
		x.Errorf("after mending, commits went on after %s and all outcomes were known after %s", m.next, m.known)
	}
	return record
}

// A recovery is what came of what the clients did about some moment.
type recovery struct {
	inFlight int                      // transactions that were on their way then
	known    time.Duration            // from then until the last of their outcomes was known
	next     time.Duration            // from then until something was acknowledged that was submitted afterwards
	each     map[string]time.Duration // next, by department
}

// recoveryOf looks at transactions that were on their way at a moment, and at those that were first
// submitted after it and after another.
func recoveryOf(record *load.Record, moment, after time.Time) recovery {
	r := recovery{next: time.Duration(1<<63 - 1), each: map[string]time.Duration{}}
	for _, e := range record.Entries {
		if len(e.Attempts) == 0 || e.Outcome == load.Unsettled {
			continue // a finding of its own
		}
		began, took := e.Attempts[0].Began, e.Settled.Sub(moment)
		switch {
		case began.Before(moment) && took > 0:
			r.inFlight++
			r.known = max(r.known, took)
		case began.After(after):
			r.next = min(r.next, took)
			if before, ok := r.each[e.Department]; !ok || took < before {
				r.each[e.Department] = took
			}
		}
	}
	return r
}

func (r recovery) byDepartment() string {
	var parts []string
	for department, took := range r.each {
		parts = append(parts, department+" "+short(took))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func (x *experiment) await(ctx context.Context, n int) {
	x.Helper()
	if err := x.load.Await(ctx, n); err != nil {
		x.Fatalf("wait for %d acknowledgements: %v", n, err)
	}
}

// until waits for something.
func (x *experiment) until(what string, is func() bool) {
	x.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			x.Fatalf("in vain: %s", what)
		}
	}
}

// height is that of the authority's peer.
func (x *experiment) height() (height uint64) {
	x.Helper()
	x.until("the authority's peer tells its height", func() bool {
		var err error
		height, err = x.chains[0].height(x.Context())
		return err == nil
	})
	return height
}

// cutOff cuts an organisation off from the rest.
func (x *experiment) cutOff(org string) (mend func()) {
	x.Logf("%s is cut off", org)
	if err := x.sites[org].cut(); err != nil {
		x.Fatal(err)
	}
	return func() {
		if err := x.sites[org].mend(); err != nil {
			x.Fatal(err)
		}
	}
}

// leadElsewhere sees to it that the leading orderer is not that of an organisation.
func (x *experiment) leadElsewhere(org string) {
	for leader := x.leader(x.T); organisationOf(leader) == org; leader = x.leader(x.T) {
		x.kill(x.T, leader)
		x.until("another orderer leads", func() bool { return x.leader(x.T) != leader })
		x.start(x.T, leader)
		x.wellAgain(x.T)
	}
}
