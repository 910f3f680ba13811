package access

import "fmt"

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeMalformed = "entry-malformed" // not the one encoding of an entry
	CodeTooLarge  = "entry-too-large" // longer than MaxSize
	CodeInvalid   = "entry-invalid"   // well-formed, but a value is out of its bounds
	CodeRange     = "log-range"       // an index or a size that the tree does not have
)

// An Error says why bytes are not an entry, or what was asked of a tree that it does not have.
type Error struct {
	Code    string // one of the codes above
	Message string // never holds a value of the entry
}

func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
