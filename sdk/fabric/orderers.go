package fabric

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	contextimpl "github.com/hyperledger/fabric-sdk-go/pkg/context"
)

// orderers are those of the network. All submissions of the process go to one as long as it takes
// them; the one that the others pass transactions on to cannot be told from them.
type orderers struct {
	all    []*orderer
	taking pace

	mu    sync.Mutex
	first int // index of the one to ask first
}

type orderer struct {
	name string
	fab.Orderer
}

func (os *orderers) add(name string, o fab.Orderer) {
	os.all = append(os.all, &orderer{name, o})
	os.first = rand.N(len(os.all)) // so that processes begin with different ones
}

// turn lists the orderers in the order in which to ask them.
func (os *orderers) turn() []*orderer {
	os.mu.Lock()
	defer os.mu.Unlock()
	return slices.Concat(os.all[os.first:], os.all[:os.first])
}

// avoid makes the orderer after o the first, if that was o.
func (os *orderers) avoid(o *orderer) {
	os.mu.Lock()
	defer os.mu.Unlock()
	if os.all[os.first] == o {
		os.first = (os.first + 1) % len(os.all)
	}
}

const (
	mostOrderTimeout = 6 * time.Second
	leastOrderPause  = 100 * time.Millisecond // when none of them would
	mostOrderPause   = 500 * time.Millisecond
)

// A dispatch is the sending of one transaction to the orderers, as often as it takes.
type dispatch struct {
	n        *network
	envelope *fab.SignedEnvelope

	mu    sync.Mutex
	maybe bool     // an orderer may have it
	taker *orderer // the newest that said to have it
	err   error    // why the newest would not
}

// send sends until an orderer says that it has taken the transaction. The error is that of ctx, or
// a *refusal by every orderer.
func (d *dispatch) send(ctx context.Context) error {
	for pause := leastOrderPause; ; pause = min(pause*3/2, mostOrderPause) {
		refused := 0
		for _, o := range d.n.orderers.turn() {
			err := d.sendTo(ctx, o)
			if err == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			d.n.orderers.avoid(o)
			var r *refusal
			if errors.As(err, &r) {
				refused++
			}
		}
		if refused == len(d.n.orderers.all) {
			return d.newestError()
		}
		sleep(ctx, jitter(pause))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// A refusal is the answer of an orderer that will not take a transaction from this client, or will
// not take this transaction.
type refusal struct {
	orderer string
	status  common.Status
	info    string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("orderer %s: %s: %s", r.orderer, r.status, r.info)
}

func (d *dispatch) sendTo(ctx context.Context, o *orderer) error {
	rctx, cancel := d.n.request(ctx, d.n.orderers.taking.times(4, orderTimeout, mostOrderTimeout))
	defer cancel()
	// Whatever fails before there is a connection has not sent anything.
	manager, _ := contextimpl.RequestCommManager(rctx)
	if _, err := manager.DialContext(rctx, o.URL()); err != nil {
		d.note(nil, false, err)
		return err
	}
	began := time.Now()
	_, err := o.SendBroadcast(rctx, d.envelope)
	if err == nil {
		d.n.orderers.taking.note(time.Since(began))
		d.note(o, true, nil)
		return nil
	}
	s, ok := status.FromError(err)
	if !ok || s.Group != status.OrdererServerStatus {
		d.note(nil, true, err)
		return err
	}
	r := &refusal{o.name, common.Status(s.Code), s.Message}
	switch r.status {
	case common.Status_SERVICE_UNAVAILABLE, common.Status_INTERNAL_SERVER_ERROR:
		// It may have been passed on to the leader; not if there is none, which has no code of its own.
		d.note(nil, !strings.HasPrefix(s.Message, "no Raft leader"), r)
		return err
	}
	d.note(nil, false, r)
	return r
}

func (d *dispatch) note(taker *orderer, maybe bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.maybe = d.maybe || maybe
	d.err = err
	if taker != nil {
		d.taker = taker
	}
}

func (d *dispatch) mayBeSent() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.maybe
}

func (d *dispatch) newestError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// lastTaker returns the orderer that last said to have taken the transaction, nil if none has.
func (d *dispatch) lastTaker() *orderer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.taker
}
