package intake

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/qr"
)

// Codes of the errors of this package; they are part of the interface and never change. What a code or
// a picture was refused for keeps the code of package credential or qr.
const (
	CodeArgument           = "intake-bad-input"        // nothing was given, or more than one thing
	CodeTooLarge           = "input-too-large"         // more bytes than are accepted
	CodeUnrecognised       = "input-unrecognised"      // nothing that holds a credential
	CodeSeveralCredentials = "several-credentials"     // where one was to be given
	CodeTooMany            = "too-many-credentials"    // more than MaxItems
	CodeDamagedBundle      = "bundle-malformed"        // a bundle that goes wrong after its first credential
	CodeDamagedFile        = "file-malformed"          // a PDF or OFD that is damaged or breaks its standard
	CodeEncryptedFile      = "file-encrypted"          // a PDF or OFD that is protected by a password
	CodeBomb               = "file-too-complex"        // a file that takes more to read than any licence does
	CodeNoCredential       = "no-credential-in-file"   // a PDF or OFD without a credential attached
	CodeNotOfLicence       = "file-not-of-licence"     // the file is not one that the licence was issued with
	CodeNotDisclosed       = "documents-not-disclosed" // the presentation does not say which files the licence has
	CodeBusy               = "intake-busy"             // other pictures and files are being read
)

// An Error is why something could not be read. It never holds anything out of it.
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

// Code returns the code of an error of this package, or of package credential or qr; "" of any other.
func Code(err error) string {
	var e *Error
	var c *credential.Error
	var q *qr.Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &c):
		return c.Code
	case errors.As(err, &q):
		return q.Code
	}
	return ""
}

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
