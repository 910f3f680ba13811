package sm

import (
	"github.com/emmansun/gmsm/sm2"
)

// DefaultID is the signer's ID that everybody uses who has not agreed on
// another (GM/T 0009, 10).
const DefaultID = "1234567812345678"

// MaxIDSize is the longest signer's ID in bytes: its length in bits is a
// 16-bit number (GB/T 32918.2, 5.5).
const MaxIDSize = 0xFFFF / 8

// curveABG is a || b || xG || yG of sm2p256v1 (GB/T 32918.5).
var curveABG = []byte("" +
	"\xFF\xFF\xFF\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFC" +
	"\x28\xE9\xFA\x9E\x9D\x9F\x5E\x34\x4D\x5A\x9E\x4B\xCF\x65\x09\xA7\xF3\x97\x89\xF5\x15\xAB\x8F\x92\xDD\xBC\xBD\x41\x4D\x94\x0E\x93" +
	"\x32\xC4\xAE\x2C\x1F\x19\x81\x19\x5F\x99\x04\x46\x6A\x39\xC9\x94\x8F\xE3\x0B\xBF\xF2\x66\x0B\xE1\x71\x5A\x45\x89\x33\x4C\x74\xC7" +
	"\xBC\x37\x36\xA2\xF4\xF6\x77\x9C\x59\xBD\xCE\xE3\x6B\x69\x21\x53\xD0\xA9\x87\x7C\xC6\x2A\x47\x40\x02\xDF\x32\xE5\x21\x39\xF0\xA0")

// identityHash returns Z = SM3(ENTL || ID || a || b || xG || yG || x || y), with
// ENTL the length of ID in bits as two bytes (GB/T 32918.2, 5.5). The caller
// has checked the length of id.
func identityHash(id string, xy *[pointSize]byte) Hash {
	h := NewHash()
	h.Write([]byte{byte(len(id) * 8 >> 8), byte(len(id) * 8)})
	h.Write([]byte(id))
	h.Write(curveABG)
	h.Write(xy[:])
	var z Hash
	h.Sum(z[:0])
	return z
}

// Verify reports whether sig, 64 bytes r||s, is a signature of msg by this key
// under [DefaultID] (GB/T 32918.2, 7.1).
func (k *PublicKey) Verify(msg, sig []byte) bool {
	if k == nil || k.engine == nil {
		return false
	}
	e := sumParts(k.z[:], msg)
	return k.verifyPrehashed(&e, sig)
}

// VerifyWithID is Verify for a signer's ID of 1 to [MaxIDSize] bytes; with any
// other ID it is false.
func (k *PublicKey) VerifyWithID(id string, msg, sig []byte) bool {
	if k == nil || k.engine == nil || id == "" || len(id) > MaxIDSize {
		return false
	}
	z := identityHash(id, &k.xy)
	e := sumParts(z[:], msg)
	return k.verifyPrehashed(&e, sig)
}

// verifyPrehashed verifies with e = SM3(Z || msg) given.
func (k *PublicKey) verifyPrehashed(e *Hash, sig []byte) bool {
	if !wellFormed(sig) {
		return false
	}
	// The engine takes DER; writing that and its reading it again cost less than
	// a hundredth of a verification.
	var der [maxSignatureDER]byte
	return sm2.VerifyASN1(k.engine, e[:], appendDER(der[:0], sig))
}
