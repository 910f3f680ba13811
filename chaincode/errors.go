package chaincode

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/statement"
)

// Codes of broken rules; they are part of the interface and never change. A statement that does not
// parse keeps the code of package statement.
const (
	CodeMalformed           = "transaction-malformed"
	CodeTooLarge            = "transaction-too-large"
	CodeTooMany             = "too-many-changes"
	CodeOtherLedger         = "other-ledger"          // statement for another ledger
	CodeLedgerExists        = "ledger-exists"         // second genesis
	CodeNoLedger            = "no-ledger"             // no genesis yet
	CodeWrongOrganisation   = "wrong-organisation"    // submitted by, or signed for, another department than the one it concerns
	CodeNotAuthority        = "not-authority"         // only the authority may do this
	CodeDepartmentUnknown   = "department-unknown"    //
	CodeDepartmentSuspended = "department-suspended"  //
	CodeUnitUnknown         = "unit-unknown"          // not a unit of the issuer
	CodeKeyUnknown          = "key-unknown"           //
	CodeKeyExists           = "key-exists"            // enrolled before
	CodeKeyPurpose          = "key-purpose"           // key not for this purpose
	CodeKeyNotYetValid      = "key-not-yet-valid"     // signed-at before the key's not-before
	CodeKeyExpired          = "key-expired"           // signed-at after the key's not-after
	CodeKeyRetired          = "key-retired"           //
	CodeKeyCompromised      = "key-compromised"       //
	CodeSignature           = "signature-invalid"     //
	CodeSigners             = "signers"               // not the keys that must sign this
	CodeApprovals           = "approvals-missing"     // fewer signers than the type asks for
	CodeSequence            = "sequence-conflict"     // not the next one: raced, repeated or replayed
	CodePrevious            = "previous-mismatch"     // does not continue the change before
	CodeTypeUnknown         = "type-unknown"          //
	CodeTypeNotIssued       = "type-not-issued"       // the department may not issue it
	CodeTypeInvalid         = "type-invalid"          // the definition is not one
	CodeRootMismatch        = "root-mismatch"         // digests do not give root and size
	CodeAnchorConflict      = "anchor-conflict"       // another head is anchored under this root
	CodeAnchorUnknown       = "anchor-unknown"        //
	CodeAnchorDisowned      = "anchor-disowned"       // the issuer disowned it after a key was compromised
	CodeNotInAnchor         = "licence-not-in-anchor" // digest, index and path do not lead to the root
	CodeStatusFrom          = "status-from"           // the licence is in another state
	CodeTransition          = "transition-not-allowed"
	CodeSuccessor           = "successor-invalid"       // missing, not anchored, of another type, or out of place
	CodeRestriction         = "restriction-not-allowed" // the type has none
	CodeRestrictionState    = "restriction-state"       // laid twice, lifted though not laid, or too many
	CodeCheckpointConflict  = "checkpoint-conflict"     // another root for this size
	CodeCheckpointOld       = "checkpoint-not-later"    //
	CodeConsentWithdrawn    = "consent-withdrawn"       // a withdrawal is final
	CodeHeartbeatOld        = "heartbeat-not-later"     //
	CodeOffLedger           = "not-for-the-ledger"      // a kind of statement that is kept elsewhere
	CodeQuery               = "query-malformed"         // unknown query, or arguments that are not of its form
	CodeNotFound            = "not-found"               // a query for what is not there
)

// An Error is a broken rule.
type Error struct {
	Code    string `json:"code"` // one of the codes above, or of package statement
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Code returns the code of a broken rule, "" if err is something else.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// asError gives an error of package statement the type of this package.
func asError(err error) error {
	var e *statement.Error
	if errors.As(err, &e) {
		return &Error{Code: e.Code, Message: e.Message}
	}
	return err
}
