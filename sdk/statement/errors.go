package statement

import "fmt"

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeMalformed = "statement-malformed"  // not the one encoding of a statement
	CodeTooLarge  = "statement-too-large"  // longer than MaxSize
	CodeWrongKind = "statement-wrong-kind" // another kind than the one expected, or none known
	CodeInvalid   = "statement-invalid"    // well-formed, but a value is out of its bounds
)

// An Error says why bytes are not a statement.
type Error struct {
	Code    string // one of the codes above
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
