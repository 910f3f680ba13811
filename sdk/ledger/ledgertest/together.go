package ledgertest

import (
	"sync"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
)

// outcomes counts the answers to transactions that are submitted at once.
type outcomes struct {
	written, existing int
	codes             map[string]int
}

// together submits transactions of one department at once, from several connections, and looks for
// those that were written at the places that their receipts name.
func (r *run) together(department string, txs []*chaincode.Transaction) outcomes {
	r.Helper()
	connections := make([]ledger.Ledger, min(4, len(txs)))
	for i := range connections {
		connections[i] = r.As(department)
		r.wait(connections[i])
	}
	out := outcomes{codes: map[string]int{}}
	receipts := map[*chaincode.Transaction]ledger.Receipt{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, tx := range txs {
		wg.Go(func() {
			<-start
			receipt, err := connections[i%len(connections)].Submit(r.ctx, tx)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && receipt.Existing:
				out.existing++
			case err == nil:
				out.written++
				receipts[tx] = receipt
				raise(r.height, receipt)
			case chaincode.Code(err) != "":
				out.codes[chaincode.Code(err)]++
				r.readable(err)
			default:
				r.Errorf("submit: %v", err)
			}
		})
	}
	close(start)
	wg.Wait()
	for _, l := range connections {
		if err := l.Close(); err != nil {
			r.Errorf("close a connection: %v", err)
		}
	}
	r.stand(department, receipts)
	return out
}

// stand checks that transactions stand where their receipts say.
func (r *run) stand(department string, receipts map[*chaincode.Transaction]ledger.Receipt) {
	r.Helper()
	if len(receipts) == 0 {
		return
	}
	first, last := ^uint64(0), uint64(0)
	for _, receipt := range receipts {
		first, last = min(first, receipt.Position.Block), max(last, receipt.Position.Block)
	}
	at := map[ledger.Position]*ledger.Transaction{}
	for _, b := range r.blocks(first, last+1) {
		for i := range b.Transactions {
			at[ledger.Position{Block: b.Number, Index: b.Transactions[i].Index}] = &b.Transactions[i]
		}
	}
	for tx, receipt := range receipts {
		switch t := at[receipt.Position]; {
		case t == nil:
			r.Errorf("nothing stands at %v", receipt.Position)
		case t.ID != receipt.TxID || t.Actor != department || string(t.Bytes) != string(tx.Bytes()):
			r.Errorf("at %v stands another transaction than the one submitted: %s of %s", receipt.Position, t.ID, t.Actor)
		}
	}
}

// count counts how often transactions are in the blocks from a number on.
func (r *run) count(from uint64, txs ...*chaincode.Transaction) map[*chaincode.Transaction]int {
	r.Helper()
	found := map[string]int{}
	for _, b := range r.blocks(from, r.head().Height) {
		for _, t := range b.Transactions {
			found[string(t.Bytes)]++
		}
	}
	out := map[*chaincode.Transaction]int{}
	for _, tx := range txs {
		out[tx] = found[string(tx.Bytes())]
	}
	return out
}

func concurrentDuplicates(r *run) {
	const n = 16
	from := r.head().Height
	b := r.City.Digests(r, "marriage", 8, nil, nil)
	txs := make([]*chaincode.Transaction, n)
	for i := range txs {
		txs[i] = b.Tx
	}
	if got := r.together(b.Issuer, txs); got.written != 1 || got.existing != n-1 {
		r.Errorf("%d times the same bytes at once: %+v; want one written, the others existing", n, got)
	}
	if got := r.count(from, b.Tx)[b.Tx]; got != 1 {
		r.Errorf("the anchor is %d times on the ledger", got)
	}
}

func concurrentConflicts(r *run) {
	const n = 16
	b := r.City.Digests(r, "marriage", 8, nil, nil)
	txs := make([]*chaincode.Transaction, n)
	for i := range txs {
		txs[i] = Sign(r, b.Head, b.Department.Anchor)
		txs[i].Digests = b.Tx.Digests
	}
	if got := r.together(b.Issuer, txs); got.written != 1 || got.codes[chaincode.CodeAnchorConflict] != n-1 {
		r.Errorf("%d heads with one root at once: %+v; want one written, the others in conflict", n, got)
	}
}

// concurrentChanges makes changes with one sequence number at once, two of one licence and many of
// another: exactly one of each succeeds.
func concurrentChanges(r *run) {
	b := r.anchor("marriage", 4)
	for i, n := range []int{2, 16} {
		txs := make([]*chaincode.Transaction, n)
		for j := range txs {
			change := b.Change(i, licence.Suspended)
			change.SignedAt += uint64(j)
			txs[j] = Sign(r, change, b.Department.Status)
		}
		if got := r.together(b.Issuer, txs); got.written != 1 || got.codes[chaincode.CodeSequence] != n-1 {
			r.Errorf("%d first changes at once: %+v; want one written, the others out of sequence", n, got)
		}
		r.wait(r.connect(b.Issuer))
		var s status
		r.evaluate(b.Issuer, &s, "status", b.Issuer, b.Digests[i].String())
		if s.State != string(licence.Suspended) || s.Sequence != 1 || len(s.History) != 1 {
			r.Errorf("status after %d first changes at once: %+v", n, s)
		}
	}
}

// concurrentMixture submits good and bad transactions at once.
func concurrentMixture(r *run) {
	const n = 24
	txs := make([]*chaincode.Transaction, n)
	for i := range txs {
		b := r.City.Digests(r, "marriage", 2, nil, nil)
		if txs[i] = b.Tx; i%2 == 0 {
			b.Tx.Digests[0] ^= 1
		}
	}
	if got := r.together(Marriages, txs); got.written != n/2 || got.codes[chaincode.CodeRootMismatch] != n/2 {
		r.Errorf("%d good and %d bad transactions at once: %+v", n/2, n/2, got)
	}
}

func concurrentOrganisations(r *run) {
	const each = 8
	from := r.head().Height
	var wg sync.WaitGroup
	for _, typ := range []string{"marriage", "property", "business"} {
		var txs []*chaincode.Transaction
		for range each {
			txs = append(txs, r.City.Digests(r, typ, 1, nil, nil).Tx)
		}
		issuer := r.City.Issuer(r, typ).ID
		wg.Go(func() {
			if got := r.together(issuer, txs); got.written != each {
				r.Errorf("%s: %+v; want all written", issuer, got)
			}
		})
	}
	wg.Wait()
	actors := map[string]int{}
	for _, b := range r.blocks(from, r.head().Height) {
		for _, t := range b.Transactions {
			actors[t.Actor]++
		}
	}
	for _, d := range r.City.Departments {
		if actors[d.ID] != each {
			r.Errorf("%d transactions of %s are on the ledger, want %d", actors[d.ID], d.ID, each)
		}
	}
}
