package govern_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// A gate lets submissions through when all of a number are there.
type gate struct {
	ledger.Ledger
	waiting *sync.WaitGroup
}

func (g gate) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	g.waiting.Done()
	g.waiting.Wait()
	return g.Ledger.Submit(ctx, tx)
}

func newest(t *testing.T, l ledger.Ledger) (h struct{ Sequence, Time uint64 }) {
	t.Helper()
	b, err := l.Evaluate(t.Context(), chaincode.Query{Name: "heartbeat"})
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestBeat: a heartbeat when it is due, one where several are about it, and none that is not later.
func TestBeat(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	store, err := embedded.Create(t.TempDir(), city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	city.Found(t, store.As)
	l, key := store.As(ledgertest.Authority), city.Authority.Log
	now := time.Unix(ledgertest.Time+1000, 0)
	beat := func(l ledger.Ledger, at time.Time) {
		t.Helper()
		if err := govern.Beat(t.Context(), l, city.ID, key, at, time.Minute); err != nil {
			t.Error(err)
		}
	}
	for _, step := range []struct {
		after time.Duration
		want  uint64 // sequence number of the newest
	}{{0, 1}, {0, 1}, {59 * time.Second, 1}, {time.Minute, 2}, {-time.Hour, 2}, {3 * time.Minute, 3}} {
		beat(l, now.Add(step.after))
		if got := newest(t, l); got.Sequence != step.want {
			t.Errorf("%v on, the newest is number %d, want %d", step.after, got.Sequence, step.want)
		}
	}

	const hearts = 8
	var waiting, all sync.WaitGroup
	waiting.Add(hearts)
	for range hearts {
		all.Go(func() { beat(gate{l, &waiting}, now.Add(time.Hour)) })
	}
	all.Wait()
	if got := newest(t, l); got.Sequence != 4 || got.Time != uint64(now.Add(time.Hour).Unix()) {
		t.Errorf("of %d at once comes %+v", hearts, got)
	}

	// Any other refusal is an error.
	if err := govern.Beat(t.Context(), store.As(ledgertest.Marriages), city.ID, key, now.Add(2*time.Hour), time.Minute); chaincode.Code(err) != chaincode.CodeNotAuthority {
		t.Errorf("beat as another department: %v", err)
	}
}
