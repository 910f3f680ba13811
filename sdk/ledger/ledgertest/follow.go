package ledgertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// followFromEveryPosition replays from each block on, and compares.
func followFromEveryPosition(r *run) {
	b := r.anchor("marriage", 2)
	r.submit(b.Issuer, Sign(r, b.Change(0, licence.Suspended), b.Department.Status))
	r.submit(b.Issuer, Sign(r, b.Change(1, licence.Suspended), b.Department.Status))
	height := r.head().Height
	all := r.blocks(0, height)
	checkChain(r, all)
	if all[0].Number != 0 || all[0].Previous != (sm.Hash{}) {
		r.Errorf("the first block has the number %d and names %s as the one before it", all[0].Number, all[0].Previous)
	}
	if first := firstTransaction(all); string(first.Bytes) != string(r.City.Begin().Tx.Bytes()) || first.Actor != Authority {
		r.Errorf("the first transaction is one of %s, not the genesis", first.Actor)
	}
	step := 1 + height/40 // of a ledger that is long already, some positions
	positions := make(chan uint64, height)
	for from := uint64(0); from < height; from += step {
		positions <- from
	}
	close(positions)
	var wg sync.WaitGroup
	for range 4 {
		l := r.As(Marriages)
		r.wait(l)
		wg.Go(func() {
			for from := range positions {
				r.replay(l, from, all)
			}
			if err := l.Close(); err != nil {
				r.Errorf("close a connection: %v", err)
			}
		})
	}
	wg.Wait()
}

// replay follows from a position and compares with the blocks that were seen from 0.
func (r *run) replay(l ledger.Ledger, from uint64, all []*ledger.Block) {
	number := from
	for got, err := range l.Follow(r.ctx, from) {
		if err != nil {
			r.Errorf("from %d: %v, at %d of %d", from, err, number, len(all))
			return
		}
		if !sameBlock(got, all[number]) {
			r.Errorf("from %d: block %d is not the one seen from 0", from, number)
			return
		}
		if number++; number == uint64(len(all)) {
			return
		}
	}
}

func sameBlock(a, b *ledger.Block) bool {
	return a.Number == b.Number && a.Hash == b.Hash && a.Previous == b.Previous &&
		slices.EqualFunc(a.Transactions, b.Transactions, func(x, y ledger.Transaction) bool {
			return x.ID == y.ID && x.Index == y.Index && x.Actor == y.Actor && string(x.Bytes) == string(y.Bytes)
		})
}

// firstTransaction returns the first transaction of some blocks.
func firstTransaction(blocks []*ledger.Block) (first ledger.Transaction) {
	for _, b := range blocks {
		if len(b.Transactions) > 0 {
			return b.Transactions[0]
		}
	}
	return first
}

// checkChain checks what holds of blocks that follow each other.
func checkChain(r *run, blocks []*ledger.Block) {
	r.Helper()
	ids := map[string]bool{}
	for i, b := range blocks {
		if i > 0 && (b.Number != blocks[i-1].Number+1 || b.Previous != blocks[i-1].Hash) {
			r.Errorf("block %d (before it %s) does not follow block %d (%s)", b.Number, b.Previous, blocks[i-1].Number, blocks[i-1].Hash)
		}
		for j, t := range b.Transactions {
			if j > 0 && t.Index <= b.Transactions[j-1].Index {
				r.Errorf("block %d: the transactions are not in their order", b.Number)
			}
			if ids[t.ID] || t.ID == "" || t.Actor == "" {
				r.Errorf("block %d: transaction %q of %q is there twice, or has no name", b.Number, t.ID, t.Actor)
			}
			ids[t.ID] = true
			if _, err := chaincode.ParseTransaction(t.Bytes); err != nil {
				r.Errorf("block %d, transaction %s: %v", b.Number, t.ID, err)
			}
		}
	}
}

