package grant

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/statement"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeEvidenceMalformed = "evidence-malformed" // not the one encoding of an evidence file
	CodeEvidenceTooLarge  = "evidence-too-large" // longer than MaxEvidence

	CodeOtherLedger    = "other-ledger"      // a statement for another ledger
	CodeKeyUnknown     = "key-unknown"       // signed with a key that was never enrolled, as far as the ledger is known
	CodeKeyDepartment  = "key-department"    // signed with a key of another department
	CodeKeyPurpose     = "key-purpose"       // signed with a key that is not for this
	CodeSignature      = "signature-invalid" //
	CodeKeyCompromised = "key-compromised"   // signed with a key that was declared compromised
	CodeKeyRetired     = "key-retired"       // something new is signed with a retired key
	CodeKeyNotYetValid = "key-not-yet-valid" // signed before the key begins, by its own word
	CodeKeyExpired     = "key-expired"       // signed after the key ends, by its own word

	CodeBindingMissing     = "binding-missing"       // the holder signed, and nothing says whose key that is
	CodeBindingDiffers     = "binding-differs"       // another binding than the one named, or of another licence
	CodeBindingNotYetValid = "binding-not-yet-valid" // signed before the binding begins
	CodeBindingExpired     = "binding-expired"       // signed, or handed in, after the binding ends
	CodeBindingWithdrawn   = "binding-withdrawn"     // handed in after the binding was withdrawn

	CodeGrantMissing = "grant-missing"       // a request or an answer names a grant that is not there
	CodeGrantDiffers = "grant-differs"       // another grant than the one named
	CodeOtherIssuer  = "grant-other-issuer"  // for a licence of another issuer
	CodeOtherAgency  = "grant-other-agency"  // for another agency
	CodeOtherLicence = "grant-other-licence" // for another licence, or type
	CodeOtherMatter  = "grant-other-matter"  // for another matter
	CodeNotGiven     = "grant-not-given"     // the ledger does not have it
	CodeWithdrawn    = "grant-withdrawn"     // final
	CodeNotYetValid  = "grant-not-yet-valid" // before not-before
	CodeExpired      = "grant-expired"       // after not-after
	CodeUsedUp       = "grant-used-up"       // as many times as it allows
	CodeBeyond       = "grant-fields"        // fields that it is not about

	CodeSubjectMalformed = "subject-malformed" // not the one encoding of what a licence is to be found by
	CodeSubjectDiffers   = "subject-differs"   // not what the request has a commitment to

	CodeRequestNotYetValid = "request-not-yet-valid" // signed in the future
	CodeRequestExpired     = "request-expired"       // after not-after
	CodeAnswerDiffers      = "answer-differs"        // to another request, or not by the department that was asked
	CodeAnswerFields       = "answer-fields"         // other fields released than those asked for
	CodePresentation       = "presentation-differs"  // not the one that was released, or not what was asked for
)

// An Error says why something is refused. It holds no value of a licence.
type Error struct {
	Code    string // one of the codes above
	Message string // what is wrong, and what to do
}

func (e *Error) Error() string { return e.Message }

// Code returns the code of an error of this package or of package statement, "" of any other.
func Code(err error) string {
	var e *Error
	var s *statement.Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &s):
		return s.Code
	}
	return ""
}

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
