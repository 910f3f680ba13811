package fabric

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"

	"github.com/credledger/credledger/sdk/ledger"
)

// follow reads n blocks from a number on, and checks that they are those of the chain.
func follow(t *testing.T, f *fakeNetwork, c *Connection, from uint64, n int, each func(number uint64)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := from
	for b, err := range c.Blocks(ctx, from) {
		if err != nil {
			t.Fatalf("block %d: %v", next, err)
		}
		if b.Header.Number != next || !proto.Equal(b, f.block(next)) {
			t.Fatalf("block %d instead of %d, or another one", b.Header.Number, next)
		}
		if each != nil {
			each(next)
		}
		if next++; next == from+uint64(n) {
			return
		}
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.grow(20)
	for _, from := range []uint64{0, 1, 7, 20} {
		follow(t, f, c, from, int(21-from), nil)
	}
	// From what is not there yet, and far beyond.
	for _, from := range []uint64{21, 22, 40} {
		time.AfterFunc(200*time.Millisecond, func() { f.grow(10) })
		if from > f.height() {
			time.AfterFunc(400*time.Millisecond, func() { f.grow(10) })
		}
		follow(t, f, c, from, 3, nil)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for b, err := range c.Blocks(ctx, 1000) {
		if b != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", b, err)
		}
	}
}

// TestBlocksOfSeveralPeers goes on with another peer when one dies, stops showing blocks or lags
// behind, in the middle of the chain and at its end.
func TestBlocksOfSeveralPeers(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.grow(200)
	follow(t, f, c, 0, 300, func(n uint64) {
		switch n {
		case 50:
			f.peers["own"].stop()
		case 100:
			f.peers["authority"].stop()
		case 150:
			f.peers["own"].start(t, f.root)
			f.peers["second"].stop()
		case 200: // the newest; nobody but the third is left who could show more
			time.AfterFunc(100*time.Millisecond, func() {
				f.peers["own"].with(func(p *fakePeer) { p.most = 201 })
				f.grow(100)
			})
		}
	})
}

func TestStalledPeer(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	start := time.Now()
	follow(t, f, c, 0, 11, func(n uint64) {
		if n == 0 {
			f.peers["own"].with(func(p *fakePeer) { p.most = 1 }) // alive, but cut off from the orderers
			f.grow(10)
		}
	})
	if took := time.Since(start); took > 3*stallPatience+20*time.Second { // it would not go at all
		t.Errorf("it took %v to go to another peer", took)
	}
	if h, err := c.Head(t.Context()); err != nil || h.Height != 11 {
		t.Errorf("%v, %v; want no older head than was followed", h, err)
	}
}

// TestLastPeerStandsIn has those peers that are asked as long as all goes well die or stall, and one left.
func TestLastPeerStandsIn(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	follow(t, f, c, 0, 11, func(n uint64) {
		if n == 0 {
			f.peers["own"].with(func(p *fakePeer) { p.most = 1 })
			f.peers["authority"].stop()
			f.peers["second"].stop()
			f.grow(10)
		}
	})
}

func TestChainBroken(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.grow(5)
	f.peers["own"].with(func(p *fakePeer) {
		p.forge = func(b *common.Block) *common.Block {
			if b.Header.Number == 3 {
				b = proto.Clone(b).(*common.Block)
				b.Header.PreviousHash[0] ^= 1
			}
			return b
		}
	})
	var last error
	n := 0
	for _, err := range c.Blocks(t.Context(), 0) {
		if last = err; err == nil {
			n++
		}
	}
	if ledger.Code(last) != CodeChainBroken || n != 3 {
		t.Errorf("%d blocks, then %v; want 3, then %s", n, last, CodeChainBroken)
	}
	for b, err := range c.Follow(t.Context(), 0) { // these blocks are not Fabric's
		if b != nil || ledger.Code(err) == "" {
			t.Errorf("%v, %v", b, err)
		}
	}
}

// TestSlowFollower takes its time, and gets every block.
func TestSlowFollower(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	follow(t, f, c, 0, 400, func(n uint64) {
		switch n {
		case 0:
			f.grow(500)
		case 5:
			time.Sleep(stallPatience + time.Second)
		}
	})
}

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s", what)
		}
	}
}

func TestWatchAfterRestart(t *testing.T) {
	t.Parallel()
	f := newFakeNetwork(t)
	c := f.connect("own")
	f.grow(10)
	own := c.network.peers[0]
	height := func() uint64 { h, _ := own.live(); return h }
	until(t, "at height 11", func() bool { return height() == 11 })
	f.peers["own"].stop()
	until(t, "down", func() bool { _, live := own.live(); return !live })
	f.peers["own"].with(func(p *fakePeer) { p.most = 4 }) // set up anew from an old copy
	f.peers["own"].start(t, f.root)
	until(t, "at height 4", func() bool { return height() == 4 })
	f.peers["own"].with(func(p *fakePeer) { p.most = never })
	until(t, "at height 11 again", func() bool { return height() == 11 })
}
