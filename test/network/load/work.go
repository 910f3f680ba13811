package load

import (
	"context"
	"encoding/json"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// again is the time from an attempt that has not told the outcome to the next.
const again = 100 * time.Millisecond

// work settles what is left from the client before, and then one transaction after the other.
func (l *Load) work(c *client, worker int, left <-chan *Entry) {
	for e := range left {
		l.settle(c, e)
	}
	for n := worker; ; n++ {
		select {
		case <-c.draining:
			return
		case <-c.ctx.Done():
			return
		default:
		}
		e, batch := l.make(worker, n)
		l.settle(c, e)
		if batch != nil && e.acknowledged() {
			l.pools[worker] = pool{batch: batch}
		}
	}
}

// arrive submits single anchors at their time, whatever became of those before.
func (l *Load) arrive(c *client) {
	tick := time.NewTicker(l.options.Arrivals)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-c.draining:
			return
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		e, _ := l.anchor(Single, issuedTypes[n%len(issuedTypes)], 1)
		c.working.Go(func() { l.settle(c, e) })
	}
}

// A pool has licences of a worker that are anchored and were not changed.
type pool struct {
	batch *ledgertest.Batch
	next  int
}

// make makes and keeps the n-th transaction of a worker; batch is what it anchors.
func (l *Load) make(worker, n int) (e *Entry, batch *ledgertest.Batch) {
	typ := issuedTypes[worker%len(issuedTypes)]
	p := &l.pools[worker]
	if p.batch != nil && p.next == len(p.batch.Digests) {
		*p = pool{}
	}
	switch {
	case n%3 == 0:
		return l.anchor(Batch, typ, l.options.Batch)
	case n%3 == 1 || p.batch == nil:
		e, _ = l.anchor(Single, typ, 1)
		return e, nil
	}
	change := p.batch.Change(p.next, licence.Suspended)
	p.next++
	e = &Entry{Kind: Change, Department: p.batch.Issuer, query: [2]string{p.batch.Issuer, change.Licence.Digest.String()}}
	payload, err := statement.Encode(change)
	if err != nil {
		l.tb.Errorf("encode a change: %v", err)
	}
	e.change = sm.Sum(payload)
	e.Tx = ledgertest.Sign(l.tb, change, p.batch.Department.Status)
	l.keep(e)
	return e, nil
}

func (l *Load) anchor(kind Kind, typ string, n int) (*Entry, *ledgertest.Batch) {
	b := l.options.City.Digests(l.tb, typ, n, nil, nil)
	e := &Entry{Kind: kind, Department: b.Issuer, Licences: n, Tx: b.Tx}
	l.keep(e)
	return e, b
}

// keep keeps a transaction before it is submitted.
func (l *Load) keep(e *Entry) {
	e.Sum = sm.Sum(e.Tx.Bytes())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.Entries = append(l.record.Entries, e)
}

// settle submits a transaction until its outcome is known, or the client is killed.
func (l *Load) settle(c *client, e *Entry) {
	connection := c.connections[e.Department]
	for {
		began := time.Now()
		receipt, err := connection.Submit(c.ctx, e.Tx)
		a := Attempt{Began: began, Ended: time.Now(), Err: err, Code: codeOf(err)}
		outcome := outcomeOf(receipt, err)
		if outcome == Refused && a.Code == chaincode.CodeSequence && len(e.Attempts) > 0 {
			outcome = changed(c.ctx, connection, e)
		}
		l.attempted(e, a, outcome, receipt)
		if outcome != Unsettled {
			return
		}
		select {
		case <-time.After(again):
		case <-c.ctx.Done():
			return
		}
	}
}

// outcomeOf is what one answer to a submission says.
func outcomeOf(receipt ledger.Receipt, err error) Outcome {
	switch {
	case err == nil && receipt.Existing:
		return Existing
	case err == nil:
		return Written
	case chaincode.Code(err) != "":
		return Refused
	}
	return Unsettled
}

// changed tells a change of status that was made by an attempt whose answer got lost from one that
// is refused: the ledger refuses the repeat as well, but its newest change is this one.
func changed(ctx context.Context, connection ledger.Ledger, e *Entry) Outcome {
	answer, err := connection.Evaluate(ctx, chaincode.Query{Name: "status", Args: e.query[:]})
	if err != nil {
		return Unsettled
	}
	var status struct {
		Last sm.Hash `json:"last"`
	}
	if json.Unmarshal(answer, &status) == nil && status.Last == e.change {
		return Existing
	}
	return Refused
}

// attempted adds an attempt to the record.
func (l *Load) attempted(e *Entry, a Attempt, outcome Outcome, receipt ledger.Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Attempts = append(e.Attempts, a)
	if outcome == Unsettled {
		return
	}
	e.Outcome, e.Settled, e.Tx = outcome, time.Now(), nil
	if outcome == Written {
		e.Receipt = receipt
	}
	if e.acknowledged() {
		l.record.acknowledged++
	}
	close(l.settled)
	l.settled = make(chan struct{})
}
