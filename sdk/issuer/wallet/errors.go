package wallet

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

// Codes of the errors of this package; they are part of the interface and never change. Beside them there are those of
// the packages below.
const (
	CodeNotThere  = "not-in-wallet"          // no such thing, or somebody else's
	CodeFresh     = "fresh-sign-in-required" // the person has to prove once more who they are
	CodeBeyond    = "beyond-minimum"         // more than the matter needs, and not confirmed
	CodeEnded     = vault.CodeDelegationEnded
	CodeLimits    = vault.CodeDelegationLimits
	CodeMatter    = "matter-unknown" // no such matter, or it does not need the licence
	CodeField     = "field-unknown"
	CodeAgency    = "agency-unknown"
	CodeHelper    = "helper-invalid"  // not an identity number, or one's own
	CodeOpen      = "objections-open" // those to the licence are to be answered first
	CodeTooMany   = "too-many"
	CodeBusy      = "overloaded" // too much is asked for by all together: again in a moment
	CodeVerifier  = "verifier-unavailable"
	CodeArguments = "wallet-arguments" // numbers or texts that cannot be: a mistake of the caller
)

// An Error is why something was not done. It holds no value of a licence.
type Error struct {
	Code    string
	Message string   // what is wrong and what to do
	Fields  []string // with CodeBeyond, what the matter does not need
	Err     error    // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
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

func errorf(code string, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

func notThere() error {
	return errorf(CodeNotThere, nil, "this person has no such thing")
}
