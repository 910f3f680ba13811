package fabric

import (
	"slices"
	"sync"
	"time"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

// A peer is what is known of one.
type peer struct {
	name         string // in the profile
	organisation string
	endorser     fab.Peer
	config       *fab.PeerConfig

	mu       sync.Mutex
	watched  bool
	state    streamState
	height   uint64    // what its stream has shown since it lives
	failures int       // of calls, since the last that succeeded
	until    time.Time // before that it is asked only if nobody else can be
	err      error     // why the newest call failed
	lostBy   error     // why the newest stream ended
}

type streamState int

const (
	streamNew  streamState = iota // has not shown anything yet
	streamLive                    // shows each block as it is committed
	streamDown
)

// Fitness of a peer for a call, best first; unfit ones are not asked.
const (
	fit        = iota
	fitLagging // it will do, but others know more
	fitAiling  // its newest calls failed
	fitDown    // it could not be reached
	unfit
)

// lag is how many blocks a peer may be behind the furthest without being passed over.
const lag = 8

// fitness tells how fit a peer is to answer who was told of a height.
func (p *peer) fitness(now time.Time, told, furthest uint64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	ailing := now.Before(p.until)
	switch {
	case p.state == streamLive && p.height < told, p.state != streamLive && told > 0:
		return unfit
	case p.state == streamDown:
		return fitDown
	case ailing:
		return fitAiling
	case p.state == streamLive && p.height+lag < furthest:
		return fitLagging
	}
	return fit
}

// Bounds of how long a peer is passed over after a call failed.
const (
	leastPause = 250 * time.Millisecond
	mostPause  = 8 * time.Second
)

// failed notes a failure of a call that is the peer's.
func (p *peer) failed(err error, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = now.Add(min(leastPause<<min(p.failures, 8), mostPause))
	p.failures++
	p.err = err
}

// answered notes that a call came back.
func (p *peer) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.until, p.err = 0, time.Time{}, nil
}

// committed notes that the peer has committed the blocks below a height; it reports whether that was
// news.
func (p *peer) committed(height uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	news := p.state != streamLive || height > p.height
	p.state, p.height = streamLive, height
	return news
}

// lost notes the end of the peer's stream.
func (p *peer) lost(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.height, p.lostBy = streamDown, 0, err
}

// live returns what height the peer's stream has shown, if it lives.
func (p *peer) live() (height uint64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.height, p.state == streamLive
}

// trouble says what is wrong with the peer, if anything is.
func (p *peer) trouble() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == streamDown {
		return p.lostBy
	}
	return p.err
}

// fittest returns those of the peers that are fit to answer who was told of a height, and no less
// fit than the worst: fittest first and otherwise in their order.
func fittest(peers []*peer, told uint64, worst int) []*peer {
	var furthest uint64
	for _, p := range peers {
		height, _ := p.live()
		furthest = max(furthest, height)
	}
	now := time.Now()
	by := make([][]*peer, unfit+1)
	for _, p := range peers {
		f := p.fitness(now, told, furthest)
		by[f] = append(by[f], p)
	}
	return slices.Concat(by[:worst+1]...)
}