// followWaits follows blocks that come into being meanwhile, from two places at once, one of them
// not there yet.
func followWaits(r *run) {
	const n = 5
	from := r.head().Height
	type seen struct {
		blocks []*ledger.Block
		err    error
	}
	watch := func(department string, from uint64, last string) <-chan seen {
		out := make(chan seen, 1)
		l := r.connect(department)
		go func() {
			var s seen
			defer func() { out <- s }()
			for b, err := range l.Follow(r.ctx, from) {
				if s.err = err; err != nil {
					return
				}
				s.blocks = append(s.blocks, b)
				for _, t := range b.Transactions {
					if string(t.Bytes) == last {
						return
					}
				}
			}
		}()
		return out
	}
	batches := make([]*Batch, n)
	for i := range batches {
		batches[i] = r.City.Digests(r, "marriage", 1, nil, nil)
	}
	last := string(batches[n-1].Tx.Bytes())
	now, later := watch(Authority, from, last), watch(Marriages, from+2, last)
	for _, b := range batches {
		r.submit(b.Issuer, b.Tx)
	}
	for name, got := range map[string]seen{"now": <-now, "later": <-later} {
		if got.err != nil {
			r.Fatalf("%s: %v", name, got.err)
		}
		if name == "later" {
			got.blocks = append(r.blocks(from, from+2), got.blocks...)
		}
		checkChain(r, got.blocks)
		i := 0
		for _, b := range got.blocks {
			for _, t := range b.Transactions {
				if i >= n || string(t.Bytes) != string(batches[i].Tx.Bytes()) {
					r.Fatalf("%s: transaction %d is not the one submitted, or there are too many", name, i)
				}
				i++
			}
		}
		if i != n {
			r.Errorf("%s: %d transactions, want %d", name, i, n)
		}
	}
}

// followResumes follows with clients that end after a few blocks each, in every way, while the
// ledger grows: who goes on where the one before has stopped gets every block, and each once.
func followResumes(r *run) {
	const n = 24
	from := r.head().Height
	batches := make([]*Batch, n)
	for i := range batches {
		batches[i] = r.City.Digests(r, "marriage", 1, nil, nil)
	}
	l := r.connect(Marriages)
	submitted := make(chan struct{})
	go func() {
		defer close(submitted)
		for _, b := range batches {
			if _, err := l.Submit(r.ctx, b.Tx); err != nil {
				r.Errorf("submit: %v", err)
				return
			}
		}
	}()
	last := string(batches[n-1].Tx.Bytes())
	var blocks []*ledger.Block
	for client, done := 0, false; !done && !r.Failed(); client++ {
		done = r.followSome(client, from+uint64(len(blocks)), 1+client%3, func(b *ledger.Block) (done bool) {
			blocks = append(blocks, b)
			return slices.ContainsFunc(b.Transactions, func(t ledger.Transaction) bool { return string(t.Bytes) == last })
		})
	}
	if <-submitted; r.Failed() {
		return
	}
	checkChain(r, blocks)
	i := 0
	for _, b := range blocks {
		for _, t := range b.Transactions {
			if i >= n || string(t.Bytes) != string(batches[i].Tx.Bytes()) {
				r.Fatalf("transaction %d is not the one submitted, or there are too many", i)
			}
			i++
		}
	}
	if blocks[0].Number != from || i != n {
		r.Errorf("%d transactions from block %d on, want %d from %d on", i, blocks[0].Number, n, from)
	}
}

// followSome is a client that follows so many blocks, or until see reports that it is done, and then
// ends, in one way or another.
func (r *run) followSome(client int, from uint64, blocks int, see func(*ledger.Block) (done bool)) (done bool) {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	l := r.As(Properties)
	defer l.Close()
	seen := 0
	for b, err := range l.Follow(ctx, from) {
		if err != nil {
			if seen < blocks { // else it was ended in time
				r.Errorf("client %d, from %d: %v", client, from, err)
			}
			return false
		}
		if seen == blocks {
			return false // a block came before the end did: it is not seen
		}
		if done = see(b); done {
			return true
		}
		if seen++; seen < blocks {
			continue
		}
		switch client % 3 {
		case 0:
			return false
		case 1:
			cancel()
		case 2:
			l.Close()
		}
	}
	return false
}

