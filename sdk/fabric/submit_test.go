package fabric

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// transaction returns one that has the form of a transaction; the chaincodes here look no closer.
func transaction(text string) *chaincode.Transaction {
	return &chaincode.Transaction{Statements: [][]byte{[]byte(text)}}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	for n := range uint64(3) {
		r, err := c.Submit(t.Context(), transaction("x"))
		if err != nil || r.Existing || r.Position != (ledger.Position{Block: n + 1}) || len(r.TxID) != 64 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	for _, o := range []string{"own", "authority"} {
		if f.peers[o].calls("Submit") == 0 {
			t.Errorf("the peer of %s was not asked", o)
		}
	}
	for _, p := range f.peers {
		p.with(func(p *fakePeer) { p.invoke = answer(`{"existing":true}`) })
	}
	if r, err := c.Submit(t.Context(), transaction("x")); err != nil || !r.Existing || r.TxID != "" {
		t.Errorf("what exists: %+v, %v", r, err)
	}
	if f.height() != 4 {
		t.Error("what exists was submitted")
	}
}

// TestSubmitChoosesLivingEndorsers asks others than the dead, and the dead not again and again.
func TestSubmitChoosesLivingEndorsers(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.peers["own"].stop()
	for range 5 {
		start := time.Now()
		if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took >= downPatience {
			t.Errorf("it took %v", took)
		}
	}
	if got := f.peers["third"].calls("Submit"); got < 5 {
		t.Errorf("the peer instead of the dead one was asked %d times, want 5", got)
	}
	// One whose chaincode does not run is asked less and less.
	f.peers["second"].with(func(p *fakePeer) {
		p.invoke = func(invocation) *pb.Response {
			return &pb.Response{Status: 500, Message: "error in simulation: could not launch chaincode"}
		}
	})
	f.peers["own"].start(t, f.root)
	before := f.peers["second"].calls("Submit")
	for range 10 {
		if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.peers["second"].calls("Submit") - before; got == 10 {
		t.Error("a peer whose chaincode is down was asked each time")
	}
}

func TestSubmitNeedsTheAuthority(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.peers["authority"].stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.Submit(ctx, transaction("x"))
	if ledger.Code(err) != ledger.CodeNotSubmitted || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want %s", err, ledger.CodeNotSubmitted)
	}
	go func() {
		time.Sleep(300 * time.Millisecond)
		f.peers["authority"].start(t, f.root)
	}()
	if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
		t.Errorf("after the authority has come back: %v", err)
	}
}

// TestSubmitAsksOthersBesideSlowPeers goes on without a peer that does not answer.
func TestSubmitAsksOthersBesideSlowPeers(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.peers["second"].with(func(p *fakePeer) { p.invoke = func(invocation) *pb.Response { return nil } })
	const submissions = 6
	for i := range submissions {
		start := time.Now()
		if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took >= endorseTimeout {
			t.Errorf("submission %d took %v", i, took)
		}
	}
	if got := f.peers["second"].calls("Submit"); got == 0 || got == submissions {
		t.Errorf("the peer that does not answer was asked %d times", got)
	}
}

func TestSubmitRefused(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	for _, p := range f.peers {
		p.with(func(p *fakePeer) { p.invoke = refusalOf(chaincode.CodeSequence) })
	}
	_, err := c.Submit(t.Context(), transaction("x"))
	if chaincode.Code(err) != chaincode.CodeSequence {
		t.Errorf("%v, want %s", err, chaincode.CodeSequence)
	}
	if f.height() != 1 {
		t.Error("it was submitted")
	}
	big := transaction(strings.Repeat("x", chaincode.MaxTransaction))
	if _, err := c.Submit(t.Context(), big); chaincode.Code(err) != chaincode.CodeTooLarge {
		t.Errorf("%v, want %s", err, chaincode.CodeTooLarge)
	}
}

