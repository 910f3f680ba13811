// Package verifier runs the verifier service on a real network, by its commands alone, and takes the
// network away from it.
package verifier
