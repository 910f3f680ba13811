package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

func benchmarkOnBoth(b *testing.B, run func(*testing.B, *Store)) {
	for name, address := range map[string]string{
		"sqlite":     filepath.Join(b.TempDir(), "store.db"),
		"postgresql": sqldbtest.PostgreSQL(b).Database(b),
	} {
		b.Run(name, func(b *testing.B) { run(b, newPlace(address).open(b)) })
	}
}

// BenchmarkRedeemChallenge has 64 callers at a time make challenges and redeem them.
func BenchmarkRedeemChallenge(b *testing.B) {
	benchmarkOnBoth(b, func(b *testing.B, s *Store) {
		b.SetParallelism(32)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c, err := s.NewChallenge("desk", time.Minute)
				if err == nil {
					err = s.RedeemChallenge(b.Context(), c.Nonce, "desk")
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkReference keeps presentations of 1 KiB and takes them.
func BenchmarkReference(b *testing.B) {
	presentation := make([]byte, 1024)
	benchmarkOnBoth(b, func(b *testing.B, s *Store) {
		b.SetParallelism(8)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				text, _, err := s.PutReference(b.Context(), presentation, time.Minute)
				if err == nil {
					_, err = s.TakeReference(b.Context(), text)
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkSession(b *testing.B) {
	benchmarkOnBoth(b, func(b *testing.B, s *Store) {
		text, _, err := s.NewSession(b.Context(), "registry", "clerk", time.Hour)
		must(b, err)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Session(b.Context(), text); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
