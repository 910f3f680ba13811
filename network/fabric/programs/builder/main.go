// Command builder is the external builder of the network's peers. It tells a peer where the server
// of an installed chaincode listens; it builds nothing and starts nothing.
//
// A peer knows an external builder as a directory with bin/detect, bin/build and bin/release (Fabric
// 2.5, "External Builders and Launchers"). This program is all three, by the name that it is called
// by: install it under each of them. In the peer's core.yaml:
//
//	chaincode:
//	  externalBuilders:
//	    - name: credledger
//	      path: DIRECTORY
//	      propagateEnvironment:
//	        - CREDLEDGER_CHAINCODE_CONNECTION
//
// # Calls
//
//	detect SOURCE METADATA            succeeds for a package whose METADATA/metadata.json says
//	                                  "type": "ccaas", chaincode as a service
//	build SOURCE METADATA OUTPUT      checks the package's label and keeps it in OUTPUT/label
//	release OUTPUT RELEASE            writes RELEASE/chaincode/server/connection.json
//
// The code in the package plays no part: a package has to be the same for every organisation, while
// the address of the server and the keys to reach it are each organisation's own. They come from the
// file that the peer's environment names in CREDLEDGER_CHAINCODE_CONNECTION, a JSON object with an
// entry for each label:
//
//	{"credledger_1": {
//	  "address": "127.0.0.1:7052",       HOST:PORT of the chaincode's server
//	  "dial_timeout": "5s",              more than 0, at most 1m
//	  "tls_required": true,              nothing else is accepted
//	  "client_auth_required": true,      nothing else is accepted
//	  "client_key": "-----BEGIN ...",    PEM: the key that the peer shows itself with,
//	  "client_cert": "-----BEGIN ...",   its certificate (and chain),
//	  "root_cert": "-----BEGIN ..."      and the certificates of the authorities of the server's
//	}}
//
// No field may be missing, none may be added. As the file holds keys it may not be accessible to all
// users. The peer keeps what release wrote: for the file to be read again, stop the peer, remove the
// directory of the build, below externalbuilder/builds in its file-system path, and start the peer.
//
// # Failure
//
// Exit status 1 and one line on the standard error output, which the peer logs; 2 if the program was
// called wrongly. The client that installs the package learns the exit status only.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// errUsage is what is wrong with a call that is none of the three.
var errUsage = errors.New("call it as detect SOURCE METADATA, as build SOURCE METADATA OUTPUT or as release OUTPUT RELEASE")

func main() {
	os.Exit(run(os.Args, os.Getenv, os.Stderr))
}

// run does what the name in args[0] says and returns the exit status.
func run(args []string, getenv func(string) string, stderr io.Writer) int {
	if len(args) == 0 {
		args = []string{"builder"}
	}
	name, args := filepath.Base(args[0]), args[1:]
	var err error
	switch {
	case name == "detect" && len(args) == 2:
		err = detect(args[1])
	case name == "build" && len(args) == 3:
		err = build(args[1], args[2])
	case name == "release" && len(args) == 2:
		err = release(args[0], args[1], getenv(connectionVariable))
	default:
		err = errUsage
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}
