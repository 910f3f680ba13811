package index

import (
	"fmt"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeStorage     = "index-storage"      // the index's directory cannot be read or written
	CodeInUse       = "index-in-use"       // the directory is open in another process, or twice in this one
	CodeDamaged     = "index-damaged"      // the directory does not hold what an index wrote
	CodeOtherLedger = "index-other-ledger" // the index follows another ledger than the one given
	CodeFollowing   = "index-following"    // the index follows a ledger already
	CodeEmpty       = "index-empty"        // the index has not seen the ledger's genesis yet
	CodeClosed      = "index-closed"
)

// An Error is what went wrong with the index, rather than with the ledger.
type Error struct {
	Code    string // one of the codes above
	Message string // what was attempted and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Message + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Codes of discrepancies.
const (
	CodeBlockOrder  = "block-order"       // a block comes out of turn
	CodeChainBroken = "chain-broken"      // a block does not continue the one before
	CodeRewritten   = "history-rewritten" // a block is not the one that was seen before
	CodeTransaction = "transaction-malformed"
	CodeRuleBroken  = "rule-broken" // a transaction breaks a rule of the ledger
)

// A Discrepancy is an alarm: the ledger that the index follows committed what it must not. The index
// stays at the block before and goes no further, so that its verdicts become undetermined as it
// grows old.
type Discrepancy struct {
	Code          string // one of the codes above
	Block         uint64
	Index         uint32 // of the transaction in the block
	TransactionID string // "" if it is about the block
	Err           error  // what was found; a *chaincode.Error for CodeRuleBroken
}

func (d *Discrepancy) Error() string {
	if d.TransactionID == "" {
		return fmt.Sprintf("%s: block %d: %v", d.Code, d.Block, d.Err)
	}
	return fmt.Sprintf("%s: block %d, transaction %d (%s): %v", d.Code, d.Block, d.Index, d.TransactionID, d.Err)
}

func (d *Discrepancy) Unwrap() error { return d.Err }
