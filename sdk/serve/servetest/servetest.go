// Package servetest loads services in benchmarks, and finds addresses for those of tests.
package servetest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Load is what clients did to a server in a while: programs with net/http, each with a connection
// that it keeps, which ask again as soon as they have their answer.
type Load struct {
	Answered  int // with success
	Shed      int // with 429 or 503
	Failed    int // otherwise, or not at all
	Latencies []time.Duration
	Lasted    time.Duration
	Worked    time.Duration // of processors, by clients and server together
}

// Requests makes the i-th request, from 0; several goroutines call it.
type Requests func(i int) *http.Request

// Posts makes requests that post bodies of JSON, one after the other, over and over.
func Posts(url string, bodies [][]byte) Requests {
	return func(i int) *http.Request {
		r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(bodies[i%len(bodies)]))
		if err != nil {
			panic(err) // the benchmark's URL
		}
		r.Header.Set("Content-Type", "application/json")
		return r
	}
}

// Apply lets so many clients ask for a while, or until there were so many answers, if that is not 0.
func Apply(clients int, lasting time.Duration, answers int, requests Requests) *Load {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	begun, used := time.Now(), processors()
	each := make([]Load, clients)
	var next atomic.Int64
	var working sync.WaitGroup
	for i := range each {
		working.Go(func() {
			each[i].work(&http.Client{Transport: transport}, begun.Add(lasting), answers/clients, func() *http.Request { return requests(int(next.Add(1) - 1)) })
		})
	}
	working.Wait()
	all := &Load{Lasted: time.Since(begun), Worked: processors() - used}
	for i := range each {
		all.Add(&each[i])
	}
	return all
}

func (l *Load) work(c *http.Client, until time.Time, answers int, next func() *http.Request) {
	for time.Now().Before(until) && (answers == 0 || l.Answered < answers) {
		request := next()
		began := time.Now()
		r, err := c.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
		switch {
		case err != nil:
			l.Failed++
		case r.StatusCode < 300:
			l.Answered++
			l.Latencies = append(l.Latencies, time.Since(began))
		case r.StatusCode == http.StatusServiceUnavailable || r.StatusCode == http.StatusTooManyRequests:
			l.Shed++
		default:
			l.Failed++
		}
	}
}

// Add adds what others did, or the same at another time.
func (l *Load) Add(o *Load) {
	l.Answered += o.Answered
	l.Shed += o.Shed
	l.Failed += o.Failed
	l.Lasted += o.Lasted
	l.Worked += o.Worked
	l.Latencies = append(l.Latencies, o.Latencies...)
	slices.Sort(l.Latencies)
}

// Rate is how many answers there were in a second.
func (l *Load) Rate() float64 { return float64(l.Answered) / l.Lasted.Seconds() }

// Quantile is the latency that a share of the answers had at most.
func (l *Load) Quantile(q float64) time.Duration {
	if len(l.Latencies) == 0 {
		return 0
	}
	return l.Latencies[min(int(q*float64(len(l.Latencies))), len(l.Latencies)-1)]
}

// Cost is the time of processors for an answer.
func (l *Load) Cost() time.Duration { return l.Worked / time.Duration(max(l.Answered, 1)) }

// processors is the time of processors that this process has had.
func processors() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
