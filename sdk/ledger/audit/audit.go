// Package audit is what the audits of all ledgers share: the report with its findings, the rules run
// again over every transaction in order, every signature checked by two independent crypto libraries,
// and a place on disk for what has to be remembered meanwhile.
//
// How blocks are read, what makes one follow another and what else a ledger keeps is different for
// each ledger: its package walks through the blocks and calls a Replay.
//
// The package never repairs anything, and takes nothing for true because it is stored.
package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Options says how to audit.
type Options struct {
	// Expect is a head of this ledger that somebody kept: the past up to there must still be the
	// same. Without one, a chain that was rewritten from its beginning by whoever holds the keys
	// behind it, or cut at its end, cannot be told from the true one. nil: none is known.
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
	Signatures   uint64 // of statements, each checked with both crypto libraries
	Keys         uint64 // of the state and its history, each compared with what the rules say
	Findings     []Finding
	Incomplete   bool // the audit ended early: after MaxFindings, or at something unreadable
}

// Clean reports whether the audit went to the end and found nothing.
func (r *Report) Clean() bool { return len(r.Findings) == 0 && !r.Incomplete }

// ErrEnough ends an audit that has found enough; Replay's methods return it, and what Run calls
// hands it back.
var ErrEnough = errors.New("enough findings")

// A Replay is one audit on its way. Its methods are for one goroutine.
type Replay struct {
	Context context.Context
	Options Options
	Report  *Report

	// Scratch is empty at first, on disk, without a log, and gone when the audit ends. Memory stays
	// bounded if what grows with the ledger goes there.
	Scratch *pebble.DB

	scratch    *scratch
	signatures *signatures
}

// Run audits: replay walks through a ledger. The error is that of replay, unless it is ErrEnough, or
// a *ledger.Error with CodeScratch.
func Run(ctx context.Context, o Options, replay func(*Replay) error) (*Report, error) {
	if o.MaxFindings <= 0 {
		o.MaxFindings = 100
	}
	s, err := openScratch()
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &Replay{
		Context: ctx, Options: o, Report: new(Report), Scratch: s.db, scratch: s, signatures: newSignatures(o.MaxFindings),
	}
	err = replay(r)
	r.signatures.finish(r.Report)
	if failure := s.failure(); failure != nil {
		err = failure
	}
	switch {
	case errors.Is(err, ErrEnough):
		r.Report.Incomplete = true
	case err != nil:
		return nil, err
	}
	if len(r.Report.Findings) > o.MaxFindings {
		r.Report.Findings, r.Report.Incomplete = r.Report.Findings[:o.MaxFindings], true
	}
	return r.Report, nil
}

// Find notes what is wrong; ErrEnough if that was the last.
func (r *Replay) Find(f Finding) error {
	r.Report.Findings = append(r.Report.Findings, f)
	if len(r.Report.Findings) >= r.Options.MaxFindings {
		return ErrEnough
	}
	return nil
}

// Block audits the block of a number, one of total as far as is known: it compares the hash with the
// one that is expected, calls check, and counts the block.
func (r *Replay) Block(number uint64, hash sm.Hash, total uint64, check func() error) error {
	if err := r.Context.Err(); err != nil {
		return err
	}
	if err := r.scratch.failure(); err != nil {
		return err
	}
	if expect := r.Options.Expect; expect != nil && number+1 == expect.Height && hash != expect.Hash {
		err := r.Find(InBlock(int64(number)).Because(FindingRewritten,
			"the hash is %s, but %s was expected: the past was rewritten", hash, expect.Hash))
		if err != nil {
			return err
		}
	}
	if err := check(); err != nil {
		return err
	}
	r.Report.Blocks = number + 1
	r.Report.Head = ledger.Head{Height: number + 1, Hash: hash}
	if r.Options.Progress != nil {
		r.Options.Progress(number+1, max(number+1, total))
	}
	return nil
}

// End says that there are no more blocks. An expected one that did not come is a finding.
func (r *Replay) End() error {
	expect := r.Options.Expect
	if expect == nil || r.Report.Blocks >= expect.Height {
		return nil
	}
	return r.Find(InBlock(int64(r.Report.Blocks)-1).Because(FindingShortened,
		"the chain ends at %s, before the expected %s: the end was cut off", r.Report.Head, expect))
}

// Apply runs the rules over a transaction, given the state before it, and returns what it writes. A
// rule that it breaks, or that it changes nothing, is a finding; then it writes nothing. Signatures
// are believed here and checked beside, so that a bad one is one finding, and what follows from it
// none. The error is ErrEnough, or that of the state.
func (r *Replay) Apply(state chaincode.State, at ledger.Position, stored *ledger.Transaction) ([]chaincode.Write, error) {
	r.Report.Transactions++
	f := InTransaction(at)
	tx, err := chaincode.ParseTransaction(stored.Bytes)
	if err != nil {
		return nil, r.Find(f.Because(chaincode.Code(err), "%v", err))
	}
	r.Report.Statements += uint64(len(tx.Statements))
	writes, err := chaincode.Apply(state, r.signatures.verifier(at, tx), stored.Actor, tx)
	switch {
	case err != nil && chaincode.Code(err) == "":
		return nil, err
	case err != nil:
		believe := func(*statement.Statement, *sm.PublicKey) bool { return true }
		i := firstFailing(tx, func(part *chaincode.Transaction) bool {
			_, err := chaincode.Apply(state, believe, stored.Actor, part)
			return err != nil
		})
		return nil, r.Find(inStatement(at, tx, i).Because(chaincode.Code(err), "%v", err))
	case len(writes) == 0:
		return nil, r.Find(f.Because(FindingNoEffect, "the transaction changes nothing where it stands"))
	}
	if r.Report.Ledger == (sm.Hash{}) { // the rules let nothing but the genesis be the first
		s, err := statement.Parse(tx.Statements[0])
		if err != nil {
			return nil, fmt.Errorf("read the genesis again: %w", err)
		}
		r.Report.Ledger = sm.Sum(s.Payload)
	}
	return writes, nil
}
