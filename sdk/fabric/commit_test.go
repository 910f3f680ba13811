package fabric

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	ab "github.com/hyperledger/fabric-protos-go/orderer"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/sdk/ledger"
)

// TestSameEnvelope gives an orderer that takes and loses, hangs, breaks off or has no leader less
// than the time to be told, and the next one the very same bytes.
func TestSameEnvelope(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(*common.Envelope) *ab.BroadcastResponse{
		"takes and loses": loses,
		"hangs":           func(*common.Envelope) *ab.BroadcastResponse { return nil },
		"no leader":       says(common.Status_SERVICE_UNAVAILABLE, "no Raft leader"),
		"unavailable":     says(common.Status_SERVICE_UNAVAILABLE, "timed out waiting on forwarding to 1"),
		"refuses":         says(common.Status_FORBIDDEN, "not in the channel yet"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeNetwork(t)
			c := f.connect("own")
			c.network.orderers.first = 0
			if _, err := c.Submit(t.Context(), transaction("the first")); err != nil { // the next finds a connection
				t.Fatal(err)
			}
			c.network.orderers.first = 0
			f.orderers[0].with(func(o *fakeOrderer) { o.take, o.got = take, nil })
			f.orderers[1].with(func(o *fakeOrderer) { o.got = nil })
			start := time.Now()
			r, err := c.Submit(t.Context(), transaction("x"))
			if err != nil || r.Position.Block < 2 {
				t.Fatalf("%+v, %v", r, err)
			}
			if took := time.Since(start); took > commitPatience/2 {
				t.Errorf("it took %v", took)
			}
			got := append(f.orderers[0].envelopes(), f.orderers[1].envelopes()...)
			if len(got) < 2 {
				t.Fatalf("it was sent %d times", len(got))
			}
			for _, e := range got {
				if e != got[0] {
					t.Error("two orderers got different bytes")
				}
			}
		})
	}
	t.Run("dead", func(t *testing.T) {
		t.Parallel()
		f := newFakeNetwork(t)
		c := f.connect("own")
		c.network.orderers.first = 0
		f.orderers[0].stop()
		if r, err := c.Submit(t.Context(), transaction("x")); err != nil || r.Position.Block != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
	})
}

// TestTwiceIsOnce has both orderers order a transaction: the first time counts.
func TestTwiceIsOnce(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	c.network.orderers.first = 0
	for _, p := range f.peers { // nobody sees the first copy in time
		p.with(func(p *fakePeer) { p.most = 1 })
	}
	f.orderers[0].with(func(o *fakeOrderer) {
		o.take = func(e *common.Envelope) *ab.BroadcastResponse {
			f.append(e, idIn(encode(e)))
			f.append(e, idIn(encode(e)))
			f.peers["own"].with(func(p *fakePeer) {
				p.most = never
				p.forge = func(b *common.Block) *common.Block {
					if b.Header.Number == 1 { // lest it be seen
						return f.block(0)
					}
					return b
				}
			})
			return &ab.BroadcastResponse{Status: common.Status_SUCCESS}
		}
	})
	r, err := c.Submit(t.Context(), transaction("x"))
	if err != nil || r.Position.Block != 1 {
		t.Errorf("%+v, %v; want it where it was the first time", r, err)
	}
}

