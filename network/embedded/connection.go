package embedded

import (
	"context"
	"iter"
	"sync"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// A connection is one organisation's use of a Store.
type connection struct {
	store  *Store
	actor  string
	once   sync.Once
	closed chan struct{}
}

// Submit implements ledger.Ledger. Once the transaction was accepted, a ctx that is done lets the
// caller go, and the transaction stands or falls without it.
func (c *connection) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	if err := c.check(ctx); err != nil {
		return ledger.Receipt{}, notSubmitted(err)
	}
	p := &submission{actor: c.actor, bytes: tx.Bytes(), done: make(chan outcome, 1)}
	var err error
	if p.tx, err = chaincode.ParseTransaction(p.bytes); err != nil {
		return ledger.Receipt{}, err
	}
	disk := c.store.disk
	if reason := disk.failure(); reason != nil {
		return ledger.Receipt{}, reason
	}
	if err := c.store.queue.put(ctx, p, disk, c.closed); err != nil {
		return ledger.Receipt{}, err
	}
	var gone error
	select {
	case o := <-p.done:
		return o.receipt, o.err
	case <-ctx.Done():
		gone = fail(ledger.CodeOutcomeUnknown, "the wait for the transaction was given up; it may still be applied", ctx.Err())
	case <-disk.blown:
		gone = fail(ledger.CodeOutcomeUnknown, "the disk failed while the transaction was written; "+
			"open the ledger again and look for it, or submit the same bytes", disk.failure())
	}
	select {
	case o := <-p.done: // at the same moment
		return o.receipt, o.err
	default:
		return ledger.Receipt{}, gone
	}
}

// Evaluate implements ledger.Ledger.
func (c *connection) Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	v, _, err := c.store.acquire()
	if err != nil {
		return nil, err
	}
	defer c.store.release(v)
	return chaincode.Evaluate(&reader{ctx: ctx, from: v.snapshot}, q)
}

// Head implements ledger.Ledger.
func (c *connection) Head(ctx context.Context) (ledger.Head, error) {
	if err := c.check(ctx); err != nil {
		return ledger.Head{}, err
	}
	v, _, err := c.store.acquire()
	if err != nil {
		return ledger.Head{}, err
	}
	defer c.store.release(v)
	return v.head, nil
}

// Follow implements ledger.Ledger. It holds one block at a time, and nothing while the caller works
// on it; a chain that is broken between two blocks is CodeCorrupt.
func (c *connection) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		var last *ledger.Block
		for number := from; ; number++ {
			block, err := c.await(ctx, number)
			if err == nil && last != nil && block.Previous != last.Hash {
				err = corrupt("a block does not name the hash of the one before it; audit the ledger", nil)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(block, nil) {
				return
			}
			last = block
		}
	}
}

// await returns a block as soon as it is there.
func (c *connection) await(ctx context.Context, number uint64) (*ledger.Block, error) {
	for {
		if err := c.check(ctx); err != nil {
			return nil, err
		}
		block, changed, err := c.read(number)
		if err != nil || block != nil {
			return block, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-c.closed:
		case <-c.store.disk.blown:
			// What became durable just before is still to be delivered; then there is no more.
			if block, _, err := c.read(number); err != nil || block != nil {
				return block, err
			}
			return nil, c.store.disk.failure()
		}
	}
}

// read returns a block, or what to wait for if it is not there yet.
func (c *connection) read(number uint64) (*ledger.Block, <-chan struct{}, error) {
	v, changed, err := c.store.acquire()
	if err != nil {
		return nil, nil, err
	}
	defer c.store.release(v)
	if number >= v.head.Height {
		return nil, changed, nil
	}
	block, found, err := readBlock(v.snapshot, number)
	if err == nil && !found {
		err = corrupt("a block is missing; restore a copy, and audit it", nil)
	}
	return block, nil, err
}

// Close implements ledger.Ledger.
func (c *connection) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// check returns why a call cannot go on: the connection was closed, or ctx is done.
func (c *connection) check(ctx context.Context) error {
	select {
	case <-c.closed:
		return errClosed()
	default:
		return ctx.Err()
	}
}

// notSubmitted gives the error of a ctx its code.
func notSubmitted(err error) error {
	if ledger.Code(err) != "" {
		return err
	}
	return fail(ledger.CodeNotSubmitted, "the transaction was given up before it was submitted", err)
}
