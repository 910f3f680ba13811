package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// AuditOptions says how to audit.
type AuditOptions struct {
	// Expect is a head of this ledger that somebody kept: the past up to there must still be the
	// same. Without one, a chain that was rewritten from its beginning by whoever holds the keys of
	// the departments, or cut at its end, cannot be told from the true one. nil: none is known.
	Expect *ledger.Head

	// MaxFindings ends the audit after so many; 0 means 100.
	MaxFindings int

	// Progress, if not nil, is told of every block that was replayed, and of how many there are.
	Progress func(done, total uint64)
}

// A Report is what an audit found.
type Report struct {
	Ledger       sm.Hash // its id, from the genesis
	Head         ledger.Head
	Blocks       uint64
	Transactions uint64
	Statements   uint64
	Signatures   uint64 // each checked with both crypto libraries
	Keys         uint64 // of the state and its history, each compared
	Findings     []Finding
	Incomplete   bool // the audit ended early: after MaxFindings, or at something unreadable
}

// Clean reports whether the audit went to the end and found nothing.
func (r *Report) Clean() bool { return len(r.Findings) == 0 && !r.Incomplete }

// An auditor is one audit on its way.
type auditor struct {
	ctx        context.Context
	options    AuditOptions
	stored     pebble.Reader
	replayed   *pebble.DB
	signatures *signatures
	report     *Report
	total      uint64  // blocks, as far as is known
	last       sm.Hash // of the newest block replayed
}

// errEnough ends an audit that has found enough.
var errEnough = errors.New("enough findings")

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
func Audit(ctx context.Context, dir string, options AuditOptions) (*Report, error) {
	h, err := homeIn(dir)
	if err != nil {
		return nil, err
	}
	return h.audit(ctx, options)
}

func (h *home) audit(ctx context.Context, options AuditOptions) (*Report, error) {
	disk := newDisk(h.fs)
	db, err := h.openExisting(disk, func(o *pebble.Options) { o.ReadOnly = true })
	if err != nil {
		return nil, err
	}
	defer disk.unlock()
	defer closeDB(db)
	return audit(ctx, db, options)
}

// Audit is the function Audit for an open Store, as it stands now. The Store goes on working
// meanwhile, but its Close waits for the audit: cancel ctx first.
func (s *Store) Audit(ctx context.Context, options AuditOptions) (*Report, error) {
	v, _, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release(v)
	return audit(ctx, v.snapshot, options)
}

func audit(ctx context.Context, stored pebble.Reader, options AuditOptions) (*Report, error) {
	if options.MaxFindings <= 0 {
		options.MaxFindings = 100
	}
	temp, err := os.MkdirTemp("", "credledger-audit-")
	if err != nil {
		return nil, storageError("make a temporary directory", err)
	}
	defer os.RemoveAll(temp)
	h := &home{fs: vfs.Default, dir: temp, memTableSize: memTableSize}
	replayed, err := h.openDB(newDisk(h.fs), func(o *pebble.Options) { o.DisableWAL = true })
	if err != nil {
		return nil, err
	}
	defer closeDB(replayed)

	a := &auditor{
		ctx: ctx, options: options, stored: stored, replayed: replayed,
		signatures: newSignatures(options.MaxFindings), report: new(Report),
	}
	err = a.run()
	a.signatures.finish(a.report)
	switch {
	case errors.Is(err, errEnough):
		a.report.Incomplete = true
	case err != nil:
		return nil, err
	}
	if len(a.report.Findings) > options.MaxFindings {
		a.report.Findings, a.report.Incomplete = a.report.Findings[:options.MaxFindings], true
	}
	return a.report, nil
}

// find notes what is wrong; errEnough if that was the last.
func (a *auditor) find(f Finding) error {
	a.report.Findings = append(a.report.Findings, f)
	if len(a.report.Findings) >= a.options.MaxFindings {
		return errEnough
	}
	return nil
}

// unreadable turns damage into a finding, after which the audit cannot go on with what it was
// reading; any other error stands.
func (a *auditor) unreadable(f Finding, err error) error {
	if ledger.Code(err) != CodeCorrupt {
		return err
	}
	f.Code, f.Message = CodeCorrupt, err.Error()
	a.report.Incomplete = true
	return a.find(f)
}

func (a *auditor) run() error {
	head, headErr := readHead(a.stored)
	if headErr != nil {
		if err := a.unreadable(nowhere(), headErr); err != nil {
			return err
		}
	}
	a.total = head.Height
	if err := a.replay(); err != nil {
		return err
	}
	a.report.Head = ledger.Head{Height: a.report.Blocks, Hash: a.last}
	if a.report.Incomplete {
		return nil // what comes of a part of the blocks is no measure for the rest
	}
	if headErr == nil && head != a.report.Head {
		f := inBlock(int64(a.report.Blocks) - 1)
		f.Code = FindingHead
		f.Message = fmt.Sprintf("the chain ends at %s, but the head stored with it is %s", a.report.Head, head)
		if err := a.find(f); err != nil {
			return err
		}
	}
	if expect := a.options.Expect; expect != nil && a.report.Blocks < expect.Height {
		f := inBlock(int64(a.report.Blocks) - 1)
		f.Code = FindingShortened
		f.Message = fmt.Sprintf("the chain ends at %s, before the expected %s: the end was cut off", a.report.Head, expect)
		if err := a.find(f); err != nil {
			return err
		}
	}
	return a.compare()
}

