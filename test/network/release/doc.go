// Package release has two departments, each with a home and processes of its own, ask and answer on a real network, takes
// the network away from them, and has a third party check the evidence of both.
package release
