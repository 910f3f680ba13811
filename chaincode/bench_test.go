package chaincode_test

import (
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/statement"
)

// BenchmarkVerify is the bare signature verification, to compare the others with.
func BenchmarkVerify(b *testing.B) {
	s := newStage(b)
	signed, err := statement.Parse(s.Batch(issuer, "more", 1).Tx(s.City, issuer+"/anchor").Statements[0])
	if err != nil {
		b.Fatal(err)
	}
	key := rulestest.Key(issuer + "/anchor").Public()
	for b.Loop() {
		if !signed.Verify(key) {
			b.Fatal("the signature does not verify")
		}
	}
}

func benchmarkApply(b *testing.B, s *stage, tx *transaction) {
	b.ReportAllocs()
	encoded := tx.Bytes()
	for b.Loop() {
		tx, err := chaincode.ParseTransaction(encoded)
		if err != nil {
			b.Fatal(err)
		}
		if writes, err := chaincode.Apply(s, (*statement.Statement).Verify, issuer, tx); err != nil || len(writes) == 0 {
			b.Fatal(len(writes), err)
		}
	}
}

func BenchmarkAnchor1(b *testing.B) {
	s := newStage(b)
	benchmarkApply(b, s, s.Batch(issuer, "more", 1).Tx(s.City, issuer+"/anchor"))
}

func BenchmarkAnchor1024(b *testing.B) {
	s := newStage(b)
	benchmarkApply(b, s, s.Batch(issuer, "more", 1024).Tx(s.City, issuer+"/anchor"))
}

func BenchmarkSetStatus1(b *testing.B) {
	s := newStage(b)
	benchmarkApply(b, s, s.Tx(s.batches[issuer].Status(0, "active", toSuspended), issuer+"/status-1"))
}

func BenchmarkSetStatus500(b *testing.B) {
	s := newStage(b)
	benchmarkApply(b, s, manyChanges(s.City, s.Anchor(issuer, "many", 500)))
}
