// Package release runs two departments as processes of their own on one embedded ledger: the one asks the other for
// fields of licences, and both show what became of it.
package release
