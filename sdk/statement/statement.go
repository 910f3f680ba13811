// Package statement is the wire form of everything that is signed in CredLedger.
//
// A statement is one COSE_Sign1 message (RFC 9052, section 4.2), tagged 18:
//
//	18([ << {1: -65537, 4: kid, 16: typ} >>, {}, << payload >>, signature ])
//
//	alg (1)    -65537, private use: SM2 with SM3 (GB/T 32918.2, GB/T 32905), the signer's
//	           distinguishing identifier being "1234567812345678" (GM/T 0009)
//	kid (4)    32 bytes, SM3 of the DER SubjectPublicKeyInfo of the signing key
//	typ (16)   RFC 9596; another text for each purpose, so that no signature passes as another
//	payload    a deterministic CBOR array (RFC 8949, section 4.2) of fixed length whose first
//	           element is the 32-byte id of the ledger (except in a genesis, which makes that id)
//	signature  64 bytes, r || s, over the Sig_structure with empty external data
//
// There is exactly one encoding of a statement: Parse refuses every other one, so that formatting
// what was parsed gives the same bytes. SM2 signatures are randomised and are never used as names.
//
// The package never decides whether a signer was entitled to say something (that is what package
// chaincode is for), does no I/O and reads no clock.
package statement

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/sm"
)

// Algorithm is the COSE algorithm identifier of SM2 with SM3: private use, RFC 9053 section 8.
const Algorithm = -65537

// MaxSize is the greatest length of an encoded statement in bytes; the definition of a licence type
// is what takes the room.
const MaxSize = 320 << 10

// Kind names the purpose of a statement; it is the last part of the typ header.
type Kind string

// The kinds of statement.
const (
	KindGenesis     Kind = "genesis"
	KindHead        Kind = "head"
	KindStatus      Kind = "status"
	KindRestriction Kind = "restriction"
	KindDepartment  Kind = "department"
	KindKey         Kind = "key"
	KindType        Kind = "type"
	KindCheckpoint  Kind = "checkpoint"
	KindConsent     Kind = "consent"
	KindHeartbeat   Kind = "heartbeat"
	KindBinding     Kind = "binding"
	KindProof       Kind = "proof"
	KindSnapshot    Kind = "snapshot"
	KindGrant       Kind = "grant"
	KindWithdrawal  Kind = "withdrawal"
	KindRequest     Kind = "request"
	KindAnswer      Kind = "answer"
	KindPolicy      Kind = "policy"
)

// typPrefix and typSuffix surround the kind in the typ header: a media type in the vendor tree.
const (
	typPrefix = "application/vnd.credledger."
	typSuffix = "+cbor"
)

// A Body is the payload of one kind of statement. The pointer types of this package are its only
// implementations.
type Body interface {
	// Kind is the purpose that the typ header names.
	Kind() Kind
	// LedgerID is the ledger that the statement is for; zero for a genesis.
	LedgerID() sm.Hash
	// Validate reports the first thing wrong with the values, whatever ledger they are for.
	Validate() error
}

// A Statement is one signed message, taken apart.
type Statement struct {
	Body      Body
	KeyID     sm.Hash // kid of the signing key
	Payload   []byte  // the encoded body, exactly as signed
	Signature [sm.SignatureSize]byte
}

// bodies makes an empty body of each kind.
var bodies = map[Kind]func() Body{
	KindGenesis:     func() Body { return new(Genesis) },
	KindHead:        func() Body { return new(Head) },
	KindStatus:      func() Body { return new(Status) },
	KindRestriction: func() Body { return new(Restriction) },
	KindDepartment:  func() Body { return new(Department) },
	KindKey:         func() Body { return new(Key) },
	KindType:        func() Body { return new(Type) },
	KindCheckpoint:  func() Body { return new(Checkpoint) },
	KindConsent:     func() Body { return new(Consent) },
	KindHeartbeat:   func() Body { return new(Heartbeat) },
	KindBinding:     func() Body { return new(Binding) },
	KindProof:       func() Body { return new(Proof) },
	KindSnapshot:    func() Body { return new(Snapshot) },
	KindGrant:       func() Body { return new(Grant) },
	KindWithdrawal:  func() Body { return new(Withdrawal) },
	KindRequest:     func() Body { return new(Request) },
	KindAnswer:      func() Body { return new(Answer) },
	KindPolicy:      func() Body { return new(Policy) },
}

