package load

import (
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// A Kind is what a transaction of a load does.
type Kind string

// The kinds of transactions.
const (
	Single Kind = "single" // anchors one licence
	Batch  Kind = "batch"  // anchors Options.Batch licences
	Change Kind = "change" // suspends one licence
)

// An Outcome is what the client knows of a transaction.
type Outcome string

// The outcomes.
const (
	Unsettled Outcome = ""         // not known yet
	Written   Outcome = "written"  // acknowledged with a receipt that names its place
	Existing  Outcome = "existing" // acknowledged as one that had happened before that attempt
	Refused   Outcome = "refused"  // broke a rule
)

// An Entry is one transaction of a load, kept from before its first submission.
type Entry struct {
	Kind       Kind
	Department string
	Licences   int
	Sum        sm.Hash                // SM3 of the transaction's bytes
	Tx         *chaincode.Transaction // nil once the outcome is known
	Attempts   []Attempt
	Outcome    Outcome
	Receipt    ledger.Receipt // if Written
	Settled    time.Time      // when the outcome became known

	change sm.Hash   // SM3 of the payload of a Change
	query  [2]string // issuer and digest of the licence that it changes
}

// An Attempt is one submission of a transaction.
type Attempt struct {
	Began, Ended time.Time
	Err          error
	Code         string // of Err: of package chaincode or ledger; "" if there is no Err, or one without a code
}

// acknowledged reports whether the client was told that the transaction is on the ledger.
func (e *Entry) acknowledged() bool { return e.Outcome == Written || e.Outcome == Existing }

// A Record is what a load has submitted and what it was told.
type Record struct {
	Began, Ended time.Time
	Entries      []*Entry // in the order in which they were signed

	acknowledged int
	faults       []mark
}

// A mark is a fault that was made at some time.
type mark struct {
	name string
	at   time.Time
}

// Failures counts the attempts that failed, by the code of their error.
func (r *Record) Failures() map[string]int {
	out := map[string]int{}
	for _, e := range r.Entries {
		for _, a := range e.Attempts {
			if a.Err != nil {
				out[a.Code]++
			}
		}
	}
	return out
}

// codeOf returns the code of an error of a ledger.
func codeOf(err error) string {
	if code := chaincode.Code(err); code != "" {
		return code
	}
	return ledger.Code(err)
}
