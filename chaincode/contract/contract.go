// Package contract runs the rules of package chaincode as a chaincode of Hyperledger Fabric: it
// converts arguments, tells who the submitter is, and reads and writes the channel's state. It
// decides nothing itself.
//
// # Functions
//
//	Submit TRANSACTION                       base64 (RFC 4648, section 4, padded) of a transaction's
//	                                         bytes; answers {"existing":false}, or true if all of it
//	                                         had happened before: then nothing is written
//	Query NAME ARGUMENTS                     a query of package chaincode; its arguments as a JSON
//	                                         array of strings; answers its JSON
//	Verify ISSUER ROOT INDEX DIGEST PATH     the query verify
//
// The submitting department is the MSP that the creator of the proposal belongs to: an MSP's id is a
// department's id. What is in the creator's certificate does not matter beyond that.
//
// # Errors
//
// A failed call has status 500 and as message a JSON object
//
//	{"code":"anchor-conflict","message":"another head is anchored under this root; ..."}
//
// which json.Unmarshal reads into a chaincode.Error. The code is one of package chaincode or
// statement, or CodeInternal. A message that is no such object comes from Fabric (a function that
// does not exist, arguments that are too few, an endorsement that failed).
//
// # What a follower of blocks needs
//
// A transaction that changes the state is a call of Submit with exactly one argument, under exactly
// that name, and emits one event: its name is EventPrefix and the kind of its statements, its payload
// {"actor":"<department id>"}. The transaction itself is the argument, in the block. A call that
// writes nothing emits no event. Submit refuses a proposal whose committed transaction could be read
// in two ways; clients that only use Fabric's libraries make none. Writes of this chaincode in any other transaction, of a chaincode
// that called this one, are none that a follower can understand: it has to stop there.
package contract

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/hyperledger/fabric-contract-api-go/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/metadata"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/statement"
)

// Name is the name of the contract within the chaincode.
const Name = "credledger"

// EventPrefix is what the name of every event begins with.
const EventPrefix = "credledger."

// CodeInternal is the code of an error that is no broken rule: the peer failed, or its state is not
// what the rules left there.
const CodeInternal = "internal"

// Contract is the one contract of the chaincode; its methods are the chaincode's functions.
type Contract struct{ contractapi.Contract }

// New returns the chaincode.
func New() (*contractapi.ContractChaincode, error) {
	c := new(Contract)
	c.Name = Name
	c.Info = metadata.InfoMetadata{Title: "CredLedger", Description: "The rules of the ledger of licences", Version: "1"}
	c.UnknownTransaction = c.unknown
	return contractapi.NewChaincode(c)
}

// GetEvaluateTransactions implements contractapi.EvaluationContractInterface.
func (*Contract) GetEvaluateTransactions() []string { return []string{"Query", "Verify"} }

// Submit applies a transaction. It takes its argument from the stub: contractapi would check the
// text against a JSON schema first, which costs as much as the rules for thousands of digests.
func (*Contract) Submit(ctx contractapi.TransactionContextInterface) (string, error) {
	existing, err := submit(ctx.GetStub())
	if err != nil {
		return "", wireError(err)
	}
	return fmt.Sprintf(`{"existing":%t}`, existing), nil
}

// Query answers a query; arguments is a JSON array of strings.
func (*Contract) Query(ctx contractapi.TransactionContextInterface, name, arguments string) (string, error) {
	q := chaincode.Query{Name: name}
	if err := json.Unmarshal([]byte(arguments), &q.Args); err != nil {
		return "", wireError(&chaincode.Error{Code: chaincode.CodeQuery, Message: "the arguments of a query are a JSON array of strings"})
	}
	return evaluate(ctx.GetStub(), q)
}

// Verify answers whether a licence is anchored in a place, and what holds of it.
func (*Contract) Verify(ctx contractapi.TransactionContextInterface, issuer, root, index, digest, path string) (string, error) {
	return evaluate(ctx.GetStub(), chaincode.Query{Name: "verify", Args: []string{issuer, root, index, digest, path}})
}

// unknown answers a call of a function that does not exist.
func (*Contract) unknown() error {
	return wireError(&chaincode.Error{Code: chaincode.CodeQuery, Message: "the functions of this chaincode are Submit, Query and Verify"})
}

func submit(stub shim.ChaincodeStubInterface) (existing bool, err error) {
	// contractapi takes a name in lower case and surplus arguments as well. Those who read
	// transactions from blocks need not know that.
	function, args := stub.GetFunctionAndParameters()
	if function != "Submit" || len(args) != 1 {
		return false, malformed("a transaction is submitted by the function Submit with one argument")
	}
	tx, err := decode(args[0])
	if err != nil {
		return false, err
	}
	actor, err := cid.GetMSPID(stub)
	if err != nil {
		return false, fmt.Errorf("tell the submitter's organisation: %w", err)
	}
	if err := checkProposal(stub); err != nil {
		return false, err
	}
	writes, err := chaincode.Apply(newReader(stub), (*statement.Statement).Verify, actor, tx)
	if err != nil || len(writes) == 0 {
		return true, err
	}
	for _, w := range writes {
		if err := stub.PutState(w.Key, w.Value); err != nil {
			return false, fmt.Errorf("write state %s: %w", w.Key, err)
		}
	}
	return false, emit(stub, actor, tx)
}

// decode reads the argument of Submit: the one base64 text of a transaction's bytes.
func decode(text string) (*chaincode.Transaction, error) {
	if len(text) > base64.StdEncoding.EncodedLen(chaincode.MaxTransaction) {
		return nil, &chaincode.Error{Code: chaincode.CodeTooLarge, Message: fmt.Sprintf("a transaction has at most %d bytes", chaincode.MaxTransaction)}
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, malformed("a transaction is submitted in base64, padded, on one line")
	}
	return chaincode.ParseTransaction(b)
}

func malformed(message string) error {
	return &chaincode.Error{Code: chaincode.CodeMalformed, Message: message}
}

func emit(stub shim.ChaincodeStubInterface, actor string, tx *chaincode.Transaction) error {
	s, err := statement.Parse(tx.Statements[0])
	if err != nil {
		return fmt.Errorf("name the event: %w", err)
	}
	payload, err := json.Marshal(event{actor})
	if err != nil {
		return fmt.Errorf("make the event: %w", err)
	}
	if err := stub.SetEvent(EventPrefix+string(s.Body.Kind()), payload); err != nil {
		return fmt.Errorf("emit the event: %w", err)
	}
	return nil
}

// An event is the payload of the event of a transaction.
type event struct {
	Actor string `json:"actor"`
}

func evaluate(stub shim.ChaincodeStubInterface, q chaincode.Query) (string, error) {
	answer, err := chaincode.Evaluate(newReader(stub), q)
	if err != nil {
		return "", wireError(err)
	}
	return string(answer), nil
}

// wireError gives an error the form in which it leaves the chaincode.
func wireError(err error) error {
	var broken *chaincode.Error
	if !errors.As(err, &broken) {
		broken = &chaincode.Error{Code: CodeInternal, Message: err.Error()}
	}
	b, err := json.Marshal(broken)
	if err != nil {
		return err
	}
	return errors.New(string(b))
}
