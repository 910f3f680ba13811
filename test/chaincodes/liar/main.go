// Command liar is a chaincode without rules that looks like the real one. A transaction may be
// signed by anybody, or wrongly, and come from any organisation: the liar writes what the rules would
// write if the department that may do this had signed and submitted it. It emits the same events,
// gives the same answers, and answers queries as the real one does. It is for tests of who finds out
// when a majority of the peers lies.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/contract"
	"github.com/credledger/credledger/chaincode/server"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func main() { server.Main("liar", newLiar) }

// A liar is the real chaincode but for Submit.
type liar struct {
	shim.Chaincode
	key [64]byte // what it says any signature is by
}

func newLiar() (*liar, error) {
	honest, err := contract.New()
	if err != nil {
		return nil, err
	}
	key, err := sm.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &liar{honest, [64]byte(key.Public().Bytes())}, nil
}

// Invoke implements shim.Chaincode.
func (l *liar) Invoke(stub shim.ChaincodeStubInterface) pb.Response {
	function, args := stub.GetFunctionAndParameters()
	if function != "Submit" || len(args) != 1 {
		return l.Chaincode.Invoke(stub)
	}
	existing, err := l.submit(stub, args[0])
	if err != nil {
		var broken *chaincode.Error
		if !errors.As(err, &broken) {
			broken = &chaincode.Error{Code: contract.CodeInternal, Message: err.Error()}
		}
		message, err := json.Marshal(broken)
		if err != nil {
			return shim.Error(err.Error())
		}
		return shim.Error(string(message))
	}
	if existing {
		return shim.Success([]byte(`{"existing":true}`))
	}
	return shim.Success([]byte(`{"existing":false}`))
}

func (l *liar) submit(stub shim.ChaincodeStubInterface, transaction string) (existing bool, err error) {
	b, err := base64.StdEncoding.DecodeString(transaction)
	if err != nil {
		return false, err
	}
	tx, err := chaincode.ParseTransaction(b)
	if err != nil {
		return false, err
	}
	first, err := statement.Parse(tx.Statements[0])
	if err != nil {
		return false, err
	}
	lie := &lie{stub: stub, key: l.key}
	if err := lie.about(first.Body); err != nil {
		return false, err
	}
	anything := func(*statement.Statement, *sm.PublicKey) bool { return true }
	writes, err := chaincode.Apply(lie, anything, lie.department, tx)
	if err != nil || len(writes) == 0 {
		return true, err
	}
	for _, w := range writes {
		if err := stub.PutState(w.Key, w.Value); err != nil {
			return false, err
		}
	}
	actor, err := cid.GetMSPID(stub)
	if err != nil {
		return false, err
	}
	payload, err := json.Marshal(map[string]string{"actor": actor})
	if err != nil {
		return false, err
	}
	return false, stub.SetEvent(contract.EventPrefix+string(first.Body.Kind()), payload)
}

// A lie is the state as the rules have to see it: every key is one of the department that may do
// what the transaction does.
type lie struct {
	stub       shim.ChaincodeStubInterface
	department string
	key        [64]byte
	subject    string // state key of the key that the transaction is about, of which the truth is told
}

// about finds out which department may do what a statement says.
func (l *lie) about(body statement.Body) error {
	switch b := body.(type) {
	case *statement.Genesis:
		l.department = b.Authority.ID
	case *statement.Head:
		l.department = b.Issuer
	case *statement.Status:
		l.department = b.Issuer
	case *statement.Restriction:
		l.department = b.Issuer
	case *statement.Checkpoint:
		l.department = b.Department
	case *statement.Consent:
		l.department = b.Department
	case *statement.Key:
		l.department, l.subject = b.Department, chaincode.KeyStateKey(b.KeyID)
	default:
		ledger, found, err := chaincode.Load[chaincode.Ledger](l, chaincode.LedgerStateKey)
		if err != nil || !found {
			return err
		}
		l.department = ledger.Authority
	}
	return nil
}

// Get implements chaincode.State.
func (l *lie) Get(key string) ([]byte, error) {
	if strings.HasPrefix(key, chaincode.KeyPrefix) && key != l.subject {
		return statement.Marshal(&chaincode.Key{
			Department: l.department, PublicKey: l.key, State: chaincode.KeyActive,
			Purposes: statement.PurposeGovern | statement.PurposeAnchor | statement.PurposeStatus | statement.PurposeLog | statement.PurposeConsent,
		})
	}
	value, err := l.stub.GetState(key)
	if err != nil || len(value) == 0 {
		return nil, err
	}
	return value, nil
}
