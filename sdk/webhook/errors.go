package webhook

import (
	"errors"
	"fmt"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeMalformed = "webhook-malformed" // it is no message
	CodeSignature = "webhook-signature" // it is by somebody else, or was changed
	CodeTime      = "webhook-time"      // it was not sent just now
	CodeReplayed  = "webhook-replayed"  // it has come before
	CodeSecret    = "webhook-secret"    // a file holds no secrets
)

// An Error is why a message was not accepted. It holds nothing of the message.
type Error struct {
	Code    string // one of the codes above
	Message string // what is wrong and what to do
}

func (e *Error) Error() string { return e.Message }

// Code returns the code of the outermost *Error in err's chain, "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
