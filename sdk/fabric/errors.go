package fabric

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// Codes of the *ledger.Error of this package, beside those of packages ledger and block. They never
// change.
const (
	CodeConfig      = "fabric-config"           // a configuration file is not one
	CodeKeyExposed  = "fabric-key-exposed"      // others may read the private key's file
	CodeIdentity    = "fabric-identity"         // certificate and key do not make an identity, or not at this time
	CodeUnreachable = "network-unreachable"     // no peer answers that knows all that it has to
	CodeDenied      = "organisation-denied"     // the network does not know the organisation, or grants it nothing
	CodeDiffer      = "endorsements-differ"     // the endorsers come to different results: nothing was submitted
	CodeInvalidated = "transaction-invalidated" // the peers found the transaction invalid: it has no effect
	CodeChainBroken = "chain-broken"            // a block does not follow the one before it
)

func fail(code, message string, err error) *ledger.Error {
	return &ledger.Error{Code: code, Message: message, Err: err}
}

func configError(file string, format string, args ...any) *ledger.Error {
	return &ledger.Error{Code: CodeConfig, Message: file + ": " + fmt.Sprintf(format, args...)}
}

func errClosed() *ledger.Error {
	return fail(ledger.CodeClosed, "the connection was closed; open another", nil)
}

func notSubmitted(message string, err error) *ledger.Error {
	return fail(ledger.CodeNotSubmitted, message, err)
}

// errGivenUp is the cause of an end that neither the network nor the caller's ctx has brought about.
var errGivenUp = errors.New("the time for it is over")

// several is what went wrong at the same time, in one line.
type several []error

func (s several) Error() string {
	texts := make([]string, len(s))
	for i, err := range s {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (s several) Unwrap() []error { return s }

// An outcry is an error that says something of the call, rather than of the peer that was asked.
// Peers must agree in it like in a result: one peer that lags, or lies, does not decide.
type outcry struct {
	key string // outcries with one key agree
	err error  // *chaincode.Error, or *ledger.Error with CodeDenied
}

// outcryOf returns what an error of a peer says of the call, nil if it is only about the peer.
func outcryOf(err error) *outcry {
	s, ok := status.FromError(err)
	if !ok {
		return nil
	}
	switch s.Group {
	case status.ChaincodeStatus:
		if broken := brokenRule(s.Message); broken != nil {
			return &outcry{"rule " + broken.Code, broken}
		}
	case status.GRPCTransportStatus:
		// A peer's answer to a creator whom it does not know, or who may not call. There is no code.
		if strings.Contains(s.Message, "access denied") {
			return &outcry{"denied", denied(err)}
		}
	}
	return nil
}

func denied(err error) *ledger.Error {
	return fail(CodeDenied, "the network does not grant this organisation that; check organisation and certificate in the "+
		"client configuration, and that the organisation was added to the network", err)
}

// Limits of the message of a chaincode's error.
const maxRuleMessage = 4 << 10

var ruleCode = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// codeInternal is the code that package contract gives an error which is no broken rule.
const codeInternal = "internal"

// brokenRule reads the message of a chaincode's error as package contract writes it, nil if it is
// another.
func brokenRule(message string) *chaincode.Error {
	var e chaincode.Error
	if len(message) > maxRuleMessage || json.Unmarshal([]byte(message), &e) != nil {
		return nil
	}
	if len(e.Code) > 64 || !ruleCode.MatchString(e.Code) || e.Code == codeInternal {
		return nil
	}
	return &e
}

// reason gives an error of fabric-sdk-go, whose texts repeat themselves, in one line.
func reason(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if s, ok := status.FromError(err); ok && s.Message != "" {
		return errors.New(strings.ToValidUTF8(s.Message, "?"))
	}
	return err
}
