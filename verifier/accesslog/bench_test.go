package accesslog

import (
	"context"
	"iter"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// BenchmarkAppend records from 64 goroutines, each entry durable before the next of its goroutine.
func BenchmarkAppend(b *testing.B) {
	l := newLog(b, segmentHeight)
	b.ReportAllocs()
	b.ResetTimer()
	var group sync.WaitGroup
	for g := range 64 {
		group.Go(func() {
			for i := g; i < b.N; i += 64 {
				if _, err := l.Append(context.Background(), draft(i, i%1000)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkAlone records from one goroutine: a sync for each entry.
func BenchmarkAlone(b *testing.B) {
	l := newLog(b, segmentHeight)
	for i := 0; b.Loop(); i++ {
		add(b, l, i, i%1000)
	}
}

// million makes a log of a million entries, without the syncs that recording them would take.
func million(b *testing.B) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "log")
	if err := create(dir, testID, segmentHeight); err != nil {
		b.Fatal(err)
	}
	l, err := open(dir, testKey, time.Now, lazy{})
	if err != nil {
		b.Fatal(err)
	}
	var group sync.WaitGroup
	for g := range 256 {
		group.Go(func() {
			for i := g; i < 1_000_000; i += 256 {
				if _, err := l.Append(context.Background(), draft(i, i%1000)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	closeLog(b, l)
	return dir
}

// lazy is a file system that syncs nothing.
type lazy struct{ disk }

func (l lazy) open(name string) (file, error) {
	f, err := l.disk.open(name)
	return lazyFile{f}, err
}

func (l lazy) create(name string) (file, error) {
	f, err := l.disk.create(name)
	return lazyFile{f}, err
}

type lazyFile struct{ file }

func (lazyFile) Sync() error { return nil }

// BenchmarkMillion measures what is done with a log of a million entries.
func BenchmarkMillion(b *testing.B) {
	dir := million(b)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			l, err := Open(dir, testKey, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			closeLog(b, l)
		}
	})
	l := reopen(b, dir)
	size := l.Size()
	b.Run("inclusion", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			if _, err := l.Inclusion(i*7919%size, size); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("consistency", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			if _, err := l.Consistency(i*7919%size, size); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("accesses-none", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.Accesses(issuer, digest(5000), 0, 100); err != nil || len(got) != 0 {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("accesses-100", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.Accesses(issuer, digest(7), 0, 100); err != nil || len(got) != 100 {
				b.Fatal(len(got), err)
			}
		}
	})
	b.Run("entries-1000", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			if _, err := l.Entries(i*7919%size, 1000); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("audit", func(b *testing.B) {
		for b.Loop() {
			if r := auditDir(b, dir, blank{}, AuditOptions{}); !r.Clean() || r.Head.Size != size {
				b.Fatal(r)
			}
		}
	})
}

// blank is the view of a ledger without anything on it.
type blank struct{}

func (blank) Checkpoints(string, string) iter.Seq2[verify.Checkpoint, error] {
	return func(func(verify.Checkpoint, error) bool) {}
}

func (blank) Key(sm.Hash) *verify.Key { return nil }
