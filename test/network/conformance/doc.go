// Package conformance runs the conformance suite of ledgers on a real network on Hyperledger Fabric,
// and what can only be tried there: organisations that the channel does not know, a ledger before
// its genesis, transactions that the peers find invalid because others were faster.
package conformance
