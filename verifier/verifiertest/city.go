// Package verifiertest is a city to test verifiers in: departments on an embedded ledger in a
// directory of the test, an index that follows it, a clock that the test sets, and licences that
// are issued, anchored, shown, and changed afterwards.
//
//	city := verifiertest.New(t)
//	house := city.Issue("property", 3)[0]
//	p := house.Show("certificateNumber", "rightHolders")      // a static presentation
//	p = house.Prove("counter-7", nonce, "rightHolders")       // shown by its holder
//	house.SetStatus(licence.Revoked)                          // on the ledger and in the index
//	verdict := city.Verify(p)
//	city.Clock.Advance(2 * time.Hour)                         // without a heartbeat the view grows old
//
// Every step is on the ledger, and the index has it, when the call returns; what should not fail
// and does ends the test. The private keys are known to everybody. The package is for tests alone.
package verifiertest

import (
	"bytes"
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// patience bounds the wait for the index.
const patience = time.Minute

// A City is one with its ledger, and a verifier's index of it. Its methods and those of its licences
// are for the goroutine of the test; Ledger, Index and Clock are for any number of them.
type City struct {
	*ledgertest.City
	Ledger *embedded.Store
	Index  *index.Index
	Clock  *Clock

	tb     testing.TB
	beats  uint64
	follow func() // ends the index's following; nil while the verifier is cut off
}

// New founds a city with the types of the catalogue and two more that the department
// ledgertest.Marriages issues: "divorce" and "no-record". Its clock stands at
// 2026-11-07T00:01:00Z, when the first heartbeat is on the ledger.
func New(tb testing.TB) *City {
	tb.Helper()
	return NewAt(tb, time.Unix(ledgertest.Time+60, 0))
}

// NewAt is New at another time: that of the machine for a test of a program that reads its clock.
func NewAt(tb testing.TB, now time.Time) *City {
	tb.Helper()
	c := &City{City: ledgertest.NewCity(tb, tb.Name()), Clock: NewClock(now), tb: tb}
	c.addTypes()
	var err error
	if c.Ledger, err = embedded.Create(tb.TempDir(), c.Genesis); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Ledger.Close(); err != nil {
			tb.Errorf("close the ledger: %v", err)
		}
	})
	c.Found(tb, c.Ledger.As)
	if c.Index, err = index.Open(""); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		c.Disconnect()
		if err := c.Index.Close(); err != nil {
			tb.Errorf("close the index: %v", err)
		}
	})
	c.Connect()
	c.Heartbeat()
	return c
}

// addTypes lets the department that registers marriages issue the types that no catalogue has.
func (c *City) addTypes() {
	c.tb.Helper()
	_, self, _, _ := runtime.Caller(0)
	more, err := catalog.Load(filepath.Join(filepath.Dir(self), "../../sdk/licence/catalog/more"))
	if err != nil {
		c.tb.Fatal(err)
	}
	marriages := c.Department(c.tb, ledgertest.Marriages)
	for _, t := range more {
		c.Types = append(c.Types, t)
		marriages.Profile.Issues = append(slices.Clone(marriages.Profile.Issues), t.ID)
	}
	slices.Sort(marriages.Profile.Issues)
}

// As returns a department's connection to the ledger.
func (c *City) As(department string) ledger.Ledger { return c.Ledger.As(department) }

// Submit submits a transaction in the name of a department, and waits until the index has it.
func (c *City) Submit(department string, tx *chaincode.Transaction) ledger.Receipt {
	c.tb.Helper()
	receipt := ledgertest.Submit(c.tb, c.As(department), tx)
	c.catchUp()
	return receipt
}

// catchUp waits until the index has all of the ledger, unless the verifier is cut off from it.
func (c *City) catchUp() {
	c.tb.Helper()
	if c.follow == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.tb.Context(), patience)
	defer cancel()
	head, err := c.As(c.Authority.ID).Head(ctx)
	if err == nil {
		err = c.Index.WaitFor(ctx, head.Height)
	}
	if err != nil {
		c.tb.Fatalf("wait for the index: %v", err)
	}
}

// Disconnect cuts the verifier off from the ledger: the index stays as it is. The ledger goes on.
func (c *City) Disconnect() {
	if c.follow != nil {
		c.follow()
		c.follow = nil
	}
}

// Connect ends what Disconnect began, and waits until the index has all of the ledger.
func (c *City) Connect() {
	c.tb.Helper()
	c.Disconnect()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	began := make(chan struct{})
	go func() {
		defer close(ended)
		close(began)
		_ = c.Index.Follow(ctx, c.As(c.Authority.ID))
	}()
	<-began
	c.follow = func() {
		cancel()
		<-ended
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ctx, cancel := context.WithDeadline(c.tb.Context(), deadline)
		err := c.Index.WaitFor(ctx, 1) // may tell why the Follow before ended
		cancel()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			c.tb.Fatalf("wait for the index: %v", err)
		}
	}
	c.catchUp()
}

// Heartbeat puts the next heartbeat, with the time of the clock, on the ledger.
func (c *City) Heartbeat() {
	c.tb.Helper()
	c.beats++
	beat := &statement.Heartbeat{Ledger: c.ID, Sequence: c.beats, Time: c.Clock.Unix()}
	c.Submit(c.Authority.ID, ledgertest.Sign(c.tb, beat, c.Authority.Log))
}

// Pass lets time pass and puts a heartbeat on the ledger.
func (c *City) Pass(d time.Duration) {
	c.tb.Helper()
	c.Clock.Advance(d)
	c.Heartbeat()
}

// Verify gives the verdict of the index on a presentation, by the clock.
func (c *City) Verify(p *credential.Presentation, change ...func(*verify.Request)) verify.Verdict {
	r := verify.Request{Presentation: p.Bytes(), Now: c.Clock.Now()}
	for _, f := range change {
		f(&r)
	}
	return verify.Verify(c.Index, r)
}

// Compromise declares the anchor key of a department compromised and disowns the roots of licences.
func (c *City) Compromise(department string, disowned ...*Licence) {
	c.tb.Helper()
	d := c.Department(c.tb, department)
	s := c.EndKey(department, d.Anchor, statement.KeyCompromise)
	s.SignedAt = c.Clock.Unix()
	for _, l := range disowned {
		s.Disowned = append(s.Disowned, l.Batch.Root())
	}
	slices.SortFunc(s.Disowned, func(a, b sm.Hash) int { return bytes.Compare(a[:], b[:]) })
	s.Disowned = slices.Compact(s.Disowned)
	c.Submit(department, ledgertest.Sign(c.tb, s, d.Govern))
}
