package fabric

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	ab "github.com/hyperledger/fabric-protos-go/orderer"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/events/deliverclient/seek"

	"github.com/credledger/credledger/sdk/ledger"
)

// Pauses between attempts to follow a peer. One that does not know the organisation is asked less
// often.
const (
	firstPause  = 100 * time.Millisecond
	longPause   = 2 * time.Second
	deniedPause = 5 * time.Second
)

// watch follows a peer from now on: its filtered blocks tell how far it is, and what has become of
// transactions.
func (n *network) watch(p *peer) {
	p.mu.Lock()
	already := p.watched
	p.watched = true
	p.mu.Unlock()
	if already {
		return
	}
	n.work.Go(func() {
		var next uint64 // the number of the block after the newest that was seen; 0: none was
		pause := firstPause
		for n.ctx.Err() == nil {
			before := next
			err := n.watchOnce(p, &next)
			if errors.Is(err, errNotThere) {
				next = 0 // it was set up anew, and is behind
			}
			p.lost(err)
			n.watchAll() // another may have to stand in
			n.changed.ring()
			if next > before {
				pause = firstPause
			}
			if ledger.Code(err) == CodeDenied {
				pause = deniedPause
			}
			sleep(n.ctx, jitter(pause))
			pause = min(2*pause, longPause)
		}
	})
}

// watchOnce follows a peer until its stream ends.
func (n *network) watchOnce(p *peer, next *uint64) error {
	s, err := n.open(n.ctx, p, filteredBlocks, seekFrom(*next))
	if err != nil {
		return err
	}
	defer s.close()
	for {
		select {
		case event, ok := <-s.events:
			r, err := response(event, ok)
			if err != nil {
				return err
			}
			b := r.GetFilteredBlock()
			if b == nil {
				return errors.New("the peer shows something else than filtered blocks")
			}
			n.seen(p, b)
			*next = b.Number + 1
		case <-n.ctx.Done():
			return n.ctx.Err()
		}
	}
}

// seekFrom asks for the block before next and all that follow; of a peer not seen yet, for its
// newest. That it shows a block that was seen already proves that it still has it.
func seekFrom(next uint64) *ab.SeekInfo {
	if next == 0 {
		return seek.InfoNewest()
	}
	return seek.InfoFrom(next - 1)
}

// seen takes notice of a block that a peer has committed. A peer shows it after it has written the
// state.
func (n *network) seen(p *peer, b *pb.FilteredBlock) {
	if p.committed(b.Number + 1) {
		n.changed.ring()
	}
	n.commits.seen(p.organisation == n.organisation, b)
}

// denied returns why no peer shows its blocks, if that is because the network does not grant it.
func (n *network) denied() error {
	var err error
	for _, p := range n.peers {
		p.mu.Lock()
		state, reason := p.state, p.lostBy
		p.mu.Unlock()
		switch {
		case state == streamDown && ledger.Code(reason) == CodeDenied:
			err = reason
		case state != streamNew:
			return nil
		}
	}
	return err
}

// ownLives reports whether a peer of the own organisation shows its blocks.
func (n *network) ownLives() bool {
	for _, p := range n.peers {
		if _, ok := p.live(); ok && p.organisation == n.organisation {
			return true
		}
	}
	return false
}

// furthest is the greatest height that any peer has shown.
func (n *network) furthest() uint64 {
	var furthest uint64
	for _, p := range n.peers {
		height, _ := p.live()
		furthest = max(furthest, height)
	}
	return furthest
}

// sleep waits for a time, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// jitter returns a time of about d, so that many do not come at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
