package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/sm"
)

// Codes of findings of this ledger, beside CodeCorrupt for what cannot be read, those of package
// audit, and those of package chaincode for broken rules. They never change.
const (
	FindingHead    = "head-mismatch"     // the stored head is not that of the chain
	FindingGenesis = "genesis-not-alone" //
	FindingState   = "state-mismatch"    // the stored state is not what the replay comes to
)

// An auditor is one audit on its way. The replayed state lies in the Scratch, under the keys that it
// has in a ledger.
type auditor struct {
	*audit.Replay
	stored pebble.Reader
	total  uint64  // blocks, as far as is known
	last   sm.Hash // of the newest block replayed
}

// Audit replays the ledger in a directory that no process has open: every block, from the first,
// through the rules. It trusts nothing that is stored. It checks that
//
//   - blocks follow each other without gaps, each in the one encoding of a block and naming the hash
//     of the one before, up to the head that was stored with the newest one, and through the one
//     that the caller expects;
//   - block 0 holds the genesis alone, and every other transaction breaks no rule and changes
//     something where it stands;
//   - every signature verifies, by either of two independent crypto libraries;
//   - the stored state and its history are, key by key, what the replay comes to.
//
// What is wrong is a Finding; the error is what kept the audit from being made: a *ledger.Error, or
// that of ctx. Nothing in the directory changes. The replayed state goes to a temporary directory
// (os.TempDir) and takes as much room as the stored one; memory is bounded.
func Audit(ctx context.Context, dir string, options audit.Options) (*audit.Report, error) {
	h, err := homeIn(dir)
	if err != nil {
		return nil, err
	}
	return h.audit(ctx, options)
}

func (h *home) audit(ctx context.Context, options audit.Options) (*audit.Report, error) {
	disk := newDisk(h.fs)
	db, err := h.openExisting(disk, func(o *pebble.Options) { o.ReadOnly = true })
	if err != nil {
		return nil, err
	}
	defer disk.unlock()
	defer closeDB(db)
	return replay(ctx, db, options)
}

// Audit is the function Audit for an open Store, as it stands now. The Store goes on working
// meanwhile, but its Close waits for the audit: cancel ctx first.
func (s *Store) Audit(ctx context.Context, options audit.Options) (*audit.Report, error) {
	v, _, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release(v)
	return replay(ctx, v.snapshot, options)
}

func replay(ctx context.Context, stored pebble.Reader, options audit.Options) (*audit.Report, error) {
	return audit.Run(ctx, options, func(r *audit.Replay) error {
		a := &auditor{Replay: r, stored: stored}
		return a.run()
	})
}

// unreadable turns damage into a finding, after which the audit cannot go on with what it was
// reading; any other error stands.
func (a *auditor) unreadable(f audit.Finding, err error) error {
	if ledger.Code(err) != CodeCorrupt {
		return err
	}
	a.Report.Incomplete = true
	return a.Find(f.Because(CodeCorrupt, "%v", err))
}

func (a *auditor) run() error {
	head, headErr := readHead(a.stored)
	if headErr != nil {
		if err := a.unreadable(audit.Nowhere(), headErr); err != nil {
			return err
		}
	}
	a.total = head.Height
	if err := a.blocks(); err != nil {
		return err
	}
	if a.Report.Incomplete {
		return nil // what comes of a part of the blocks is no measure for the rest
	}
	if headErr == nil && head != a.Report.Head {
		err := a.Find(audit.InBlock(int64(a.Report.Blocks)-1).Because(FindingHead,
			"the chain ends at %s, but the head stored with it is %s", a.Report.Head, head))
		if err != nil {
			return err
		}
	}
	if err := a.End(); err != nil {
		return err
	}
	return a.compare()
}

// blocks audits every block, in order.
func (a *auditor) blocks() error {
	next := uint64(0)
	err := scan(a.stored, []byte(blockSpace), after([]byte(blockSpace)), func(key, encoded []byte) (bool, error) {
		if len(key) != len(blockSpace)+8 {
			return true, a.differs(key, nil, "is stored, but does not belong there")
		}
		number := binary.BigEndian.Uint64(key[len(blockSpace):])
		if number != next {
			if err := a.Find(audit.InBlock(int64(next)).Because(audit.FindingMissing, "the block is missing")); err != nil {
				return false, err
			}
		}
		encoded = bytes.Clone(encoded)
		hash := blockHash(encoded)
		if err := a.Block(number, hash, a.total, func() error { return a.block(number, encoded) }); err != nil {
			return false, err
		}
		next, a.last = number+1, hash
		return true, nil
	})
	if err != nil && !errors.Is(err, audit.ErrEnough) {
		return a.unreadable(audit.InBlock(int64(next)), err)
	}
	return err
}

// block checks one block and applies it.
func (a *auditor) block(number uint64, encoded []byte) error {
	here := audit.InBlock(int64(number))
	block, err := parseBlock(encoded)
	if err != nil {
		return a.Find(here.Because(CodeCorrupt, "%v", err))
	}
	if block.Number != number {
		if err := a.Find(here.Because(audit.FindingNumber, "the block says that its number is %d", block.Number)); err != nil {
			return err
		}
	}
	if block.Previous != a.last {
		err := a.Find(audit.InBlock(max(int64(number)-1, 0)).Because(audit.FindingChain,
			"block %d names %s as the hash of this block, which is %s: one of the two was changed", number, block.Previous, a.last))
		if err != nil {
			return err
		}
	}
	if number == 0 && len(block.Transactions) != 1 {
		if err := a.Find(here.Because(FindingGenesis, "block 0 holds more than the genesis")); err != nil {
			return err
		}
	}
	batch := a.Scratch.NewBatch()
	d := newDraft(a.Scratch, batch)
	for i := range block.Transactions {
		at := ledger.Position{Block: number, Index: uint32(i)}
		writes, err := a.Apply(d, at, &block.Transactions[i])
		if err != nil {
			return err
		}
		if err := d.write(at, writes); err != nil {
			return err
		}
	}
	if err := d.finish(); err != nil {
		return storageError("replay a block", err)
	}
	if err := a.Scratch.Apply(batch, pebble.NoSync); err != nil {
		return storageError("replay a block", err)
	}
	if err := batch.Close(); err != nil {
		return storageError("replay a block", err)
	}
	return nil
}
