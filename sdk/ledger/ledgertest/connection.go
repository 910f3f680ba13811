package ledgertest

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// queries asks everything that there is to ask, as each department: all are told the same.
func queries(r *run) {
	b := r.anchor("property", 4)
	d := b.Department
	r.submit(d.ID, Sign(r, b.Change(3, licence.Suspended), d.Status))
	r.submit(d.ID, Sign(r, r.nextCheckpoint(d), d.Log))
	consent := &statement.Consent{
		Ledger: r.City.ID, Department: d.ID, Digest: b.Digests[0], Action: statement.ConsentGive, SignedAt: Time,
	}
	r.submit(d.ID, Sign(r, consent, d.Consent))
	r.submit(Authority, Sign(r, r.nextHeartbeat(), r.City.Authority.Log))
	r.everywhere()
	place := b.Place(3)
	for _, q := range []chaincode.Query{
		{Name: "ledger"},
		{Name: "heartbeat"},
		{Name: "departments"},
		{Name: "department", Args: []string{d.ID}},
		{Name: "keys", Args: []string{d.ID}},
		{Name: "key", Args: []string{d.Status.Public().ID().String()}},
		{Name: "types"},
		{Name: "type", Args: []string{"property"}},
		{Name: "type", Args: []string{"property", "1"}},
		{Name: "anchor", Args: []string{d.ID, b.Root().String()}},
		{Name: "anchors", Args: []string{d.ID}},
		{Name: "anchors", Args: []string{d.ID, b.Root().String()}},
		{Name: "status", Args: []string{d.ID, b.Digests[3].String()}},
		{Name: "status", Args: []string{d.ID, b.Digests[3].String(), "property"}},
		{Name: "root-status", Args: []string{d.ID, b.Root().String()}},
		{Name: "restrictions", Args: []string{d.ID, b.Digests[3].String()}},
		{Name: "checkpoint", Args: []string{d.ID, Log}},
		{Name: "consent", Args: []string{d.ID, b.Digests[0].String()}},
		{Name: "verify", Args: []string{d.ID, b.Root().String(), "3", b.Digests[3].String(), hex.EncodeToString(place.Path)}},
	} {
		own, err := r.connect(d.ID).Evaluate(r.ctx, q)
		if err != nil || !json.Valid(own) {
			r.Errorf("query %s: %.200s, %v", q.Name, own, err)
			continue
		}
		for _, other := range r.City.All() {
			if told, err := r.connect(other.ID).Evaluate(r.ctx, q); err != nil || string(told) != string(own) {
				r.Errorf("query %s: %s is told %.200s, %v; %s is told %.200s", q.Name, other.ID, told, err, d.ID, own)
			}
		}
	}
	var verified struct {
		Anchored bool `json:"anchored"`
		Included bool `json:"included"`
	}
	r.evaluate(Marriages, &verified, "verify", b.Issuer, b.Root().String(), "3", b.Digests[3].String(), hex.EncodeToString(place.Path))
	if !verified.Anchored || !verified.Included {
		r.Errorf("verify: %+v", verified)
	}
}

// readsAreNotOlder asks a connection for what it was told of before: by a receipt, by its head, by
// a block that it has followed.
func readsAreNotOlder(r *run) {
	anchored := func(how string, l ledger.Ledger, b *Batch) {
		r.Helper()
		q := chaincode.Query{Name: "anchor", Args: []string{b.Issuer, b.Root().String()}}
		if _, err := l.Evaluate(r.ctx, q); err != nil {
			r.Errorf("told by %s, but then asked: %v", how, err)
		}
	}
	other := r.connect(Properties)
	for range 5 {
		from := r.head().Height
		b := r.anchor("marriage", 1)
		anchored("a receipt", r.connect(Marriages), b)
		r.wait(other)
		anchored("its head", other, b)

		followed := r.anchor("marriage", 1)
		last := string(followed.Tx.Bytes())
	following:
		for block, err := range r.connect(Businesses).Follow(r.ctx, from) {
			if err != nil {
				r.Fatalf("follow: %v", err)
			}
			for _, t := range block.Transactions {
				if string(t.Bytes) == last {
					break following
				}
			}
		}
		anchored("a block", r.connect(Businesses), followed)
	}
}

