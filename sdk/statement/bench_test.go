package statement_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/statement"
)

func BenchmarkParse(b *testing.B) {
	for _, c := range samples(b) {
		b.Run(string(c.body.Kind()), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := statement.Parse(c.signed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	head := samples(b)[1]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := statement.Sign(head.body, head.key); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	head := samples(b)[1]
	s, err := statement.Parse(head.signed)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !s.Verify(head.key.Public()) {
			b.Fatal("not signed")
		}
	}
}