var (
	encMode = must(encOptions().EncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		IntDec:           cbor.IntDecConvertNone,
		MaxNestedLevels:  8,
		MaxArrayElements: 1 << 13,
		MaxMapPairs:      16,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // options fixed at compile time
	}
	return v
}

// Marshal encodes anything in the deterministic CBOR that payloads have (RFC 8949, section 4.2.1; an
// empty array or string, never null, where there are no elements): for the transactions, records and
// blocks that other packages make of statements.
func Marshal(v any) ([]byte, error) { return encMode.Marshal(v) }

// Encode returns the payload of a body after checking it.
func Encode(body Body) ([]byte, error) {
	if err := body.Validate(); err != nil {
		return nil, err
	}
	payload, err := encMode.Marshal(body)
	if err != nil {
		return nil, errorf(CodeMalformed, "encode %s: %v", body.Kind(), err)
	}
	return payload, nil
}

// Sign encodes a body, signs it and returns the statement's bytes.
func Sign(body Body, signer sm.Signer) ([]byte, error) {
	s, err := Make(body, signer)
	if err != nil {
		return nil, err
	}
	return s.Bytes(), nil
}

// Make is Sign for a caller that goes on with the parts.
func Make(body Body, signer sm.Signer) (*Statement, error) {
	payload, err := Encode(body)
	if err != nil {
		return nil, err
	}
	kid := signer.Public().ID()
	signature, err := signer.Sign(ToBeSigned(body.Kind(), kid, payload))
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", body.Kind(), err)
	}
	s := &Statement{Body: body, KeyID: kid, Payload: payload}
	if copy(s.Signature[:], signature) != sm.SignatureSize || len(signature) != sm.SignatureSize {
		return nil, errorf(CodeMalformed, "sign %s: the signer returned %d bytes, want %d", body.Kind(), len(signature), sm.SignatureSize)
	}
	return s, nil
}

// Parse takes one statement apart. It checks form only: Verify checks the signature. The payload of
// the result is part of b.
func Parse(b []byte) (*Statement, error) {
	if len(b) > MaxSize {
		return nil, errorf(CodeTooLarge, "a statement has at most %d bytes, this has %d", MaxSize, len(b))
	}
	kind, s, err := parseEnvelope(b)
	if err != nil {
		return nil, err
	}
	s.Body, err = Decode(kind, s.Payload)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ParseAs is Parse for a statement whose kind the caller expects; another kind is CodeWrongKind.
func ParseAs[B Body](b []byte) (B, *Statement, error) {
	var none B
	s, err := Parse(b)
	if err != nil {
		return none, nil, err
	}
	body, ok := s.Body.(B)
	if !ok {
		return none, nil, errorf(CodeWrongKind, "expected a %s statement, this is a %s", none.Kind(), s.Body.Kind())
	}
	return body, s, nil
}

// Decode parses the payload of a kind of statement.
func Decode(kind Kind, payload []byte) (Body, error) {
	newBody, ok := bodies[kind]
	if !ok {
		return nil, errorf(CodeWrongKind, "unknown kind of statement")
	}
	body := newBody()
	if err := decMode.Unmarshal(payload, body); err != nil {
		return nil, errorf(CodeMalformed, "%s statement: the payload does not have the form of its kind", kind)
	}
	again, err := encMode.Marshal(body)
	if err != nil || !bytes.Equal(again, payload) {
		return nil, errorf(CodeMalformed, "%s statement: the payload is not in its one deterministic encoding", kind)
	}
	if err := body.Validate(); err != nil {
		return nil, err
	}
	return body, nil
}

// Bytes formats the statement: the inverse of Parse.
func (s *Statement) Bytes() []byte {
	return formatEnvelope(s.Body.Kind(), s.KeyID, s.Payload, s.Signature[:])
}

// Verify reports whether the key signed the statement. A key with another id never did.
func (s *Statement) Verify(key *sm.PublicKey) bool {
	return key.ID() == s.KeyID && key.Verify(ToBeSigned(s.Body.Kind(), s.KeyID, s.Payload), s.Signature[:])
}

// VerifySecondOpinion is Verify by the independent crypto library, for audits.
func (s *Statement) VerifySecondOpinion(key *sm.PublicKey) bool {
	return key.ID() == s.KeyID && key.VerifySecondOpinion(ToBeSigned(s.Body.Kind(), s.KeyID, s.Payload), s.Signature[:])
}

// encOptions is the core deterministic encoding, with empty rather than null for no elements.
func encOptions() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	return o
}