// givenUpBefore submits with a ctx that is done.
func givenUpBefore(r *run) {
	b := r.City.Digests(r, "marriage", 1, nil, nil)
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	_, err := r.connect(b.Issuer).Submit(ctx, b.Tx)
	if ledger.Code(err) != ledger.CodeNotSubmitted || !errors.Is(err, context.Canceled) {
		r.Errorf("submit: %v; want %s by a cancelled context", err, ledger.CodeNotSubmitted)
	}
	r.submit(b.Issuer, b.Tx) // was not there
	if _, err := r.connect(b.Issuer).Evaluate(ctx, chaincode.Query{Name: "ledger"}); !errors.Is(err, context.Canceled) {
		r.Errorf("evaluate: %v; want a cancelled context", err)
	}
	if _, err := r.connect(b.Issuer).Head(ctx); !errors.Is(err, context.Canceled) {
		r.Errorf("head: %v; want a cancelled context", err)
	}
}

// givenUpDuring gives transactions up at every moment while they are on their way: the error says
// what is known, and the same bytes again find out the rest.
func givenUpDuring(r *run) {
	const n, workers = 30, 3
	from := r.head().Height
	began := time.Now()
	r.anchor("marriage", 64)
	usual := time.Since(began)
	l := r.connect(Marriages)
	batches := make([]*Batch, n)
	for i := range batches {
		batches[i] = r.City.Digests(r, "marriage", 64, nil, nil)
	}
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < n; i += workers {
				r.giveUp(l, batches[i].Tx, time.Duration(i)*usual/(n*2/3))
			}
		})
	}
	wg.Wait()
	var txs []*chaincode.Transaction
	for _, b := range batches {
		txs = append(txs, b.Tx)
	}
	r.anchor("marriage", 1) // stands after all of them, whose receipts may not say where they stand
	for _, n := range r.count(from, txs...) {
		if n != 1 {
			r.Errorf("an anchor that was given up and submitted again is %d times on the ledger", n)
		}
	}
}

// giveUp submits an anchor, gives it up after a while, and submits it again.
func (r *run) giveUp(l ledger.Ledger, tx *chaincode.Transaction, after time.Duration) {
	ctx, cancel := context.WithTimeout(r.ctx, after)
	receipt, err := l.Submit(ctx, tx)
	cancel()
	again, againErr := l.Submit(r.ctx, tx)
	raise(r.height, receipt)
	raise(r.height, again)
	switch code := ledger.Code(err); {
	case againErr != nil:
		r.Errorf("submit again: %v", againErr)
	case err == nil && (receipt.Existing || !again.Existing):
		r.Errorf("%+v, then %+v; want it written the first time", receipt, again)
	case err != nil && code != ledger.CodeNotSubmitted && code != ledger.CodeOutcomeUnknown:
		r.Errorf("submit: %v", err)
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		r.Errorf("submit: %v, which does not say why", err)
	case code == ledger.CodeNotSubmitted && again.Existing:
		r.Errorf("submit: %v, but it is on the ledger", err)
	}
}

// closeConnection closes one connection, and uses another.
func closeConnection(r *run) {
	l := r.As(Marriages)
	b := r.City.Digests(r, "marriage", 1, nil, nil)
	for range 2 {
		if err := l.Close(); err != nil {
			r.Errorf("close: %v", err)
		}
	}
	if _, err := l.Submit(r.ctx, b.Tx); ledger.Code(err) != ledger.CodeClosed {
		r.Errorf("submit: %v, want %s", err, ledger.CodeClosed)
	}
	if _, err := l.Evaluate(r.ctx, chaincode.Query{Name: "ledger"}); ledger.Code(err) != ledger.CodeClosed {
		r.Errorf("evaluate: %v, want %s", err, ledger.CodeClosed)
	}
	if _, err := l.Head(r.ctx); ledger.Code(err) != ledger.CodeClosed {
		r.Errorf("head: %v, want %s", err, ledger.CodeClosed)
	}
	for _, err := range l.Follow(r.ctx, 0) {
		if ledger.Code(err) != ledger.CodeClosed {
			r.Errorf("follow: %v, want %s", err, ledger.CodeClosed)
			break // it may have no end
		}
	}
	r.submit(b.Issuer, b.Tx)
}
