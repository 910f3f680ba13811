// Package issuer runs the issuing service on a real network, by its commands alone, under load, takes the
// network away from it, and kills it.
package issuer
