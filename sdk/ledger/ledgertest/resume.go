package ledgertest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A job is changes of status, split into transactions that are signed before the first is submitted
// and submitted byte for byte until each is known to have happened. Whoever works on it may be
// stopped at any time.
type job struct {
	department string
	parts      []part

	mu    sync.Mutex
	heard int // parts that are known to have happened
}

// A part is one transaction of a job.
type part struct {
	tx      *chaincode.Transaction
	digest  sm.Hash // of the first licence that it changes
	last    sm.Hash // SM3 of the payload of that change
	done    bool
	receipt ledger.Receipt // unless the answer to it was lost
}

// submit has a part applied, unless it was before. Changes of status have no receipt for a repeat:
// the ledger refuses it as out of sequence, and tells which change it has made.
func (j *job) submit(ctx context.Context, l ledger.Ledger, p *part) error {
	receipt, err := l.Submit(ctx, p.tx)
	if chaincode.Code(err) == chaincode.CodeSequence {
		answer, lookupErr := l.Evaluate(ctx, chaincode.Query{Name: "status", Args: []string{j.department, p.digest.String()}})
		if lookupErr != nil {
			return lookupErr
		}
		var s status
		if json.Unmarshal(answer, &s) == nil && s.Last == p.last {
			err = nil
		}
	}
	if err == nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		p.done, p.receipt = true, receipt
		j.heard++
	}
	return err
}

// work submits what is left of the job, four parts at a time, and calls stop once so many more are
// known to have happened. It returns the errors that it met.
func (j *job) work(ctx context.Context, l ledger.Ledger, enough int, stop func()) []error {
	var left []*part
	for i := range j.parts {
		if !j.parts[i].done {
			left = append(left, &j.parts[i])
		}
	}
	next := make(chan *part, len(left))
	for _, p := range left {
		next <- p
	}
	close(next)
	enough += j.heard
	var errs []error
	var once sync.Once
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for p := range next {
				err := j.submit(ctx, l, p)
				j.mu.Lock()
				if err != nil {
					errs = append(errs, err)
				}
				heard := j.heard
				j.mu.Unlock()
				if heard >= enough {
					once.Do(stop)
				}
			}
		})
	}
	wg.Wait()
	return errs
}

// manyChangesResumed makes 10,000 status changes in as few transactions as can be, through clients
// that are stopped in the middle: by their context, by their connection. Each change is made once.
func manyChangesResumed(r *run) {
	const changes = 10_000
	from := r.head().Height
	var all []*statement.Status
	for len(all) < changes {
		b := r.anchor("marriage", min(changes-len(all), statement.MaxBatch))
		for i := range b.Digests {
			all = append(all, b.Change(i, licence.Revoked))
		}
	}
	j := &job{department: Marriages}
	key := r.City.Department(r, Marriages).Status
	for some := range slices.Chunk(all, chaincode.MaxChanges) {
		j.parts = append(j.parts, part{
			tx: SignAll(r, some, key), digest: some[0].Licence.Digest, last: *payloadHash(r, some[0]),
		})
	}

	ctx, cancel := context.WithCancel(r.ctx)
	first, second := r.As(Marriages), r.As(Marriages)
	r.wait(first)
	r.wait(second)
	r.interrupted("its context was cancelled", j.work(ctx, first, 5, cancel))
	r.interrupted("its connection was closed", j.work(r.ctx, second, 5, func() { second.Close() }))
	for _, l := range []ledger.Ledger{first, second} {
		if err := l.Close(); err != nil {
			r.Errorf("close a connection: %v", err)
		}
	}
	for _, err := range j.work(r.ctx, r.connect(Marriages), len(j.parts), func() {}) {
		r.Errorf("the client that finishes the work: %v", err)
	}

	var txs []*chaincode.Transaction
	receipts := map[*chaincode.Transaction]ledger.Receipt{}
	for i := range j.parts {
		p := &j.parts[i]
		txs = append(txs, p.tx)
		if p.receipt.TxID != "" {
			raise(r.height, p.receipt)
			receipts[p.tx] = p.receipt
		}
	}
	r.stand(Marriages, receipts)
	for tx, n := range r.count(from, txs...) {
		if n != 1 {
			r.Errorf("%d changes are %d times on the ledger", len(tx.Statements), n)
		}
	}
	r.wait(r.connect(Marriages))
	for i := range j.parts {
		var s status
		r.evaluate(Marriages, &s, "status", Marriages, j.parts[i].digest.String())
		if s.State != string(licence.Revoked) || s.Sequence != 1 || len(s.History) != 1 || s.Last != j.parts[i].last {
			r.Errorf("the first licence of part %d: %+v", i, s)
		}
	}
}

// interrupted checks what a client that was stopped in the middle was told of its transactions.
func (r *run) interrupted(how string, errs []error) {
	r.Helper()
	if len(errs) == 0 {
		r.Errorf("%s, but nothing was left to do", how)
	}
	for _, err := range errs {
		switch ledger.Code(err) {
		case ledger.CodeNotSubmitted, ledger.CodeOutcomeUnknown, ledger.CodeClosed:
		default:
			r.Errorf("%s: %v", how, err)
		}
	}
}
