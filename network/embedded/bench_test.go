package embedded

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// benchStore returns a city on a ledger in a real directory, with fsync.
func benchStore(b *testing.B) (*ledgertest.City, *Store) {
	b.Helper()
	city := ledgertest.NewCity(b, "benchmark")
	s, err := Create(b.TempDir(), city.Genesis)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	city.Found(b, s.As)
	return city, s
}

// signed returns anchors of a size, signed in advance.
func signed(b *testing.B, city *ledgertest.City, n, size int) []*chaincode.Transaction {
	b.Helper()
	txs := make([]*chaincode.Transaction, n)
	for i := range txs {
		txs[i] = city.Digests(b, "marriage", size, nil, nil).Tx
	}
	return txs
}

// submitAll submits transactions from a number of goroutines at once.
func submitAll(b *testing.B, s *Store, txs []*chaincode.Transaction, goroutines int) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			l := s.As(ledgertest.Marriages)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(txs) {
					return
				}
				if _, err := l.Submit(context.Background(), txs[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func benchmarkSubmit(b *testing.B, size, goroutines int) {
	city, s := benchStore(b)
	txs := signed(b, city, b.N, size)
	before, err := s.As("").Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	submitAll(b, s, txs, goroutines)
	b.StopTimer()
	after, err := s.As("").Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(b.N)/seconds, "tx/s")
	b.ReportMetric(float64(b.N*size)/seconds, "licences/s")
	b.ReportMetric(float64(after.Height-before.Height)/seconds, "blocks/s")
}

func BenchmarkSubmitSingle64(b *testing.B)  { benchmarkSubmit(b, 1, 64) }
func BenchmarkSubmitSingle1(b *testing.B)   { benchmarkSubmit(b, 1, 1) }
func BenchmarkSubmitBatch1024(b *testing.B) { benchmarkSubmit(b, 1024, 4) }
func BenchmarkSubmitBatch4096(b *testing.B) { benchmarkSubmit(b, 4096, 4) }

// BenchmarkFollow reads blocks of one anchor of 1,024 licences each.
func BenchmarkFollow(b *testing.B) {
	city, s := benchStore(b)
	before, err := s.As("").Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	submitAll(b, s, signed(b, city, 200, 1024), 1)
	b.ResetTimer()
	n := 0
	for n < b.N {
		for block, err := range s.As("").Follow(b.Context(), before.Height) {
			if err != nil {
				b.Fatal(err)
			}
			n += len(block.Transactions)
			if n >= b.N || block.Number == before.Height+199 {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(b.N)*1024/b.Elapsed().Seconds(), "licences/s")
}

// BenchmarkEvaluate asks for one of many anchors.
func BenchmarkEvaluate(b *testing.B) {
	city, s := benchStore(b)
	batches := make([]*ledgertest.Batch, 1000)
	var txs []*chaincode.Transaction
	for i := range batches {
		batches[i] = city.Digests(b, "marriage", 1, nil, nil)
		txs = append(txs, batches[i].Tx)
	}
	submitAll(b, s, txs, 64)
	l := s.As(ledgertest.Businesses)
	b.ResetTimer()
	for i := range b.N {
		batch := batches[i%len(batches)]
		_, err := l.Evaluate(b.Context(), chaincode.Query{Name: "anchor", Args: []string{batch.Issuer, batch.Root().String()}})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
}

// BenchmarkAudit replays anchors of one licence: nearly all of it is the second opinion on the
// signatures.
func BenchmarkAudit(b *testing.B) {
	city, s := benchStore(b)
	submitAll(b, s, signed(b, city, 1000, 1), 64)
	b.ResetTimer()
	var transactions uint64
	for range b.N {
		r, err := s.Audit(b.Context(), audit.Options{})
		if err != nil || !r.Clean() {
			b.Fatal(r, err)
		}
		transactions += r.Transactions
	}
	b.ReportMetric(float64(transactions)/b.Elapsed().Seconds(), "tx/s")
}
