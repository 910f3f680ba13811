package receipt

import "fmt"

// Codes of the errors of this package, and of reports; they are part of the interface and never change.
const (
	CodeMalformed = "receipt-malformed" // not a receipt file
	CodeTooLarge  = "receipt-too-large" // longer than MaxSize

	CodeOtherLedger         = "ledger-unknown"         // it is of another ledger than the one it is judged by
	CodeEntryDiffers        = "entry-differs"          // the salt does not open the entry for what is said to have been shown
	CodePresentationDiffers = "presentation-differs"   // it is about something else than what is at hand
	CodeLicenceDiffers      = "licence-differs"        // the log names another licence than the one that was shown
	CodeNotIncluded         = "entry-not-in-log"       // the path does not lead from the entry to the checkpoint
	CodeKeyUnknown          = "key-unknown"            // signed with a key that was never enrolled, as far as the ledger is known
	CodeKeyDepartment       = "key-department"         // signed with a key of another department
	CodeKeyPurpose          = "key-purpose"            // signed with a key that is not for logs
	CodeSignature           = "signature-invalid"      // of the checkpoint
	CodeKeyNotYetValid      = "key-not-yet-valid"      // signed before the key begins, by its own word
	CodeKeyExpired          = "key-expired"            // signed after the key ends, by its own word
	CodeCheckpointDiffers   = "checkpoint-differs"     // the ledger has another root at this size: there are two logs
	CodeKeyCompromised      = "key-compromised"        // and the checkpoint is not on the ledger: anybody may have made it
	CodeCheckpointNotThere  = "checkpoint-not-in-view" // the ledger has none at this size, as far as it is known
)

// An Error says why bytes are not a receipt file.
type Error struct {
	Code    string // CodeMalformed or CodeTooLarge
	Message string // never holds a value of the receipt
}

func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