// replay applies every block, in order.
func (a *auditor) replay() error {
	next := uint64(0)
	err := scan(a.stored, []byte(blockSpace), after([]byte(blockSpace)), func(key, encoded []byte) (bool, error) {
		if err := a.ctx.Err(); err != nil {
			return false, err
		}
		if len(key) != len(blockSpace)+8 {
			return true, a.differs(key, nil, "is stored, but does not belong there")
		}
		number := binary.BigEndian.Uint64(key[len(blockSpace):])
		if number != next {
			f := inBlock(int64(next))
			f.Code, f.Message = FindingMissing, "the block is missing"
			if err := a.find(f); err != nil {
				return false, err
			}
		}
		if err := a.block(number, bytes.Clone(encoded)); err != nil {
			return false, err
		}
		next = number + 1
		a.report.Blocks = next
		if a.options.Progress != nil {
			a.options.Progress(next, max(next, a.total))
		}
		return true, nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return a.unreadable(inBlock(int64(next)), err)
	}
	return err
}

// block checks one block and applies it.
func (a *auditor) block(number uint64, encoded []byte) error {
	hash, before := blockHash(encoded), a.last
	a.last = hash
	if expect := a.options.Expect; expect != nil && number+1 == expect.Height && hash != expect.Hash {
		f := inBlock(int64(number))
		f.Code, f.Message = FindingRewritten, fmt.Sprintf("the hash is %s, but %s was expected: the past was rewritten", hash, expect.Hash)
		if err := a.find(f); err != nil {
			return err
		}
	}
	block, err := parseBlock(encoded)
	if err != nil {
		f := inBlock(int64(number))
		f.Code, f.Message = CodeCorrupt, err.Error()
		return a.find(f)
	}
	if block.Number != number {
		f := inBlock(int64(number))
		f.Code, f.Message = FindingNumber, fmt.Sprintf("the block says that its number is %d", block.Number)
		if err := a.find(f); err != nil {
			return err
		}
	}
	if block.Previous != before {
		f := inBlock(max(int64(number)-1, 0))
		f.Code = FindingChain
		f.Message = fmt.Sprintf("block %d names %s as the hash of this block, which is %s: one of the two was changed", number, block.Previous, before)
		if err := a.find(f); err != nil {
			return err
		}
	}
	if number == 0 && len(block.Transactions) != 1 {
		f := inBlock(0)
		f.Code, f.Message = FindingGenesis, "block 0 holds more than the genesis"
		if err := a.find(f); err != nil {
			return err
		}
	}
	batch := a.replayed.NewBatch()
	d := newDraft(a.replayed, batch)
	for i := range block.Transactions {
		if err := a.transaction(d, ledger.Position{Block: number, Index: uint32(i)}, &block.Transactions[i]); err != nil {
			return err
		}
	}
	if err := d.finish(); err != nil {
		return storageError("replay a block", err)
	}
	if err := a.replayed.Apply(batch, pebble.NoSync); err != nil {
		return storageError("replay a block", err)
	}
	if err := batch.Close(); err != nil {
		return storageError("replay a block", err)
	}
	return nil
}

// transaction applies one transaction to a draft. Signatures are believed here and checked beside,
// so that a bad one is one finding, and what follows from it none.
func (a *auditor) transaction(d *draft, at ledger.Position, stored *ledger.Transaction) error {
	a.report.Transactions++
	f := inTransaction(at)
	tx, err := chaincode.ParseTransaction(stored.Bytes)
	if err != nil {
		f.Code, f.Message = chaincode.Code(err), err.Error()
		return a.find(f)
	}
	a.report.Statements += uint64(len(tx.Statements))
	writes, err := chaincode.Apply(d, a.signatures.verifier(at, tx), stored.Actor, tx)
	switch {
	case err != nil && chaincode.Code(err) == "":
		return err
	case err != nil:
		believe := func(*statement.Statement, *sm.PublicKey) bool { return true }
		i := firstFailing(tx, func(part *chaincode.Transaction) bool {
			_, err := chaincode.Apply(d, believe, stored.Actor, part)
			return err != nil
		})
		f = inStatement(at, tx, i)
		f.Code, f.Message = chaincode.Code(err), err.Error()
		return a.find(f)
	case len(writes) == 0:
		f.Code, f.Message = FindingNoEffect, "the transaction changes nothing where it stands"
		return a.find(f)
	}
	if block := at.Block; block == 0 && a.report.Ledger == (sm.Hash{}) {
		if err := a.begin(tx); err != nil {
			return err
		}
	}
	return d.write(at, writes)
}

// begin notes the id of the ledger.
func (a *auditor) begin(tx *chaincode.Transaction) error {
	s, err := statement.Parse(tx.Statements[0])
	if err == nil {
		a.report.Ledger = sm.Sum(s.Payload)
	}
	return err
}
