package statement

import (
	"github.com/credledger/credledger/sdk/sm"
)

// MaxBatch is the greatest number of licences under one head.
const MaxBatch = 4096

// maxPath is the length in hashes of the longest inclusion path in a batch.
const maxPath = 12

// Head is what an issuer signs for a batch of licences of one type: with the inclusion path of a
// licence it is modelled on a COSE Receipt (RFC 9942).
type Head struct {
	_           struct{} `cbor:",toarray"`
	Ledger      sm.Hash
	Issuer      string // department id
	Unit        string // unit id within the department
	Type        string
	TypeVersion uint32  // version of the type's dictionary
	Root        sm.Hash // Merkle root over the licences' digests, see package credential
	Size        uint32  // number of licences, 1 to MaxBatch
	SignedAt    uint64  // seconds since 1970-01-01T00:00:00Z; the issuer's word, proves nothing
}

// A Place is where a licence stands under an anchored head.
type Place struct {
	_      struct{} `cbor:",toarray"`
	Root   sm.Hash
	Index  uint32
	Digest sm.Hash
	Path   []byte // inclusion path, leaf to root, 32 bytes a hash
}

// Status changes the status of one licence, or of all licences under a root. A key of the issuer
// for PurposeStatus signs it; two different ones where the type asks for two approvals.
type Status struct {
	_         struct{} `cbor:",toarray"`
	Ledger    sm.Hash
	Issuer    string
	Root      sm.Hash  // of the head under which the licence was anchored
	Licence   *Place   // null: every licence under Root
	Sequence  uint32   // 1 for the first change, then one more each time
	From      string   // licence state before, see package licence; "active" at first
	To        string   // licence state after
	Effective int32    // first day of the new state, days since 1970-01-01, UTC+8
	Reason    sm.Hash  // salted commitment to the reason; the ledger never learns it
	Successor *Place   // the licence that takes its place; exactly when To is "superseded"
	Previous  *sm.Hash // SM3 of the payload of the change before; null at first
	SignedAt  uint64
}

// Restriction lays a restriction (seizure, mortgage, objection) on a licence or lifts it. The
// status of the licence stays what it is. A key of the issuer for PurposeStatus signs it.
type Restriction struct {
	_         struct{} `cbor:",toarray"`
	Ledger    sm.Hash
	Issuer    string
	Licence   Place
	Sequence  uint32   // 1 for the first on this licence, then one more each time
	Action    string   // RestrictionLay or RestrictionLift
	ID        [16]byte // random name of the restriction; lifting names the one it lifts
	Ground    sm.Hash  // salted commitment to its kind when laid, to the ground when lifted
	Effective int32    // days since 1970-01-01, UTC+8
	Previous  *sm.Hash // SM3 of the payload of the Restriction before; null at first
	SignedAt  uint64
}

// The actions of a Restriction.
const (
	RestrictionLay  = "restrict"
	RestrictionLift = "release"
)

func (*Head) Kind() Kind        { return KindHead }
func (*Status) Kind() Kind      { return KindStatus }
func (*Restriction) Kind() Kind { return KindRestriction }

func (h *Head) LedgerID() sm.Hash        { return h.Ledger }
func (s *Status) LedgerID() sm.Hash      { return s.Ledger }
func (r *Restriction) LedgerID() sm.Hash { return r.Ledger }

// Validate implements Body.
func (h *Head) Validate() error {
	return check(h,
		id("issuer", h.Issuer),
		id("unit", h.Unit),
		id("type", h.Type),
		version("type version", h.TypeVersion),
		that("size", 1 <= h.Size && h.Size <= MaxBatch, "must be 1 to 4096"),
		seconds("signed-at", h.SignedAt),
	)
}

// Validate implements Body.
func (s *Status) Validate() error {
	problems := []problem{
		id("issuer", s.Issuer),
		sequence(uint64(s.Sequence)),
		that("previous", (s.Sequence == 1) == (s.Previous == nil), "is null in the first change and only there"),
		id("from", s.From),
		id("to", s.To),
		day("effective", s.Effective),
		seconds("signed-at", s.SignedAt),
	}
	if s.Licence != nil {
		problems = append(problems, s.Licence.check(),
			that("root", s.Licence.Root == s.Root, "must be the root of the licence's place"))
	}
	if s.Successor != nil {
		problems = append(problems, s.Successor.check(),
			that("successor", s.Licence != nil, "belongs to the change of one licence"))
	}
	return check(s, problems...)
}

// Validate implements Body.
func (r *Restriction) Validate() error {
	return check(r,
		id("issuer", r.Issuer),
		r.Licence.check(),
		sequence(uint64(r.Sequence)),
		that("previous", (r.Sequence == 1) == (r.Previous == nil), "is null in the first and only there"),
		oneOf("action", r.Action, RestrictionLay, RestrictionLift),
		day("effective", r.Effective),
		seconds("signed-at", r.SignedAt),
	)
}

func (p *Place) check() problem {
	return first([]problem{
		that("index", p.Index < MaxBatch, "must be less than 4096"),
		that("path", len(p.Path)%sm.HashSize == 0 && len(p.Path) <= maxPath*sm.HashSize, "must be at most 12 hashes of 32 bytes"),
	})
}
