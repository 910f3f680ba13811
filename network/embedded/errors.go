package embedded

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/sdk/ledger"
)

// Codes of the *ledger.Error of this package, beside those of package ledger. They never change.
const (
	CodeInUse       = "ledger-in-use"       // another process, or another Store of this one, has the directory
	CodeNotALedger  = "not-a-ledger"        // the directory is absent or holds something else
	CodeNotEmpty    = "directory-not-empty" // a ledger is created in a directory of its own
	CodeNewerFormat = "ledger-format-newer" // written by a later version of this software
	CodeCorrupt     = "ledger-corrupt"      // what is stored is not what was written
	CodeStorage     = "ledger-storage"      // the disk failed or is full; the Store takes no more transactions
)

func fail(code, message string, err error) *ledger.Error {
	return &ledger.Error{Code: code, Message: message, Err: err}
}

func corrupt(message string, err error) *ledger.Error { return fail(CodeCorrupt, message, err) }

// storageError gives an error of the store underneath its code.
func storageError(doing string, err error) *ledger.Error {
	var known *ledger.Error
	switch {
	case errors.As(err, &known):
		return known
	case pebble.IsCorruptionError(err):
		return corrupt(doing+": the stored bytes are damaged; restore a copy, and audit it", err)
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fail(CodeStorage, doing+": the disk is full; make room and open the ledger again", err)
	case errors.Is(err, fs.ErrPermission):
		return fail(CodeStorage, doing+": the process may not read and write this directory", err)
	}
	return fail(CodeStorage, doing+": the disk failed; repair that and open the ledger again", err)
}
