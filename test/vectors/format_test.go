// Package vectors_test makes, and checks this implementation against, the vectors in the folders
// good and bad beside it. README.md says what is in them.
package vectors_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
)

// Hex is bytes, written in lower-case hexadecimal digits.
type Hex []byte

// MarshalText implements encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil {
		return err
	}
	if !bytes.Equal(hex.AppendEncode(nil, b), text) {
		return fmt.Errorf("not lower-case hexadecimal digits")
	}
	*h = b
	return nil
}

// A Common opens every file.
type Common struct {
	About  string `json:"about"`  // what the file is about, for people
	Kind   string `json:"kind"`   // which of the structs below the file is
	Stage  string `json:"stage"`  // "" in a good file, else the step that must fail
	Expect string `json:"expect"` // "ok" or the error code of that step
}

// Keys is the key pairs that everything is signed with.
type Keys struct {
	Common
	Keys []Key `json:"keys"`
}

// A Key is one of them.
type Key struct {
	Label  string `json:"label"`
	Scalar Hex    `json:"scalar"` // private
	Point  Hex    `json:"point"`  // x || y
	SPKI   Hex    `json:"spki"`
	KeyID  Hex    `json:"kid"`
}

// Signatures is bare signatures, every one that is used in the other good files.
type Signatures struct {
	Common
	Signatures []Signature `json:"signatures"`
}

// A Signature is one of them.
type Signature struct {
	Key       string `json:"key"` // label
	Message   Hex    `json:"message"`
	Signature Hex    `json:"signature"`
}

// OneSignature is a bare signature that must be refused.
type OneSignature struct {
	Common
	Signature
}

// Leaves is fields and what commits to them.
type Leaves struct {
	Common
	Leaves []Leaf `json:"leaves"`
}

// A Leaf is one of them. Value is null, a string, or an array of strings.
type Leaf struct {
	Salt    Hex             `json:"salt"`
	Key     string          `json:"key"`
	Value   json.RawMessage `json:"value"`
	Encoded Hex             `json:"encoded"`
	Hash    Hex             `json:"hash"`
}

// Trees is Merkle trees with the inclusion paths of all their leaves.
type Trees struct {
	Common
	Trees []Tree `json:"trees"`
}

// A Tree is one of them.
type Tree struct {
	Leaves []Hex `json:"leaves"`
	Root   Hex   `json:"root"`
	Paths  []Hex `json:"paths"`
}

// OnePath is an inclusion path that must be refused.
type OnePath struct {
	Common
	Leaf  Hex    `json:"leaf"`
	Index uint32 `json:"index"`
	Size  uint32 `json:"size"`
	Path  Hex    `json:"path"`
	Root  Hex    `json:"root"`
}

// Records is records and their digests.
type Records struct {
	Common
	Records []Record `json:"records"`
}

// A Record is one of them.
type Record struct {
	Type        string `json:"type"`
	TypeVersion uint32 `json:"typeVersion"`
	Issuer      string `json:"issuer"`
	Fields      Hex    `json:"fields"`
	IssuedAt    uint64 `json:"issuedAt"`
	ValidFrom   *int32 `json:"validFrom"`
	ValidUntil  *int32 `json:"validUntil"`
	Predecessor *Hex   `json:"predecessor"`
	Encoded     Hex    `json:"encoded"`
	Digest      Hex    `json:"digest"`
}

// Statement is one signed statement.
type Statement struct {
	Common
	Statement Hex `json:"statement"`
	// Signer is the label of the key that signed a good statement, and that a bad one must not
	// verify with.
	Signer string `json:"signer"`
	// The rest is there in a good file only.
	Type       string `json:"typ,omitempty"`        // the typ header
	KeyID      Hex    `json:"kid,omitempty"`        // the kid header
	Payload    Hex    `json:"payload,omitempty"`    //
	Diagnostic string `json:"diagnostic,omitempty"` // the payload in the diagnostic notation of RFC 8949, section 8
	ToBeSigned Hex    `json:"toBeSigned,omitempty"` //
}

// Presentation is one presentation, or a credential, and what a verifier knows who checks it.
type Presentation struct {
	Common
	Presentation Hex      `json:"presentation"`
	Ledger       Hex      `json:"ledger"`      // the only ledger known
	Issuers      []string `json:"issuers"`     // labels of the keys of issuers known
	Type         string   `json:"type"`        // the only type known
	TypeVersion  int      `json:"typeVersion"` //
	Dictionary   []string `json:"dictionary"`  // the keys of its leaves, in order
	// The rest is there in a good file only.
	Disclosed   []Disclosed `json:"disclosed,omitempty"`
	FieldsRoot  Hex         `json:"fieldsRoot,omitempty"`
	Digest      Hex         `json:"digest,omitempty"`
	Root        Hex         `json:"root,omitempty"`
	HeadPayload Hex         `json:"headPayload,omitempty"`
	Holder      *HolderPart `json:"holder,omitempty"`
}

// Disclosed is a field that a presentation shows.
type Disclosed struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// HolderPart is what follows from the holder part of a presentation.
type HolderPart struct {
	BindingPayload Hex `json:"bindingPayload"`
	Shown          Hex `json:"shown"` // SM3 of the presentation with null for the holder part
	ProofPayload   Hex `json:"proofPayload"`
}

// Code is the text of one self-contained code.
type Code struct {
	Common
	Code         string `json:"code"`
	Presentation Hex    `json:"presentation,omitempty"` // in a good file only
}

