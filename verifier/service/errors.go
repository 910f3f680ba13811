package service

// Codes of errors of this package ([serve.Error]), beside those of package serve; they are stable.
const (
	CodeKey      = "key-not-for-log" // the ledger does not have the service's key for this
	CodeSnapshot = "snapshot-failed" // the snapshot could not be made or read
)
