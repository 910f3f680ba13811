package share

import (
	"bytes"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// FuzzFrame: whatever comes on the socket is read within bounds, and what was read is written as it was
// meant.
func FuzzFrame(f *testing.F) {
	for _, a := range []*answer{
		{Receipt: &ledger.Receipt{Position: ledger.Position{Block: 3, Index: 1}, TxID: "3-1"}},
		{Result: []byte(`{"a":1}`)},
		{Head: &ledger.Head{Height: 4, Hash: sm.Sum(nil)}},
		{Block: &ledger.Block{Number: 3, Transactions: []ledger.Transaction{{ID: "3-1", Index: 1, Actor: "a", Bytes: []byte{1}}}}},
		{Fault: faultOf(&chaincode.Error{Code: chaincode.CodeSequence, Message: "no"})},
		{Fault: faultOf(errClosed())},
	} {
		var b bytes.Buffer
		if err := writeFrame(&b, a); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		if a.Fault != nil && a.Fault.err() == nil {
			t.Error("a fault is no error")
		}
		var again bytes.Buffer
		if err := writeFrame(&again, a); err != nil {
			t.Fatal(err)
		}
		if _, err := readFrame(&again); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
