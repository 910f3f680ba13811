package embedded

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// A gate holds operations up while it is shut.
type gate struct{ mu sync.Mutex }

func (g *gate) pass() { g.mu.Lock(); defer g.mu.Unlock() }

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestReadsSeeOnlyWhatIsDurable holds the disk up in the middle of a commit: until it is done, the
// transaction is neither answered nor to be seen, and reads go on.
func TestReadsSeeOnlyWhatIsDurable(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	h := newMemHome(t, vfs.NewMem())
	var disk gate
	var waiting atomic.Int32
	h.fs = &faultFS{FS: h.fs, hook: func(op, name string, _ int) error {
		if op == "sync" && strings.HasSuffix(name, ".log") {
			waiting.Add(1)
			disk.pass()
			waiting.Add(-1)
		}
		return nil
	}}
	s, err := h.begin(t, city)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	city.Found(t, s.As)
	l := s.As(ledgertest.Marriages)
	before, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	b := city.Digests(t, "marriage", 4, nil, nil)
	query := chaincode.Query{Name: "anchor", Args: []string{b.Issuer, b.Root().String()}}
	disk.mu.Lock()
	answered := make(chan error, 1)
	go func() {
		_, err := l.Submit(t.Context(), b.Tx)
		answered <- err
	}()
	eventually(t, "the commit reaches the disk", func() bool { return waiting.Load() > 0 })
	if _, err := l.Evaluate(t.Context(), query); chaincode.Code(err) != chaincode.CodeNotFound {
		t.Errorf("evaluate before the sync is done: %v, want %s", err, chaincode.CodeNotFound)
	}
	if head, err := l.Head(t.Context()); err != nil || head != before {
		t.Errorf("head before the sync is done: %s, %v; want %s", head, err, before)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for block, err := range l.Follow(short, before.Height) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("follow before the sync is done: %+v, %v", block, err)
		}
	}
	// The same bytes, which the writer has taken already, are not "existing" before they are durable;
	// who waits for that can leave.
	short, cancel = context.WithTimeout(t.Context(), time.Second) // by then the queue has taken it
	defer cancel()
	if _, err := l.Submit(short, b.Tx); ledger.Code(err) != ledger.CodeOutcomeUnknown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("submit again before the sync is done: %v, want %s", err, ledger.CodeOutcomeUnknown)
	}
	select {
	case err := <-answered:
		t.Errorf("answered with %v before the sync is done", err)
	default:
	}
	disk.mu.Unlock()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if _, err := l.Evaluate(t.Context(), query); err != nil {
		t.Errorf("evaluate after the answer: %v", err)
	}
}

// TestCloseWaits closes the ledger while transactions come in: each is either committed, answered
// and there afterwards, or refused.
func TestCloseWaits(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	h := newMemHome(t, vfs.NewMem())
	s, err := h.begin(t, city)
	if err != nil {
		t.Fatal(err)
	}
	city.Found(t, s.As)
	following := make(chan error, 1)
	go func() {
		var last error
		for _, err := range s.As("").Follow(t.Context(), 0) {
			last = err
		}
		following <- last
	}()
	var mu sync.Mutex
	var acks []acknowledged
	var wg sync.WaitGroup
	var answered atomic.Int32
	for range 8 {
		l := s.As(ledgertest.Marriages)
		wg.Go(func() {
			for {
				tx := city.Digests(t, "marriage", 1, nil, nil).Tx
				receipt, err := l.Submit(t.Context(), tx)
				if err != nil {
					if ledger.Code(err) != ledger.CodeClosed {
						t.Errorf("submit: %v", err)
					}
					return
				}
				mu.Lock()
				acks = append(acks, acknowledged{tx, receipt})
				mu.Unlock()
				answered.Add(1)
			}
		})
	}
	eventually(t, "transactions are answered", func() bool { return answered.Load() > 50 })
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	if err := <-following; ledger.Code(err) != ledger.CodeClosed {
		t.Errorf("following ended with %v, want %s", err, ledger.CodeClosed)
	}
	l := s.As(ledgertest.Marriages)
	if _, err := l.Head(t.Context()); ledger.Code(err) != ledger.CodeClosed {
		t.Errorf("head: %v, want %s", err, ledger.CodeClosed)
	}
	if _, err := l.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); ledger.Code(err) != ledger.CodeClosed {
		t.Errorf("evaluate: %v, want %s", err, ledger.CodeClosed)
	}
	again, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	onLedger(t, again, acks)
}