// TestSubmitDiffers refuses what endorsers do not agree on: results, refusals, and the two together.
func TestSubmitDiffers(t *testing.T) {
	t.Parallel()
	for name, invoke := range map[string]func(invocation) *pb.Response{
		"another result": answer(`{"existing":false,"more":1}`),
		"a refusal":      refusalOf(chaincode.CodeSequence),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeNetwork(t)
			c := f.connect("own")
			f.peers["own"].with(func(p *fakePeer) { p.invoke = invoke })
			start := time.Now()
			_, err := c.Submit(t.Context(), transaction("x"))
			if ledger.Code(err) != CodeDiffer || !strings.Contains(err.Error(), "peer1.own") {
				t.Errorf("%v, want %s", err, CodeDiffer)
			}
			if took := time.Since(start); took > upPatience/2 {
				t.Errorf("it took %v", took)
			}
			if f.height() != 1 {
				t.Error("it was submitted")
			}
		})
	}
	t.Run("until one has caught up", func(t *testing.T) {
		t.Parallel()
		f := newFakeNetwork(t)
		c := f.connect("own")
		var asked atomic.Int32
		f.peers["own"].with(func(p *fakePeer) {
			p.invoke = func(i invocation) *pb.Response {
				if asked.Add(1) <= 2 {
					return refusalOf(chaincode.CodeDepartmentUnknown)(i)
				}
				return answer(`{"existing":false}`)(i)
			}
		})
		if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
			t.Error(err)
		}
	})
	t.Run("endorsed by another organisation", func(t *testing.T) {
		t.Parallel()
		f := newFakeNetwork(t)
		c := f.connect("own")
		f.peers["own"].with(func(p *fakePeer) { p.endorsed = "authority" })
		if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
			t.Error(err)
		}
		if got := f.peers["third"].calls("Submit"); got != 1 {
			t.Errorf("instead of the peer whose endorsement is another's, another was asked %d times", got)
		}
	})
}

// TestRefusalOfLaggards does not believe a refusal of a peer that lags behind what this process was
// told of.
func TestRefusalOfLaggards(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
		t.Fatal(err)
	}
	var refused sync.Once
	for _, o := range []string{"authority", "second", "third"} {
		p := f.peers[o]
		p.with(func(p *fakePeer) {
			p.most = 2
			p.invoke = func(i invocation) *pb.Response {
				if p.height() < 3 {
					refused.Do(func() {
						time.AfterFunc(300*time.Millisecond, func() {
							for _, p := range f.peers {
								p.with(func(p *fakePeer) { p.most = never })
							}
						})
					})
					return refusalOf(chaincode.CodeDepartmentUnknown)(i)
				}
				return answer(`{"existing":false}`)(i)
			}
		})
	}
	f.grow(1)
	if h, err := c.Head(t.Context()); err != nil || h.Height != 3 { // by its own peer
		t.Fatalf("%v, %v", h, err)
	}
	f.peers["own"].with(func(p *fakePeer) { p.invoke = f.peers["second"].invoke })
	if r, err := c.Submit(t.Context(), transaction("x")); err != nil || r.Position.Block != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestDenied connects an organisation that the network does not know, alone and beside one that it
// knows.
func TestDenied(t *testing.T) {
	t.Parallel()
	for _, beside := range []bool{false, true} {
		t.Run(fmt.Sprint(beside), func(t *testing.T) { testDenied(t, beside) })
	}
}

func testDenied(t *testing.T, beside bool) {
	t.Parallel()
	f := newFakeNetwork(t)
	for _, p := range f.peers {
		p.with(func(p *fakePeer) { p.denies = "stranger" })
	}
	c := f.connect("stranger")
	if beside {
		if _, err := f.connect("own").Submit(t.Context(), transaction("x")); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	for range 2 {
		if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != CodeDenied {
			t.Errorf("submit: %v, want %s", err, CodeDenied)
		}
	}
	if _, err := c.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); ledger.Code(err) != CodeDenied {
		t.Errorf("evaluate: %v, want %s", err, CodeDenied)
	}
	if _, err := c.Head(t.Context()); ledger.Code(err) != CodeDenied {
		t.Errorf("head: %v, want %s", err, CodeDenied)
	}
	for _, err := range c.Follow(t.Context(), 0) {
		if ledger.Code(err) != CodeDenied {
			t.Errorf("follow: %v, want %s", err, CodeDenied)
		}
	}
	if took := time.Since(start); took >= downPatience {
		t.Errorf("it took %v", took)
	}
}

// TestNothingStays submits a lot, and looks for what is left of it.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(c.network.commits.waiting); n != 0 {
		t.Errorf("%d transactions are waited for", n)
	}
}
