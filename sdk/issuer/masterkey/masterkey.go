// Package masterkey wraps the data keys of a vault under the master keys of a department.
//
// The master keys stand in a file that nobody else may read (File), in this process or, so that the
// process with the vault never holds them, in another one that is asked over a local socket (Serve and
// Dial). A hardware module takes the place of either by the same two methods:
//
//	Wrap(ctx, aads, keys [][]byte) (wrapped [][]byte, err error)
//	Unwrap(ctx, aads, wrapped [][]byte) (keys [][]byte, err error)
//
// Both take many keys at a time, because a round trip for each would take longer than all the rest.
//
//	key file     credledger master keys 1\n, then for each key, newest first, ID KEY\n in lower-case hexadecimal
//	ID           the first 8 bytes of HMAC-SM3(KEY, "credledger master key")
//	wrapped key  ID || nonce (12 bytes) || SM4-GCM(KEY, nonce, data key, aad) (32 bytes)
//
// The newest key wraps; all of them unwrap. To replace a master key: Rotate puts a new one in front, which
// a running process notices by itself; the vault rewraps what is wrapped under older ones; when nothing
// is, Forget takes the old one away. From then on no copy of the database that was made before can be
// read, which is what ends the licences that were erased meanwhile in old copies too.
//
// A random nonce of 96 bits allows 2^32 data keys under one master key (NIST SP 800-38D, 8.3).
//
// The package never logs, knows no database, and no error of it holds a key.
package masterkey

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/credledger/credledger/sdk/sm"
)

// Sizes in bytes.
const (
	KeySize     = sm.SealKeySize // of a data key, and of a master key
	IDSize      = 8
	WrappedSize = IDSize + sm.SealNonceSize + KeySize + sm.SealOverhead

	// MaxAAD is the greatest length of what a wrapped key is bound to.
	MaxAAD = 256
)

// An ID names a master key and tells nothing about it.
type ID [IDSize]byte

// String returns 16 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID is the inverse of String and accepts nothing else. Error: CodeArgument.
func ParseID(s string) (ID, error) {
	var id ID
	if b, err := hex.DecodeString(s); err != nil || copy(id[:], b) != IDSize || len(b) != IDSize || id.String() != s {
		return ID{}, errorf(CodeArgument, nil, "a master key's id is 16 lower-case hexadecimal digits")
	}
	return id, nil
}

// WrappedUnder returns the id of the master key that a key is wrapped under. Error: CodeArgument.
func WrappedUnder(wrapped []byte) (ID, error) {
	if len(wrapped) != WrappedSize {
		return ID{}, errorf(CodeArgument, nil, "a wrapped key has %d bytes", WrappedSize)
	}
	return ID(wrapped[:IDSize]), nil
}

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeArgument    = "master-key-argument"     // lengths or numbers out of bounds: a mistake of the caller
	CodeExists      = "master-key-exists"       // the file is there
	CodeMissing     = "master-key-missing"      // the file is not there
	CodeMalformed   = "master-key-malformed"    // the file has not the form of a key file
	CodePermissions = "master-key-permissions"  // others may read the file
	CodeUnknown     = "master-key-unknown"      // no such key is in the file
	CodeInUse       = "master-key-in-use"       // the key that wraps cannot be taken away; or the file is being rewritten
	CodeRefused     = "master-key-refused"      // not what was wrapped: other bytes, bound to something else, or damaged
	CodeUnavailable = "master-key-unavailable"  // a file or the other process could not be read or written
	CodeProtocol    = "master-key-bad-protocol" // the other process does not speak this protocol
)

// An Error is why a key was not wrapped or unwrapped.
type Error struct {
	Code    string // one of the codes above
	Message string // what is wrong and what to do
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

// A wrapper is what Serve offers to other processes.
type wrapper interface {
	Wrap(ctx context.Context, aads, keys [][]byte) (wrapped [][]byte, err error)
	Unwrap(ctx context.Context, aads, wrapped [][]byte) (keys [][]byte, err error)
}

// check refuses a call that is not of its form.
func check(aads, items [][]byte, size int) error {
	if len(aads) != len(items) {
		return errorf(CodeArgument, nil, "there are %d keys and what %d are bound to", len(items), len(aads))
	}
	for i := range items {
		if len(items[i]) != size || len(aads[i]) > MaxAAD {
			return errorf(CodeArgument, nil, "a key to wrap has %d bytes, a wrapped one %d, and what it is bound to at most %d", KeySize, WrappedSize, MaxAAD)
		}
	}
	return nil
}
