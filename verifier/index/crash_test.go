package index

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// blocks is a Source of a few blocks.
type blocks []*ledger.Block

func (b blocks) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for _, block := range b[min(from, uint64(len(b))):] {
			if !yield(block, nil) {
				return
			}
		}
		yield(nil, errNoMore)
	}
}

var errNoMore = errors.New("no more blocks")

// aLedger returns the blocks of a ledger on which some of everything happened.
func aLedger(t testing.TB) (blocks, []*ledgertest.Batch) {
	t.Helper()
	city := ledgertest.NewCity(t, t.Name())
	store, err := embedded.Create(t.TempDir(), city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	city.Found(t, store.As)
	var batches []*ledgertest.Batch
	for i := range uint64(4) {
		beat := ledgertest.Sign(t, city.Heartbeat(i+1), city.Authority.Log)
		ledgertest.Submit(t, store.As(ledgertest.Authority), beat)
		b := city.Digests(t, []string{"marriage", "property"}[i%2], 3, nil, nil)
		batches = append(batches, b)
		ledgertest.Submit(t, store.As(b.Issuer), b.Tx)
		change := ledgertest.SignAll(t, []*statement.Status{b.Change(0, licence.Suspended), b.Change(1, licence.Revoked)}, b.Department.Status)
		ledgertest.Submit(t, store.As(b.Issuer), change)
		if i%2 == 1 {
			ledgertest.Submit(t, store.As(b.Issuer), ledgertest.Sign(t, b.Restrict(0), b.Department.Status))
		}
	}
	head, err := store.As(ledgertest.Authority).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out blocks
	for b, err := range store.As(ledgertest.Authority).Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, b); uint64(len(out)) == head.Height {
			break
		}
	}
	return out, batches
}

// steadily has one index in memory follow the blocks, and returns what it says of some licences
// after each of them.
func (b blocks) steadily(t *testing.T, batches []*ledgertest.Batch) [][]verify.Licence {
	t.Helper()
	x, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	said := [][]verify.Licence{licences(batches, x)}
	for n := range b {
		if err := x.Follow(t.Context(), b[:n+1]); !errors.Is(err, errNoMore) {
			t.Fatal(err)
		}
		said = append(said, licences(batches, x))
	}
	return said
}

// licences is what an index says of the licences of some batches.
func licences(batches []*ledgertest.Batch, x *Index) (said []verify.Licence) {
	for _, b := range batches {
		for _, digest := range b.Digests {
			said = append(said, x.Licence(b.Issuer, b.Root(), digest))
		}
	}
	return said
}

// TestCrash takes the power away at every block: what is left is the index after some whole number
// of blocks, and goes on from there.
func TestCrash(t *testing.T) {
	chain, batches := aLedger(t)
	want := chain.steadily(t, batches)
	same := func(x *Index) {
		t.Helper()
		if height := x.Head().Height; !reflect.DeepEqual(licences(batches, x), want[height]) {
			t.Fatalf("at height %d the index says\n%+v, want\n%+v", height, licences(batches, x), want[height])
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	fs := vfs.NewCrashableMem()
	heights := map[uint64]bool{}
	for n := 1; n <= len(chain); n += 3 {
		x, err := open(fs, "index")
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Follow(t.Context(), chain[:n-1]); !errors.Is(err, errNoMore) {
			t.Fatal(err)
		}
		if _, err := x.store.db.AsyncFlush(); err != nil {
			t.Fatal(err)
		}
		if err := x.Follow(t.Context(), chain[:n]); !errors.Is(err, errNoMore) {
			t.Fatal(err)
		}
		for _, kept := range []int{0, 50, 100} {
			crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: r})
			after, err := open(crashed, "index")
			if err != nil {
				t.Fatalf("after a crash at height %d that kept %d %% of what was not synced: %v", n, kept, err)
			}
			height := after.Head().Height
			heights[height] = true
			if height > uint64(n) || height > 0 && after.Head().Hash != chain[height-1].Hash {
				t.Fatalf("after a crash at height %d the index is at %v", n, after.Head())
			}
			same(after)
			if err := after.Follow(t.Context(), chain); !errors.Is(err, errNoMore) {
				t.Fatal(err)
			}
			same(after)
			if err := after.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(heights) < 3 {
		t.Errorf("crashes came out at heights %v only", heights)
	}
}

// full fails every write after the first few, as a full disk does.
func full(after int64) errorfs.Injector {
	var writes atomic.Int64
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && writes.Add(1) > after {
			return syscall.ENOSPC
		}
		return nil
	})
}

// TestDiskFull makes every write fail from some moment on: the index says so, the process goes on,
// and what the disk holds is an index after some whole number of blocks, or none.
func TestDiskFull(t *testing.T) {
	chain, batches := aLedger(t)
	want := chain.steadily(t, batches)
	same := func(x *Index) {
		t.Helper()
		if height := x.Head().Height; !reflect.DeepEqual(licences(batches, x), want[height]) {
			t.Fatalf("at height %d the index says\n%+v, want\n%+v", height, licences(batches, x), want[height])
		}
	}
	stages := map[string]int{}
	for n := int64(0); n < 72; n += 3 {
		disk := vfs.NewCrashableMem()
		x, err := open(errorfs.Wrap(disk, full(n)), "index")
		if err != nil {
			if !isStorage(err) {
				t.Fatalf("after %d writes, open: %v", n, err)
			}
			stages["open"]++
			continue
		}
		if err := x.Follow(t.Context(), chain[:len(chain)/2]); !errors.Is(err, errNoMore) {
			t.Fatal(err) // nothing is written yet
		}
		full := x.store.flush() != nil
		err = x.Follow(t.Context(), chain)
		switch {
		case full && !isStorage(err):
			t.Fatalf("after %d writes, follow: %v", n, err)
		case full:
			stages["follow"]++
		case !errors.Is(err, errNoMore):
			t.Fatal(err)
		default:
			stages["close"]++
		}
		same(x)
		_ = x.Close() // may fail as the rest does

		after, err := open(disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, uint64(n)))}), "index")
		if err != nil {
			if !isStorage(err) {
				t.Fatalf("after %d writes, open again: %v", n, err)
			}
			stages["damaged"]++
			continue
		}
		same(after)
		if err := after.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, stage := range []string{"open", "follow", "close"} {
		if stages[stage] == 0 {
			t.Errorf("the disk was never full during %s: %v", stage, stages)
		}
	}
	t.Log(stages)
}

func isStorage(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == CodeStorage || e.Code == CodeDamaged)
}
