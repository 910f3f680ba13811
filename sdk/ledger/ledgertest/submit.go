package ledgertest

import (
	"fmt"
	"sync"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

func anchorsOfEverySize(r *run) {
	for _, size := range []int{1, 2, 3, 255, 256, 1024, statement.MaxBatch} {
		b := r.City.Digests(r, "marriage", size, nil, nil)
		r.submit(b.Issuer, b.Tx)
		var answer struct {
			Root string `json:"root"`
			Size int    `json:"size"`
		}
		r.evaluate(b.Issuer, &answer, "anchor", b.Issuer, b.Root().String())
		if answer.Root != b.Root().String() || answer.Size != size {
			r.Errorf("size %d: the ledger answers %+v", size, answer)
		}
	}
	b := r.City.Issue(r, "property", 40)
	r.submit(b.Issuer, b.Tx)
}

func anchorAgain(r *run) {
	b := r.anchor("marriage", 3)
	for range 2 {
		receipt, err := r.connect(b.Issuer).Submit(r.ctx, b.Tx)
		if err != nil || !receipt.Existing {
			r.Errorf("the same bytes again: %+v, %v; want Existing", receipt, err)
		}
	}
	other := Sign(r, b.Head, b.Department.Anchor) // another signature of the same head
	other.Digests = b.Tx.Digests
	r.refuse(b.Issuer, other, chaincode.CodeAnchorConflict)
}

// outcomes counts the answers to transactions that are submitted at once.
type outcomes struct {
	written, existing int
	codes             map[string]int
}

// together submits transactions of one department at once, from several connections, and looks for
// those that were written at the places that their receipts name.
func (r *run) together(department string, txs []*chaincode.Transaction) outcomes {
	r.Helper()
	out := outcomes{codes: map[string]int{}}
	receipts := map[*chaincode.Transaction]ledger.Receipt{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, tx := range txs {
		l := r.As(department)
		wg.Go(func() {
			<-start
			receipt, err := l.Submit(r.ctx, tx)
			if closeErr := l.Close(); closeErr != nil {
				r.Errorf("close a connection: %v", closeErr)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && receipt.Existing:
				out.existing++
			case err == nil:
				out.written++
				receipts[tx] = receipt
			case chaincode.Code(err) != "":
				out.codes[chaincode.Code(err)]++
			default:
				r.Errorf("submit: %v", err)
			}
		})
	}
	close(start)
	wg.Wait()
	for tx, receipt := range receipts {
		r.stands(department, tx, receipt)
	}
	return out
}

// stands checks that a transaction stands where its receipt says.
func (r *run) stands(department string, tx *chaincode.Transaction, receipt ledger.Receipt) {
	r.Helper()
	at := receipt.Position
	for _, t := range r.blocks(at.Block, at.Block+1)[0].Transactions {
		if t.Index != at.Index {
			continue
		}
		if t.ID != receipt.TxID || t.Actor != department || string(t.Bytes) != string(tx.Bytes()) {
			r.Errorf("at %v stands another transaction than the one submitted: %s of %s", at, t.ID, t.Actor)
		}
		return
	}
	r.Errorf("nothing stands at %v", at)
}

// holds counts the transactions with some bytes in the blocks from a number on.
func (r *run) holds(from uint64, tx *chaincode.Transaction) int {
	r.Helper()
	n := 0
	for _, b := range r.blocks(from, r.head().Height) {
		for _, t := range b.Transactions {
			if string(t.Bytes) == string(tx.Bytes()) {
				n++
			}
		}
	}
	return n
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
	if got := r.holds(from, b.Tx); got != 1 {
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

func concurrentChanges(r *run) {
	const n = 16
	b := r.anchor("marriage", 4)
	txs := make([]*chaincode.Transaction, n)
	for i := range txs {
		change := b.Change(2, licence.Suspended)
		change.SignedAt += uint64(i)
		txs[i] = Sign(r, change, b.Department.Status)
	}
	if got := r.together(b.Issuer, txs); got.written != 1 || got.codes[chaincode.CodeSequence] != n-1 {
		r.Errorf("%d first changes at once: %+v; want one written, the others out of sequence", n, got)
	}
	var s status
	r.evaluate(b.Issuer, &s, "status", b.Issuer, b.Digests[2].String())
	if s.State != string(licence.Suspended) || s.Sequence != 1 || len(s.History) != 1 {
		r.Errorf("status afterwards: %+v", s)
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

// manyChanges makes 10,000 status changes in as few transactions as can be.
func manyChanges(r *run) {
	const changes = 10_000
	var pending []*statement.Status
	var last *Batch
	var key = r.City.Issuer(r, "marriage").Status
	for made := 0; made < changes; {
		b := r.anchor("marriage", min(changes-made, statement.MaxBatch))
		for i := range b.Digests {
			pending = append(pending, b.Change(i, licence.Revoked))
		}
		made += len(b.Digests)
		last = b
	}
	r.refuse(last.Issuer, SignAll(r, pending[:chaincode.MaxChanges+1], key), chaincode.CodeTooMany)
	for len(pending) > 0 {
		n := min(len(pending), chaincode.MaxChanges)
		r.submit(last.Issuer, SignAll(r, pending[:n], key))
		pending = pending[n:]
	}
	for _, i := range []int{0, len(last.Digests) - 1} {
		var s status
		r.evaluate(Authority, &s, "status", last.Issuer, last.Digests[i].String())
		if s.State != string(licence.Revoked) {
			r.Errorf("licence %d of the last batch: %+v", i, s)
		}
	}
}

// oversize submits what is larger than a transaction may be.
func oversize(r *run) {
	b := r.City.Digests(r, "marriage", 1, nil, nil)
	for _, excess := range []int{1, 1 << 20, 20 << 20} {
		r.refuse(b.Issuer, &chaincode.Transaction{
			Statements: b.Tx.Statements, Digests: make([]byte, chaincode.MaxTransaction+excess),
		}, chaincode.CodeTooLarge)
	}
	r.submit(b.Issuer, b.Tx)
}

func history(r *run) {
	b := r.anchor("property", 4)
	var want []string
	change := b.Change(1, licence.Suspended)
	for i, to := range []licence.State{licence.Suspended, licence.Active, licence.Suspended, licence.Revoked} {
		if i > 0 {
			change = After(r, change, to)
		}
		receipt := r.submit(b.Issuer, Sign(r, change, b.Department.Status))
		want = append(want, fmt.Sprint(to, " ", i+1, " ", receipt.TxID))
	}
	change = After(r, change, licence.Active) // takes two
	receipt := r.submit(b.Issuer, Sign(r, change, b.Department.Status, b.Department.Second))
	want = append(want, fmt.Sprint(licence.Active, " 5 ", receipt.TxID))

	var s status
	r.evaluate(b.Issuer, &s, "status", b.Issuer, b.Digests[1].String())
	var got []string
	for _, h := range s.History {
		got = append(got, fmt.Sprint(h.State, " ", h.Sequence, " ", h.TxID))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.Errorf("history %v\nwant    %v", got, want)
	}
	if s.State != string(licence.Active) || s.TxID != receipt.TxID {
		r.Errorf("status %+v, want the last of its history", s)
	}
}

// receiptsAndBlocks looks for every transaction at the place that its receipt names.
func receiptsAndBlocks(r *run) {
	var receipts []ledger.Receipt
	for i := range 5 {
		b := r.City.Digests(r, "business", i+1, nil, nil)
		receipts = append(receipts, r.submit(b.Issuer, b.Tx))
	}
	for i, receipt := range receipts {
		if i > 0 && receipt.Position.Compare(receipts[i-1].Position) <= 0 {
			r.Errorf("transaction %d at %v does not come after %v", i, receipt.Position, receipts[i-1].Position)
		}
		r.stands(Businesses, r.accepted[i].Tx, receipt)
	}
}
