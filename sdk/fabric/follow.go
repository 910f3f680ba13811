package fabric

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/events/deliverclient/seek"

	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// mostStallPatience is to what stallPatience grows each time that one block was waited for in vain,
// lest a slow line never bring a large one.
const mostStallPatience = 2 * time.Minute

// blocks yields the blocks of the channel from a number on, each once and each the one after that
// before, from one peer as long as it goes on, then from another. It ends with the error of ctx, or
// a *ledger.Error.
func (n *network) blocks(ctx context.Context, from uint64) iter.Seq2[*common.Block, error] {
	return func(yield func(*common.Block, error) bool) {
		f := &follower{n: n, next: from, patience: stallPatience}
		for {
			b, err := f.await(ctx)
			if err != nil {
				f.leave(nil)
				yield(nil, err)
				return
			}
			n.told.raise(b.Header.Number + 1)
			if !yield(b, nil) {
				f.leave(nil)
				return
			}
		}
	}
}

// A follower is at a place in the chain, and at a peer.
type follower struct {
	n    *network
	next uint64   // number of the block to come
	last *sm.Hash // hash of the block before it, nil if that was not seen

	peer     *peer
	stream   *stream
	patience time.Duration // for the next block
	denials  map[*peer]error
}

// await returns the next block.
func (f *follower) await(ctx context.Context) (*common.Block, error) {
	pause := firstPause
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		changed := f.n.changed.next()
		if f.stream == nil && f.join(ctx) {
			changed = nil // who was asked needs time if this comes to nothing
		}
		if f.stream != nil {
			b, err := f.receive(ctx)
			if err == nil {
				return b, f.check(b)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			f.leave(err)
		}
		if err := f.allDenied(); err != nil {
			return nil, err
		}
		timer := time.NewTimer(jitter(pause))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		pause = min(2*pause, longPause)
	}
}

// join opens a stream of the fittest peer that can have the next block; it reports whether any was
// asked.
func (f *follower) join(ctx context.Context) (asked bool) {
	for _, p := range fittest(f.n.peers, 0, fitDown) {
		// A peer refuses to begin behind the next block that it will have.
		if height, live := p.live(); live && f.next > height || ctx.Err() != nil {
			continue
		}
		asked = true
		s, err := f.n.open(ctx, p, wholeBlocks, seek.InfoFrom(f.next))
		if err == nil {
			f.peer, f.stream = p, s
			break
		}
		if ctx.Err() == nil {
			p.failed(err, time.Now())
		}
	}
	return asked
}

// leave ends the stream; err says why it is the peer's fault, if it is.
func (f *follower) leave(err error) {
	if f.stream == nil {
		return
	}
	f.stream.close()
	f.stream = nil
	if err != nil && !errors.Is(err, errNotThere) {
		f.peer.failed(err, time.Now())
	}
	if ledger.Code(err) == CodeDenied {
		if f.denials == nil {
			f.denials = map[*peer]error{}
		}
		f.denials[f.peer] = err
	}
}

// allDenied returns the error if every peer has denied its blocks.
func (f *follower) allDenied() error {
	for _, p := range f.n.peers {
		if f.denials[p] == nil {
			return f.n.denied()
		}
	}
	return f.denials[f.n.peers[0]]
}

// receive returns the next block of the stream. The error is the peer's fault.
func (f *follower) receive(ctx context.Context) (*common.Block, error) {
	watch := time.NewTicker(stallPatience / 10)
	defer watch.Stop()
	var behind time.Time // since when it is
	for {
		select {
		case event, ok := <-f.stream.events:
			r, err := response(event, ok)
			if err != nil {
				return nil, err
			}
			b := r.GetBlock()
			if b.GetHeader() == nil || b.Header.Number != f.next {
				return nil, fmt.Errorf("the peer shows another block than the %dth", f.next)
			}
			return b, nil
		case <-watch.C:
			switch {
			case f.n.furthest() <= f.next:
			case behind.IsZero():
				behind = time.Now()
			case time.Since(behind) > f.patience:
				f.patience = min(2*f.patience, mostStallPatience)
				return nil, fmt.Errorf("the peer does not show block %d, which another one has", f.next)
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// check goes on to the block after b if b follows the block before it.
func (f *follower) check(b *common.Block) error {
	if f.last != nil && string(b.Header.PreviousHash) != string(f.last[:]) {
		return fail(CodeChainBroken, fmt.Sprintf("block %d of %s does not name the hash of the block before it; audit the ledger", f.next, f.peer.name), nil)
	}
	hash := block.HeaderHash(b.Header)
	f.last, f.patience = &hash, stallPatience
	f.next++
	return nil
}
