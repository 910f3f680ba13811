package audit

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/statement"
)

// Codes of findings on every ledger, beside the codes of package chaincode for broken rules. A
// ledger's package adds its own. They never change.
const (
	FindingMissing   = "block-missing"
	FindingNumber    = "block-number"       // the block bears another number
	FindingChain     = "chain-broken"       // the next block names another hash
	FindingNoEffect  = "no-effect"          // a transaction that does not belong into a block
	FindingDisputed  = "signature-disputed" // the two crypto libraries disagree
	FindingRewritten = "past-rewritten"     // not the block that was expected
	FindingShortened = "past-shortened"     // fewer blocks than were expected
)

// A Finding is one thing that is wrong with a ledger.
type Finding struct {
	Block       int64          // number; -1 if it is in none
	Transaction int            // index in the block; -1 if it is the block as a whole
	Statement   int            // index in the transaction; -1 if it is the transaction as a whole
	Kind        statement.Kind // of the statement; "" if none, or not to be seen
	StateKey    string         // the key of the state; "" if it is not about the state
	Code        string
	Message     string
}

// Nowhere returns a finding, still without its code, that is in no block.
func Nowhere() Finding { return Finding{Block: -1, Transaction: -1, Statement: -1} }

// InBlock returns a finding, still without its code, in a block as a whole.
func InBlock(number int64) Finding {
	f := Nowhere()
	f.Block = number
	return f
}

// InTransaction returns a finding, still without its code, in a transaction as a whole.
func InTransaction(p ledger.Position) Finding {
	f := InBlock(int64(p.Block))
	f.Transaction = int(p.Index)
	return f
}

func inStatement(p ledger.Position, tx *chaincode.Transaction, i int) Finding {
	f := InTransaction(p)
	if i < len(tx.Statements) {
		f.Statement, f.Kind = i, kindOf(tx.Statements[i])
	}
	return f
}

// Because returns the finding with its code and message.
func (f Finding) Because(code, format string, args ...any) Finding {
	f.Code, f.Message = code, fmt.Sprintf(format, args...)
	return f
}

// String says where and what, in one line.
func (f Finding) String() string {
	var b strings.Builder
	if f.Block < 0 {
		b.WriteString("ledger")
	} else {
		fmt.Fprintf(&b, "block %d", f.Block)
	}
	if f.Transaction >= 0 {
		fmt.Fprintf(&b, ", transaction %d-%d", f.Block, f.Transaction)
	}
	if f.Statement >= 0 {
		fmt.Fprintf(&b, ", statement %d", f.Statement)
	}
	if f.Kind != "" {
		fmt.Fprintf(&b, " (%s)", f.Kind)
	}
	if f.StateKey != "" {
		fmt.Fprintf(&b, ", state %s", f.StateKey)
	}
	fmt.Fprintf(&b, ": %s: %s", f.Code, strings.TrimPrefix(f.Message, f.Code+": "))
	return b.String()
}

// kindOf returns the kind of a statement, as far as it can be seen, even if the rest is damaged.
func kindOf(signed []byte) statement.Kind {
	if s, err := statement.Parse(signed); err == nil {
		return s.Body.Kind()
	}
	_, rest, ok := bytes.Cut(signed, []byte("application/vnd.credledger."))
	kind, _, end := bytes.Cut(rest, []byte("+cbor"))
	if !ok || !end || len(kind) > 16 {
		return ""
	}
	return statement.Kind(kind)
}

// firstFailing returns the index of the first statement of a transaction that fails, given what
// tells whether a transaction does. Signatures of one statement stay together.
func firstFailing(tx *chaincode.Transaction, fails func(*chaincode.Transaction) bool) int {
	var ends []int // of the groups of one payload
	for i := range tx.Statements {
		if i > 0 && samePayload(tx.Statements[i-1], tx.Statements[i]) {
			ends[len(ends)-1] = i + 1
		} else {
			ends = append(ends, i+1)
		}
	}
	n := sort.Search(len(ends), func(n int) bool {
		return fails(&chaincode.Transaction{Statements: tx.Statements[:ends[n]], Digests: tx.Digests})
	})
	if n == 0 || n == len(ends) {
		return 0
	}
	return ends[n-1]
}

func samePayload(a, b []byte) bool {
	x, err := statement.Parse(a)
	if err != nil {
		return false
	}
	y, err := statement.Parse(b)
	return err == nil && bytes.Equal(x.Payload, y.Payload)
}
