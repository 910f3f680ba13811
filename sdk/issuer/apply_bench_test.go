package issuer_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// BenchmarkApply issues licences one by one from 64 callers at once, each under an idempotency key, with vault
// and ledger on the disk. It reports licences per second, the 99th percentile of the time that a caller
// waits, how many licences share an anchor, and how long the process computes for one (the server of
// PostgreSQL not included).
func BenchmarkApply(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkApply(b, newDesk(b, "marriage")) })
	server := sqldbtest.PostgreSQL(b)
	b.Run("postgresql", func(b *testing.B) { benchmarkApply(b, newDeskAt(b, "marriage", server.Database(b))) })
}

func benchmarkApply(b *testing.B, d *desk) {
	const callers = 64
	records := d.records(b)
	var next atomic.Int64
	times := make([][]time.Duration, callers)
	var all sync.WaitGroup
	b.ResetTimer()
	busy := cpuTime(b)
	for c := range callers {
		all.Go(func() {
			by := vault.By{Actor: fmt.Sprintf("clerk %d", c%8), Purpose: "counter"}
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				start := time.Now()
				record := records(int(n))
				_, err := d.Apply(context.Background(), by, &issuer.Application{
					Type: "marriage", Record: record, Claim: &vault.ClaimKey{Caller: "registry", Key: fmt.Sprint(n), Request: sm.Sum(record)},
				})
				if err != nil {
					b.Error(err)
					return
				}
				times[c] = append(times[c], time.Since(start))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	busy = cpuTime(b) - busy
	waited := slices.Concat(times...)
	slices.Sort(waited)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "licences/s")
	b.ReportMetric(float64(waited[len(waited)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(busy.Microseconds())/float64(b.N), "cpu-us/licence")
	b.ReportMetric(float64(b.N)/float64(len(d.anchors(b))), "licences/anchor")
}

// cpuTime is how long the process has computed so far: unlike the time that passes it does not depend on
// what else the machine does.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// records returns a function that makes records: the samples over and over, each with a number of its own.
func (d *desk) records(tb testing.TB) func(n int) []byte {
	tb.Helper()
	key := []byte(`"` + d.typ.NumberField().Key + `": "`)
	var before, after [][]byte
	for line := range bytes.Lines(d.sample(tb, ".jsonl")) {
		head, rest, found := bytes.Cut(line, key)
		_, tail, closed := bytes.Cut(rest, []byte(`"`))
		if !found || !closed {
			tb.Fatalf("a sample of %s has no number", d.typ.ID)
		}
		before = append(before, append(bytes.Clone(head), key...))
		after = append(after, append([]byte(`"`), tail...))
	}
	return func(n int) []byte {
		i := n % len(before)
		return fmt.Appendf(bytes.Clone(before[i]), "J990101-%09d%s", n, after[i])
	}
}
