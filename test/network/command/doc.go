// Package command tests the command line on a real network on Hyperledger Fabric: the network's own
// commands, every command of the core with the ledger there, and the demonstration.
package command
