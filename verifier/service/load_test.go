package service_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A load is what clients did to a server in a while: programs with net/http, each with a connection
// that it keeps, which ask again as soon as they have their answer.
type load struct {
	answered  int // with 200
	shed      int // with 429 or 503
	failed    int // otherwise, or not at all
	latencies []time.Duration
	lasted    time.Duration
	worked    time.Duration // of processors, by clients and server together
}

func (l *load) rate() float64 { return float64(l.answered) / l.lasted.Seconds() }

// quantile is the latency that a share of the answers had at most.
func (l *load) quantile(q float64) time.Duration {
	if len(l.latencies) == 0 {
		return 0
	}
	return l.latencies[min(int(q*float64(len(l.latencies))), len(l.latencies)-1)]
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

// apply lets so many clients ask for a while, or until there were so many answers, if that is not 0.
func apply(url string, clients int, lasting time.Duration, answers int, bodies [][]byte) *load {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	begun, used := time.Now(), processors()
	each := make([]load, clients)
	var working sync.WaitGroup
	for i := range each {
		working.Go(func() {
			each[i].work(&http.Client{Transport: transport}, url, begun.Add(lasting), answers/clients, bodies, i)
		})
	}
	working.Wait()
	all := &load{lasted: time.Since(begun), worked: processors() - used}
	for i := range each {
		all.add(&each[i])
	}
	return all
}

// add adds what others did, or the same at another time.
func (l *load) add(o *load) {
	l.answered += o.answered
	l.shed += o.shed
	l.failed += o.failed
	l.lasted += o.lasted
	l.worked += o.worked
	l.latencies = append(l.latencies, o.latencies...)
	slices.Sort(l.latencies)
}

// processors is the time of processors that this process has had.
func processors() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cost is the time of processors for an answer.
func (l *load) cost() time.Duration { return l.worked / time.Duration(max(l.answered, 1)) }

func (l *load) work(c *http.Client, url string, until time.Time, answers int, bodies [][]byte, next int) {
	for time.Now().Before(until) && (answers == 0 || l.answered < answers) {
		next++
		began := time.Now()
		r, err := c.Post(url, "application/json", bytes.NewReader(bodies[next%len(bodies)]))
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
		switch {
		case err != nil:
			l.failed++
		case r.StatusCode == http.StatusOK:
			l.answered++
			l.latencies = append(l.latencies, time.Since(began))
		case r.StatusCode == http.StatusServiceUnavailable || r.StatusCode == http.StatusTooManyRequests:
			l.shed++
		default:
			l.failed++
		}
	}
}
