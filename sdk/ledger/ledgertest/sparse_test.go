package ledgertest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
)

// A sparse ledger is an embedded one seen as networks of departments are: it has blocks of its own
// before the genesis and among the others, transactions stand at indexes with gaps, each takes a
// while, and every department reads a copy that is behind the others by another while.
type sparse struct {
	store *embedded.Store
	pace  time.Duration // that each step of a transaction takes
	fault fault         // what it does wrong

	mu      sync.Mutex
	blocks  []*ledger.Block
	numbers []uint64      // of each block of the store in blocks
	grown   chan struct{} // closed, and replaced, when blocks were added
}

func newSparse(t *testing.T, city *ledgertest.City, pace time.Duration, f fault) *sparse {
	t.Helper()
	store, err := embedded.Create(t.TempDir(), city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	s := &sparse{store: store, pace: pace, fault: f, grown: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b, err := range store.As(ledgertest.Authority).Follow(context.Background(), 0) {
			if err != nil {
				return // the store was closed
			}
			s.add(b)
		}
	}()
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
		<-done
	})
	return s
}

// add adds a block of the store, after some without transactions.
func (s *sparse) add(b *ledger.Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	empty := (b.Number*b.Number + 2) % 4 // 2, 3, 2, 3 ...
	if b.Number%3 == 1 {
		empty = 0
	}
	for range empty {
		s.chain(nil)
	}
	var txs []ledger.Transaction
	for _, t := range b.Transactions {
		t.Index = sparseIndex(t.Index)
		txs = append(txs, t)
	}
	s.numbers = append(s.numbers, uint64(len(s.blocks)))
	s.chain(txs)
	close(s.grown)
	s.grown = make(chan struct{})
}

func sparseIndex(i uint32) uint32 { return 3*i + 1 }

func (s *sparse) chain(txs []ledger.Transaction) {
	b := &ledger.Block{Number: uint64(len(s.blocks)), Transactions: txs}
	if n := len(s.blocks); n > 0 {
		b.Previous = s.blocks[n-1].Hash
	}
	text := binary.BigEndian.AppendUint64(b.Previous[:], b.Number)
	for _, t := range txs {
		text = append(append(text, t.ID...), t.Bytes...)
	}
	b.Hash = sm.Sum(text)
	s.blocks = append(s.blocks, b)
}

// behind is how far the copy of a department is behind.
func (s *sparse) behind(department string) time.Duration {
	return s.pace * time.Duration(len(department)%4) / 2
}

// As returns a connection of a department.
func (s *sparse) As(department string) ledger.Ledger {
	l := &sparseConnection{Ledger: s.store.As(department), sparse: s, department: department, closed: make(chan struct{})}
	go l.keepUp()
	return l
}

// A sparseConnection is one to a sparse ledger. It sees blocks up to a height.
type sparseConnection struct {
	ledger.Ledger
	*sparse
	department string
	once       sync.Once
	closed     chan struct{}

	seen struct {
		sync.Mutex
		height  int
		changed chan struct{}
	}
}

// keepUp moves the height on, some time after the ledger has grown.
func (l *sparseConnection) keepUp() {
	for first := true; ; first = false {
		l.mu.Lock()
		height, grown := len(l.blocks), l.grown
		l.mu.Unlock()
		if !first {
			l.sleep(context.Background(), l.behind(l.department))
		}
		l.seen.Lock()
		l.seen.height = height
		if l.seen.changed != nil {
			close(l.seen.changed)
		}
		l.seen.changed = make(chan struct{})
		l.seen.Unlock()
		select {
		case <-grown:
		case <-l.closed:
			return
		}
	}
}

// sees waits until the connection sees a block.
func (l *sparseConnection) sees(ctx context.Context, number uint64) error {
	for {
		select {
		case <-l.closed:
			return &ledger.Error{Code: ledger.CodeClosed, Message: "the connection was closed"}
		default:
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		l.seen.Lock()
		height, changed := l.seen.height, l.seen.changed
		l.seen.Unlock()
		if uint64(height) > number {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(time.Millisecond): // changed is nil at first
		case <-ctx.Done():
		case <-l.closed:
		}
	}
}

func (l *sparseConnection) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closed:
		return errors.New("the connection was closed")
	}
}

func (l *sparseConnection) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	select {
	case <-l.closed:
		return ledger.Receipt{}, &ledger.Error{Code: ledger.CodeClosed, Message: "the connection was closed"}
	default:
	}
	if err := l.sleep(ctx, l.pace); err != nil {
		return ledger.Receipt{}, &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "given up", Err: err}
	}
	unknown := ledger.CodeOutcomeUnknown
	if l.fault == faultDenies {
		unknown = ledger.CodeNotSubmitted
	}
	receipt, err := l.Ledger.Submit(context.WithoutCancel(ctx), tx)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if err := l.sleep(ctx, l.pace); err != nil {
		return ledger.Receipt{}, &ledger.Error{Code: unknown, Message: "given up", Err: err}
	}
	if receipt.Existing {
		return receipt, nil
	}
	if receipt.Position, err = l.position(ctx, receipt.Position); err != nil {
		return ledger.Receipt{}, &ledger.Error{Code: unknown, Message: "given up", Err: err}
	}
	if err := l.sees(ctx, receipt.Position.Block); err != nil {
		return ledger.Receipt{}, &ledger.Error{Code: unknown, Message: "given up", Err: err}
	}
	if l.fault == faultMisplaces {
		receipt.Position.Index++
	}
	return receipt, nil
}

// position returns where a transaction of the store stands in the sparse ledger.
func (s *sparse) position(ctx context.Context, at ledger.Position) (ledger.Position, error) {
	for {
		s.mu.Lock()
		known, grown := uint64(len(s.numbers)) > at.Block, s.grown
		if known {
			at = ledger.Position{Block: s.numbers[at.Block], Index: sparseIndex(at.Index)}
		}
		s.mu.Unlock()
		if known {
			return at, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return at, ctx.Err()
		}
	}
}

func (l *sparseConnection) Head(ctx context.Context) (ledger.Head, error) {
	if err := l.sees(ctx, 0); err != nil {
		return ledger.Head{}, err
	}
	l.seen.Lock()
	height := l.seen.height
	l.seen.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	return ledger.Head{Height: uint64(height), Hash: l.blocks[height-1].Hash}, nil
}

func (l *sparseConnection) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		if l.fault == faultRepeats && from > 0 {
			from--
		}
		for number := from; ; number++ {
			if err := l.sees(ctx, number); err != nil {
				yield(nil, err)
				return
			}
			l.mu.Lock()
			b, newest := l.blocks[number], number+1 == uint64(len(l.blocks))
			l.mu.Unlock()
			if l.fault == faultSkips && len(b.Transactions) > 0 && !newest {
				continue
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func (l *sparseConnection) Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error) {
	answer, err := l.Ledger.Evaluate(ctx, q)
	if l.fault == faultWraps && err != nil {
		err = &ledger.Error{Code: "failed", Message: err.Error()}
	}
	return answer, err
}

func (l *sparseConnection) Close() error {
	l.once.Do(func() {
		if l.fault != faultStaysOpen {
			close(l.closed)
		}
	})
	if l.fault == faultStaysOpen {
		return nil
	}
	return l.Ledger.Close()
}
