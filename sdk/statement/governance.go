package statement

import (
	"slices"

	"github.com/credledger/credledger/sdk/sm"
)

// A Profile describes a department.
type Profile struct {
	_      struct{} `cbor:",toarray"`
	ID     string   // names the department on the ledger: 1 to 32 of a-z, 0-9 and -
	USCC   string   // unified social credit code (GB 32100), 18 characters
	NameZh string
	NameEn string
	Units  []Unit   // at most 64
	Issues []string // the licence types that it may issue, in ascending order; at most 256
}

// A Unit is an office within a department.
type Unit struct {
	_            struct{} `cbor:",toarray"`
	ID           string
	DivisionCode string // administrative division (GB/T 2260), 6 digits
	NameZh       string
	NameEn       string
}

// Genesis makes a ledger: SM3 of its payload is the ledger's id. It admits the authority and its
// first key, and is signed with that key.
type Genesis struct {
	_         struct{} `cbor:",toarray"`
	Name      string   // of the ledger, for people
	Authority Profile
	PublicKey [64]byte // x || y of the authority's first key
	Purposes  Purposes
	CreatedAt uint64   // seconds since 1970-01-01T00:00:00Z
	Nonce     [16]byte // random, so that two ledgers of one name differ
}

// Department admits a department, changes its profile, suspends or readmits it: always the whole
// profile. The authority signs it with a key for PurposeGovern.
type Department struct {
	_        struct{} `cbor:",toarray"`
	Ledger   sm.Hash
	Profile  Profile
	State    string // DepartmentActive or DepartmentSuspended
	Sequence uint64 // 1 at admission, then one more each time
	SignedAt uint64
}

// The states of a department.
const (
	DepartmentActive    = "active"
	DepartmentSuspended = "suspended"
)

// Purposes is the set of things that a key may sign, as a bit mask.
type Purposes uint8

// The purposes of a key.
const (
	PurposeAnchor  Purposes = 1 << iota // heads, holder bindings
	PurposeStatus                       // status changes, restrictions
	PurposeLog                          // checkpoints, heartbeats, snapshots
	PurposeConsent                      // consents
	PurposeGovern                       // departments, types, keys

	purposesAll = PurposeGovern<<1 - 1
)

// Has reports whether p holds all of q.
func (p Purposes) Has(q Purposes) bool { return p&q == q }

// purposeNames are the names of the purposes, in the order of their bits.
var purposeNames = [...]string{"anchor", "status", "log", "consent", "govern"}

