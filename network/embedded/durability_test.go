package embedded

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// An acknowledged transaction.
type acknowledged struct {
	tx      *chaincode.Transaction
	receipt ledger.Receipt
}

// mixed signs anchors of one and of many licences: large enough together for tables to be written.
func mixed(t *testing.T, city *ledgertest.City, n int) []*chaincode.Transaction {
	t.Helper()
	txs := make([]*chaincode.Transaction, n)
	for i := range txs {
		size := 1
		if i%3 == 0 {
			size = 1500
		}
		txs[i] = city.Digests(t, "marriage", size, nil, nil).Tx
	}
	return txs
}

// onLedger checks that acknowledged transactions are where their receipts say.
func onLedger(t *testing.T, s *Store, acks []acknowledged) {
	t.Helper()
	v, _, err := s.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer s.release(v)
	for _, a := range acks {
		block, found, err := readBlock(v.snapshot, a.receipt.Position.Block)
		if err != nil || !found {
			t.Fatalf("an acknowledged transaction was in block %d, which is lost: %v", a.receipt.Position.Block, err)
		}
		if i := int(a.receipt.Position.Index); i >= len(block.Transactions) || !bytes.Equal(block.Transactions[i].Bytes, a.tx.Bytes()) {
			t.Fatalf("the acknowledged transaction %s is lost", a.receipt.TxID)
		}
	}
}

// newMemHome returns a home on a file system in memory, with small memtables, so that a small ledger
// has tables too.
func newMemHome(t *testing.T, fs vfs.FS) *home {
	t.Helper()
	if err := fs.MkdirAll("ledger", 0o700); err != nil {
		t.Fatal(err)
	}
	return &home{fs: fs, dir: "ledger", memTableSize: 256 << 10}
}