// followStops ends following in every way: by ctx, by the loop, by closing the connection.
func followStops(r *run) {
	height := r.head().Height
	done, cancel := context.WithCancel(r.ctx)
	cancel()
	short, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
	defer cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		from uint64
		want error
	}{
		{"ctx done before", done, 0, context.Canceled},
		{"ctx done while waiting", short, height, context.DeadlineExceeded},
		{"ctx done while waiting for a distant block", short, height + 1000, context.DeadlineExceeded},
	} {
		var errs []error
		for b, err := range r.connect(Authority).Follow(test.ctx, test.from) {
			if err != nil || len(b.Transactions) > 0 {
				errs = append(errs, err)
			}
		}
		if len(errs) != 1 || !errors.Is(errs[0], test.want) {
			r.Errorf("%s: %v; want %v, and no transaction", test.name, errs, test.want)
		}
	}
	for range r.connect(Authority).Follow(r.ctx, 0) {
		break // must not hang, nor disturb what comes after
	}
	l := r.As(Authority)
	time.AfterFunc(20*time.Millisecond, func() { l.Close() })
	var last error
	for _, err := range l.Follow(r.ctx, height) {
		last = err
	}
	if ledger.Code(last) != ledger.CodeClosed {
		r.Errorf("following ended with %v when the connection was closed, want %s", last, ledger.CodeClosed)
	}
}

// memory is the simplest state that there can be.
type memory map[string][]byte

func (m memory) Get(key string) ([]byte, error) { return m[key], nil }

// followersReachTheState applies the rules to what is followed: every transaction passes, writes
// something, and the end is what the ledger answers from.
func followersReachTheState(r *run) {
	b := r.anchor("property", 3)
	r.submit(b.Issuer, Sign(r, b.Change(1, licence.Suspended), b.Department.Status))
	r.submit(b.Issuer, Sign(r, b.Restrict(1), b.Department.Status))
	state := memory{}
	for _, block := range r.blocks(0, r.head().Height) {
		for _, t := range block.Transactions {
			tx, err := chaincode.ParseTransaction(t.Bytes)
			if err != nil {
				r.Fatalf("transaction %s: %v", t.ID, err)
			}
			writes, err := chaincode.Apply(state, (*statement.Statement).Verify, t.Actor, tx)
			if err != nil || len(writes) == 0 {
				r.Fatalf("transaction %s is on the ledger, but writes %d keys: %v", t.ID, len(writes), err)
			}
			for _, w := range writes {
				state[w.Key] = w.Value
			}
		}
	}
	digest := b.Digests[1]
	r.wait(r.connect(b.Issuer))
	record, found, err := chaincode.Load[chaincode.Status](state, chaincode.StatusStateKey(b.Issuer, digest, "property"))
	if err != nil || !found || record.State != licence.Suspended {
		r.Errorf("status of the licence after replay: %+v, %v", record, err)
	}
	var open struct {
		Open []any `json:"open"`
	}
	r.evaluate(b.Issuer, &open, "restrictions", b.Issuer, digest.String())
	restrictions, found, err := chaincode.Load[chaincode.Restrictions](state, chaincode.RestrictionStateKey(b.Issuer, digest, "property"))
	if err != nil || !found || len(restrictions.Open) != len(open.Open) {
		r.Errorf("restrictions after replay: %+v, %v; the ledger answers %d", restrictions, err, len(open.Open))
	}
}

// headMoves compares the head with the blocks.
func headMoves(r *run) {
	before := r.head()
	for range 3 {
		r.anchor("marriage", 1)
	}
	after := r.head()
	if after.Height < before.Height+3 {
		r.Errorf("the height went from %d to %d by three transactions, one after the other", before.Height, after.Height)
	}
	blocks := r.blocks(before.Height-1, after.Height)
	if got := blocks[0].Hash; got != before.Hash {
		r.Errorf("block %d has hash %s, but the head was %s", before.Height-1, got, before)
	}
	if got := blocks[len(blocks)-1]; got.Hash != after.Hash || got.Number != after.Height-1 {
		r.Errorf("the last block is %d with hash %s, but the head is %s", got.Number, got.Hash, after)
	}
}
