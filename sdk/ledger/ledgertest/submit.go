package ledgertest

import (
	"fmt"

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
	from := r.head().Height
	for range 2 {
		receipt, err := r.connect(b.Issuer).Submit(r.ctx, b.Tx)
		if err != nil || !receipt.Existing || receipt.TxID != "" {
			r.Errorf("the same bytes again: %+v, %v; want Existing and no name", receipt, err)
		}
	}
	if n := r.count(from, b.Tx)[b.Tx]; n != 0 {
		r.Errorf("what had happened before is %d times more on the ledger", n)
	}
	other := Sign(r, b.Head, b.Department.Anchor) // another signature of the same head
	other.Digests = b.Tx.Digests
	r.refuse(b.Issuer, other, chaincode.CodeAnchorConflict)
}

// oversize submits what is larger than a transaction may be.
func oversize(r *run) {
	b := r.City.Digests(r, "marriage", 1, nil, nil)
	largest := &chaincode.Transaction{Statements: b.Tx.Statements}
	largest.Digests = make([]byte, chaincode.MaxTransaction-len(largest.Bytes())-4) // 4 more for their length
	if n := len(largest.Bytes()); n != chaincode.MaxTransaction {
		r.Fatalf("the largest transaction has %d bytes, want %d", n, chaincode.MaxTransaction)
	}
	r.refuse(b.Issuer, largest, chaincode.CodeRootMismatch) // gets as far as the rules
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
	receipts := map[*chaincode.Transaction]ledger.Receipt{}
	var last ledger.Position
	for i := range 5 {
		b := r.City.Digests(r, "business", i+1, nil, nil)
		receipt := r.submit(b.Issuer, b.Tx)
		if receipt.Position.Compare(last) <= 0 {
			r.Errorf("transaction %d at %v does not come after %v", i, receipt.Position, last)
		}
		receipts[b.Tx], last = receipt, receipt.Position
	}
	r.stand(Businesses, receipts)
}
