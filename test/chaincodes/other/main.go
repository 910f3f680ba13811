// Command other is a chaincode that keeps the rules and writes one key more than the real one. Peers
// of which some run this one and some the real one endorse differing transactions: it is for tests
// that none of them is committed.
package main

import (
	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode/contract"
	"github.com/credledger/credledger/chaincode/server"
)

func main() { server.Main("other", newOther) }

// key is the key that it writes with every transaction that keeps the rules.
const key = "other"

type other struct{ shim.Chaincode }

func newOther() (*other, error) {
	honest, err := contract.New()
	if err != nil {
		return nil, err
	}
	return &other{honest}, nil
}

// Invoke implements shim.Chaincode.
func (o *other) Invoke(stub shim.ChaincodeStubInterface) pb.Response {
	response := o.Chaincode.Invoke(stub)
	if function, _ := stub.GetFunctionAndParameters(); function != "Submit" || response.Status != shim.OK {
		return response
	}
	if err := stub.PutState(key, []byte{1}); err != nil {
		return shim.Error(err.Error())
	}
	return response
}
