package attach

import (
	"errors"
	"fmt"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeNoCredential = "credential-malformed" // what is to be attached is no credential
	CodeUnrecognised = "file-unrecognised"    // neither PDF nor OFD
	CodeTooLarge     = "file-too-large"       // more than MaxFile, before or after
	CodeDamaged      = "file-malformed"       // damaged, or against its standard; nothing is repaired
	CodeTooComplex   = "file-too-complex"     // takes more to read than any licence does
	CodeEncrypted    = "file-encrypted"       // protected by a password
	CodeSigned       = "file-signed"          // a signature covers what would have to change
	CodeArchival     = "file-archival"        // a PDF/A of a kind that may not have attachments
	CodeOther        = "file-has-credential"  // another one is attached
)

// An Error is why a credential was not attached. It never holds anything out of the file or the credential.
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

func errTooLarge() error {
	return errorf(CodeTooLarge, "the file is too large: with its credential it may have %d MiB; hand the credential out beside it", MaxFile>>20)
}

func errDamaged(format Format) error {
	return errorf(CodeDamaged, "the file is damaged, or breaks the standard of %s: save it again with the program that made it", format.name())
}

func errTooComplex(format Format) error {
	return errorf(CodeTooComplex, "the %s takes too much work to read: save it again, or hand the credential out beside it", format.name())
}

func errEncrypted(format Format) error {
	return errorf(CodeEncrypted, "the %s is protected by a password: give it without one, or hand the credential out beside it", format.name())
}

func errSigned(format Format) error {
	return errorf(CodeSigned, "the %s is signed, and attaching would break the signature: attach the credential first and sign after, or hand the credential out beside it", format.name())
}

func (f Format) name() string {
	if f == FormatOFD {
		return "OFD"
	}
	return "PDF"
}
