package accesslog

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/statement"
)

// A wall is a ledger that takes every checkpoint, or none, and knows when it was asked.
type wall struct {
	ledger.Ledger
	mu    sync.Mutex
	err   error
	hang  bool
	sizes []uint64
	times []time.Duration
	start time.Time
	last  statement.Checkpoint
}

func (w *wall) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	w.mu.Lock()
	hang := w.hang
	w.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ledger.Receipt{}, &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "given up", Err: ctx.Err()}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	body, _, err := statement.ParseAs[*statement.Checkpoint](tx.Statements[0])
	if err != nil {
		return ledger.Receipt{}, err
	}
	w.sizes = append(w.sizes, body.Size)
	w.times = append(w.times, time.Since(w.start))
	if w.err == nil {
		w.last = *body
	}
	return ledger.Receipt{}, w.err
}

func (w *wall) Evaluate(context.Context, chaincode.Query) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.Size == 0 {
		return nil, &chaincode.Error{Code: chaincode.CodeNotFound}
	}
	return json.Marshal(map[string]any{"size": w.last.Size, "root": w.last.Root})
}

// asked returns when it was asked, and for which sizes, since the last time.
func (w *wall) asked() (sizes []uint64, times []time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sizes, times = w.sizes, w.times
	w.sizes, w.times, w.start = nil, nil, time.Now()
	return sizes, times
}

func (w *wall) set(err error, hang bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err, w.hang = err, hang
}

// TestWhenAnchored measures, on a clock of its own, when checkpoints are submitted.
func TestWhenAnchored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "log")
		if err := create(dir, testID, segmentHeight); err != nil {
			t.Fatal(err)
		}
		l, err := open(dir, testKey, time.Now, lazy{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		w := &wall{start: time.Now()}
		a := NewAnchorer(l, w)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		settle := func(d time.Duration) ([]uint64, []time.Duration) {
			time.Sleep(d)
			synctest.Wait()
			return w.asked()
		}
		if sizes, _ := settle(time.Hour); len(sizes) > 0 {
			t.Fatalf("an empty log was anchored: %v", sizes)
		}
		fill(t, l, 1)
		if sizes, times := settle(time.Second); len(sizes) != 1 || times[0] > time.Second {
			t.Fatalf("the first entry after a long time: %v at %v", sizes, times)
		}
		fill(t, l, 4)
		if sizes, _ := settle(50 * time.Second); len(sizes) > 0 {
			t.Fatalf("anchored again before a minute was over: %v", sizes)
		}
		if sizes, _ := settle(11 * time.Second); len(sizes) != 1 || sizes[0] != 4 {
			t.Fatalf("after a minute: %v", sizes)
		}
		fill(t, l, 4+anchorEntries-1)
		if sizes, _ := settle(0); len(sizes) > 0 {
			t.Fatalf("anchored before there were a thousand: %v", sizes)
		}
		fill(t, l, 4+anchorEntries)
		if sizes, _ := settle(0); len(sizes) != 1 || sizes[0] != 4+anchorEntries {
			t.Fatalf("after a thousand entries: %v", sizes)
		}

		// An outage: it tries less and less often, and the log goes on.
		for _, err := range []error{
			&ledger.Error{Code: ledger.CodeNotSubmitted, Message: "the network is gone"},
			&ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "the network is gone"},
			&chaincode.Error{Code: chaincode.CodeKeyRetired, Message: "retired"},
		} {
			w.set(err, false)
			size := int(l.Size()) + 1
			fill(t, l, size)
			settle(time.Minute)
			fill(t, l, size+2*anchorEntries)
			sizes, times := settle(time.Hour)
			if len(sizes) < 55 || len(sizes) > 75 {
				t.Fatalf("in an hour of %v there were %d tries, at %v", err, len(sizes), times)
			}
			if s := a.State(); !errors.Is(s.Err, err) {
				t.Fatalf("the state is %+v", s)
			}
			w.set(nil, false)
			if sizes, _ := settle(time.Minute); sizes[len(sizes)-1] != l.Size() {
				t.Fatalf("when the ledger was back: %v, want %d", sizes, l.Size())
			}
		}

		// A ledger that does not answer at all.
		w.set(nil, true)
		fill(t, l, int(l.Size())+1)
		settle(time.Hour)
		w.set(nil, false)
		if sizes, _ := settle(5 * time.Minute); len(sizes) == 0 || sizes[len(sizes)-1] != l.Size() {
			t.Fatalf("when the ledger answered again: %v", sizes)
		}
		anchored, err := l.Anchored()
		if err != nil || anchored != l.Size() {
			t.Fatalf("%d of %d entries are anchored, %v", anchored, l.Size(), err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
}
