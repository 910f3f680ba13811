package verify

import (
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A View is the state of one ledger as far as the verifier knows it. Whoever builds it has checked
// it: Verify believes what it says. All methods are safe for concurrent use, answer from memory and
// only ever move forward; the results are not changed by either side.
type View interface {
	// Ledger returns the ledger's id, zero while nothing is known of it.
	Ledger() sm.Hash
	// Type returns one version of a licence type, and the newest version; nil if there is no such
	// version.
	Type(id string, version uint32) (named, newest *licence.Type)
	// Department returns a department, nil if it was never admitted.
	Department(id string) *Department
	// Key returns a key, nil if it was never enrolled.
	Key(kid sm.Hash) *Key
	// Licence returns what is known of a licence that is said to be anchored under a root of an
	// issuer: all of it as of one moment.
	Licence(issuer string, root, digest sm.Hash) Licence
	// Withdrawn reports whether a department withdrew the binding whose payload has this SM3.
	Withdrawn(department string, binding sm.Hash) bool
}

// A Department is an issuer as the authority admitted it.
type Department struct {
	Profile statement.Profile
	State   string // statement.DepartmentActive or DepartmentSuspended
}

// A Key is one that a department enrolled.
type Key struct {
	Department string
	Public     *sm.PublicKey
	Purposes   statement.Purposes
	NotBefore  *uint64 // bounds of the dates of what it signs, seconds since 1970-01-01T00:00:00Z
	NotAfter   *uint64
	State      KeyState
}

// A KeyState is what became of a key.
type KeyState string

// The states of a key.
const (
	KeyActive      KeyState = "active"
	KeyRetired     KeyState = "retired"
	KeyCompromised KeyState = "compromised"
)

// A Position is where a transaction stands on the ledger.
type Position struct {
	Block uint64 `json:"block"`
	Index uint32 `json:"index"`
}

// A Heartbeat is a signed time on the ledger; sequence number 0 means that there is none.
type Heartbeat struct {
	Sequence uint64
	Time     uint64 // seconds since 1970-01-01T00:00:00Z
	Block    uint64
}

// A Licence is what a view knows of one licence.
type Licence struct {
	Height       uint64    // number of the newest block in the view
	Heartbeat    Heartbeat // the newest in the view
	Anchored     bool
	Anchor       Anchor   // if Anchored
	RootChanges  []Change // of the status of all licences under the root, in the ledger's order
	Changes      []Change // of the status of this licence, in the ledger's order
	Restrictions []Restriction
}

// An Anchor is a signed head on the ledger.
type Anchor struct {
	Head          statement.Head
	KeyID         sm.Hash
	Signature     [sm.SignatureSize]byte
	Checked       bool // whoever built the view verified the signature
	Disowned      bool // the issuer disowned it after a key was compromised
	Position      Position
	TransactionID string    // "" if the view does not keep it
	Before        Heartbeat // the newest before the anchor
	After         Heartbeat // the first after it
}

// A Change is one change of a status. A view that must be small keeps state and day only, and leaves
// the rest zero.
type Change struct {
	State     licence.State
	Effective licence.Date // first day of the state
	Position  Position
	Reason    sm.Hash  // commitment to the reason
	Successor *sm.Hash // digest of the licence that takes the place of a superseded one
}

// A Checkpoint is the state of an access log that is on the ledger.
type Checkpoint struct {
	Size     uint64  // number of entries
	Root     sm.Hash // over them, see package access
	Position Position
	Before   Heartbeat // the newest before the checkpoint
	After    Heartbeat // the first after it

	// Statement is SM3 of the signed statement that put it on the ledger. A view that must be small leaves it zero.
	Statement sm.Hash
}

// A Restriction is one that was laid and not lifted. A view that must be small keeps the day only, and
// leaves the rest zero.
type Restriction struct {
	ID        [16]byte
	Ground    sm.Hash // commitment to its kind
	Effective licence.Date
}
