package follower_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/verifier/follower"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// A line is a connection to a ledger that can be cut.
type line struct {
	ledger.Ledger
	cut atomic.Bool
}

var errCut = errors.New("the line is cut")

func (l *line) Head(ctx context.Context) (ledger.Head, error) {
	if l.cut.Load() {
		return ledger.Head{}, errCut
	}
	return l.Ledger.Head(ctx)
}

func (l *line) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	if l.cut.Load() {
		return func(yield func(*ledger.Block, error) bool) { yield(nil, errCut) }
	}
	return l.Ledger.Follow(ctx, from)
}

func newFollower(t *testing.T, cut bool) (*verifiertest.City, *line, *index.Index, *follower.Follower) {
	t.Helper()
	city := verifiertest.New(t)
	l := &line{Ledger: city.As(city.Authority.ID)}
	l.cut.Store(cut)
	x, err := index.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return city, l, x, follower.New(x, l, slog.New(slog.DiscardHandler))
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestCatchUp(t *testing.T) {
	city, _, x, f := newFollower(t, false)
	if s := f.State(); s.Reached || s.Settled {
		t.Errorf("before it has asked: %+v", s)
	}
	if err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := f.State(); !s.Reached || !s.Settled || s.Behind != 0 || s.Discrepancy != "" || x.Head() != city.Index.Head() {
		t.Errorf("%+v at %v", s, x.Head())
	}
}

// A new index cannot do without the ledger, and waits for it.
func TestCatchUpWaits(t *testing.T) {
	_, l, x, f := newFollower(t, true)
	waiting, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if err := f.CatchUp(waiting); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	time.AfterFunc(300*time.Millisecond, func() { l.cut.Store(false) })
	if err := f.CatchUp(t.Context()); err != nil || x.Head().Height == 0 {
		t.Errorf("%v, %d blocks", err, x.Head().Height)
	}
}

// An outage ends no following: what was seen stays, and what came meanwhile is there after it.
func TestOutage(t *testing.T) {
	city, l, x, f := newFollower(t, true)
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(running) }()
	await(t, "it does not find out that the line is cut", func() bool { return !f.State().Reached && x.Head().Height == 0 })
	l.cut.Store(false)
	await(t, "it does not follow after the outage", func() bool { return f.State().Settled && f.State().Reached })
	city.Pass(time.Minute)
	await(t, "it does not follow on", func() bool { return x.Head() == city.Index.Head() })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