// Names returns the names of the purposes.
func (p Purposes) Names() []string {
	names := []string{}
	for i, name := range purposeNames {
		if p.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// ParsePurposes is the inverse of Names, in any order.
func ParsePurposes(names []string) (Purposes, error) {
	var p Purposes
	for _, name := range names {
		i := slices.Index(purposeNames[:], name)
		if i < 0 {
			return 0, errorf(CodeInvalid, "a key has no such purpose; the purposes are %v", purposeNames)
		}
		p |= 1 << i
	}
	return p, nil
}

// Key enrols, retires or declares compromised one key of a department. Who must sign it is a rule
// of package chaincode; where two must, it is signed twice over the same payload.
type Key struct {
	_          struct{} `cbor:",toarray"`
	Ledger     sm.Hash
	Department string
	Action     string    // KeyEnrol, KeyRetire or KeyCompromise
	KeyID      sm.Hash   // kid of the key that this is about
	PublicKey  []byte    // x || y, 64 bytes, when enrolling; else empty
	Purposes   Purposes  // when enrolling; else 0
	NotBefore  *uint64   // when enrolling: bounds of the SignedAt of what it signs; they can only
	NotAfter   *uint64   // narrow what the order of the ledger says
	Disowned   []sm.Hash // when compromised: roots that the department did not anchor itself, ascending; at most MaxDisowned
	SignedAt   uint64
}

// The actions of a Key statement.
const (
	KeyEnrol      = "enrol"
	KeyRetire     = "retire"
	KeyCompromise = "compromise"
)

// MaxDisowned is the greatest number of roots that one declaration of compromise disowns.
const MaxDisowned = 1000

// Type publishes one version of a licence type. The authority signs it with a key for PurposeGovern.
type Type struct {
	_          struct{} `cbor:",toarray"`
	Ledger     sm.Hash
	ID         string
	Version    uint32 // 1, then one more each time
	Definition []byte // canonical JSON of the type, see package licence; at most MaxDefinition bytes
	SignedAt   uint64
}

// MaxDefinition is the greatest length of a type's definition in bytes.
const MaxDefinition = 256 << 10

// Heartbeat gives every view of the ledger a provable age. The authority signs one about once a
// minute with a key for PurposeLog.
type Heartbeat struct {
	_        struct{} `cbor:",toarray"`
	Ledger   sm.Hash
	Sequence uint64 // 1, then one more each time
	Time     uint64 // later than that of the heartbeat before
}

func (*Genesis) Kind() Kind    { return KindGenesis }
func (*Department) Kind() Kind { return KindDepartment }
func (*Key) Kind() Kind        { return KindKey }
func (*Type) Kind() Kind       { return KindType }
func (*Heartbeat) Kind() Kind  { return KindHeartbeat }

func (*Genesis) LedgerID() sm.Hash      { return sm.Hash{} }
func (d *Department) LedgerID() sm.Hash { return d.Ledger }
func (k *Key) LedgerID() sm.Hash        { return k.Ledger }
func (t *Type) LedgerID() sm.Hash       { return t.Ledger }
func (h *Heartbeat) LedgerID() sm.Hash  { return h.Ledger }

// Validate implements Body.
func (g *Genesis) Validate() error {
	return check(g,
		text("name", g.Name, 1, 200),
		g.Authority.check(),
		publicKey(g.PublicKey[:]),
		purposes(g.Purposes),
		that("purposes", g.Purposes.Has(PurposeGovern), "the authority's first key must be one for governing"),
		seconds("created-at", g.CreatedAt),
	)
}

// Validate implements Body.
func (d *Department) Validate() error {
	return check(d,
		d.Profile.check(),
		oneOf("state", d.State, DepartmentActive, DepartmentSuspended),
		sequence(d.Sequence),
		seconds("signed-at", d.SignedAt),
	)
}

func (p *Profile) check() problem {
	problems := []problem{
		id("department id", p.ID),
		uscc(p.USCC),
		text("Chinese name", p.NameZh, 1, 200),
		text("English name", p.NameEn, 1, 200),
		that("units", len(p.Units) <= 64, "must be at most 64"),
		that("issues", len(p.Issues) <= 256, "must be at most 256"),
		that("issues", ascending(p.Issues), "must be in ascending order, each once"),
		that("units", distinct(p.Units), "must have different ids"),
	}
	for _, u := range p.Units {
		problems = append(problems,
			id("unit id", u.ID),
			digits("division code", u.DivisionCode, 6),
			text("Chinese name of a unit", u.NameZh, 1, 200),
			text("English name of a unit", u.NameEn, 1, 200))
	}
	for _, t := range p.Issues {
		problems = append(problems, id("type id", t))
	}
	return first(problems)
}

// Validate implements Body.
func (k *Key) Validate() error {
	enrol := k.Action == KeyEnrol
	problems := []problem{
		id("department id", k.Department),
		oneOf("action", k.Action, KeyEnrol, KeyRetire, KeyCompromise),
		that("disowned roots", len(k.Disowned) == 0 || k.Action == KeyCompromise, "belong to a declaration of compromise"),
		that("disowned roots", len(k.Disowned) <= MaxDisowned, "must be at most 1000"),
		that("disowned roots", ascendingHashes(k.Disowned), "must be in ascending order, each once"),
		seconds("signed-at", k.SignedAt),
	}
	if enrol {
		problems = append(problems, publicKey(k.PublicKey), purposes(k.Purposes))
		if key, err := sm.NewPublicKey(k.PublicKey); err == nil {
			problems = append(problems, that("kid", key.ID() == k.KeyID, "must be SM3 of the public key's SPKI"))
		}
		if k.NotBefore != nil {
			problems = append(problems, seconds("not-before", *k.NotBefore))
		}
		if k.NotAfter != nil {
			problems = append(problems, seconds("not-after", *k.NotAfter))
		}
		if k.NotBefore != nil && k.NotAfter != nil {
			problems = append(problems, that("not-after", *k.NotBefore <= *k.NotAfter, "must not lie before not-before"))
		}
	} else {
		problems = append(problems, that("public key, purposes and bounds",
			len(k.PublicKey) == 0 && k.Purposes == 0 && k.NotBefore == nil && k.NotAfter == nil, "belong to an enrolment"))
	}
	return check(k, problems...)
}

// Validate implements Body. The definition itself is checked by the rules of the ledger.
func (t *Type) Validate() error {
	return check(t,
		id("type id", t.ID),
		version("version", t.Version),
		that("definition", 0 < len(t.Definition) && len(t.Definition) <= MaxDefinition, "must have 1 to 262144 bytes"),
		seconds("signed-at", t.SignedAt),
	)
}

// Validate implements Body.
func (h *Heartbeat) Validate() error {
	return check(h,
		sequence(h.Sequence),
		seconds("time", h.Time),
	)
}
