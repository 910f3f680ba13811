package release

import (
	"errors"
	"fmt"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/verifier/accesslog"
)

// Codes of the errors of this package, beside those of packages grant, policy, statement, envelope, issuer and vault;
// they are part of the interface and never change.
const (
	CodeArguments      = "release-arguments" // of a grant or an identification: not of their form
	CodeSignerMissing  = "signer-missing"    // no key that the ledger has as one of the department for consent
	CodePolicyMissing  = "policy-missing"    // no policy was set yet
	CodePolicyOlder    = "policy-older"      // a newer version was set before
	CodePolicyDiffers  = "policy-differs"    // another policy was published under this version
	CodeGrantUnknown   = "grant-unknown"     // the department has no such grant
	CodeGrantMeans     = "grant-means"       // only a grant or a withdrawal that the holder has signed is handed in
	CodeElsewhere      = "request-elsewhere" // the request asks another department
	CodeRequestUnknown = "request-unknown"   // no such request was answered
	CodeForgotten      = "request-forgotten" // it may have been answered, which is not known any more
	CodeSubjectMissing = "subject-missing"   // what the licence is to be found by did not come with the request
	CodeSubjectKey     = "subject-key"       // licences are not found by this field
	CodeContention     = "release-busy"      // others use the grant at the same time, again and again: try again
)

// An Error is what went wrong, with a code to branch on. It holds no value of a licence.
type Error struct {
	Code    string
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

// Code returns the code of an error of this package, or of one that it passes on; "" of any other.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	for _, code := range []func(error) string{grant.Code, envelope.Code, issuer.Code, accesslog.Code, chaincode.Code, ledger.Code} {
		if c := code(err); c != "" {
			return c
		}
	}
	return ""
}

func errorf(code string, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}
