//go:build network

package figures

import (
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// TestFigures takes the benchmark's path with few transactions: what it counts is on the ledger,
// once, and what the empty chaincode does is not.
func TestFigures(t *testing.T) {
	s := newSetting(t)

	t.Run("Load", func(t *testing.T) {
		s := s.with(t)
		const licences, transactions = 64, 24
		from := s.head(s.issuer).Height
		r := s.run(s.issuer, load{size: licences, transactions: transactions, inFlight: 8}, nil)
		if len(r.receipts) != transactions || len(r.latencies) != transactions {
			t.Fatalf("%d receipts of %d transactions", len(r.receipts), transactions)
		}
		if r.cpu["peer"] == 0 && r.cpu["client"] == 0 {
			t.Error("no process has used a processor")
		}
		anchored := s.anchored(from)
		for _, receipt := range r.receipts {
			if got := anchored[receipt.Position]; receipt.Existing || got != licences {
				t.Errorf("the ledger has %d licences at %v, the receipt is %+v", got, receipt.Position, receipt)
			}
		}
		if len(anchored) != transactions {
			t.Errorf("%d transactions were counted, %d are on the ledger", transactions, len(anchored))
		}
	})
	t.Run("Empty", func(t *testing.T) {
		s := s.with(t)
		const transactions = 16
		before := s.head(s.issuer)
		r := s.run(s.empty, load{size: 1, transactions: transactions, inFlight: 8}, nil)
		if len(r.receipts) != transactions {
			t.Fatalf("%d receipts of %d transactions", len(r.receipts), transactions)
		}
		if s.head(s.issuer).Height <= before.Height {
			t.Error("what the empty chaincode was asked is in no block")
		}
		if n := len(s.anchored(before.Height)); n > 0 {
			t.Errorf("%d transactions of the empty chaincode are taken for ours", n)
		}
	})
	t.Run("Lag", func(t *testing.T) {
		s := s.with(t)
		r, lags := s.lag(load{size: 16, transactions: 24, inFlight: 8})
		if len(lags) != len(r.receipts) || len(lags) == 0 || lags[0] < 0 {
			t.Errorf("the lags of %d transactions are %v", len(r.receipts), lags)
		}
	})
	t.Run("Memory", func(t *testing.T) {
		s := s.with(t)
		for i, f := range s.memory(8, 8, 24) {
			if f.heap <= 0 || f.resident <= f.heap || f.goroutines <= 0 {
				t.Errorf("footprint %d is %+v", i, f)
			}
		}
	})
	t.Run("Disk", func(t *testing.T) {
		s := s.with(t)
		if peer, orderer := s.disk("peer"), s.disk("orderer"); peer < 1<<16 || orderer < 1<<16 {
			t.Errorf("a peer takes %.0f bytes, an orderer %.0f", peer, orderer)
		}
	})
}

// anchored returns how many licences each transaction from a block on has anchored, by position.
func (s *setting) anchored(from uint64) map[ledger.Position]int {
	s.Helper()
	l := s.network.Connect(ledgertest.Authority)
	end := s.head(s.issuer).Height
	sizes := map[ledger.Position]int{}
	if from == end {
		return sizes
	}
	for block, err := range l.Follow(s.Context(), from) {
		if err != nil {
			s.Fatal(err)
		}
		for i := range block.Transactions {
			tx, err := chaincode.ParseTransaction(block.Transactions[i].Bytes)
			if err != nil {
				s.Fatal(err)
			}
			sizes[ledger.Position{Block: block.Number, Index: block.Transactions[i].Index}] = len(tx.Digests) / 32
		}
		if block.Number+1 >= end {
			break
		}
	}
	return sizes
}
