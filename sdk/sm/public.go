package sm

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/pem"

	"github.com/emmansun/gmsm/sm2"
)

const (
	coordinateSize = 32
	pointSize      = 2 * coordinateSize
	pemPublicKey   = "PUBLIC KEY"
)

// sm2CurveOID is the DER object identifier of sm2p256v1, 1.2.156.10197.1.301
// (GM/T 0006).
var sm2CurveOID = []byte{0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D}

// sm2Algorithm is the DER AlgorithmIdentifier of an SM2 key: id-ecPublicKey
// (1.2.840.10045.2.1) with the named curve (RFC 5480).
var sm2Algorithm = append([]byte{0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01}, sm2CurveOID...)

// spkiPrefix is what comes before x||y in the DER SubjectPublicKeyInfo:
// SEQUENCE {AlgorithmIdentifier, BIT STRING {0x04 ...}}.
var spkiPrefix = bytes.Join([][]byte{{0x30, 0x59}, sm2Algorithm, {0x03, 0x42, 0x00, 0x04}}, nil)

// PublicKey is an SM2 public key: a point on sm2p256v1 other than infinity. It
// is immutable and safe for concurrent use. The zero PublicKey verifies
// nothing.
type PublicKey struct {
	engine *ecdsa.PublicKey // the engine's form
	xy     [pointSize]byte
	z      Hash // Z for DefaultID
	id     Hash
}

// NewPublicKey makes a key of 64 bytes x||y, both big-endian. A coordinate that
// is not below p, or a point that is not on the curve, is an [Error] with
// [CodeBadPublicKey].
func NewPublicKey(xy []byte) (*PublicKey, error) {
	if len(xy) != pointSize {
		return nil, fail(CodeBadPublicKey, "an SM2 public key is 64 bytes x||y")
	}
	k := &PublicKey{xy: [pointSize]byte(xy)}
	// The engine checks both coordinates and the curve equation; the leading
	// 0x04 leaves it no other form of point to read.
	engine, err := sm2.NewPublicKey(append([]byte{0x04}, xy...))
	if err != nil {
		return nil, &Error{CodeBadPublicKey, "the point is not on the curve sm2p256v1", err}
	}
	k.engine = engine
	k.z = identityHash(DefaultID, &k.xy)
	k.id = Sum(k.SPKI())
	return k, nil
}

// ParsePublicKey reads a DER SubjectPublicKeyInfo (RFC 5480) of an SM2 key. It
// accepts only the 91 bytes that [PublicKey.SPKI] returns: id-ecPublicKey with
// the named curve sm2p256v1 and the uncompressed point. Anything else is an
// [Error] with [CodeBadPublicKey].
func ParsePublicKey(spki []byte) (*PublicKey, error) {
	xy, ok := bytes.CutPrefix(spki, spkiPrefix)
	if !ok || len(xy) != pointSize {
		return nil, fail(CodeBadPublicKey, "not the DER SubjectPublicKeyInfo of an SM2 key: want 91 bytes, "+
			"id-ecPublicKey, curve sm2p256v1 (1.2.156.10197.1.301) by name, uncompressed point")
	}
	return NewPublicKey(xy)
}

// ParsePublicKeyPEM reads a file with one PEM block "PUBLIC KEY" (RFC 7468) and
// nothing else; see [ParsePublicKey].
func ParsePublicKeyPEM(text []byte) (*PublicKey, error) {
	block, ok := onlyBlock(text)
	if !ok || block.Type != pemPublicKey {
		return nil, fail(CodeBadPublicKey, `want a file with one PEM block "PUBLIC KEY" and nothing else`)
	}
	return ParsePublicKey(block.Bytes)
}

// onlyBlock returns the PEM block of a text that holds one and nothing else.
func onlyBlock(text []byte) (*pem.Block, bool) {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("-----BEGIN ")) || bytes.Count(text, []byte("-----BEGIN ")) != 1 {
		return nil, false
	}
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) != 0 || len(block.Headers) != 0 {
		return nil, false
	}
	return block, true
}

// ID returns the key id (kid): SM3 of the DER SubjectPublicKeyInfo.
func (k *PublicKey) ID() Hash { return k.id }

// Bytes returns x||y, 64 bytes.
func (k *PublicKey) Bytes() []byte { return bytes.Clone(k.xy[:]) }

// SPKI returns the DER SubjectPublicKeyInfo, 91 bytes.
func (k *PublicKey) SPKI() []byte {
	return append(bytes.Clone(spkiPrefix), k.xy[:]...)
}

// PEM returns the SubjectPublicKeyInfo as a PEM block "PUBLIC KEY".
func (k *PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemPublicKey, Bytes: k.SPKI()})
}

// Equal reports whether both are the same key.
func (k *PublicKey) Equal(o *PublicKey) bool {
	return k != nil && o != nil && k.xy == o.xy
}
