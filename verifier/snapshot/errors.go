package snapshot

import "fmt"

// Codes of errors; they are part of the interface and never change.
const (
	CodeMalformed    = "snapshot-malformed"    // not a snapshot, or not in its one encoding
	CodeTooLarge     = "snapshot-too-large"    // more than MaxFile or MaxContents bytes
	CodeOtherLedger  = "snapshot-other-ledger" // of another ledger than the reader's
	CodeUntrusted    = "snapshot-untrusted"    // not signed with a key that the reader trusts
	CodeRolledBack   = "snapshot-rolled-back"  // older than what the reader has seen, or asked for
	CodeForked       = "snapshot-forked"       // another block at the height that the reader has seen
	CodeDamaged      = "snapshot-damaged"      // the contents are not those that were signed
	CodeInconsistent = "snapshot-inconsistent" // what was signed contradicts itself or the rules of the ledger
	CodeSigner       = "snapshot-signer"       // of Build: not a key of the authority in force for logs
	CodeCollision    = "snapshot-collision"    // of Build: two licences have one name; at the next block they do not
)

// An Error says why a file is not a snapshot to go by, or why none could be made.
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

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
