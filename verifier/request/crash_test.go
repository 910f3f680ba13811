package request_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/store"
)

// A mortal is a process that ends at one of its calls of store and log: before or after that has done what it
// was called for. All later calls fail.
type mortal struct {
	request.Store
	request.Log
	left  int  // calls until the end
	after bool // what was called for is done
	dead  bool
}

var errDead = errors.New("the process has ended")

// call does something, or does not, or both.
func (m *mortal) call(do func() error) error {
	if m.dead {
		return errDead
	}
	if m.left--; m.left >= 0 {
		return do()
	}
	m.dead = true
	if m.after {
		_ = do() // nobody learns of it
	}
	return errDead
}

func (m *mortal) AddRequest(ctx context.Context, r *store.Request, lease time.Duration) error {
	return m.call(func() error { return m.Store.AddRequest(ctx, r, lease) })
}

func (m *mortal) TakeRequests(ctx context.Context, lease time.Duration, n int) (out []*store.Request, err error) {
	err = m.call(func() error { out, err = m.Store.TakeRequests(ctx, lease, n); return err })
	return out, err
}

func (m *mortal) RetryRequest(ctx context.Context, digest sm.Hash, at time.Time, problem string) error {
	return m.call(func() error { return m.Store.RetryRequest(ctx, digest, at, problem) })
}

func (m *mortal) EndRequest(ctx context.Context, digest sm.Hash, e store.End) (r *store.Request, err error) {
	err = m.call(func() error { r, err = m.Store.EndRequest(ctx, digest, e); return err })
	return r, err
}

func (m *mortal) RecordedRequest(ctx context.Context, digest sm.Hash, look time.Time) error {
	return m.call(func() error { return m.Store.RecordedRequest(ctx, digest, look) })
}

func (m *mortal) FetchedRequest(ctx context.Context, digest sm.Hash, destroy time.Time) error {
	return m.call(func() error { return m.Store.FetchedRequest(ctx, digest, destroy) })
}

func (m *mortal) DestroyRecipient(ctx context.Context, digest sm.Hash) error {
	return m.call(func() error { return m.Store.DestroyRecipient(ctx, digest) })
}

func (m *mortal) Request(ctx context.Context, agency string, digest sm.Hash) (r *store.Request, err error) {
	err = m.call(func() error { r, err = m.Store.Request(ctx, agency, digest); return err })
	return r, err
}

func (m *mortal) Append(ctx context.Context, d *accesslog.Draft) (p accesslog.Place, err error) {
	err = m.call(func() error { p, err = m.Log.Append(ctx, d); return err })
	return p, err
}

// Wherever a process ends between the making of a request and the end of its key, another one goes on: what was sent is
// kept, every end is final and in the log, nothing is given out before it is, and the key is destroyed.
func TestCrash(t *testing.T) {
	w := newWorld(t)
	for _, silent := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for left, over := 0, false; !over; left++ {
				m := &mortal{Store: w.store, Log: w.log, left: left, after: after}
				over = w.crash(fmt.Sprintf("silent %v, after %v, call %d", silent, after, left), m, silent)
			}
		}
	}
}

// crash lets one process end and another one go on; it reports whether the first got through.
func (w *world) crash(name string, m *mortal, silent bool) (through bool) {
	w.t.Helper()
	before, called, last := w.log.Size(), w.issuer.Calls(), w.newest()
	if silent {
		w.issuer.Fault(unavailable)
	} else {
		w.issuer.Fault(nil)
	}
	first := w.another(func(c *request.Config) { c.Store, c.Log = m, m })
	ctx := w.t.Context()
	made, err := first.Ask(ctx, w.ask(func(a *request.Ask) { a.Within = 10 * time.Minute }))
	if err == nil && made.Kept.State == store.RequestReleased {
		_, err = first.Fetch(ctx, made.Kept.Agency, made.Kept.Digest, "", "")
	}
	for i := 0; err == nil && i < 5; i++ {
		w.Clock.Advance(3 * time.Minute)
		err = first.Settle(ctx)
	}
	for range 5 {
		w.Clock.Advance(3 * time.Minute)
		w.must(w.asker.Settle(ctx))
	}
	got := w.newest()
	if got == nil || last != nil && got.Number == last.Number {
		if w.issuer.Calls() != called {
			w.t.Fatalf("%s: it was sent, and is not kept", name)
		}
		return err == nil
	}
	if got.State == store.RequestPending || !got.Recorded || silent != (got.State == store.RequestUnanswered) {
		w.t.Fatalf("%s: %+v", name, got)
	}
	ends := 0
	for _, e := range w.entries()[before:] {
		if e.Asked != "" {
			ends++
		}
	}
	if ends < 1 || ends > 2 {
		w.t.Fatalf("%s: %d entries of the end", name, ends)
	}
	w.Clock.Advance(25 * time.Hour)
	w.must(w.asker.Settle(ctx))
	if got := w.again(got); got.Recipient != nil {
		w.t.Fatalf("%s: the key is still there", name)
	}
	return err == nil
}

// newest returns the request that was made last, nil if there is none.
func (w *world) newest() *store.Request {
	w.t.Helper()
	kept, err := w.store.Requests(w.t.Context(), w.ask().Agency, "", 0, 1)
	w.must(err)
	if len(kept) == 0 {
		return nil
	}
	return kept[0]
}
