// Package ledger is what an application sees of a ledger, wherever that runs: submit a transaction,
// evaluate a query, follow the blocks.
//
// The rules are those of package chaincode in every implementation. A ledger orders transactions,
// applies each to the state that the ones before it have left, and keeps those that changed
// something in blocks, each of which names the hash of the one before. A transaction that breaks a
// rule, or that says what the ledger already holds, is in no block. Package ledgertest has the
// conformance suite that every implementation passes.
//
// The package never decides what is right (package chaincode does), and holds no key: whoever
// submits has signed before.
package ledger

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/sm"
)

// A Ledger is one organisation's connection to a ledger. It is safe for concurrent use.
type Ledger interface {
	// Submit has a transaction applied, in the name of the connection's organisation, and returns
	// when the effect is durable and visible to every later Evaluate.
	//
	// The error is a *chaincode.Error where a rule is broken; then nothing has changed, and the
	// same bytes will not fare better unless the state changes first. Otherwise it is an *Error:
	// after CodeNotSubmitted nothing was submitted; after CodeOutcomeUnknown, which also is what a
	// cancelled ctx leads to once the transaction was accepted, it may or may not have been
	// applied, and the way to find out is to look for its effect, or to submit the same bytes
	// again: a head that is anchored already gives a Receipt with Existing.
	Submit(ctx context.Context, tx *chaincode.Transaction) (Receipt, error)

	// Evaluate answers a query from the state after some block that is not older than any that the
	// connection has told of, by a Receipt, a Head or in Follow. The answer is JSON; the error a
	// *chaincode.Error (chaincode.CodeQuery, chaincode.CodeNotFound), that of ctx when ctx is done,
	// or an *Error.
	Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error)

	// Follow yields every block from the given number on, in order, each once, and then waits for
	// new ones. It ends with an error: that of ctx when ctx is done, else an *Error. A number
	// beyond the newest block is waited for. Blocks are the caller's to keep, not to change.
	Follow(ctx context.Context, from uint64) iter.Seq2[*Block, error]

	// Head returns the newest block's place in the chain. The error is that of ctx or an *Error.
	Head(ctx context.Context) (Head, error)

	// Close ends the connection, not the ledger. Followers end with CodeClosed; so does every
	// later call. A Submit that is under way may end with its transaction, or as if its ctx were
	// done.
	Close() error
}

// A Position is where a transaction stands in the ledger: transactions are applied in the order of
// their positions.
type Position struct {
	Block uint64 // number of the block; the genesis is in the first block that has a transaction
	Index uint32 // in the block
}

// Compare is negative, zero or positive as p comes before, is, or comes after q.
func (p Position) Compare(q Position) int {
	switch {
	case p.Block < q.Block || p.Block == q.Block && p.Index < q.Index:
		return -1
	case p == q:
		return 0
	}
	return 1
}

// A Receipt says that a transaction is on the ledger for good.
type Receipt struct {
	Position Position // meaningless if Existing
	TxID     string   // names the transaction on this ledger; empty if Existing
	Existing bool     // all of it had happened before: nothing was written
}

// A Transaction is one that was committed: it broke no rule and changed something.
type Transaction struct {
	ID    string
	Index uint32
	Actor string // department id of the organisation that submitted it
	Bytes []byte // of a chaincode.Transaction
}

// A Block is what a ledger commits at once. A ledger may have blocks of its own, without any
// Transactions, and leave indexes out within one.
type Block struct {
	Number       uint64 // from 0, without gaps
	Hash         sm.Hash
	Previous     sm.Hash       // zero in block 0
	Transactions []Transaction // in ascending order of Index
}

// A Head is the end of a chain of blocks. Who keeps one elsewhere can tell later whether the past
// was rewritten or cut.
type Head struct {
	Height uint64  // number of blocks
	Hash   sm.Hash // of the newest one
}

// String returns HEIGHT:HASH, the height in decimal, the hash in 64 lower-case hexadecimal digits.
func (h Head) String() string { return strconv.FormatUint(h.Height, 10) + ":" + h.Hash.String() }

// ParseHead is the inverse of String and accepts nothing else.
func ParseHead(s string) (Head, error) {
	height, hash, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(height, 10, 64)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != height {
		return Head{}, fmt.Errorf("a head is written HEIGHT:HASH, the height as a decimal number of blocks")
	}
	h, err := sm.ParseHash(hash)
	if err != nil {
		return Head{}, fmt.Errorf("a head is written HEIGHT:HASH: %w", err)
	}
	return Head{Height: n, Hash: h}, nil
}
