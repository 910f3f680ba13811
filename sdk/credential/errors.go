package credential

import "fmt"

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeMalformed    = "presentation-malformed"    // not the one encoding of a presentation
	CodeTooLarge     = "presentation-too-large"    // longer than MaxSize
	CodeInconsistent = "presentation-inconsistent" // fields, proof, path and dictionary do not fit together
	CodeWrongType    = "type-mismatch"             // opened with another type's dictionary
	CodeNoSuchField  = "no-such-field"             // asked to disclose what the dictionary does not have
	CodeIncomplete   = "credential-incomplete"     // a presentation where the whole credential is needed
	CodeBadCode      = "code-malformed"            // not the text of a self-contained code
)

// An Error says why something is not, or cannot become, a presentation.
type Error struct {
	Code    string // one of the codes above
	Message string
}

func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
