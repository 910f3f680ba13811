package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
)

// queries asks everything that there is to ask, as one department and as another.
func queries(r *run) {
	b := r.anchor("property", 4)
	change := b.Change(3, licence.Suspended)
	r.submit(b.Issuer, Sign(r, change, b.Department.Status))
	place := b.Place(3)
	for _, q := range []chaincode.Query{
		{Name: "ledger"},
		{Name: "departments"},
		{Name: "department", Args: []string{b.Issuer}},
		{Name: "keys", Args: []string{b.Issuer}},
		{Name: "key", Args: []string{b.Department.Status.Public().ID().String()}},
		{Name: "types"},
		{Name: "type", Args: []string{"property"}},
		{Name: "anchor", Args: []string{b.Issuer, b.Root().String()}},
		{Name: "anchors", Args: []string{b.Issuer}},
		{Name: "status", Args: []string{b.Issuer, b.Digests[3].String()}},
		{Name: "root-status", Args: []string{b.Issuer, b.Root().String()}},
		{Name: "restrictions", Args: []string{b.Issuer, b.Digests[3].String()}},
		{Name: "verify", Args: []string{b.Issuer, b.Root().String(), "3", b.Digests[3].String(), hexText(place.Path)}},
	} {
		own, err := r.connect(b.Issuer).Evaluate(r.ctx, q)
		if err != nil || !json.Valid(own) || len(own) < 3 {
			r.Errorf("query %s: %.200s, %v", q.Name, own, err)
			continue
		}
		// Another department may ask another copy of the ledger, which may be a little behind.
		var other []byte
		for deadline := time.Now().Add(patience / 2); ; time.Sleep(10 * time.Millisecond) {
			other, err = r.connect(Marriages).Evaluate(r.ctx, q)
			if string(other) == string(own) && err == nil {
				break
			}
			if time.Now().After(deadline) {
				r.Errorf("query %s: another department is told %.200s, %v", q.Name, other, err)
				break
			}
		}
	}
	var verified struct {
		Anchored bool `json:"anchored"`
		Included bool `json:"included"`
	}
	r.evaluate(Marriages, &verified, "verify", b.Issuer, b.Root().String(), "3", b.Digests[3].String(), hexText(place.Path))
	if !verified.Anchored || !verified.Included {
		r.Errorf("verify: %+v", verified)
	}
	for _, test := range []struct {
		query chaincode.Query
		code  string
	}{
		{chaincode.Query{Name: "nothing"}, chaincode.CodeQuery},
		{chaincode.Query{}, chaincode.CodeQuery},
		{chaincode.Query{Name: "anchor", Args: []string{b.Issuer}}, chaincode.CodeQuery},
		{chaincode.Query{Name: "anchor", Args: []string{b.Issuer, "0"}}, chaincode.CodeQuery},
		{chaincode.Query{Name: "anchor", Args: []string{b.Issuer, b.Digests[0].String()}}, chaincode.CodeNotFound},
		{chaincode.Query{Name: "department", Args: []string{"nobody"}}, chaincode.CodeNotFound},
	} {
		if answer, err := r.connect(Authority).Evaluate(r.ctx, test.query); chaincode.Code(err) != test.code {
			r.Errorf("query %v: %s, %v; want %s", test.query, answer, err, test.code)
		}
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

// givenUpDuring gives transactions up while they are on their way: the error says what is known,
// and the same bytes again find out the rest.
func givenUpDuring(r *run) {
	from := r.head().Height
	for i := range 30 {
		b := r.City.Digests(r, "marriage", 64, nil, nil)
		ctx, cancel := context.WithTimeout(r.ctx, time.Duration(i)*100*time.Microsecond)
		receipt, err := r.connect(b.Issuer).Submit(ctx, b.Tx)
		cancel()
		again, againErr := r.connect(b.Issuer).Submit(r.ctx, b.Tx)
		if againErr != nil {
			r.Fatalf("submit again: %v", againErr)
		}
		switch code := ledger.Code(err); {
		case err == nil && (receipt.Existing || !again.Existing):
			r.Errorf("%+v, then %+v; want it written the first time", receipt, again)
		case err != nil && code != ledger.CodeNotSubmitted && code != ledger.CodeOutcomeUnknown:
			r.Errorf("submit: %v", err)
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			r.Errorf("submit: %v, which does not say why", err)
		case code == ledger.CodeNotSubmitted && again.Existing:
			r.Errorf("submit: %v, but it is on the ledger", err)
		}
		if n := r.holds(from, b.Tx); n != 1 {
			r.Errorf("the anchor is %d times on the ledger", n)
		}
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
		}
	}
	r.submit(b.Issuer, b.Tx)
}
