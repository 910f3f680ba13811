package chaincode

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// The state is a flat store. Keys are ASCII; hashes in them are in lower-case hex. Values are
// deterministic CBOR arrays of the records below, but for signed heads and type definitions, which
// are kept as they came.
const (
	LedgerStateKey    = "ledger"    // Ledger
	HeartbeatStateKey = "heartbeat" // Heartbeat

	DepartmentPrefix  = "department/"   // <id> -> Department
	KeyPrefix         = "key/"          // <kid> -> Key
	TypePrefix        = "type/"         // <id> -> TypeVersions
	DefinitionPrefix  = "definition/"   // <id>/<version, 10 digits> -> canonical JSON
	AnchorPrefix      = "anchor/"       // <issuer>/<root> -> signed head
	DisownedPrefix    = "disowned/"     // <issuer>/<root> -> kid, 32 bytes
	StatusPrefix      = "status/"       // <issuer>/<digest>/<type> -> Status
	RootStatusPrefix  = "root-status/"  // <issuer>/<root> -> Status
	RestrictionPrefix = "restriction/"  // <issuer>/<digest>/<type> -> Restrictions
	CheckpointPrefix  = "checkpoint/"   // <department>/<log>/<size, 16 digits of hex> -> root, 32 bytes
	LastCheckpoint    = "checkpoint-at" // /<department>/<log> -> Checkpoint
	ConsentPrefix     = "consent/"      // <department>/<digest> -> "give" or "withdraw"
)

// DepartmentStateKey returns the state key of a department.
func DepartmentStateKey(id string) string { return DepartmentPrefix + id }

// KeyStateKey returns the state key of a key.
func KeyStateKey(kid sm.Hash) string { return KeyPrefix + kid.String() }

// TypeStateKey returns the state key of a type's versions.
func TypeStateKey(id string) string { return TypePrefix + id }

// DefinitionStateKey returns the state key of one version of a type.
func DefinitionStateKey(id string, version uint32) string {
	return fmt.Sprintf("%s%s/%010d", DefinitionPrefix, id, version)
}

// AnchorStateKey returns the state key of an anchored head.
func AnchorStateKey(issuer string, root sm.Hash) string {
	return AnchorPrefix + issuer + "/" + root.String()
}

// DisownedStateKey returns the state key that exists once an anchor was disowned.
func DisownedStateKey(issuer string, root sm.Hash) string {
	return DisownedPrefix + issuer + "/" + root.String()
}

// StatusStateKey returns the state key of the status of a licence of a type.
func StatusStateKey(issuer string, digest sm.Hash, typ string) string {
	return StatusPrefix + issuer + "/" + digest.String() + "/" + typ
}

// RootStatusStateKey returns the state key of the status of all licences under a root.
func RootStatusStateKey(issuer string, root sm.Hash) string {
	return RootStatusPrefix + issuer + "/" + root.String()
}

// RestrictionStateKey returns the state key of the restrictions on a licence of a type.
func RestrictionStateKey(issuer string, digest sm.Hash, typ string) string {
	return RestrictionPrefix + issuer + "/" + digest.String() + "/" + typ
}

// CheckpointStateKey returns the state key of the root of an access log at a size.
func CheckpointStateKey(department, log string, size uint64) string {
	return fmt.Sprintf("%s%s/%s/%016x", CheckpointPrefix, department, log, size)
}

// LastCheckpointStateKey returns the state key of the newest checkpoint of an access log.
func LastCheckpointStateKey(department, log string) string {
	return LastCheckpoint + "/" + department + "/" + log
}

// ConsentStateKey returns the state key of a grant or a withdrawn binding.
func ConsentStateKey(department string, digest sm.Hash) string {
	return ConsentPrefix + department + "/" + digest.String()
}

// A Ledger is the record of the genesis.
type Ledger struct {
	_         struct{} `cbor:",toarray"`
	ID        sm.Hash
	Name      string
	Authority string // department id
	Genesis   []byte // the signed statement
}

// A Department is the record of a department.
type Department struct {
	_        struct{} `cbor:",toarray"`
	Profile  statement.Profile
	State    string // statement.DepartmentActive or DepartmentSuspended
	Sequence uint64 // of the last Department statement; 0: by genesis
	Enrolled bool   // a key was enrolled: from now on the authority alone cannot enrol one
}

// A Key is the record of a key.
type Key struct {
	_          struct{} `cbor:",toarray"`
	Department string
	PublicKey  [64]byte // x || y
	Purposes   statement.Purposes
	NotBefore  *uint64
	NotAfter   *uint64
	State      string // KeyActive, KeyRetired or KeyCompromised
}

// The states of a key.
const (
	KeyActive      = "active"
	KeyRetired     = "retired"
	KeyCompromised = "compromised"
)

// TypeVersions is the record of a type: its newest version.
type TypeVersions struct {
	_      struct{} `cbor:",toarray"`
	Newest uint32
}

// A Status is the record of the status of a licence, or of a root.
type Status struct {
	_         struct{} `cbor:",toarray"`
	Sequence  uint32
	State     licence.State
	Effective int32   // first day of that state, days since 1970-01-01, UTC+8
	Last      sm.Hash // SM3 of the payload of the last change
	Reason    sm.Hash // its commitment to the reason
	Successor *statement.Place
}

// Restrictions is the record of the restrictions on a licence.
type Restrictions struct {
	_        struct{} `cbor:",toarray"`
	Sequence uint32
	Last     sm.Hash // SM3 of the payload of the last Restriction
	Open     []Restriction
}

// A Restriction is one that has been laid and not lifted.
type Restriction struct {
	_         struct{} `cbor:",toarray"`
	ID        [16]byte
	Ground    sm.Hash // commitment to its kind
	Effective int32
}

// MaxRestrictions is the greatest number of restrictions on one licence at one time.
const MaxRestrictions = 32

// A Checkpoint is the record of the newest checkpoint of an access log.
type Checkpoint struct {
	_    struct{} `cbor:",toarray"`
	Size uint64
	Root sm.Hash
}

// A Heartbeat is the record of the newest heartbeat.
type Heartbeat struct {
	_        struct{} `cbor:",toarray"`
	Sequence uint64
	Time     uint64
}

// Load reads the record of a state key; found is false if there is none.
func Load[R any](state State, key string) (record *R, found bool, err error) {
	b, err := state.Get(key)
	if err != nil {
		return nil, false, fmt.Errorf("read state %s: %w", key, err)
	}
	if b == nil {
		return nil, false, nil
	}
	record, err = decode[R](key, b)
	return record, err == nil, err
}

func decode[R any](key string, b []byte) (*R, error) {
	record := new(R)
	if err := cbor.Unmarshal(b, record); err != nil {
		return nil, fmt.Errorf("state %s does not hold its record: %w", key, err)
	}
	return record, nil
}
