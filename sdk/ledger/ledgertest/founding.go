package ledgertest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Submission is a transaction and the organisation that submits it.
type Submission struct {
	Actor string
	Tx    *chaincode.Transaction
}

// Founding returns what makes the city after the genesis, in order: the departments are admitted
// and enrol their keys, the types are published.
func (c *City) Founding(tb testing.TB) []Submission {
	tb.Helper()
	var out []Submission
	for _, d := range c.All() {
		out = append(out, c.Admit(tb, d)...)
	}
	for _, t := range c.Types {
		out = append(out, c.Publish(tb, t))
	}
	return out
}

// All returns the departments, the authority first.
func (c *City) All() []*Department { return append([]*Department{c.Authority}, c.Departments...) }

// Admit returns what puts a department and all its keys on the ledger, in order; of the authority,
// which the genesis has admitted, its other keys.
func (c *City) Admit(tb testing.TB, d *Department) []Submission {
	tb.Helper()
	return append(c.admission(tb, d), c.enrolments(tb, d)...)
}

// admission returns what admits a department with its first key, in order.
func (c *City) admission(tb testing.TB, d *Department) []Submission {
	tb.Helper()
	if d == c.Authority {
		return nil // by the genesis
	}
	return []Submission{
		{Authority, Sign(tb, c.Admission(d), c.Authority.Govern)},
		{Authority, Sign(tb, c.Enrolment(d.ID, d.Govern, statement.PurposeGovern), c.Authority.Govern, d.Govern)},
	}
}

// enrolments returns what enrols the other keys of a department, in any order.
func (c *City) enrolments(tb testing.TB, d *Department) []Submission {
	tb.Helper()
	var out []Submission
	for _, k := range []struct {
		key     *sm.PrivateKey
		purpose statement.Purposes
	}{
		{d.Anchor, statement.PurposeAnchor},
		{d.Status, statement.PurposeStatus},
		{d.Second, statement.PurposeStatus},
		{d.Log, statement.PurposeLog},
		{d.Consent, statement.PurposeConsent},
	} {
		out = append(out, Submission{d.ID, Sign(tb, c.Enrolment(d.ID, k.key, k.purpose), d.Govern, k.key)})
	}
	return out
}

// Publish returns what publishes a type.
func (c *City) Publish(tb testing.TB, t *licence.Type) Submission {
	tb.Helper()
	published := &statement.Type{Ledger: c.ID, ID: t.ID, Version: uint32(t.Version), Definition: t.Canonical(), SignedAt: Time}
	return Submission{Authority, Sign(tb, published, c.Authority.Govern)}
}

// Begin returns what begins the ledger, for one that does not hold the genesis from the start.
func (c *City) Begin() Submission {
	return Submission{Authority, &chaincode.Transaction{Statements: [][]byte{c.Genesis}}}
}

// Found puts on a ledger that holds the city's genesis and nothing else what Founding returns, at
// once what does not rest on each other; connect gives the connection of a department.
func (c *City) Found(tb testing.TB, connect func(department string) ledger.Ledger) {
	tb.Helper()
	connections := map[string]ledger.Ledger{}
	for _, d := range c.All() {
		connections[d.ID] = connect(d.ID)
	}
	together := func(all ...Submission) {
		tb.Helper()
		var height atomic.Uint64 // that everybody has to know of before more is submitted
		var wg sync.WaitGroup
		for _, s := range all {
			wg.Go(func() {
				receipt, err := connections[s.Actor].Submit(tb.Context(), s.Tx)
				if err != nil {
					tb.Errorf("found the city, submit as %s: %v", s.Actor, err)
				}
				raise(&height, receipt)
			})
		}
		wg.Wait()
		for id, l := range connections {
			if err := catchUp(tb.Context(), l, height.Load()); err != nil {
				tb.Errorf("found the city, wait for %s: %v", id, err)
			}
		}
		if tb.Failed() {
			tb.FailNow()
		}
	}
	for step := range 2 {
		var all []Submission
		for _, d := range c.Departments {
			all = append(all, c.admission(tb, d)[step])
		}
		together(all...)
	}
	var all []Submission
	for _, d := range c.All() {
		all = append(all, c.enrolments(tb, d)...)
	}
	for _, t := range c.Types {
		all = append(all, c.Publish(tb, t))
	}
	together(all...)
}

// raise raises a height to that at which a receipt is true.
func raise(height *atomic.Uint64, receipt ledger.Receipt) {
	for to := receipt.Position.Block + 1; !receipt.Existing; {
		if h := height.Load(); h >= to || height.CompareAndSwap(h, to) {
			return
		}
	}
}

// catchUp waits until a connection tells of so many blocks.
func catchUp(ctx context.Context, l ledger.Ledger, height uint64) error {
	for {
		head, err := l.Head(ctx)
		if err != nil || head.Height >= height {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
