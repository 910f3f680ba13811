// Package audit tests on a real network that the audit and the verifier's index find out peers that
// lie, and a store that was altered.
package audit
