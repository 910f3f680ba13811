package server

import "github.com/hyperledger/fabric-chaincode-go/shim"

// Run is Main without what ends the process.
var Run = run[shim.Chaincode]

// What the tests outside the package have to know.
const (
	ExitDone   = exitDone
	ExitFailed = exitFailed
	ExitUsage  = exitUsage
	MaxFile    = maxFile
)
