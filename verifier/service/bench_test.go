package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/serve/servetest"
	"github.com/credledger/credledger/verifier/index"
)

const (
	phase   = 8 * time.Second // of a measurement
	rounds  = 8
	clients = 64
)

// codes are those of licences of one batch, two fields each.
func (w *world) codes(n int) []string {
	w.Helper()
	var out []string
	for _, l := range w.city.Issue("marriage", n) {
		out = append(out, l.Code("spouse1Name", "registrationDate"))
	}
	return out
}

// verifications renders the bodies of requests that have codes verified.
func verifications(tb testing.TB, codes []string) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, code := range codes {
		body, err := json.Marshal(map[string]string{"code": code})
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, body)
	}
	return out
}

// constant answers everything that is not the API's with so many bytes, once it has read the request:
// as the pages of a service it shares with verifications all but these themselves.
type constant struct{ answer []byte }

func (c *constant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(c.answer)
}

func (w *world) verifications() string { return w.url("web") + "/v1/verifications" }

// BenchmarkService: verifications a second over HTTP with keep-alive, the access log durable, server and
// clients on the same processors; against a constant of the same length from the same server;
// under four times as many clients; and right after that.
func BenchmarkService(b *testing.B) {
	w := newWorld(b)
	w.config.LogLevel = "info"
	bodies := verifications(b, w.codes(256))
	pages := new(constant)
	w.pages = pages
	w.start()
	w.passTime()
	pages.answer = make([]byte, w.answerLength(bodies[0]))
	requests, fixed := servetest.Posts(w.verifications(), bodies), servetest.Posts(w.url("web")+"/constant", bodies)
	servetest.Apply(clients, 2*time.Second, 0, requests) // warm up
	for b.Loop() {
		// In turns, so that what else the machine does falls on both.
		verify, same := new(servetest.Load), new(servetest.Load)
		for range rounds {
			verify.Add(servetest.Apply(clients, phase/rounds, 0, requests))
			same.Add(servetest.Apply(clients, phase/rounds, 0, fixed))
		}
		before := w.size()
		over := servetest.Apply(4*clients, phase, 0, requests)
		logged := w.size() - before
		after := servetest.Apply(clients, phase/4, 0, requests)
		if verify.Failed+same.Failed+over.Failed+after.Failed+after.Shed > 0 || logged < over.Answered {
			b.Errorf("failed: %d, %d, %d, %d; shed afterwards: %d; answered in overload: %d, logged: %d",
				verify.Failed, same.Failed, over.Failed, after.Failed, after.Shed, over.Answered, logged)
		}
		b.ReportMetric(verify.Rate(), "verifications/s")
		b.ReportMetric(same.Rate(), "constants/s")
		b.ReportMetric(verify.Rate()/same.Rate(), "ratio")
		b.ReportMetric(verify.Cost().Seconds()*1e6, "cpu-µs/verification")
		b.ReportMetric(same.Cost().Seconds()*1e6, "cpu-µs/constant")
		b.ReportMetric(verify.Quantile(.5).Seconds()*1e3, "p50-ms")
		b.ReportMetric(verify.Quantile(.99).Seconds()*1e3, "p99-ms")
		b.ReportMetric(over.Rate(), "overload-answered/s")
		b.ReportMetric(float64(over.Shed)/over.Lasted.Seconds(), "overload-shed/s")
		b.ReportMetric(over.Quantile(.99).Seconds()*1e3, "overload-p99-ms")
		b.ReportMetric(after.Rate()/verify.Rate(), "after/before")
	}
	b.ReportMetric(0, "ns/op")
}

// answerLength is the length of the answer to a request.
func (w *world) answerLength(body []byte) int {
	w.Helper()
	r, err := http.Post(w.verifications(), "application/json", bytes.NewReader(body))
	w.must(err)
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	w.must(err)
	if r.StatusCode != http.StatusOK {
		w.Fatalf("%d %s", r.StatusCode, answer)
	}
	return len(answer)
}

// passTime lets the city's clock go with that of the machine, by which callers are limited.
func (w *world) passTime() {
	ctx := w.Context()
	go func() {
		for ctx.Err() == nil {
			time.Sleep(time.Second)
			w.city.Clock.Advance(time.Second)
		}
	}()
}

// size is the number of entries of the access log.
func (w *world) size() int {
	w.Helper()
	return w.metric("credledger_verifier_access_log_entries")
}

// BenchmarkServiceMemory: the heap after 10^5 verifications and after 10^6 more.
func BenchmarkServiceMemory(b *testing.B) {
	w := newWorld(b)
	w.config.LogLevel = "info"
	bodies := verifications(b, w.codes(1024))
	w.start()
	requests := servetest.Posts(w.verifications(), bodies)
	w.passTime()
	for b.Loop() {
		servetest.Apply(clients, time.Hour, 100_000, requests)
		before := heap()
		rate := servetest.Apply(clients, time.Hour, 1_000_000, requests).Rate() // without the latencies, which take 8 MB
		after := heap()
		b.ReportMetric(rate, "verifications/s")
		b.ReportMetric(float64(before)/(1<<20), "MiB-before")
		b.ReportMetric(float64(after)/(1<<20), "MiB-after")
	}
	b.ReportMetric(0, "ns/op")
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// BenchmarkServiceStart: from nothing open to the first verdict, with a million licences in batches of
// 1,024 and 10^5 anchored one by one in the index, which has followed the ledger before.
func BenchmarkServiceStart(b *testing.B) {
	w := newWorld(b)
	code := w.codes(1)
	w.city.Disconnect() // the city's own index, which would work along
	w.fill(977, 1024)
	w.fill(100_000, 1)
	x, err := index.Open(w.path("verifier/index"))
	w.must(err)
	head, err := w.ledger.Head(b.Context())
	w.must(err)
	following, stop := context.WithCancel(b.Context())
	began := time.Now()
	go func() { _ = x.Follow(following, w.ledger) }()
	w.must(x.WaitFor(b.Context(), head.Height))
	indexing := time.Since(began)
	stop()
	w.must(x.Close())
	for b.Loop() {
		began := time.Now()
		w.start()
		outcome := w.outcome(code[0])
		b.ReportMetric(time.Since(began).Seconds(), "s-to-first-verdict")
		if outcome != "valid" {
			b.Errorf("the first verdict is %s", outcome)
		}
		w.must(w.end())
	}
	b.ReportMetric(indexing.Seconds(), "s-to-index")
	b.ReportMetric(0, "ns/op")
}

// fill anchors batches of a size, of licences that nobody holds.
func (w *world) fill(batches, size int) {
	w.Helper()
	slots := make(chan struct{}, 64)
	for range batches {
		batch := w.city.Digests(w, "marriage", size, nil, nil)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			if _, err := w.city.As(batch.Issuer).Submit(w.Context(), batch.Tx); err != nil {
				w.Error(err)
			}
		}()
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
}
