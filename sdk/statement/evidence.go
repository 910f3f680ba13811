package statement

import (
	"github.com/credledger/credledger/sdk/sm"
)

// Checkpoint fixes the state of one of a department's access logs: a Merkle tree of RFC 9162 shape.
// A department keeps a log for each replica of its verifier. A key of the department for PurposeLog
// signs it, for the receipts of verifications and, from time to time, for the ledger.
type Checkpoint struct {
	_          struct{} `cbor:",toarray"`
	Ledger     sm.Hash
	Department string
	Log        string // which of its access logs
	Size       uint64 // number of entries
	Root       sm.Hash
	SignedAt   uint64
}

// Consent records that a grant was given or withdrawn, or that a holder binding was withdrawn: by
// digest only. A key for PurposeConsent of the department that holds it signs it.
type Consent struct {
	_          struct{} `cbor:",toarray"`
	Ledger     sm.Hash
	Department string
	Digest     sm.Hash // of the grant; of a binding, SM3 of its payload
	Action     string  // ConsentGive or ConsentWithdraw
	SignedAt   uint64
}

// The actions of a Consent. A withdrawal is final.
const (
	ConsentGive     = "give"
	ConsentWithdraw = "withdraw"
)

// Binding says that the holder of a key is a holder of a licence. It stays off the ledger; a key of
// the issuer for PurposeAnchor signs it, and a Consent can withdraw it.
type Binding struct {
	_         struct{} `cbor:",toarray"`
	Ledger    sm.Hash
	Issuer    string
	Digest    sm.Hash  // of the licence
	HolderKey [64]byte // x || y
	NotBefore uint64
	NotAfter  uint64 // at most MaxBinding seconds after NotBefore
}

// MaxBinding is the longest life of a holder binding: 400 days, in seconds.
const MaxBinding = 400 * 24 * 3600

// Proof is made by the holder for one presentation; it stays off the ledger. It is signed with the
// holder's key of the Binding that goes with it.
type Proof struct {
	_            struct{} `cbor:",toarray"`
	Ledger       sm.Hash
	Presentation sm.Hash // SM3 of the presentation's bytes with null in place of the holder part
	Audience     string  // who it is shown to
	Nonce        []byte  // the verifier's own, 0 to 64 bytes
	IssuedAt     uint64
	NotAfter     uint64 // at most MaxProof seconds after IssuedAt
}

// MaxProof is the longest life of a holder proof: one day, in seconds.
const MaxProof = 24 * 3600

// Snapshot vouches for the contents of a file that holds the state of a ledger. The authority
// signs it with a key for PurposeLog; it stays off the ledger.
type Snapshot struct {
	_         struct{} `cbor:",toarray"`
	Ledger    sm.Hash
	Height    uint64  // number of the newest block in it
	Block     sm.Hash // hash of that block
	Heartbeat uint64  // time of the newest heartbeat in it; 0 if none
	Content   sm.Hash // SM3 of the contents
	Length    uint64  // of the contents, in bytes
}

func (*Checkpoint) Kind() Kind { return KindCheckpoint }
func (*Consent) Kind() Kind    { return KindConsent }
func (*Binding) Kind() Kind    { return KindBinding }
func (*Proof) Kind() Kind      { return KindProof }
func (*Snapshot) Kind() Kind   { return KindSnapshot }

func (c *Checkpoint) LedgerID() sm.Hash { return c.Ledger }
func (c *Consent) LedgerID() sm.Hash    { return c.Ledger }
func (b *Binding) LedgerID() sm.Hash    { return b.Ledger }
func (p *Proof) LedgerID() sm.Hash      { return p.Ledger }
func (s *Snapshot) LedgerID() sm.Hash   { return s.Ledger }

// Validate implements Body.
func (c *Checkpoint) Validate() error {
	return check(c,
		id("department id", c.Department),
		id("log", c.Log),
		seconds("size", c.Size),
		seconds("signed-at", c.SignedAt),
	)
}

// Validate implements Body.
func (c *Consent) Validate() error {
	return check(c,
		id("department id", c.Department),
		oneOf("action", c.Action, ConsentGive, ConsentWithdraw),
		seconds("signed-at", c.SignedAt),
	)
}

// Validate implements Body.
func (b *Binding) Validate() error {
	return check(b,
		id("issuer", b.Issuer),
		publicKey(b.HolderKey[:]),
		seconds("not-before", b.NotBefore),
		seconds("not-after", b.NotAfter),
		that("not-after", b.NotBefore <= b.NotAfter && b.NotAfter-b.NotBefore <= MaxBinding, "must lie within 400 days after not-before"),
	)
}

// Validate implements Body.
func (p *Proof) Validate() error {
	return check(p,
		text("audience", p.Audience, 0, 200),
		that("nonce", len(p.Nonce) <= 64, "must have at most 64 bytes"),
		seconds("issued-at", p.IssuedAt),
		seconds("not-after", p.NotAfter),
		that("not-after", p.IssuedAt <= p.NotAfter && p.NotAfter-p.IssuedAt <= MaxProof, "must lie within a day after issued-at"),
	)
}

// Validate implements Body.
func (s *Snapshot) Validate() error {
	return check(s, seconds("height", s.Height), seconds("heartbeat", s.Heartbeat), seconds("length", s.Length))
}
