package server

import "errors"

// Codes of the errors of a server; they are part of the interface and never change.
const (
	CodeUsage        = "usage"           // flags, or the form of what they say
	CodeCertificate  = "tls-certificate" // unreadable, none, out of its time, or one that no peer accepts
	CodeKey          = "tls-key"         // unreadable, none, or not the certificate's
	CodeKeyExposed   = "tls-key-exposed" // accessible to all users
	CodeClientCA     = "client-ca"       // unreadable, no authority's, or out of its time
	CodeAddressInUse = "address-in-use"
	CodeListen       = "listen-failed"
	CodeChaincode    = "chaincode-failed" // the chaincode could not be made
	CodeServe        = "serve-failed"     // it had begun to serve
)

// An Error is why a server does not start, or why it ended.
type Error struct {
	Code    string
	Message string // what was attempted and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string { return e.Code + ": " + e.text() }

func (e *Error) text() string {
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
