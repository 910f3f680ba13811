package store

import (
	"errors"
	"fmt"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeChallengeUnknown = "challenge-unknown"  // the nonce is not one of this verifier's, or was given to another audience
	CodeChallengeUsed    = "challenge-used"     // the challenge was answered before
	CodeChallengeExpired = "challenge-expired"  // it was answered too late
	CodeReferenceUnknown = "reference-unknown"  // no such token, or one that expired long ago
	CodeReferenceUsed    = "reference-used"     // the token was used before
	CodeReferenceExpired = "reference-expired"  // it was used too late
	CodeReferencesFull   = "references-full"    // too many references wait to be used; some expire within a minute
	CodeSessionUnknown   = "session-unknown"    // nobody is, or no longer is, signed in with this token
	CodeSessionExpired   = "session-expired"    // the session has come to its end
	CodeRequestUnknown   = "request-unknown"    // the agency has made no such request
	CodeArgument         = "store-bad-argument" // a lifetime or a length out of its bounds: a mistake of the caller
	CodeAddress          = "store-bad-address"  // neither a file nor a PostgreSQL database can have this address
	CodeUnavailable      = "store-unavailable"  // the database could not be reached, read or written in time
	CodeDamaged          = "store-damaged"      // the file is not a database, or its contents are not what was written
	CodeNewer            = "store-newer"        // written by a later version of this software
)

// An Error is why the store did not do what it was asked. It never holds a nonce, a token or a part
// of a presentation.
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
