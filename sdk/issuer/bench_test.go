package issuer_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
)

// BenchmarkIssue issues marriage certificates from JSON Lines into one bundle, with vault and
// ledger on the disk. It reports licences per second and the peak of the process's memory. The size
// of the input is in the name; -benchtime 1x is enough.
func BenchmarkIssue(b *testing.B) {
	for _, bench := range []struct{ licences, batch int }{
		{100_000, 1024}, {1_000_000, 1024}, {100_000, 4096}, {20_000, 64}, {20_000, 1},
	} {
		b.Run(fmt.Sprintf("licences=%d/batch=%d", bench.licences, bench.batch), func(b *testing.B) {
			var peak int
			var spent time.Duration
			for range b.N {
				b.StopTimer()
				d := newDesk(b, "marriage")
				input := d.synthetic(b, "input.jsonl", 1, bench.licences)
				debug.FreeOSMemory()
				watch := watchMemory(b)
				b.StartTimer()
				start := time.Now()
				report, err := d.Issue(b.Context(), clerk, issuer.Job{
					Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: bench.batch,
				}, nil)
				spent += time.Since(start)
				b.StopTimer()
				peak = max(peak, watch())
				if err != nil || report.Issued != int64(bench.licences) {
					b.Fatalf("issued %d: %v", report.Issued, err)
				}
			}
			b.ReportMetric(float64(b.N*bench.licences)/spent.Seconds(), "licences/s")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		})
	}
}

// TestMemory issues more and more, which must not take more and more memory.
func TestMemory(t *testing.T) {
	d := newDesk(t, "marriage")
	var peaks []int
	for _, n := range []int{30_000, 60_000} {
		input := d.synthetic(t, fmt.Sprint("input", n), n, n)
		watch := watchMemory(t)
		job := issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path(fmt.Sprint("bundle", n)), Batch: 1024}
		report, err := d.Issue(t.Context(), clerk, job, nil)
		peaks = append(peaks, watch())
		if err != nil || report.Issued+report.Rejected != int64(n) {
			t.Fatalf("the report is %+v, %v", report, err)
		}
	}
	t.Logf("peaks: %d MiB, %d MiB", peaks[0]>>20, peaks[1]>>20)
	if peaks[1] > peaks[0]+100<<20 || peaks[1] > 400<<20 {
		t.Errorf("the peaks of resident memory are %d and %d MiB", peaks[0]>>20, peaks[1]>>20)
	}
}

// watchMemory watches the resident memory of the process; the function that it returns ends that and
// returns the peak in bytes.
func watchMemory(tb testing.TB) func() int {
	done := make(chan struct{})
	var peak int
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			peak = max(peak, resident(tb))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() int {
		close(done)
		watcher.Wait()
		return peak
	}
}

// resident is the resident memory of the process in bytes, as Linux tells it.
func resident(tb testing.TB) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(b)[1]))
	if err != nil {
		tb.Fatal(err)
	}
	return pages * os.Getpagesize()
}
