package ledger

import "errors"

// Codes of the errors that every ledger can give, beside those of broken rules. Implementations
// add their own. They are part of the interface and never change.
const (
	CodeNotSubmitted   = "not-submitted"   // nothing was submitted; it can be tried again
	CodeOutcomeUnknown = "outcome-unknown" // the transaction may or may not have been applied
	CodeClosed         = "ledger-closed"   // the connection, or the ledger, was closed
)

// An Error is what went wrong with a ledger, rather than with a transaction.
type Error struct {
	Code    string // one of the codes above, or of the implementation
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

// Code returns the code of the outermost *Error in err's chain, "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
