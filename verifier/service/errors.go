package service

import "errors"

// Codes of [Error]; they are stable.
const (
	CodeConfig   = "config-malformed" // verifier.yaml, or a file that it names, is not usable
	CodeListen   = "listen-failed"    // an address cannot be listened on
	CodeStart    = "start-failed"     // a part of the service cannot be opened
	CodeKey      = "key-not-for-log"  // the ledger does not have the service's key for this
	CodeEnded    = "part-ended"       // a part of the service ended that must not
	CodeSnapshot = "snapshot-failed"  // the snapshot could not be made or read
)

// Error is an error of this package.
type Error struct {
	Code    string // one of the codes above
	Message string // what was attempted and what to do
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
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
