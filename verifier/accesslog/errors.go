package accesslog

import (
	"errors"
	"fmt"
	"syscall"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeMissing        = "log-missing"         // there is no log in this directory
	CodeExists         = "log-exists"          // there is something in it already
	CodeName           = "log-name-invalid"    // not the ids of a department and of a log
	CodeInUse          = "log-in-use"          // another process, or another Log of this one, has it open
	CodeOlderFormat    = "log-format-older"    // written by an earlier version of this software, whose entries this one does not read
	CodeNewerFormat    = "log-format-newer"    // written by a later version of this software
	CodeDamaged        = "log-damaged"         // what is stored is not what was written
	CodeStorage        = "log-storage"         // the disk failed or is full
	CodeClosed         = "log-closed"          // the log was closed
	CodeUnsigned       = "log-unsigned"        // the entry is recorded, but no checkpoint that covers it could be signed
	CodeOutcomeUnknown = "log-outcome-unknown" // the entry may or may not be recorded
	CodeRange          = "log-range"           // an index or a size that the log does not have
	CodeRolledBack     = "log-rolled-back"     // the ledger knows entries that the log has lost
	CodeForked         = "log-forked"          // the ledger knows other entries than the log has
	CodeExport         = "log-export-invalid"  // not an export of an access log, or not the whole of one
)

// An Error is what went wrong with a log.
type Error struct {
	Code    string // one of the codes above
	Message string // what was attempted and what to do; nothing of what entries say
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of the outermost *Error in err's chain, "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func errorf(code string, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// storageError says what a failure of the file system means.
func storageError(doing string, err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG):
		return errorf(CodeStorage, err, "%s: the disk is full; make room", doing)
	}
	return errorf(CodeStorage, err, "%s: the disk failed, or the directory may not be read and written", doing)
}

func damaged(format string, args ...any) *Error {
	return errorf(CodeDamaged, nil, format+"; restore a copy, and audit it", args...)
}