func TestInvalidated(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	judge := func(codes ...pb.TxValidationCode) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.judge = func(string) pb.TxValidationCode {
			if len(codes) == 0 {
				return pb.TxValidationCode_VALID
			}
			code := codes[0]
			codes = codes[1:]
			return code
		}
	}
	judge(pb.TxValidationCode_MVCC_READ_CONFLICT, pb.TxValidationCode_PHANTOM_READ_CONFLICT, pb.TxValidationCode_EXPIRED_CHAINCODE)
	r, err := c.Submit(t.Context(), transaction("x"))
	if err != nil || r.Position.Block != 4 {
		t.Errorf("others were faster three times: %+v, %v", r, err)
	}
	judge(pb.TxValidationCode_BAD_CREATOR_SIGNATURE)
	if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != CodeInvalidated {
		t.Errorf("%v, want %s", err, CodeInvalidated)
	}
	// A policy that asks for more than a majority.
	before := f.peers["third"].calls("Submit")
	judge(pb.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
	for range 3 {
		if _, err := c.Submit(t.Context(), transaction("x")); err != nil {
			t.Error(err)
		}
	}
	if got := f.peers["third"].calls("Submit") - before; got < 3 {
		t.Errorf("three submissions have asked the peer beyond a majority %d times", got)
	}
	judge(pb.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
	if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != CodeInvalidated {
		t.Errorf("everybody is not enough: %v, want %s", err, CodeInvalidated)
	}
}

// TestOutcome is what a caller is told whose time is over, or whose own peer does not see the block.
func TestOutcome(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, take func(*common.Envelope) *ab.BroadcastResponse) (*fakeNetwork, *Connection, context.Context) {
		t.Parallel()
		f := newFakeNetwork(t)
		for _, o := range f.orderers {
			o.take = take
		}
		c := f.connect("own")
		if _, err := c.Head(t.Context()); err != nil { // from here on it is quick
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*quietFor)
		t.Cleanup(cancel)
		return f, c, ctx
	}
	t.Run("lost", func(t *testing.T) {
		_, c, ctx := start(t, loses)
		if _, err := c.Submit(ctx, transaction("x")); ledger.Code(err) != ledger.CodeOutcomeUnknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want %s", err, ledger.CodeOutcomeUnknown)
		}
	})
	t.Run("without a leader", func(t *testing.T) {
		_, c, _ := start(t, says(common.Status_SERVICE_UNAVAILABLE, "no Raft leader"))
		err := error(nil)
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), quietFor)
			_, err = c.Submit(ctx, transaction("x"))
			cancel()
			if ledger.Code(err) != ledger.CodeOutcomeUnknown { // as it is when the time ends before an orderer's answer comes
				break
			}
		}
		if ledger.Code(err) != ledger.CodeNotSubmitted {
			t.Errorf("%v, want %s", err, ledger.CodeNotSubmitted)
		}
	})
	t.Run("refused", func(t *testing.T) {
		_, c, _ := start(t, says(common.Status_FORBIDDEN, "who are you"))
		if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != CodeDenied {
			t.Errorf("%v, want %s", err, CodeDenied)
		}
	})
	t.Run("malformed", func(t *testing.T) {
		_, c, _ := start(t, says(common.Status_BAD_REQUEST, "too large"))
		if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != ledger.CodeNotSubmitted || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%v, want %s", err, ledger.CodeNotSubmitted)
		}
	})
	t.Run("not shown", func(t *testing.T) {
		f, c, _ := start(t, nil)
		for _, p := range f.peers {
			p.with(func(p *fakePeer) { p.mute = true })
		}
		if r, err := c.Submit(t.Context(), transaction("x")); err != nil || r.Position.Block != 1 {
			t.Errorf("%+v, %v; want it looked up", r, err)
		}
	})
	t.Run("shown by others alone", func(t *testing.T) {
		f, c, _ := start(t, nil)
		f.peers["own"].with(func(p *fakePeer) { p.most = 1 })
		r, err := c.Submit(t.Context(), transaction("x"))
		if err != nil || r.Position.Block != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("given up", func(t *testing.T) {
		var once sync.Once
		taken := make(chan struct{})
		_, c, _ := start(t, func(e *common.Envelope) *ab.BroadcastResponse {
			once.Do(func() { close(taken) }) // by one of the orderers
			return loses(e)
		})
		go func() { <-taken; c.Close() }()
		if _, err := c.Submit(t.Context(), transaction("x")); ledger.Code(err) != ledger.CodeOutcomeUnknown {
			t.Errorf("closed meanwhile: %v, want %s", err, ledger.CodeOutcomeUnknown)
		}
	})
}
