package index

import (
	"errors"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// singles returns the blocks of a ledger that is founded and then takes n anchors of one licence
// each, so many to a block. Their signatures are real; the hashes of the blocks are not, but every
// block names the one before.
func singles(b *testing.B, n, each int) (chain blocks) {
	b.Helper()
	city := ledgertest.NewCity(b, b.Name())
	add := func(txs ...ledger.Transaction) {
		block := &ledger.Block{Number: uint64(len(chain)), Hash: sm.Sum([]byte{byte(len(chain)), byte(len(chain) >> 8), byte(len(chain) >> 16)})}
		if len(chain) > 0 {
			block.Previous = chain[len(chain)-1].Hash
		}
		for i, tx := range txs {
			tx.ID, tx.Index = "0123456789abcdef", uint32(i)
			block.Transactions = append(block.Transactions, tx)
		}
		chain = append(chain, block)
	}
	genesis := &chaincode.Transaction{Statements: [][]byte{city.Genesis}}
	add(ledger.Transaction{Actor: ledgertest.Authority, Bytes: genesis.Bytes()})
	for _, s := range city.Founding(b) {
		add(ledger.Transaction{Actor: s.Actor, Bytes: s.Tx.Bytes()})
	}

	for done := 0; done < n; done += each {
		txs := make([]ledger.Transaction, each)
		for i := range txs {
			batch := city.Digests(b, "marriage", 1, nil, nil)
			txs[i] = ledger.Transaction{Actor: batch.Issuer, Bytes: batch.Tx.Bytes()}
		}
		add(txs...)
	}
	return chain
}

// BenchmarkCatchUp follows a ledger from its genesis to 4,096 anchors of one licence each, every
// signature verified: in memory and in a directory, one anchor to a block and 64.
func BenchmarkCatchUp(b *testing.B) {
	const anchors = 4096
	for _, bench := range []struct {
		name  string
		each  int
		inDir bool
	}{
		{"memory/1-a-block", 1, false},
		{"directory/1-a-block", 1, true},
		{"directory/64-a-block", 64, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			chain := singles(b, anchors, bench.each)
			for b.Loop() {
				dir := ""
				if bench.inDir {
					dir = b.TempDir()
				}
				x, err := Open(dir)
				if err != nil {
					b.Fatal(err)
				}
				if err := x.Follow(b.Context(), chain); !errors.Is(err, errNoMore) {
					b.Fatal(err)
				}
				if err := x.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(chain))/b.Elapsed().Seconds(), "blocks/s")
			b.ReportMetric(float64(b.N*anchors)/b.Elapsed().Seconds(), "anchors/s")
		})
	}
}

// BenchmarkRestart opens an index with 65,536 anchors, which were written below the rules.
func BenchmarkRestart(b *testing.B) {
	const anchors = 1 << 16
	dir := b.TempDir()
	x, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	r := random()
	for i := 0; i < anchors; {
		var writes []placed
		for range 256 {
			head := &statement.Head{
				Issuer: ledgertest.Marriages, Unit: "registry", Type: "marriage", TypeVersion: 1, Root: randomHash(r), Size: 1024, SignedAt: ledgertest.Time,
			}
			signed, err := statement.Sign(head, forger{r})
			if err != nil {
				b.Fatal(err)
			}
			writes = append(writes, placed{key: chaincode.AnchorStateKey(head.Issuer, head.Root), value: signed, at: placeOf(i)})
			i++
		}
		if err := x.store.commit(writes, extent{head: ledger.Head{Height: uint64(i)}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		x, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if x.memory.anchors.n != anchors {
			b.Fatalf("%d anchors", x.memory.anchors.n)
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*anchors)/b.Elapsed().Seconds(), "anchors/s")
}
