// Package chaincode tests that peers and the servers of their chaincode find each other again, on a
// real network, after one of them was killed, stopped or replaced.
package chaincode
