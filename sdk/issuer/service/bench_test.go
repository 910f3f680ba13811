package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/serve/servetest"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

const (
	phase   = 8 * time.Second // of a measurement
	clients = 64
)

// BenchmarkIssuer: licences issued one by one over HTTP with keep-alive, each in the vault and on the ledger when
// the answer comes, server and clients on the same processors.
func BenchmarkIssuer(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkIssuer(b, "") })
	b.Run("PostgreSQL", func(b *testing.B) { benchmarkIssuer(b, sqldbtest.PostgreSQL(b).Database(b)) })
}

func benchmarkIssuer(b *testing.B, address string) {
	w := newWorld(b, address)
	w.config.LogLevel = "info"
	w.config.Window = service200
	w.begin()
	records := w.records()
	var next atomic.Int64
	requests := func(int) *http.Request {
		i := int(next.Add(1))
		r, err := http.NewRequest(http.MethodPost, w.url("web")+"/v1/licences", bytes.NewReader(records(i)))
		w.Must(err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+w.token)
		r.Header.Set("Idempotency-Key", fmt.Sprintf("request-%d", i))
		return r
	}
	apply := func(lasting time.Duration) *servetest.Load { return servetest.Apply(clients, lasting, 0, requests) }
	apply(2 * time.Second) // warm up
	for b.Loop() {
		load := apply(phase)
		if load.Failed+load.Shed > 0 {
			b.Errorf("%d failed, %d shed", load.Failed, load.Shed)
		}
		b.ReportMetric(load.Rate(), "licences/s")
		b.ReportMetric(load.Cost().Seconds()*1e6, "cpu-µs/licence")
		b.ReportMetric(load.Quantile(.5).Seconds()*1e3, "p50-ms")
		b.ReportMetric(load.Quantile(.99).Seconds()*1e3, "p99-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// service200 is the window that a service has by itself.
const service200 = 200 * time.Millisecond

// records makes the body of the i-th request, quickly: those of the samples, with numbers of their own.
func (w *world) records() func(i int) []byte {
	w.Helper()
	const marker = "J990101-000000000"
	body := w.application(0)
	head, tail, ok := bytes.Cut(body, []byte(marker))
	if !ok || !json.Valid(body) {
		w.Fatalf("no number in %s", body)
	}
	return func(i int) []byte {
		out := append(make([]byte, 0, len(body)), head...)
		return append(fmt.Appendf(out, "J990101-%09d", i), tail...)
	}
}
