// Command empty is a chaincode that does nothing: it reads no argument, looks at no state, writes
// nothing, and answers as package contract does for a transaction that it has applied. What it
// commits in a second is what the network under it can carry. It is for benchmarks.
package main

import (
	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode/server"
)

type empty struct{}

// Init implements shim.Chaincode.
func (empty) Init(shim.ChaincodeStubInterface) pb.Response { return shim.Success(nil) }

// Invoke implements shim.Chaincode.
func (empty) Invoke(shim.ChaincodeStubInterface) pb.Response {
	return shim.Success([]byte(`{"existing":false}`))
}

func main() {
	server.Main("empty", func() (empty, error) { return empty{}, nil })
}
