package sm

import (
	"io"

	"github.com/emmansun/gmsm/sm2"
)

// Encrypt encrypts plaintext to the key (GB/T 32918.4) with randomness from
// random; nil means crypto/rand. The result is DER SEQUENCE {INTEGER x,
// INTEGER y, OCTET STRING C3, OCTET STRING C2} (GM/T 0009, 7.2), about 110 bytes
// longer than plaintext. An empty plaintext is an [Error] with
// [CodeBadInput]: the standard gives it no encryption.
func (k *PublicKey) Encrypt(random io.Reader, plaintext []byte) ([]byte, error) {
	if k == nil || k.engine == nil {
		return nil, fail(CodeBadPublicKey, "no public key to encrypt to")
	}
	if len(plaintext) == 0 {
		return nil, fail(CodeBadInput, "SM2 cannot encrypt an empty message")
	}
	ciphertext, err := sm2.EncryptASN1(randomness(random), k.engine, plaintext)
	if err != nil {
		return nil, &Error{CodeNoRandomness, "SM2 encryption failed", err}
	}
	return ciphertext, nil
}

// derSequence is the first byte of a ciphertext.
const derSequence = 0x30

// Decrypt decrypts what [PublicKey.Encrypt] made, and only that form. A wrong
// key and a changed ciphertext are the same [Error], [CodeDecryptionFailed].
func (k *PrivateKey) Decrypt(ciphertext []byte) ([]byte, error) {
	failed := fail(CodeDecryptionFailed, "SM2 decryption failed: the key is another's, or the ciphertext was changed")
	// The engine reads raw forms too, and knows them by their first byte. Of DER
	// it reads the exact form alone, and it checks that the point is on the curve.
	if len(ciphertext) == 0 || ciphertext[0] != derSequence {
		return nil, failed
	}
	plaintext, err := k.engine.Decrypt(nil, ciphertext, sm2.ASN1DecrypterOpts)
	if err != nil {
		return nil, failed
	}
	return plaintext, nil
}
