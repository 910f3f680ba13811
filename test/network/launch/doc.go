// Package launch tests that a real network comes up, stays up, changes and goes down as it should.
package launch