// Entry is one entry of an access log, and what opens its commitments.
type Entry struct {
	Common
	Entry Hex `json:"entry"`
	// The rest is there in a good file only.
	Diagnostic   string `json:"diagnostic,omitempty"` // the entry in the diagnostic notation of RFC 8949, section 8
	Leaf         Hex    `json:"leaf,omitempty"`
	Salt         Hex    `json:"salt,omitempty"`
	Issuer       string `json:"issuer,omitempty"`       // of the licence
	Digest       Hex    `json:"digest,omitempty"`       // of the licence
	Presentation Hex    `json:"presentation,omitempty"` // SM3 of what was shown
	Request      Hex    `json:"request,omitempty"`      // digest of the request that it is about
}

// Log is the tree of an access log, at every size up to that of its leaves.
type Log struct {
	Common
	Leaves      []Hex         `json:"leaves"`
	Roots       []Hex         `json:"roots"`       // by size, from 0
	Inclusion   []Inclusion   `json:"inclusion"`   // of every leaf at every size
	Consistency []Consistency `json:"consistency"` // between all sizes
}

// Inclusion is the path of a leaf.
type Inclusion struct {
	Index uint64 `json:"index"`
	Size  uint64 `json:"size"`
	Path  []Hex  `json:"path"`
}

// Consistency is the proof that a log grew from one size to another.
type Consistency struct {
	First  uint64 `json:"first"`
	Second uint64 `json:"second"`
	Proof  []Hex  `json:"proof"`
}

// OneInclusion is a path that must be refused.
type OneInclusion struct {
	Common
	Inclusion
	Leaf Hex `json:"leaf"`
	Root Hex `json:"root"`
}

// OneConsistency is a proof of consistency that must be refused.
type OneConsistency struct {
	Common
	Consistency
	FirstRoot  Hex `json:"firstRoot"`
	SecondRoot Hex `json:"secondRoot"`
}

// ReceiptFile is a receipt file, and what a reader knows who judges it.
type ReceiptFile struct {
	Common
	File        string            `json:"file"`        // the text of the file
	Ledger      Hex               `json:"ledger"`      // the only ledger known
	Keys        []KnownKey        `json:"keys"`        // on it
	Checkpoints []KnownCheckpoint `json:"checkpoints"` // on it
	// The rest is there in a good file only.
	Outcome string `json:"outcome,omitempty"` // anchored or unanchored
	Why     string `json:"why,omitempty"`     // the code of what is unanchored
}

// KnownKey is a key on a ledger.
type KnownKey struct {
	Key        string  `json:"key"` // label
	Department string  `json:"department"`
	Purposes   uint8   `json:"purposes"` // the bit mask of a key statement
	State      string  `json:"state"`
	NotBefore  *uint64 `json:"notBefore"`
	NotAfter   *uint64 `json:"notAfter"`
}

// KnownCheckpoint is a checkpoint on a ledger.
type KnownCheckpoint struct {
	Department string `json:"department"`
	Log        string `json:"log"`
	Size       uint64 `json:"size"`
	Root       Hex    `json:"root"`
}

// SnapshotFile is a snapshot, and what a reader knows who opens it.
type SnapshotFile struct {
	Common
	File      Hex      `json:"file"`
	Ledger    Hex      `json:"ledger"`
	Keys      []string `json:"keys"` // labels of those trusted
	Seen      string   `json:"seen"` // newest block seen, HEIGHT:HASH, HEIGHT being the number of blocks; empty if none
	MinHeight uint64   `json:"minHeight"`
	// The rest is there in a good file only: what the snapshot says.
	Licences  []KnownLicence `json:"licences,omitempty"`
	Withdrawn []KnownBinding `json:"withdrawn,omitempty"`
}

// KnownLicence is what a snapshot says of a licence that is said to be anchored under a root.
type KnownLicence struct {
	Issuer       string        `json:"issuer"`
	Root         Hex           `json:"root"`
	Digest       Hex           `json:"digest"`
	Anchored     bool          `json:"anchored"`
	Disowned     bool          `json:"disowned"`
	Block        uint64        `json:"block"`  // of the anchor
	Index        uint32        `json:"index"`  // of the anchor
	Before       uint64        `json:"before"` // sequence number of the heartbeat before it; 0 if none
	After        uint64        `json:"after"`
	RootChanges  []KnownChange `json:"rootChanges"`
	Changes      []KnownChange `json:"changes"`
	Restrictions []int32       `json:"restrictions"` // days
}

// KnownChange is a change of status.
type KnownChange struct {
	State string `json:"state"`
	Day   int32  `json:"day"`
}

// KnownBinding is a holder binding, by SM3 of its payload.
type KnownBinding struct {
	Department string `json:"department"`
	Binding    Hex    `json:"binding"`
	Withdrawn  bool   `json:"withdrawn"`
}

// marshal writes a file as it lies in the folder.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unmarshal reads a file; an unknown member is an error.
func unmarshal(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("data after the object")
	}
	return nil
}

// A runner that passes over what it does not know checks less than it says.
func TestUnknownMembersAreRefused(t *testing.T) {
	for _, text := range []string{
		`{"about": "a", "kind": "code", "stage": "", "expect": "ok", "code": "", "colour": "red"}`,
		`{"about": "a", "kind": "code", "stage": "", "expect": "ok", "code": ""} {}`,
		`{"about": "a", "kind": "code", "stage": "", "expect": "ok", "code": "", "presentation": "0G"}`,
		`{"about": "a", "kind": "code", "stage": "", "expect": "ok", "code": "", "presentation": "0A"}`,
	} {
		var c Code
		if err := unmarshal([]byte(text), &c); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
