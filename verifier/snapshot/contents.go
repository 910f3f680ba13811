package snapshot

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// version is that of the form of the contents.
const version = 1

// contents is what is signed, deterministic CBOR. Places are those of the ledger.
type contents struct {
	_           struct{} `cbor:",toarray"`
	Version     uint64
	Genesis     []byte       // the signed statement
	Departments []department // by id
	Keys        []key        // by kid
	Types       [][]byte     // canonical JSON, by id and version
	Checkpoints []checkpoint // the newest of each access log, by department and log
	Heads       []head       // that anchors refer to, each once, in ascending order
	Heartbeats  heartbeats
	Anchors     anchors
	Licences    licences
	Withdrawn   column // upper parts of the names of the holder bindings that departments withdrew
	Random      random
}

type department struct {
	_       struct{} `cbor:",toarray"`
	Profile statement.Profile
	State   string // statement.DepartmentActive or DepartmentSuspended
}

type key struct {
	_          struct{} `cbor:",toarray"`
	Department string
	PublicKey  [64]byte // x || y
	Purposes   statement.Purposes
	NotBefore  *uint64
	NotAfter   *uint64
	State      string // verify.KeyActive, KeyRetired or KeyCompromised
}

type checkpoint struct {
	_          struct{} `cbor:",toarray"`
	Department string
	Log        string
	Size       uint64
	Root       sm.Hash
	Block      uint64
	Index      uint32
	Before     uint64 // number of heartbeats in contents.Heartbeats that stand before it
}

// head is what many heads have in common.
type head struct {
	_           struct{} `cbor:",toarray"`
	Issuer      string
	Unit        string
	Type        string
	TypeVersion uint32
	KeyID       sm.Hash
}

// heartbeats are the newest, and those right before and right after an anchor or checkpoint.
type heartbeats struct {
	_         struct{} `cbor:",toarray"`
	Sequences column   // each less the one before
	Times     column   // each less the one before, less 60 for each that the sequence number went up, folded
	Blocks    column   // each less the one before
}

// anchors are all of them, in the order of the ledger.
type anchors struct {
	_        struct{} `cbor:",toarray"`
	Before   column   // number of heartbeats in contents.Heartbeats before it, less that of the anchor before
	Blocks   column   // each less that of the anchor before or of the heartbeat before, whichever is greater
	Indexes  column   // of an anchor in the same block as the one before: less that, less 1
	Heads    column   // number in contents.Heads, from 0
	Sizes    column
	SignedAt column // each less the time of the heartbeat before, folded
	Flags    column // twice the number of changes of the status of all licences under it, and 1 if it is disowned
	Changes  changes
}

// licences are those whose status was ever changed by itself, or on which a restriction is open, in the
// order of their names.
type licences struct {
	_            struct{} `cbor:",toarray"`
	Names        column   // upper parts, see addName
	Changed      column   // number of changes
	Restricted   column   // number of open restrictions
	Changes      changes
	Restrictions column // first day of each, less the day of the newest heartbeat, folded
}

// random is what does not compress, and is kept apart because beside it nothing else would.
type random struct {
	_          struct{} `cbor:",toarray"`
	Roots      []byte   // of the anchors, 32 bytes each
	Signatures []byte   // of their heads, 64 bytes each
	Licences   []byte   // lower parts of names
	Withdrawn  []byte   // likewise
}

// size is the number of bytes of it.
func (r *random) size() int {
	return len(r.Roots) + len(r.Signatures) + len(r.Licences) + len(r.Withdrawn)
}

// The orders in which things stand.

func compare(x, y sm.Hash) int { return bytes.Compare(x[:], y[:]) }

func compareDepartments(x, y department) int { return strings.Compare(x.Profile.ID, y.Profile.ID) }

func compareCheckpoints(x, y checkpoint) int {
	return cmp.Or(strings.Compare(x.Department, y.Department), strings.Compare(x.Log, y.Log))
}

func compareHeads(x, y head) int {
	return cmp.Or(
		strings.Compare(x.Issuer, y.Issuer), strings.Compare(x.Unit, y.Unit), strings.Compare(x.Type, y.Type),
		cmp.Compare(x.TypeVersion, y.TypeVersion), compare(x.KeyID, y.KeyID),
	)
}
