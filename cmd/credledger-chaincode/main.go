// Command credledger-chaincode serves the rules of the ledger to the peers of one organisation, as an
// external chaincode of Hyperledger Fabric 2.5 over mutual TLS. Each organisation runs one; it keeps
// nothing, so that it can be stopped, replaced and started at any time: until it is back, the
// organisation's peers endorse nothing and answer no queries.
//
//	credledger-chaincode --package-id credledger_1:HASH --listen 0.0.0.0:7052 \
//	    --tls-cert server.pem --tls-key server.key --client-ca peers-ca.pem
//
//	--package-id LABEL:HASH   id of the installed package, as `peer lifecycle chaincode queryinstalled`
//	                          prints it
//	--listen HOST:PORT        where to listen; port 0 for any that is free
//	--tls-cert FILE           the server's certificate and chain, PEM; it names the host that the
//	                          peers connect to
//	--tls-key FILE            its key, PEM; not accessible to all users
//	--client-ca FILE          the authorities of the peers' client certificates, PEM
//
// The package itself holds no code: its metadata.json says {"type":"ccaas","label":"credledger_1"},
// and its code.tar.gz may be empty. A peer learns the server's address, and the certificates to
// reach it with, from its external builder.
//
// The log is on the standard error output; `msg=serving address=HOST:PORT package=LABEL:HASH` says
// that peers can connect. Exit status: 0 after SIGTERM or an interrupt, 2 if it was called wrongly, 1
// if it could not serve; code= in the log then says why. Certificates are read at the start only:
// after they were renewed, start it anew.
package main

import (
	"github.com/credledger/credledger/chaincode/contract"
	"github.com/credledger/credledger/chaincode/server"
)

func main() { server.Main("credledger-chaincode", contract.New) }
