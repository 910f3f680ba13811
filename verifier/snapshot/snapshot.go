// Package snapshot puts what a verifier knows of a ledger into one signed file, and reads it back as a
// verify.View: for those who verify where there is no network.
//
//	file     = [statement, contents compressed as Zstandard frames (RFC 8878)]   deterministic CBOR
//	contents = genesis, departments, keys, types, newest checkpoints of access logs, heartbeats,
//	           ALL anchors with what befell their batches, and every licence whose status was ever
//	           changed or that is restricted                                     docs/SPEC.md, section 20
//
// The statement, which the authority signs with a key for statement.PurposeLog, names ledger, height,
// block and SM3 of the contents. No exception is left out: a licence that the snapshot says nothing
// about is active, if its anchor is in the same snapshot. So verdicts by a snapshot have the same
// results and reasons on every axis as verdicts by an index that stands at that block.
//
// What keeps it small: a licence is named by eight bytes of a hash that is different in every snapshot
// (see namer), and what no verdict depends on and does not compress is left out: ids of transactions,
// places, reasons and successors of changes, ids and grounds of restrictions.
//
// A reader trusts the ledger's id and keys of the authority that it has from elsewhere. It refuses what
// a stranger signed before it looks at the contents, then checks these whole; and refuses a snapshot
// that is older than what it, or the caller, has seen. The signatures of heads are in the snapshot, and
// verify checks the one that it comes to; but whose keys are whose, what is on the ledger and what was
// withdrawn, the reader has on the word of the authority. Whether the snapshot is recent enough is not
// for this package: verify says so, from the newest heartbeat in it.
//
// The package does no I/O and reads no clock.
package snapshot

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// Limits, in bytes.
const (
	MaxFile     = 256 << 20 // of a file: a thousand million licences take some 180 MB
	MaxContents = 512 << 20 // inflated
)

// Trust is what a reader knows before it opens a snapshot.
type Trust struct {
	Ledger sm.Hash         // id of the ledger
	Keys   []*sm.PublicKey // of the authority for statement.PurposeLog, as far as the reader knows them for good
	Seen   ledger.Head     // the newest block that the reader has seen; zero if none
}

// file is the outermost form.
type file struct {
	_         struct{} `cbor:",toarray"`
	Statement []byte
	Contents  []byte // compressed
}

// Open reads a snapshot of at most MaxFile bytes, checks all of it but the signatures of the heads, and
// returns it as a view; verify.Verify checks the signature of the head that it comes to. minHeight is the
// number of the oldest newest block that the caller accepts. The error is an *Error.
func Open(b []byte, trust Trust, minHeight uint64) (*View, error) {
	f, header, s, err := split(b)
	if err != nil {
		return nil, err
	}
	if err := trust.admits(header, s, minHeight); err != nil {
		return nil, err
	}
	raw, err := inflate(f.Contents, header)
	if err != nil {
		return nil, err
	}
	return parse(raw, header, s.KeyID)
}

// Header returns the signed statement that a file begins with, and what it says. It verifies neither the
// signature nor the contents: that is for Open. The error is an *Error.
func Header(b []byte) (signed []byte, header *statement.Snapshot, err error) {
	f, header, _, err := split(b)
	return f.Statement, header, err
}

// split takes a file apart.
func split(b []byte) (f file, header *statement.Snapshot, s *statement.Statement, err error) {
	if f, err = parseFile(b); err != nil {
		return f, nil, nil, err
	}
	if header, s, err = statement.ParseAs[*statement.Snapshot](f.Statement); err != nil {
		return f, nil, nil, &Error{CodeMalformed, "the file does not begin with the statement of a snapshot", err}
	}
	return f, header, s, nil
}

func parseFile(b []byte) (f file, err error) {
	if len(b) > MaxFile {
		return f, errorf(CodeTooLarge, "a snapshot has at most %d bytes, this has %d", MaxFile, len(b))
	}
	if err := decMode.Unmarshal(b, &f); err != nil {
		return f, errorf(CodeMalformed, "the file is not a snapshot")
	}
	if !isEncodingOf(b, &f) {
		return f, errorf(CodeMalformed, "the file is not a snapshot in its one encoding")
	}
	return f, nil
}

// TrustOf returns what a reader trusts that has followed the ledger itself up to now: who the authority
// is, its keys in force for logs, and the newest block. The error is an *Error.
func TrustOf(source Source) (authority string, t Trust, err error) {
	genesis, s, err := statement.ParseAs[*statement.Genesis](source.Genesis())
	if err != nil {
		return "", t, &Error{CodeInconsistent, "read the genesis", err}
	}
	authority = genesis.Authority.ID
	t = Trust{Ledger: sm.Sum(s.Payload), Seen: source.Head()}
	for _, k := range source.Keys() {
		if signs(k, authority) && k.State == verify.KeyActive {
			t.Keys = append(t.Keys, k.Public)
		}
	}
	return authority, t, nil
}

// signs reports whether a key is one with which the authority signs snapshots, unless it has ended.
func signs(k *verify.Key, authority string) bool {
	return k != nil && k.Department == authority && k.Purposes.Has(statement.PurposeLog)
}

// admits decides on the statement, before anything is done with the contents.
func (t *Trust) admits(header *statement.Snapshot, s *statement.Statement, minHeight uint64) error {
	if header.Ledger != t.Ledger {
		return errorf(CodeOtherLedger, "the snapshot is of the ledger %s, not of %s", header.Ledger, t.Ledger)
	}
	if !t.signed(s) {
		return errorf(CodeUntrusted, "the snapshot is signed with the key %s, which is not one that this reader knows as the authority's, "+
			"or not signed with it at all: do not use it; get it from the authority again", s.KeyID)
	}
	seen := t.Seen.Height
	switch {
	case header.Height < minHeight:
		return errorf(CodeRolledBack, "the snapshot is as of block %d, older than the block %d that was asked for: get a newer one", header.Height, minHeight)
	case seen > 0 && header.Height < seen-1:
		return errorf(CodeRolledBack, "the snapshot is as of block %d, but block %d was seen here before: get a newer one", header.Height, seen-1)
	case seen > 0 && header.Height == seen-1 && header.Block != t.Seen.Hash:
		return errorf(CodeForked, "block %d has another hash in the snapshot than when it was seen here before: there are two ledgers of one name; tell the authority", header.Height)
	}
	return nil
}

func (t *Trust) signed(s *statement.Statement) bool {
	for _, key := range t.Keys {
		if key.ID() == s.KeyID {
			return s.Verify(key)
		}
	}
	return false
}

// The CBOR of a snapshot is that of statements, with room for all departments, keys and types.
var decMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		IntDec:           cbor.IntDecConvertNone,
		MaxNestedLevels:  8,
		MaxArrayElements: 1 << 20,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err) // options fixed at compile time
	}
	return mode
}()

// isEncodingOf reports whether b is how v is written.
func isEncodingOf(b []byte, v any) bool {
	again, err := statement.Marshal(v)
	return err == nil && bytes.Equal(again, b)
}
