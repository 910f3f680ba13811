//go:build network

package issuer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/serve/servetest"
	"github.com/credledger/credledger/test/hometest"
)

// A department's service on the network: it issues, its network goes away and comes back, it is killed under load:
// nothing that was answered is lost, and nothing is issued twice.
func TestIssuerOnNetwork(t *testing.T) {
	w := newWorld(t)
	s := w.begin()
	first, status, err := w.apply(s, 1)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("%v, %d %s", err, status, first.Code)
	}

	// The network goes: nothing is issued, the service says so, and goes on by itself.
	w.network.Down()
	gone := make(chan issued, 1)
	go func() {
		answer, _, _ := w.apply(s, 2)
		gone <- answer
	}()
	s.Await("the outage to be seen", func() bool { return slices.Contains(ready(s).Problems, "ledger-unreached") })
	if answer := <-gone; answer.Licence.Digest != "" {
		t.Errorf("issued in an outage: %+v", answer)
	}
	w.network.Up()
	s.Await("readiness after the outage", func() bool { return ready(s).Ready })
	var second issued
	s.Await("the licence of the outage", func() bool {
		second, status, err = w.apply(s, 2)
		return err == nil && status == http.StatusCreated
	})

	// Killed under load.
	var mu sync.Mutex
	answered, asked := map[int]string{1: first.Licence.Digest, 2: second.Licence.Digest}, 2
	for range 2 {
		var asking sync.WaitGroup
		for range 64 {
			asking.Go(func() {
				for {
					mu.Lock()
					asked++
					n := asked
					mu.Unlock()
					answer, status, err := w.apply(s, n)
					if err != nil {
						return // it was killed
					}
					if status != http.StatusCreated {
						t.Errorf("%d %s", status, answer.Code)
						return
					}
					mu.Lock()
					answered[n] = answer.Licence.Digest
					mu.Unlock()
				}
			})
		}
		time.Sleep(5 * time.Second)
		s.End(syscall.SIGKILL)
		asking.Wait()
		s = w.begin()
	}
	earlier := 0
	for n := 1; n <= asked; n++ {
		answer, status, err := w.apply(s, n)
		if err != nil || status != http.StatusCreated {
			t.Fatalf("%v, %d %s", err, status, answer.Code)
		}
		if digest, ok := answered[n]; ok && (digest != answer.Licence.Digest || !answer.Earlier) {
			t.Fatalf("licence %d was answered for as %s, and now is %+v", n, digest, answer)
		} else if !ok && answer.Earlier {
			earlier++
		}
	}
	t.Logf("%d licences asked for, %d answered before the service was killed; of the others %d had been issued", asked, len(answered), earlier)
	s.End(syscall.SIGTERM)
	w.Run(0, "audit")
}

// BenchmarkIssuerOnNetwork: licences from the request to the answer, each in the vault and on the ledger of the real
// network: one by one over many connections, and from a file.
func BenchmarkIssuerOnNetwork(b *testing.B) {
	const (
		clients = 2048
		warm    = 5 * time.Second
		phase   = 30 * time.Second
		records = 200_000
	)
	w := newWorld(b)
	s := w.begin()
	next := 0
	var mu sync.Mutex
	requests := func(int) *http.Request {
		mu.Lock()
		defer mu.Unlock()
		next++
		return w.application(s, next)
	}
	servetest.Apply(clients, warm, 0, requests)
	for b.Loop() {
		load := servetest.Apply(clients, phase, 0, requests)
		if load.Failed > 0 {
			b.Errorf("%d failed, %d shed", load.Failed, load.Shed)
		}
		b.ReportMetric(load.Rate(), "licences/s")
		b.ReportMetric(load.Quantile(.5).Seconds()*1e3, "p50-ms")
		b.ReportMetric(load.Quantile(.99).Seconds()*1e3, "p99-ms")
		began := time.Now()
		w.importAll(s, next+1, records)
		b.ReportMetric(records/time.Since(began).Seconds(), "imported/s")
	}
	b.ReportMetric(0, "ns/op")
}

// importAll has n licences issued from a file, and waits until they are.
func (w *world) importAll(s *hometest.Service, first, n int) {
	w.Helper()
	var file bytes.Buffer
	prefix := []byte(`{"fields":`)
	record, rest, ok := bytes.Cut(w.head, prefix)
	if !ok || len(record) != 0 {
		w.Fatalf("a request begins with %s", w.head)
	}
	end := bytes.TrimSuffix(w.tail, []byte(`,"type":"marriage"}`))
	for i := range n {
		file.Write(rest)
		fmt.Fprintf(&file, "J990101-%09d", first+i)
		file.Write(end)
		file.WriteByte('\n')
	}
	r, err := http.NewRequest(http.MethodPost, s.URLs["web"]+"/v1/imports?type=marriage", &file)
	w.Must(err)
	r.Header.Set("Content-Type", "application/jsonl")
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Idempotency-Key", fmt.Sprintf("import-%d", first))
	var job struct {
		ID                 int64
		State              string
		Accepted, Rejected int
	}
	get := func(r *http.Request, want int) {
		w.Helper()
		answer, err := http.DefaultClient.Do(r)
		w.Must(err)
		defer answer.Body.Close()
		w.Must(json.NewDecoder(answer.Body).Decode(&job))
		if answer.StatusCode != want {
			w.Fatalf("%s: %d", r.URL.Path, answer.StatusCode)
		}
	}
	get(r, http.StatusAccepted)
	s.Await("the import", func() bool {
		r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/v1/jobs/%d", s.URLs["web"], job.ID), nil)
		w.Must(err)
		r.Header.Set("Authorization", "Bearer "+w.token)
		get(r, http.StatusOK)
		if job.State == "failed" {
			w.Fatalf("the import failed: %+v", job)
		}
		return job.State == "done"
	})
	if job.Accepted != n || job.Rejected != 0 {
		w.Errorf("%+v of %d", job, n)
	}
}
