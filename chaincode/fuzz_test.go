package chaincode_test

import (
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// FuzzApply submits what a transaction parses from, and the bytes themselves as a statement; with
// signatures taken for valid, so that the rules behind them are reached too.
func FuzzApply(f *testing.F) {
	s := newStage(f)
	for _, k := range s.kinds() {
		f.Add(k.actor, k.tx.Bytes())
		f.Add(k.actor, k.tx.Statements[0])
	}
	believing := func(*statement.Statement, *sm.PublicKey) bool { return true }
	f.Fuzz(func(t *testing.T, actor string, b []byte) {
		before := s.Dump()
		transactions := []*transaction{{Statements: [][]byte{b}}, {Statements: [][]byte{b, b}, Digests: b}}
		if tx, err := chaincode.ParseTransaction(b); err == nil {
			transactions = append(transactions, tx)
		}
		for _, tx := range transactions {
			for _, verify := range []chaincode.Verifier{(*statement.Statement).Verify, believing} {
				for _, state := range []chaincode.State{s, rulestest.NewLedger()} {
					writes, err := chaincode.Apply(state, verify, actor, tx)
					if err != nil && (writes != nil || chaincode.Code(err) == "") {
						t.Errorf("%d writes, %v", len(writes), err)
					}
				}
			}
		}
		if s.Dump() != before {
			t.Error("Apply changed the state itself")
		}
	})
}
