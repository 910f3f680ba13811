package request

import (
	"errors"
	"fmt"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeAgency       = "request-agency"       // the department has no key here to sign requests with, or the ledger does not have it in force
	CodeIssuer       = "request-issuer"       // it is not known here where that department is asked
	CodeType         = "type-unknown"         // the ledger has no such licence type
	CodeInvalid      = "request-invalid"      // it is not a request: the message says why
	CodeIssuerKey    = "request-issuer-key"   // the issuer has no key in force to which what the licence is found by could be sealed
	CodeNoEvidence   = "evidence-none"        // there is no answer: of silence there is no evidence
	CodeNotRecorded  = "request-not-recorded" // the access log cannot be written, so nothing is given out
	CodeUnreachable  = "issuer-unreachable"   // problem of an attempt: no connection, or no answer in time
	CodeNotAnAnswer  = "answer-malformed"     // problem of an attempt: what came is no answer
	CodeIssuerFailed = "issuer-failed"        // problem of an attempt: a status without a code
)

// An Error is why something was not done. It holds no value of a licence.
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

// Code returns the code of the *Error in err's chain, "" if there is none.
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
