//go:build network

package figures

import (
	"fmt"
	"sort"
	"testing"
	"time"
)

// BenchmarkNetwork measures everything on one network, whose chain grows meanwhile; -benchtime 1x is
// enough. Percentiles are in milliseconds; cpu-KIND is processor time of all processes of a kind for
// each transaction, in milliseconds; disk-KIND is what one process of a kind stores for a licence or
// an anchor, in bytes.
func BenchmarkNetwork(b *testing.B) {
	s := newSetting(b)
	s.run(s.issuer, load{size: 1, transactions: 500, inFlight: 64}, nil) // the connections are warm then
	for _, of := range []load{
		{size: 4096, transactions: 150, inFlight: 16},
		{size: 1000, transactions: 300, inFlight: 16},
	} {
		b.Run(fmt.Sprintf("batches=%d/inflight=%d", of.size, of.inFlight), func(b *testing.B) {
			benchmarkLicences(b, s.with(b), of, 3)
		})
	}
	b.Run("single/inflight=1", func(b *testing.B) {
		benchmarkLicences(b, s.with(b), load{size: 1, transactions: 100, inFlight: 1}, 1)
	})
	b.Run("single/inflight=256", func(b *testing.B) {
		benchmarkAgainstEmpty(b, s.with(b), load{size: 1, transactions: 2000, inFlight: 256}, 5)
	})
	for _, of := range []load{
		{size: 1, transactions: 3000, inFlight: 64},
		{size: 1000, transactions: 400, inFlight: 16},
	} {
		b.Run(fmt.Sprintf("index/batches=%d/inflight=%d", of.size, of.inFlight), func(b *testing.B) {
			benchmarkLag(b, s.with(b), of)
		})
	}
	b.Run("memory", func(b *testing.B) { benchmarkMemory(b, s.with(b)) })
}

// benchmarkLicences runs a load several times and reports the median of the rounds.
func benchmarkLicences(b *testing.B, s *setting, of load, rounds int) {
	for range b.N {
		var perSecond []float64
		var last *round
		peers, orderers := s.disk("peer"), s.disk("orderer")
		for range rounds {
			last = s.run(s.issuer, of, nil)
			perSecond = append(perSecond, last.perSecond())
		}
		licences := float64(rounds * of.transactions * of.size)
		b.ReportMetric((s.disk("peer")-peers)/licences, "disk-peer/licence")
		b.ReportMetric((s.disk("orderer")-orderers)/licences, "disk-orderer/licence")
		b.ReportMetric(median(perSecond)*float64(of.size), "licences/s")
		b.ReportMetric(median(perSecond), "tx/s")
		reportRound(b, last)
	}
}

// benchmarkAgainstEmpty runs a load against the real chaincode and the empty one in turns, and
// reports the median of the ratios of neighbouring rounds.
func benchmarkAgainstEmpty(b *testing.B, s *setting, of load, rounds int) {
	for range b.N {
		var anchors, nothings, ratios []float64
		var last *round
		var disk float64
		for i := range rounds {
			var anchor, nothing *round
			turns := []func(){
				func() { nothing = s.run(s.empty, of, nil) },
				func() {
					before := s.disk("peer")
					anchor = s.run(s.issuer, of, nil)
					disk += s.disk("peer") - before
				},
			}
			turns[i%2]()
			turns[1-i%2]()
			anchors, nothings = append(anchors, anchor.perSecond()), append(nothings, nothing.perSecond())
			ratios = append(ratios, anchor.perSecond()/nothing.perSecond())
			b.Logf("anchors %.0f/s, empty %.0f/s, ratio %.3f; cpu of an anchor %s, of nothing %s",
				anchor.perSecond(), nothing.perSecond(), ratios[i], anchor.processors(), nothing.processors())
			last = anchor
		}
		b.ReportMetric(median(anchors), "tx/s")
		b.ReportMetric(median(nothings), "empty-tx/s")
		b.ReportMetric(median(ratios), "anchor/empty")
		b.ReportMetric(disk/float64(rounds*of.transactions), "disk-peer/anchor")
		reportRound(b, last)
	}
}

func benchmarkLag(b *testing.B, s *setting, of load) {
	for range b.N {
		r, lags := s.lag(of)
		b.ReportMetric(r.perSecond()*float64(of.size), "licences/s")
		for _, p := range []int{50, 99, 100} {
			b.ReportMetric(milliseconds(percentile(lags, p)), fmt.Sprintf("lag-p%d-ms", p))
		}
	}
}

func benchmarkMemory(b *testing.B, s *setting) {
	const inFlight = 256
	for range b.N {
		at := []int{2000, 10_000}
		for i, f := range s.memory(inFlight, at...) {
			b.ReportMetric(f.heap/(1<<20), fmt.Sprintf("heap-MiB-at-%d", at[i]))
			b.ReportMetric(f.resident/(1<<20), fmt.Sprintf("resident-MiB-at-%d", at[i]))
			b.ReportMetric(float64(f.goroutines), fmt.Sprintf("goroutines-at-%d", at[i]))
		}
		for kind, pids := range s.processes {
			if kind == "client" || kind == "empty" {
				continue
			}
			var sum float64
			for _, pid := range pids {
				sum += s.resident(pid)
			}
			b.ReportMetric(sum/float64(len(pids))/(1<<20), "resident-MiB-"+kind)
		}
	}
}

func reportRound(b *testing.B, r *round) {
	for _, p := range []int{50, 99} {
		b.ReportMetric(milliseconds(percentile(r.latencies, p)), fmt.Sprintf("p%d-ms", p))
	}
	for kind, t := range r.cpu {
		if t > 0 {
			b.ReportMetric(milliseconds(t)/float64(r.transactions), "cpu-"+kind)
		}
	}
}

// processors says how long each kind of process was busy for one transaction, in milliseconds.
func (r *round) processors() string {
	var kinds []string
	for kind := range r.cpu {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	text := ""
	for _, kind := range kinds {
		text += fmt.Sprintf("%s %.2f ", kind, milliseconds(r.cpu[kind])/float64(r.transactions))
	}
	return text + "ms"
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