// begin creates a city's ledger in a home.
func (h *home) begin(t *testing.T, city *ledgertest.City) (*Store, error) {
	t.Helper()
	first, err := newBeginning(city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	return h.create(first)
}

// auditClean audits a store that is closed.
func auditClean(t *testing.T, h *home) {
	t.Helper()
	r, err := h.audit(t.Context(), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Clean() {
		t.Fatalf("audit: %v", r.Findings)
	}
}

// TestCrash cuts the power again and again while transactions come in from several sides, on a file
// system that then loses what was not synced, or some of it.
func TestCrash(t *testing.T) {
	const rounds, perRound, submitters = 8, 14, 4
	rng := rand.New(rand.NewPCG(1, 2))
	city := ledgertest.NewCity(t, t.Name())
	fs := vfs.NewCrashableMem()
	s, err := newMemHome(t, fs).begin(t, city)
	if err != nil {
		t.Fatal(err)
	}
	city.Found(t, s.As)
	var all []acknowledged
	for round := range rounds {
		txs := mixed(t, city, perRound)
		var mu sync.Mutex
		var acks []acknowledged
		var submitted sync.WaitGroup
		crash := make(chan struct{})
		when := rng.IntN(perRound)
		for i := range submitters {
			submitted.Go(func() {
				l := s.As(ledgertest.Marriages)
				for j := i; j < len(txs); j += submitters {
					receipt, err := l.Submit(t.Context(), txs[j])
					if err != nil {
						t.Errorf("submit: %v", err)
						return
					}
					mu.Lock()
					if acks = append(acks, acknowledged{txs[j], receipt}); len(acks) == when+1 {
						close(crash)
					}
					mu.Unlock()
				}
			})
		}
		<-crash
		time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
		mu.Lock()
		before := append([]acknowledged(nil), acks...)
		mu.Unlock()
		left := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 30, 100}[round%3], RNG: rng})
		submitted.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		fs = left
		h := newMemHome(t, fs)
		if round%4 == 3 {
			auditClean(t, h)
		}
		if s, err = h.open(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		all = append(all, before...)
		onLedger(t, s, all)
		for _, tx := range txs { // whoever was not answered asks again
			receipt, err := s.As(ledgertest.Marriages).Submit(t.Context(), tx)
			if err != nil {
				t.Fatalf("round %d: submit again: %v", round, err)
			}
			if !receipt.Existing {
				all = append(all, acknowledged{tx, receipt})
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	auditClean(t, newMemHome(t, fs))
}

// TestDiskFull fills the disk at every stage: nothing acknowledged is lost, and whoever is not
// answered with success learns why.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	city := ledgertest.NewCity(t, t.Name())
	founding := city.Founding(t)
	txs := mixed(t, city, 60)
	stages := map[string]int{}
	for room := 0; room < 5<<20; room = room*3/2 + 2000 {
		stages[fillDisk(t, city, founding, txs, fullAfter(room), fmt.Sprintf("room for %d bytes", room))]++
	}
	for _, stage := range []string{"creation", "founding", "anchors"} {
		if stages[stage] == 0 {
			t.Errorf("the disk was never full during %s: %v", stage, stages)
		}
	}
}

// TestDiskFails lets one sort of operation fail from some point on.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	city := ledgertest.NewCity(t, t.Name())
	founding := city.Founding(t)
	txs := mixed(t, city, 60)
	for _, f := range []struct{ op, sort string }{
		{"create", ".sst"}, {"write", ".sst"}, {"sync", ".sst"},
		{"create", ".log"}, {"write", ".log"}, {"sync", ".log"},
		{"create", "MANIFEST"}, {"write", "MANIFEST"}, {"sync", "MANIFEST"},
		{"create", "marker"},
	} {
		stages := map[string]int{}
		for _, n := range []int{0, 1, 2, 20} {
			stages[fillDisk(t, city, founding, txs, failsAt(f.op, f.sort, n), fmt.Sprintf("%s of %s fails from number %d on", f.op, f.sort, n))]++
		}
		if stages["no failure"] == 4 {
			t.Errorf("%s of %s never failed", f.op, f.sort)
		}
	}
}

// fillDisk uses a ledger until the disk fails, and returns what was being done then.
func fillDisk(t *testing.T, city *ledgertest.City, founding []ledgertest.Submission, txs []*chaincode.Transaction,
	hook func(op, name string, bytes int) error, name string) (stage string) {
	t.Helper()
	inner := vfs.NewCrashableMem()
	h := newMemHome(t, inner)
	h.fs = &faultFS{FS: inner, hook: hook}
	s, err := h.begin(t, city)
	if err != nil {
		if ledger.Code(err) != CodeStorage {
			t.Fatalf("%s: create: %v, want %s", name, err, CodeStorage)
		}
		if s, err := newMemHome(t, inner.CrashClone(vfs.CrashCloneCfg{})).open(); err == nil {
			s.Close() // it had become a ledger just before
		} else if code := ledger.Code(err); code != CodeNotALedger {
			t.Fatalf("%s: open what was left of creating: %v", name, err)
		}
		return "creation"
	}
	var acks []acknowledged
	stage = "founding"
	for _, f := range founding {
		var receipt ledger.Receipt
		if receipt, err = s.As(f.Actor).Submit(t.Context(), f.Tx); err != nil {
			break
		}
		acks = append(acks, acknowledged{f.Tx, receipt})
	}
	if err == nil {
		stage = "anchors"
		var more []acknowledged
		more, err = submitUntilFailure(t, s, txs)
		acks = append(acks, more...)
	}
	if err == nil {
		stage = "no failure"
	} else {
		if code := ledger.Code(err); code != ledger.CodeOutcomeUnknown && code != CodeStorage {
			t.Fatalf("%s: submit: %v", name, err)
		}
		if _, err := s.As(ledgertest.Marriages).Submit(t.Context(), txs[0]); ledger.Code(err) != CodeStorage {
			t.Fatalf("%s: submit after the failure: %v, want %s", name, err, CodeStorage)
		}
		if _, err := s.As(ledgertest.Marriages).Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); err != nil {
			t.Fatalf("%s: evaluate after the failure: %v", name, err)
		}
		for _, err := range s.As(ledgertest.Marriages).Follow(t.Context(), 0) {
			if err != nil && ledger.Code(err) != CodeStorage {
				t.Fatalf("%s: follow after the failure: %v, want %s", name, err, CodeStorage)
			}
		}
		onLedger(t, s, acks)
	}
	closeErr := s.Close()
	if stage != "no failure" && ledger.Code(closeErr) != CodeStorage {
		t.Fatalf("%s: close: %v, want %s", name, closeErr, CodeStorage)
	}
	for what, left := range map[string]*vfs.MemFS{"all": inner, "what was synced": inner.CrashClone(vfs.CrashCloneCfg{})} {
		again, err := newMemHome(t, left).open()
		if err != nil {
			t.Fatalf("%s: open again, with %s: %v", name, what, err)
		}
		onLedger(t, again, acks)
		for _, tx := range txs[:min(3, len(txs))] {
			if stage == "founding" {
				break
			}
			if _, err := again.As(ledgertest.Marriages).Submit(t.Context(), tx); err != nil {
				t.Fatalf("%s: submit again, with %s: %v", name, what, err)
			}
		}
		if err := again.Close(); err != nil {
			t.Fatalf("%s: close again, with %s: %v", name, what, err)
		}
	}
	return stage
}

// submitUntilFailure submits transactions from two sides until one fails or they are through.
func submitUntilFailure(t *testing.T, s *Store, txs []*chaincode.Transaction) (acks []acknowledged, first error) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			for j := i; j < len(txs); j += 2 {
				receipt, err := s.As(ledgertest.Marriages).Submit(t.Context(), txs[j])
				mu.Lock()
				if err == nil {
					acks = append(acks, acknowledged{txs[j], receipt})
				} else if first == nil {
					first = err
				}
				stop := first != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wg.Wait()
	return acks, first
}
