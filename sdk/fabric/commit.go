package fabric

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"

	"github.com/credledger/credledger/sdk/ledger"
)

// How long committing may take.
const (
	commitPatience = 30 * time.Second       // until the outcome is given up
	lastLook       = 500 * time.Millisecond // to look a transaction up when the caller's time is over
	doubtEvery     = 250 * time.Millisecond
)

// A delivery is one transaction on its way into a block.
type delivery struct {
	n       *network
	id      string
	ctx     context.Context // of the helpers
	helpers sync.WaitGroup

	dispatch *dispatch
	sending  bool
	sent     chan error // how the sending ended
	since    time.Time  // when that, or the newest look, was
	looking  bool
	looked   chan *outcome // what was found, nil if nothing
}

// commit gives a transaction to the orderers until it stands in a block. Before an error says that
// the outcome is not known, it is looked up.
func (n *network) commit(ctx context.Context, id string, envelope *fab.SignedEnvelope) (outcome, error) {
	shown := n.commits.expect(id)
	defer n.commits.forget(id)
	hctx, cancel := context.WithCancel(ctx)
	d := &delivery{
		n: n, id: id, ctx: hctx, dispatch: &dispatch{n: n, envelope: envelope},
		sent: make(chan error, 1), looked: make(chan *outcome, 1),
	}
	defer d.helpers.Wait()
	defer cancel()

	d.send()
	over := time.After(commitPatience)
	doubt := time.NewTicker(doubtEvery)
	defer doubt.Stop()
	var early outcome // as another organisation's peer shows it
	var grace <-chan time.Time
	for {
		select {
		case o := <-shown.own:
			if d.settled(o) {
				return o, nil
			}
		case early = <-shown.other:
			grace = time.After(ownPatience)
			if !n.ownLives() {
				grace = time.After(0)
			}
		case <-grace:
			if d.settled(early) {
				return early, nil
			}
		case err := <-d.sent:
			d.sending, d.since = false, time.Now()
			var r *refusal
			if errors.As(err, &r) && !d.dispatch.mayBeSent() {
				return outcome{}, orderersRefuse(r)
			}
		case now := <-doubt.C:
			if d.doubtful(now) {
				d.look()
			}
		case found := <-d.looked:
			d.looking, d.since = false, time.Now()
			if found != nil {
				return *found, nil
			}
			if !d.sending {
				n.orderers.avoid(d.dispatch.lastTaker())
				d.send()
			}
		case <-over:
			return d.giveUp(cancel, errGivenUp)
		case <-ctx.Done():
			return d.giveUp(cancel, ctx.Err())
		}
	}
}

// settled reports whether an outcome is that of the transaction. Of a copy of it the block with the
// first one has to be found.
func (d *delivery) settled(o outcome) bool {
	if o.code == pb.TxValidationCode_DUPLICATE_TXID {
		d.look()
		return false
	}
	if !d.sending {
		d.n.overtaking.raise(d.n.age(d.since))
	}
	return true
}

// A transaction that an orderer took was lost with it, perhaps, when one that was taken overtakenBy
// later is in a block; when there was no block for quietFor; or when it was taken lateBy before.
const (
	overtakenBy = time.Second
	lateBy      = 6 * time.Second
)

// doubtful reports whether it is time to look for the transaction, and to send it again.
func (d *delivery) doubtful(now time.Time) bool {
	waited := now.Sub(d.since)
	if d.sending {
		return waited > quietFor && d.dispatch.mayBeSent()
	}
	return d.n.overtaking.get() > d.n.age(d.since.Add(overtakenBy)) ||
		waited > quietFor && now.Sub(d.n.commits.newest()) > quietFor ||
		waited > lateBy
}

// send sends the transaction until an orderer takes it.
func (d *delivery) send() {
	d.sending, d.since = true, time.Now()
	d.helpers.Go(func() { d.sent <- d.dispatch.send(d.ctx) })
}

// look looks the transaction up.
func (d *delivery) look() {
	if d.looking {
		return
	}
	d.looking = true
	d.helpers.Go(func() {
		var found *outcome
		if o, ok := d.n.lookUp(d.ctx, d.id); ok {
			found = &o
		}
		d.looked <- found
	})
}

// giveUp looks the transaction up for the last time, unless the caller wants to go at once.
func (d *delivery) giveUp(cancel context.CancelFunc, cause error) (outcome, error) {
	cancel()
	d.helpers.Wait() // they know what was sent
	err := cause
	if newest := reason(d.dispatch.newestError()); newest != nil && !errors.Is(newest, cause) {
		err = several{cause, newest}
	}
	if !d.dispatch.mayBeSent() {
		return outcome{}, notSubmitted("the transaction was not submitted: no orderer took it in time; try again", err)
	}
	if !errors.Is(cause, context.Canceled) {
		ctx, cancel := context.WithTimeout(d.n.ctx, lastLook)
		defer cancel()
		if o, ok := d.n.lookUp(ctx, d.id); ok {
			return o, nil
		}
	}
	return outcome{}, fail(ledger.CodeOutcomeUnknown, "the transaction "+d.id+" was sent and may still be applied; look for its effect, or "+
		"submit the same bytes again", err)
}

func orderersRefuse(r *refusal) error {
	if r.status == common.Status_FORBIDDEN {
		return denied(r)
	}
	return notSubmitted("no orderer takes the transaction; see why, and whether its limits fit", r)
}
