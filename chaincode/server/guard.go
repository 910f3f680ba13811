package server

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/hyperledger/fabric-chaincode-go/shim"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode/contract"
)

// A guard is a chaincode whose calls do not panic: they fail.
type guard struct {
	shim.Chaincode
	log *slog.Logger
}

// Init implements shim.Chaincode.
func (g *guard) Init(stub shim.ChaincodeStubInterface) (r pb.Response) {
	defer g.recover(&r)
	return g.Chaincode.Init(stub)
}

// Invoke implements shim.Chaincode.
func (g *guard) Invoke(stub shim.ChaincodeStubInterface) (r pb.Response) {
	defer g.recover(&r)
	return g.Chaincode.Invoke(stub)
}

// panicked is the error of a call that panicked, in the form of package contract.
const panicked = `{"code":"` + contract.CodeInternal + `","message":"the chaincode failed; its log says where"}`

// recover makes a failed call of one that panics.
func (g *guard) recover(r *pb.Response) {
	if p := recover(); p != nil {
		logPanic(g.log, p)
		*r = shim.Error(panicked)
	}
}

// logPanic logs where a panic happened. What it says is logged only if it is the runtime's: other
// values may hold what nobody may read in a log.
func logPanic(log *slog.Logger, p any) {
	what := fmt.Sprintf("%T", p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	log.Error("a call panicked", "code", contract.CodeInternal, "panic", what, "stack", string(debug.Stack()))
}
