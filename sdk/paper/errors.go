package paper

import (
	"errors"
	"fmt"
)

// Codes of the errors of this package. They are part of the interface; texts are not.
const (
	CodeBadSheet    = "bad-sheet"           // a member of the Sheet is missing, or is not what it has to be
	CodeHolderProof = "holder-proof"        // the presentation has a holder part
	CodeTooMuch     = "too-much-for-a-code" // the fields chosen do not fit into one QR symbol
	CodeNoCharacter = "character-missing"   // something has a character that no face of the package draws
)

// An Error says why a sheet cannot be printed. It never holds a value of the licence.
type Error struct {
	Code    string
	Message string
	Fields  []string // keys of the fields concerned, for CodeNoCharacter; empty if it is not in a field
	Err     error    // of another package; nil if there is none
}

func (e *Error) Error() string { return "print a licence: " + e.Message }

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of an error of this package, "" for other errors.
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