// TestWriterThatHangs lets tables fail to be written so late that the writer stands still and waits
// for them: everybody is told, and the ledger can be closed and opened again.
func TestWriterThatHangs(t *testing.T) {
	t.Parallel()
	city := ledgertest.NewCity(t, t.Name())
	inner := vfs.NewCrashableMem()
	h := newMemHome(t, inner)
	var tables gate
	tables.mu.Lock()
	h.fs = &faultFS{FS: inner, hook: func(op, name string, _ int) error {
		if op == "create" && strings.HasSuffix(name, ".sst") {
			tables.pass()
			return syscall.ENOSPC
		}
		return nil
	}}
	s, err := h.begin(t, city)
	if err != nil {
		t.Fatal(err)
	}
	city.Found(t, s.As)
	var mu sync.Mutex
	var acks []acknowledged
	var submitters sync.WaitGroup
	for range 2 {
		l := s.As(ledgertest.Marriages)
		submitters.Go(func() {
			for {
				tx := city.Digests(t, "marriage", 1500, nil, nil).Tx
				receipt, err := l.Submit(t.Context(), tx)
				if err != nil {
					if ledger.Code(err) != ledger.CodeOutcomeUnknown && ledger.Code(err) != CodeStorage {
						t.Errorf("submit: %v", err)
					}
					if !errors.Is(err, syscall.ENOSPC) {
						t.Errorf("submit: %v, which does not say why", err)
					}
					return
				}
				mu.Lock()
				acks = append(acks, acknowledged{tx, receipt})
				mu.Unlock()
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acks) }
	eventually(t, "the writer stands still", func() bool {
		before := count()
		time.Sleep(100 * time.Millisecond)
		return before > 5 && count() == before
	})
	tables.mu.Unlock()
	submitters.Wait()
	onLedger(t, s, acks)
	if err := s.Close(); ledger.Code(err) != CodeStorage || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v, want %s for a full disk", err, CodeStorage)
	}
	for _, left := range []*vfs.MemFS{inner, inner.CrashClone(vfs.CrashCloneCfg{})} {
		again, err := newMemHome(t, left).open()
		if err != nil {
			t.Fatal(err)
		}
		onLedger(t, again, acks)
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	disk := newDisk(vfs.NewMem())
	submission := func(bytes int) *submission { return &submission{bytes: make([]byte, bytes)} }
	for _, test := range []struct {
		what        string
		bytes       int
		fits, taken int
	}{
		{"small", 100, maxWaiting, maxGroup},
		{"of 33 KB", 33 << 10, maxWaitingBytes/(33<<10) + 1, maxGroupBytes/(33<<10) + 1},
		{"as large as can be", chaincode.MaxTransaction, 2, 1},
	} {
		q := newQueue()
		for i := range test.fits {
			if room, err := q.tryPut(submission(test.bytes)); room != nil || err != nil {
				t.Fatalf("%s: no room for number %d: %v", test.what, i, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := q.put(ctx, submission(test.bytes), disk, nil)
		cancel()
		if ledger.Code(err) != ledger.CodeNotSubmitted || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: one more: %v, want %s", test.what, err, ledger.CodeNotSubmitted)
		}
		entered := make(chan error, 1)
		go func() { entered <- q.put(t.Context(), submission(test.bytes), disk, nil) }()
		total := 0
		for total < test.fits+1 {
			group, more := q.take()
			if !more || len(group) > test.taken {
				t.Fatalf("%s: took %d of at most %d, %v", test.what, len(group), test.taken, more)
			}
			if total == 0 && len(group) != test.taken {
				t.Errorf("%s: took %d, want %d", test.what, len(group), test.taken)
			}
			total += len(group)
			runtime.Gosched()
		}
		if err := <-entered; err != nil {
			t.Errorf("%s: who waited for room: %v", test.what, err)
		}
	}
}

// TestQueueLetsGo ends the wait for room in every way.
func TestQueueLetsGo(t *testing.T) {
	full := func() *queue {
		q := newQueue()
		for range maxWaiting {
			if _, err := q.tryPut(new(submission)); err != nil {
				t.Fatal(err)
			}
		}
		return q
	}
	hungUp := make(chan struct{})
	close(hungUp)
	broken := newDisk(vfs.NewMem())
	broken.blow("write", syscall.EIO)
	closed := full()
	closed.close()
	for _, test := range []struct {
		what   string
		q      *queue
		disk   *disk
		hungUp chan struct{}
		code   string
	}{
		{"the connection is closed", full(), newDisk(vfs.NewMem()), hungUp, ledger.CodeClosed},
		{"the disk fails", full(), broken, nil, CodeStorage},
		{"the ledger is closed", closed, newDisk(vfs.NewMem()), nil, ledger.CodeClosed},
	} {
		if err := test.q.put(t.Context(), new(submission), test.disk, test.hungUp); ledger.Code(err) != test.code {
			t.Errorf("%s: %v, want %s", test.what, err, test.code)
		}
	}
	n := 0
	for {
		group, more := closed.take()
		n += len(group)
		if !more {
			break
		}
	}
	if n != maxWaiting {
		t.Errorf("a closed queue gave out %d of the %d that waited", n, maxWaiting)
	}
}
