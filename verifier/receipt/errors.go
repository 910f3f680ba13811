package receipt

import "fmt"

// Codes of the errors of this package, and of reports; they are part of the interface and never change.
const (
	CodeMalformed = "receipt-malformed" // not a receipt file
	CodeTooLarge  = "receipt-too-large" // longer than MaxSize

	// The file contradicts itself.
	CodeEntryDiffers        = "entry-differs"          // the entry is not the one that the receipt names, or says something else
	CodePresentationDiffers = "presentation-differs"   // it is about something else than what is said to have been shown
	CodeLicenceDiffers      = "licence-differs"        // the log names another licence than the one that was shown
	CodeProofDiffers        = "proof-of-another-log"   // the checkpoint is of another log than the receipt
	CodeNotIncluded         = "entry-not-in-log"       // the path does not lead from the entry to the checkpoint
	CodeOtherLedger         = "ledger-unknown"         // it is of another ledger than the one it is judged by
	CodeCheckpointDiffers   = "checkpoint-differs"     // the ledger has another root at this size: the log was forked
	CodeCheckpointUnsigned  = "checkpoint-not-signed"  // not by a key of this department for its logs
	CodeNoProof             = "no-proof"               // the file has none
	CodeCheckpointNotThere  = "checkpoint-not-in-view" // the ledger has none at this size, as far as it is known
	CodeKeyUnknown          = "key-unknown"            // signed with a key that was never enrolled, as far as the ledger is known
	CodeKeyDepartment       = "key-department"         // signed with a key of another department
	CodeKeyPurpose          = "key-purpose"            // signed with a key that is not for logs
	CodeSignature           = "signature-invalid"
	CodeKeyNotYetValid      = "key-not-yet-valid" // dated before the key begins
	CodeKeyExpired          = "key-expired"       // dated after the key ends
	CodeKeyCompromised      = "key-compromised"   // and the entry is not anchored: anybody may have made it
)

// An Error says why bytes are not a receipt file, or why one does not belong to what it was put to.
type Error struct {
	Code    string // one of the codes above
	Message string // never holds a value of the receipt
}

func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
