// Package operations tests docs/OPERATIONS.md: the commands that it shows are taken from it and run,
// against a real network where they need one, and what it says of processes, metrics, backups and
// certificates is checked. The tests bring up one network after another.
package operations
