package load

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// A switched source gives no blocks while it is off, and ends its streams when it is turned off.
type switched struct {
	ledger.Ledger
	off *atomic.Bool
}

func (s switched) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			for ; !s.off.Load(); time.Sleep(time.Millisecond) {
				if ctx.Err() != nil {
					return
				}
			}
			cancel()
		}()
		for b, err := range s.Ledger.Follow(ctx, from) {
			if s.off.Load() {
				yield(nil, errors.New("no connection"))
				return
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// until waits until something was seen.
func (w *Watcher) until(t *testing.T, seen func(*Sightings) bool) {
	t.Helper()
	until(t, "it is seen", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return seen(&w.sightings)
	})
}

// TestWatch: verifiers of which one loses its ledger for a while.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	var off atomic.Bool
	watcher := Watch(t, WatchOptions{City: w.city, Connect: w.connect, Sources: map[string]index.Source{
		"steady":   w.store.As(ledgertest.Authority),
		"switched": switched{w.store.As(ledgertest.Marriages), &off},
	}})
	watcher.until(t, func(s *Sightings) bool { return s.Fresh > 0 })
	off.Store(true)
	watcher.until(t, func(s *Sightings) bool { return s.LongestUndetermined > time.Second && s.LongestSilence > time.Second })
	off.Store(false)
	watcher.until(t, func(s *Sightings) bool {
		return s.Fresh >= 2 && s.Reopened > 0 && s.Verdicts[verify.Valid] > 0 && s.Verdicts[verify.NotCurrent] > 0 &&
			s.Verdicts[verify.Restricted] > 0 && s.Verdicts[verify.Undetermined] > 0 && s.Verdicts[verify.Invalid] > 0
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s := watcher.Stop(ctx); len(s.Findings) > 0 {
		t.Errorf("%v", s.Findings)
	}
}

// TestWatchFinds: verdicts that must not be, and a ledger that lies, are found.
func TestWatchFinds(t *testing.T) {
	t.Parallel()
	found := func(s *Sightings) bool { return len(s.Findings) > 0 }
	for _, test := range []struct {
		name  string
		edit  func(*ledger.Block) *ledger.Block // of blocks after the first heartbeat, unless nil
		harm  func(*testing.T, *town, *Watcher) // unless nil
		until func(*Sightings) bool
		want  string
	}{
		{"anchors are withheld", func(b *ledger.Block) *ledger.Block {
			if strings.Contains(string(b.Transactions[0].Bytes), "head+cbor") {
				b.Transactions = nil
			}
			return b
		}, nil, func(s *Sightings) bool { return s.Fresh > 0 }, "still undetermined"},
		{"a transaction that nobody may submit", func(b *ledger.Block) *ledger.Block {
			b.Transactions[0].Actor = "nobody"
			return b
		}, nil, found, index.CodeRuleBroken},
		{"a licence is disowned", nil, func(t *testing.T, w *town, watcher *Watcher) {
			p, err := credential.Parse(watcher.shown[0].presentation)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := p.Open(w.city.Type(t, p.Record.Type))
			if err != nil {
				t.Fatal(err)
			}
			d := w.city.Department(t, p.Record.Issuer)
			disown := w.city.EndKey(d.ID, d.Anchor, statement.KeyCompromise, opened.Signed.Root)
			ledgertest.Submit(t, w.store.As(d.ID), ledgertest.Sign(t, disown, d.Govern))
		}, found, "invalid instead of valid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			begun := false
			source := edited{w.store.As(ledgertest.Authority), func(b *ledger.Block) *ledger.Block {
				if begun && test.edit != nil {
					return test.edit(b)
				}
				begun = begun || strings.Contains(string(b.Transactions[0].Bytes), "heartbeat+cbor")
				return b
			}}
			watcher := Watch(t, WatchOptions{City: w.city, Connect: w.connect, Sources: map[string]index.Source{"lied to": source}})
			if test.harm != nil {
				test.harm(t, w, watcher)
			}
			watcher.until(t, test.until)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if s := watcher.Stop(ctx); !strings.Contains(strings.Join(s.Findings, "\n"), test.want) {
				t.Errorf("not found: %s, only %v", test.want, s.Findings)
			}
		})
	}
}
