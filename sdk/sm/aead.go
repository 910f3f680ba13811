package sm

import (
	"crypto/cipher"

	"github.com/emmansun/gmsm/sm4"
)

// Sizes of SM4-GCM in bytes (RFC 8998).
const (
	SealKeySize   = 16
	SealNonceSize = 12
	SealOverhead  = 16
)

// maxSealed is the longest plaintext of GCM in bytes: 2^39-256 bits
// (NIST SP 800-38D, 5.2.1.1).
const maxSealed = 1<<36 - 32

// Seal encrypts and authenticates plaintext, and authenticates aad, with
// SM4-GCM (RFC 8998). The key is 16 bytes; the nonce is 12 bytes and never used
// twice with one key. The result is ciphertext||tag, 16 bytes longer than
// plaintext. Other lengths are an [Error] with [CodeBadInput].
func Seal(key, nonce, plaintext, aad []byte) ([]byte, error) {
	aead, err := newGCM(key, nonce)
	if err != nil {
		return nil, err
	}
	if uint64(len(plaintext)) > maxSealed {
		return nil, fail(CodeBadInput, "SM4-GCM seals at most 2^36-32 bytes")
	}
	return aead.Seal(nil, nonce, plaintext, aad), nil
}

// Open decrypts what [Seal] made with the same key, nonce and aad. Anything
// else is an [Error] with [CodeDecryptionFailed].
func Open(key, nonce, ciphertext, aad []byte) ([]byte, error) {
	aead, err := newGCM(key, nonce)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, nonce, ciphertext, aad)
	if err != nil {
		return nil, fail(CodeDecryptionFailed, "SM4-GCM: key, nonce, ciphertext or associated data is not what was sealed")
	}
	return plaintext, nil
}

func newGCM(key, nonce []byte) (cipher.AEAD, error) {
	if len(key) != SealKeySize || len(nonce) != SealNonceSize {
		return nil, fail(CodeBadInput, "SM4-GCM takes a key of 16 bytes and a nonce of 12")
	}
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, &Error{CodeBadInput, "SM4", err}
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, &Error{CodeBadInput, "GCM", err}
	}
	return aead, nil
}
