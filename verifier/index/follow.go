package index

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Source is where blocks come from; every ledger.Ledger is one. Follow is as it is there.
type Source interface {
	Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error]
}

// Follow applies the blocks of a ledger, from where the index is, until ctx is done. It returns why
// it ended, never nil: a *Discrepancy; an *Error (CodeStorage, CodeDamaged, CodeClosed, CodeFollowing,
// CodeOtherLedger); ctx's error; or that of the ledger, after which the caller follows again when it
// thinks fit.
func (x *Index) Follow(ctx context.Context, source Source) error {
	if !x.following.TryLock() {
		return &Error{Code: CodeFollowing, Message: "the index follows a ledger already, or is being closed"}
	}
	defer x.following.Unlock()
	if x.isClosed() {
		return errClosed
	}
	x.update(func() { x.ended, x.discrepancy, x.recognised = nil, nil, false })
	err := x.follow(ctx, source)
	x.update(func() {
		x.ended, x.recognised = err, false
		errors.As(err, &x.discrepancy)
	})
	return err
}

func (x *Index) isClosed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closed
}

func (x *Index) follow(ctx context.Context, source Source) error {
	if err := x.recognise(ctx, source); err != nil {
		return err
	}
	x.update(func() { x.recognised = true })
	for block, err := range source.Follow(ctx, x.Head().Height) {
		if err != nil {
			return err
		}
		if err := x.add(block); err != nil {
			return err
		}
	}
	return errEnded
}

var errEnded = errors.New("the ledger ended the stream of its blocks")

// recognise compares the ledger with what the index has seen: the first block, which tells one ledger
// from another whether it holds the genesis or, on Fabric, the configuration of the channel; and the
// newest. The genesis alone would not do: who copies it begins another chain with the same id.
func (x *Index) recognise(ctx context.Context, source Source) error {
	head := x.Head()
	if head.Height == 0 {
		return nil
	}
	first, err := block(ctx, source, 0)
	if err != nil {
		return err
	}
	if first.Number != 0 || first.Hash != x.first {
		if id, ok := genesisOf(first); ok && id == x.Ledger() {
			return rewritten(0, x.first, first.Hash)
		}
		return &Error{Code: CodeOtherLedger, Message: "the index in this directory follows another ledger; use another directory, or remove this one"}
	}
	last, err := block(ctx, source, head.Height-1)
	if err != nil {
		return err
	}
	if last.Number != head.Height-1 || last.Hash != head.Hash {
		return rewritten(head.Height-1, head.Hash, last.Hash)
	}
	return nil
}

func rewritten(block uint64, was, is sm.Hash) *Discrepancy {
	return &Discrepancy{Code: CodeRewritten, Block: block,
		Err: fmt.Errorf("it had the hash %s when it was applied, now the ledger says %s: its past was rewritten", was, is)}
}

// block returns one block.
func block(ctx context.Context, source Source, number uint64) (*ledger.Block, error) {
	for block, err := range source.Follow(ctx, number) {
		return block, err
	}
	return nil, errEnded
}

// genesisOf returns the id of the ledger whose genesis a block begins with.
func genesisOf(b *ledger.Block) (id sm.Hash, ok bool) {
	if len(b.Transactions) == 0 {
		return id, false
	}
	tx, err := chaincode.ParseTransaction(b.Transactions[0].Bytes)
	if err != nil || len(tx.Statements) == 0 {
		return id, false
	}
	_, s, err := statement.ParseAs[*statement.Genesis](tx.Statements[0])
	if err != nil {
		return id, false
	}
	return sm.Sum(s.Payload), true
}

// add applies one block: all of it, or nothing.
func (x *Index) add(b *ledger.Block) error {
	head := x.Head()
	switch {
	case b.Number != head.Height:
		return &Discrepancy{Code: CodeBlockOrder, Block: b.Number, Err: fmt.Errorf("block %d is next", head.Height)}
	case b.Previous != head.Hash:
		return &Discrepancy{Code: CodeChainBroken, Block: b.Number, Err: fmt.Errorf("it continues %s, but the block before is %s", b.Previous, head.Hash)}
	}
	d := &draft{store: x.store, newest: map[string][]byte{}}
	for i := range b.Transactions {
		if err := d.apply(b, i); err != nil {
			return err
		}
	}
	first := x.first
	if b.Number == 0 {
		first = b.Hash
	}
	head = ledger.Head{Height: b.Number + 1, Hash: b.Hash}
	x.adding.Lock()
	defer x.adding.Unlock()
	if err := x.store.commit(d.writes, extent{head, first}); err != nil {
		return err
	}
	if err := x.memory.add(d.writes, head.Height); err != nil {
		x.store.fail(err) // memory and store differ now: nothing more until the index is opened again
		return damaged(err)
	}
	x.first = first
	x.update(func() { x.head = head })
	return nil
}

// apply applies one transaction of a block by the rules. Their indices ascend, but may leave out what
// stands between them in a block of Fabric and is none of this ledger's.
func (d *draft) apply(b *ledger.Block, i int) error {
	t := &b.Transactions[i]
	wrong := func(code string, err error) error {
		return &Discrepancy{Code: code, Block: b.Number, Index: t.Index, TransactionID: t.ID, Err: err}
	}
	if i > 0 && t.Index <= b.Transactions[i-1].Index || len(t.ID) > maxTransactionID {
		return wrong(CodeTransaction, errors.New("its index or id is not one"))
	}
	tx, err := chaincode.ParseTransaction(t.Bytes)
	if err != nil {
		return wrong(CodeTransaction, err)
	}
	writes, err := chaincode.Apply(d, (*statement.Statement).Verify, t.Actor, tx)
	if chaincode.Code(err) != "" {
		return wrong(CodeRuleBroken, err)
	}
	if err != nil {
		return err
	}
	d.write(tx, writes, place{Position: ledger.Position{Block: b.Number, Index: t.Index}, txID: t.ID})
	return nil
}

// maxTransactionID is the greatest length of a transaction's id in bytes.
const maxTransactionID = 255

// add takes in the writes of a block.
func (m *memory) add(writes []placed, height uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range writes {
		if err := m.apply(writes[i].key, writes[i].value, writes[i].at); err != nil {
			return err
		}
	}
	m.publish(height)
	return nil
}
