package issuer

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// Codes of the errors of this package; they are part of the interface and never change. What the
// ledger, the input or a statement was refused for keeps the code of its own package.
const (
	CodeVaultOther = "vault-other"       // of another department or ledger
	CodeContent    = "content-malformed" // the vault keeps of a licence what was not written by this software
	CodeStorage    = "storage"           // a file, or randomness, could not be read or written
	CodeClosed     = "issuer-closed"     // the issuer is being closed

	CodeArguments     = "arguments"      // of a Job, an Application or a change: not of their form
	CodeTypeUnknown   = "type-unknown"   //
	CodeSignerMissing = "signer-missing" // no key for this
	CodeInputChanged  = "input-changed"  // not the input with which the run began
	CodeJobDone       = "job-done"       // the run was finished before
	CodeJobInUse      = "job-in-use"     // another run works on the job, or writes to its output
	CodeUnreconciled  = "unreconciled"   // the records of a job do not add up
	CodeOutputExists  = "output-exists"  // somebody else's file is where the output would go
	CodeOutputDamaged = "output-damaged" // what an interrupted run had written is gone or altered

	CodeOtherIssuer      = "other-issuer"           // the credential is another department's, or for another ledger
	CodeNotAnchored      = "not-anchored"           // the licence is not on the ledger
	CodeTransition       = "transition-not-allowed" // the type does not allow this change
	CodeReason           = "reason-unknown"         // the type has no such reason for this change
	CodeApprovals        = "approvals-missing"      // the change needs two keys
	CodeSuccessor        = "successor-invalid"      // missing, or out of place
	CodeRestriction      = "restriction-unknown"    // the type has no such restriction
	CodeRestrictionState = "restriction-not-open"   // no such restriction lies on the licence
	CodeAmbiguous        = "restriction-ambiguous"  // several of the kind lie on the licence
)

// CodeLicenceActive is why a record is refused whose licence number is in use.
const CodeLicenceActive = "licence-active"

// An Error is what went wrong, with a code to branch on. It holds no value of a licence.
type Error struct {
	Code    string
	Message string // what was attempted and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of the outermost *Error in err's chain, of this package or else of package vault or
// sqldb; "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return vault.Code(err)
}

// A Refusal is what is wrong with a record, which therefore becomes no licence.
type Refusal struct {
	Problems []licence.Problem // at least one
}

// Error names the first problem; it repeats no value of the record.
func (r *Refusal) Error() string {
	first := &r.Problems[0]
	if first.Field == "" {
		return first.Message
	}
	return first.Field + ": " + first.Message
}

// problem is the one thing wrong with a record.
func problem(code, field, format string, args ...any) []licence.Problem {
	return []licence.Problem{{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}}
}

func errorf(code string, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// ledgerError gives an error of the ledger, or of its rules, this package's type with its own code.
func ledgerError(doing string, err error) error {
	code := chaincode.Code(err)
	if code == "" {
		code = ledger.Code(err)
	}
	if code == "" {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &Error{Code: code, Message: doing, Err: err}
}

// statementError gives an error in making a statement this package's type with its own code.
func statementError(doing string, err error) error {
	var s *statement.Error
	var c *credential.Error
	switch {
	case errors.As(err, &s):
		return &Error{Code: s.Code, Message: doing, Err: err}
	case errors.As(err, &c):
		return &Error{Code: c.Code, Message: doing, Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// inputError gives an error in reading an input file this package's type with its own code.
func inputError(path string, err error) error {
	var e *licence.InputError
	if errors.As(err, &e) {
		return &Error{Code: e.Code, Message: path, Err: err}
	}
	return storageError("read the input", err)
}

// storageError is for a file that could not be read or written; the cause names the path.
func storageError(doing string, err error) error {
	return &Error{Code: CodeStorage, Message: doing, Err: err}
}
