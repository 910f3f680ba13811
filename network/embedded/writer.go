package embedded

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/statement"
)

// write is the one goroutine that writes. It ends when the queue is closed and empty, or when the
// disk has failed: who still waits then learns it from the disk.
func (s *Store) write() {
	defer close(s.written)
	for {
		select {
		case <-s.queue.ready:
		case <-s.disk.blown:
			return
		}
		for {
			group, more := s.queue.take()
			if !more {
				return
			}
			if len(group) == 0 {
				break
			}
			if !s.writeGroup(group) {
				return
			}
		}
	}
}

// writeGroup takes a group of transactions to their end:
//
//  1. Each is applied, in order, to the state that those before it have left. A broken rule, or
//     nothing to change, is the transaction's answer; it leaves no trace.
//  2. The others form a block, which names the hash of the one before.
//  3. Block, changed state, history and head go into one batch: all of it is written or none.
//  4. The batch is committed with a sync. Until that returns nothing of it may be told to anybody,
//     the answers of step 1 included: they may rest on it.
//  5. Reads see the new state.
//  6. Everybody is answered. Who is told "done" finds it in every later read.
//
// Followers, which wait for step 5, come after that by themselves. A crash before the end of 4
// leaves the ledger as it was or with the whole block, and nobody was told which; a crash after it
// leaves it with the block. It returns false if the disk failed; then nobody was answered.
func (s *Store) writeGroup(group []*submission) bool {
	s.mu.Lock()
	head := s.view.head
	s.mu.Unlock()

	batch := s.db.NewBatch()
	d := newDraft(s.db, batch)
	block := &ledger.Block{Number: head.Height, Previous: head.Hash}
	outcomes := make([]outcome, len(group))
	for i, p := range group {
		writes, err := chaincode.Apply(d, (*statement.Statement).Verify, p.actor, p.tx)
		switch {
		case chaincode.Code(err) != "":
			outcomes[i].err = err
			continue
		case err != nil:
			s.disk.blow("apply a transaction", err)
			return false
		case len(writes) == 0:
			outcomes[i].receipt.Existing = true
			continue
		}
		at := ledger.Position{Block: block.Number, Index: uint32(len(block.Transactions))}
		if err := d.write(at, writes); err != nil {
			s.disk.blow("apply a transaction", err)
			return false
		}
		block.Transactions = append(block.Transactions, ledger.Transaction{Actor: p.actor, Bytes: p.bytes})
		outcomes[i].receipt = ledger.Receipt{Position: at, TxID: txID(at)}
	}

	if len(block.Transactions) > 0 {
		head, err := s.commit(d, block)
		if err != nil {
			s.disk.blow("commit a block", err)
			return false
		}
		s.publish(&view{snapshot: s.db.NewSnapshot(), head: head})
	} else {
		_ = batch.Close() // it is empty
	}
	for i, p := range group {
		p.done <- outcomes[i]
	}
	return true
}

// commit is steps 3 and 4 for the block that a draft belongs to. It consumes the draft's batch.
func (s *Store) commit(d *draft, block *ledger.Block) (ledger.Head, error) {
	encoded, err := formatBlock(block)
	if err != nil {
		return ledger.Head{}, err
	}
	head := ledger.Head{Height: block.Number + 1, Hash: blockHash(encoded)}
	if err := d.finish(); err != nil {
		return head, err
	}
	if err := d.batch.Set(blockKey(block.Number), encoded, nil); err != nil {
		return head, err
	}
	if err := d.batch.Set([]byte(headKey), formatHead(head), nil); err != nil {
		return head, err
	}
	if err := s.sync(d.batch); err != nil {
		return head, err
	}
	return head, d.batch.Close()
}

// sync commits a batch. Pebble does not always say when that fails: the fuse of the disk does.
func (s *Store) sync(batch *pebble.Batch) error {
	if err := s.db.Apply(batch, pebble.Sync); err != nil {
		return err
	}
	if reason := s.disk.failure(); reason != nil {
		return reason
	}
	return nil
}
