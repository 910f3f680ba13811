package envelope

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/sm"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeMalformed    = "envelope-malformed"     // not the one encoding of an envelope
	CodeTooLarge     = "envelope-too-large"     // longer than MaxSize
	CodeOtherKey     = "envelope-other-key"     // sealed to a key that is not among those given
	CodeAltered      = "envelope-altered"       // changed after it was sealed, or made up
	CodeRecipient    = "recipient-missing"      // no key to seal to
	CodeType         = "envelope-type-invalid"  // not a media type
	CodeContents     = "envelope-contents-size" // nothing to seal, or more than MaxContents
	CodeNoRandomness = sm.CodeNoRandomness      // the source of random bytes failed
)

// An Error is why bytes were not sealed, or an envelope not opened. It never holds any of the contents.
type Error struct {
	Code    string // one of the codes above
	Message string // what is wrong and what to do
}

func (e *Error) Error() string { return e.Message }

// Code returns the code of an error of this package, "" of any other.
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

// errAltered is the same for whatever does not agree: which it was is no business of whoever tries.
func errAltered() error {
	return errorf(CodeAltered, "the envelope was changed on its way, or made up: ask for it again")
}
