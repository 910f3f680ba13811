package fabric

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"

	"github.com/credledger/credledger/sdk/ledger"
)

// How long endorsing may take.
const (
	endorseTimeout  = 30 * time.Second      // one peer
	downPatience    = 10 * time.Second      // until enough peers are up
	upPatience      = 30 * time.Second      // until they agree
	catchUpPatience = 25 * time.Millisecond // until peers are asked that are just behind
	retryPause      = 50 * time.Millisecond
)

// An agreement is what a quorum of peers came to.
type agreement struct {
	proposal  *proposal
	responses []*fab.TransactionProposalResponse // the same, but for who endorsed them
	outcry    error                              // instead of responses
	peers     []*peer
}

// endorse has a call carried out by a quorum of peers until they agree. A refusal is taken only from
// peers that know all that this process was told of; unless caughtUp is set, a result also from those
// that are a few blocks behind: if others have written meanwhile what it rests on, the transaction
// will be found invalid, and submitted again. The error is a *ledger.Error.
func (n *network) endorse(ctx context.Context, q quorum, caughtUp bool, function string, args ...[]byte) (*agreement, error) {
	start := time.Now()
	height := n.told.get()
	pause := retryPause
	var differ time.Time // since when the peers do
	for {
		p, err := n.propose(function, args...)
		if err != nil {
			return nil, err
		}
		chosen, known, err := n.chooseEndorsers(ctx, q, height, caughtUp, start.Add(n.endorsePatience(q)))
		var a *agreement
		if err == nil {
			a, err = n.endorseBy(ctx, q, p, chosen)
		}
		switch {
		case err == nil && (known || a.outcry == nil):
			return a, nil
		case ctx.Err() != nil:
			return nil, notSubmitted("the transaction was given up before it was submitted", ctx.Err())
		case err == nil:
			height, caughtUp = n.told.get(), true
			continue
		case ledger.Code(err) == CodeDenied:
			return nil, err
		}
		if ledger.Code(err) == CodeDiffer {
			height, caughtUp = max(height, n.furthest()), true
			var d *difference
			switch atOne := errors.As(err, &d) && d.atOneHeight; {
			case !atOne:
				differ = time.Time{}
			case differ.IsZero():
				differ = time.Now()
			case time.Since(differ) > differPatience:
				return nil, err
			}
		}
		if time.Since(start) > n.endorsePatience(q) {
			return nil, err
		}
		sleep(ctx, jitter(pause))
		pause = min(2*pause, 10*retryPause)
	}
}

// endorsePatience is how long endorsing may take now. Peers that are up, and have to catch up, have
// more time.
func (n *network) endorsePatience(q quorum) time.Duration {
	if _, up := q.choose(fittest(n.peers, 0, fitLagging), nil); up {
		return upPatience
	}
	return downPatience
}

// endorseBy asks each of a quorum once, and others instead of those that fail.
func (n *network) endorseBy(ctx context.Context, q quorum, p *proposal, chosen []*peer) (*agreement, error) {
	bound, cancel := context.WithCancel(ctx)
	defer cancel()
	r := newRound(q, p, n.peers)
	ask := func(peers []*peer) {
		for _, peer := range peers {
			r.begin(peer)
			go func() { r.ballots <- n.ballot(bound, peer, p) }()
		}
	}
	ask(chosen)
	hedge := time.NewTimer(n.endorsing.times(4, leastHedge, endorseTimeout))
	defer hedge.Stop()
	for r.open() {
		var changed <-chan struct{} // of who could stand in
		if r.lacks() {
			changed = n.changed.next()
			ask(r.substitutes(n.told.get()))
		}
		select {
		case b := <-r.ballots:
			if a := r.count(b); a != nil {
				return a, nil
			}
		case <-changed:
		case <-hedge.C:
			for _, slow := range r.slow() {
				slow.failed(errSlow, time.Now())
			}
			n.watchAll()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, r.failure()
}

// ballot has a peer carry out a proposal.
func (n *network) ballot(ctx context.Context, p *peer, proposal *proposal) ballot {
	began := time.Now()
	before, _ := p.live()
	response, err := n.call(ctx, p, proposal, endorseTimeout)
	if err == nil {
		n.endorsing.note(time.Since(began))
	}
	after, _ := p.live()
	return ballot{p, response, err, before, after}
}

var errSlow = errors.New("the peer is slow")

// chooseEndorsers returns a quorum of peers that have reached a height, fittest first; it waits
// until there is one. Unless caughtUp is set it waits only briefly if there are others that are
// behind: then known is false.
func (n *network) chooseEndorsers(ctx context.Context, q quorum, height uint64, caughtUp bool, deadline time.Time) (chosen []*peer, known bool, err error) {
	over := time.NewTimer(time.Until(deadline))
	defer over.Stop()
	brief := time.NewTimer(catchUpPatience)
	defer brief.Stop()
	late := false
	for {
		changed := n.changed.next()
		if chosen, ok := q.choose(fittest(n.peers, height, fitLagging), nil); ok {
			return chosen, true, nil
		}
		if late && !caughtUp {
			if chosen, ok := q.choose(fittest(n.peers, 0, fitLagging), nil); ok {
				return chosen, false, nil
			}
		}
		if late {
			if chosen, ok := q.choose(fittest(n.peers, height, fitDown), nil); ok {
				return chosen, true, nil
			}
		}
		if err := n.denied(); err != nil {
			return nil, false, err
		}
		n.watchAll()
		select {
		case <-changed:
		case <-brief.C:
			late = true
		case <-over.C:
			return nil, false, notSubmitted(fmt.Sprintf("the transaction was not submitted: fewer than %d organisations with the authority %s "+
				"have a peer that is up and has caught up; start their peers, then try again", q.size, q.authority), n.peerErrors())
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// peerErrors says what is wrong with the peers.
func (n *network) peerErrors() error {
	var errs several
	for _, p := range n.peers {
		height, live := p.live()
		err := p.trouble()
		switch {
		case live && err == nil:
			errs = append(errs, fmt.Errorf("%s is at height %d", p.name, height))
		case live:
			errs = append(errs, fmt.Errorf("%s is at height %d: %w", p.name, height, reason(err)))
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", p.name, reason(err)))
		default:
			errs = append(errs, fmt.Errorf("%s has not answered yet", p.name))
		}
	}
	return errs
}
