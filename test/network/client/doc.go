// Package client tests the connection to a real network on Hyperledger Fabric.
package client
