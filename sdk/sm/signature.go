package sm

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// SignatureSize is the size of a signature r||s in bytes, each half big-endian.
const SignatureSize = 64

const (
	scalarSize = SignatureSize / 2
	// maxSignatureDER is SEQUENCE (2) and two INTEGERs of up to 33 bytes (2+33).
	maxSignatureDER = 2 + 2*(2+1+scalarSize)
)

// order is n, the order of the curve sm2p256v1, most significant limb first.
var order = [4]uint64{0xFFFFFFFEFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x7203DF6B21C6052B, 0x53BBF40939D54123}

// limbs reads a 32-byte big-endian number, most significant limb first.
func limbs(b []byte) (v [4]uint64) {
	for i := range v {
		v[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return v
}

// inOrder reports whether 0 < v < n.
func inOrder(v [4]uint64) bool {
	if v == ([4]uint64{}) {
		return false
	}
	var borrow uint64
	for i := 3; i >= 0; i-- {
		_, borrow = bits.Sub64(v[i], order[i], borrow)
	}
	return borrow == 1
}

// wellFormed reports whether sig is 64 bytes r||s with r and s in [1, n-1] and
// r+s other than n: what a verifier must check before any point arithmetic
// (GB/T 32918.2, 7.1, steps B1, B2 and B5).
func wellFormed(sig []byte) bool {
	if len(sig) != SignatureSize {
		return false
	}
	r, s := limbs(sig[:scalarSize]), limbs(sig[scalarSize:])
	if !inOrder(r) || !inOrder(s) {
		return false
	}
	var sum [4]uint64
	var carry uint64
	for i := 3; i >= 0; i-- {
		sum[i], carry = bits.Add64(r[i], s[i], carry)
	}
	return carry == 1 || sum != order
}

// SignatureToDER turns 64 bytes r||s into DER SEQUENCE {INTEGER r, INTEGER s}
// (GM/T 0009, 7.3). Values no verifier may accept (r or s out of [1, n-1],
// r+s = n) are an [Error] with [CodeBadSignature].
func SignatureToDER(rs []byte) ([]byte, error) {
	if !wellFormed(rs) {
		return nil, fail(CodeBadSignature, "a signature is 64 bytes r||s, each in [1, n-1], with r+s other than n")
	}
	return appendDER(make([]byte, 0, maxSignatureDER), rs), nil
}

// appendDER appends the DER form of a well-formed signature.
func appendDER(dst, rs []byte) []byte {
	start := len(dst)
	dst = append(dst, 0x30, 0)
	dst = appendInteger(dst, rs[:scalarSize])
	dst = appendInteger(dst, rs[scalarSize:])
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

// appendInteger appends a positive big-endian number as a DER INTEGER.
func appendInteger(dst, v []byte) []byte {
	v = bytes.TrimLeft(v, "\x00")
	if v[0] < 0x80 {
		dst = append(dst, 0x02, byte(len(v)))
	} else {
		dst = append(dst, 0x02, byte(len(v)+1), 0)
	}
	return append(dst, v...)
}

// SignatureFromDER is the inverse of [SignatureToDER]. It accepts exactly what
// that produces: minimal lengths, minimal positive INTEGERs, nothing after or
// inside. Anything else is an [Error] with [CodeBadSignature].
func SignatureFromDER(der []byte) ([]byte, error) {
	var inner cryptobyte.String
	rs := make([]byte, SignatureSize)
	input := cryptobyte.String(der)
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !input.Empty() ||
		!readScalar(&inner, rs[:scalarSize]) || !readScalar(&inner, rs[scalarSize:]) || !inner.Empty() {
		return nil, fail(CodeBadSignature, "a signature in DER is exactly SEQUENCE {INTEGER r, INTEGER s}")
	}
	if !wellFormed(rs) {
		return nil, fail(CodeBadSignature, "r and s of a signature are in [1, n-1], and r+s is not n")
	}
	return rs, nil
}

// readScalar reads a DER INTEGER that fits into len(out) bytes.
func readScalar(input *cryptobyte.String, out []byte) bool {
	var v []byte
	if !input.ReadASN1Integer(&v) || len(v) > len(out) {
		return false
	}
	copy(out[len(out)-len(v):], v)
	return true
}
