package vault

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/sqldb"
)

// Codes of the errors of this package, beside those of package sqldb; they are part of the interface and
// never change.
const (
	CodeExists      = "vault-exists"      // a vault is made once
	CodeMissing     = "vault-missing"     // no vault is there: it is never made by the way
	CodeDamaged     = "vault-damaged"     // what was read is not what was written, or in another's place
	CodeUnavailable = "vault-unavailable" // randomness or the ledger could not be read
	CodeKeys        = "vault-keys"        // the master keys could not be used: not there, or not those of this vault
	CodeArgument    = "vault-argument"    // lengths, times or states that cannot be: a mistake of the caller

	CodeUnchecked      = "ledger-unchecked"   // the vault was not compared with the ledger yet: CatchUp
	CodeLedgerOther    = "ledger-other"       // the ledger is shorter than the vault has seen, or another one
	CodeRolledBack     = "vault-rolled-back"  // the database is older than this process has seen it: CatchUp
	CodeContentsLost   = "contents-lost"      // the ledger has licences of the type that the vault has lost
	CodeKeyRetired     = "master-key-retired" // a data key was wrapped under a master key that was retired meanwhile: seal again
	CodeKeyInUse       = "master-key-in-use"  // something is wrapped under the master key
	CodeUnknown        = "not-in-vault"       // no such licence, batch, job, proposal, binding, grant or answer
	CodeNumberTaken    = "number-taken"       // another licence of the type holds the number
	CodeErased         = "licence-erased"     // the licence was erased: what it said is gone for good
	CodeNoContent      = "content-lost"       // the vault was restored from a copy without this licence
	CodeNotAnchored    = "not-anchored"       // the batch is not on the ledger yet
	CodeBatch          = "batch-invalid"      // head, digests and licences do not fit together
	CodeClaimReused    = "idempotency-reused" // the key was used for something else
	CodeSamePerson     = "same-person"        // who proposed something cannot be the second who approves it
	CodeProposalClosed = "proposal-closed"    // it was decided before, or has expired
	CodeJobMoved       = "job-moved"          // somebody else works on the job, and has come further
	CodeJobExists      = "job-exists"         // a job with these arguments was begun before
	CodeAnswered       = "request-answered"   // the vault has an answer to this request
)

// An Error is why the vault did not do what it was asked. It holds no value of a licence.
type Error struct {
	Code    string // one of the codes above
	Message string // what is wrong and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of the outermost *Error in err's chain, of this package or else of package sqldb;
// "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return sqldb.Code(err)
}

func errorf(code string, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// damaged is for what was read and cannot have been written.
func damaged(what string) error {
	return errorf(CodeDamaged, nil, "%s in the vault is not what was written, or was put in another's place; restore a copy", what)
}
