package qr

import "fmt"

// Codes of the errors of this package. They are stable.
const (
	CodeTooLong       = "too-long"        // Encode: no symbol of this level holds the text
	CodeBadText       = "bad-text"        // Encode: the text is empty or not UTF-8
	CodeBadLevel      = "bad-level"       // Encode: the level is none of L, M, Q and H
	CodeBadModuleSize = "bad-module-size" // PNG: the module size is out of range
	CodeNotAnImage    = "not-an-image"    // Decode: neither a PNG nor a JPEG, or a damaged one
	CodeImageTooLarge = "image-too-large" // Decode: more bytes or pixels than are accepted
	CodeNoCodeFound   = "no-code-found"   // Decode: no readable QR symbol in the picture
	CodeSeveralCodes  = "several-codes"   // Decode: symbols of different texts in the picture
)

// Error is an error of this package. It never holds any of the text.
type Error struct {
	Code    string // one of the codes above
	Message string // what to do
	Fits    int    // CodeTooLong: the number of characters from the start of the text that the largest symbol holds
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "qr: " + e.Message + ": " + e.Err.Error()
	}
	return "qr: " + e.Message
}

func (e *Error) Unwrap() error { return e.Err }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
