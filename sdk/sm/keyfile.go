package sm

import (
	"bytes"
	encasn1 "encoding/asn1"
	"encoding/pem"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const (
	pemPrivateKey          = "PRIVATE KEY"
	pemEncryptedPrivateKey = "ENCRYPTED PRIVATE KEY"
	pemSEC1PrivateKey      = "EC PRIVATE KEY"
)

// The parts of the PKCS#8 PrivateKeyInfo of an SM2 key between which the scalar
// and the point stand, in the form that OpenSSL writes (RFC 5208, RFC 5915).
var (
	// SEQUENCE {INTEGER 0, AlgorithmIdentifier, OCTET STRING {SEQUENCE {INTEGER 1, OCTET STRING ...
	pkcs8Prefix = bytes.Join([][]byte{{0x30, 0x81, 0x87, 0x02, 0x01, 0x00}, sm2Algorithm,
		{0x04, 0x6D, 0x30, 0x6B, 0x02, 0x01, 0x01, 0x04, 0x20}}, nil)
	// ... [1] {BIT STRING {0x04 ...}}}}}
	pkcs8Middle = []byte{0xA1, 0x44, 0x03, 0x42, 0x00, 0x04}
)

var (
	tagParameters = asn1.Tag(0).ContextSpecific().Constructed()
	tagPublicKey  = asn1.Tag(1).ContextSpecific().Constructed()
)

// PKCS8 returns the DER PrivateKeyInfo (RFC 5208) with the public key in it,
// 138 bytes, as OpenSSL writes it.
func (k *PrivateKey) PKCS8() []byte {
	d := k.engine.D.FillBytes(make([]byte, scalarSize))
	return bytes.Join([][]byte{pkcs8Prefix, d, pkcs8Middle, k.public.xy[:]}, nil)
}

// PEM returns the PrivateKeyInfo as a PEM block "PRIVATE KEY", not encrypted.
func (k *PrivateKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: k.PKCS8()})
}

// EncryptedPEM returns the PrivateKeyInfo encrypted with password, as a PEM block
// "ENCRYPTED PRIVATE KEY": PBES2 with PBKDF2-HMAC-SHA256 (600,000 iterations,
// 16 bytes of salt) and SM4-CBC (RFC 8018), which OpenSSL 3 reads; it has no
// PBKDF2 with HMAC-SM3. An empty password is an [Error] with [CodeBadInput].
func (k *PrivateKey) EncryptedPEM(password []byte) ([]byte, error) {
	if len(password) == 0 {
		return nil, fail(CodeBadInput, "an encrypted key file needs a password")
	}
	der, err := encryptKey(k.PKCS8(), password)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemEncryptedPrivateKey, Bytes: der}), nil
}

// ParsePrivateKeyPEM reads a file with one PEM block "PRIVATE KEY" or "ENCRYPTED
// PRIVATE KEY" (RFC 7468) and nothing else, as [PrivateKey.PEM],
// [PrivateKey.EncryptedPEM] and "openssl genpkey" write it. The password is
// looked at only where the file is encrypted: with PBES2, PBKDF2 with HMAC-SM3
// or HMAC-SHA256, and SM4, AES-128 or AES-256 in CBC mode (RFC 8018).
//
// Errors are an [Error] with [CodePasswordNeeded], [CodeWrongPassword],
// [CodeUnsupportedCipher], or [CodeBadPrivateKey].
func ParsePrivateKeyPEM(text, password []byte) (*PrivateKey, error) {
	block, ok := onlyBlock(text)
	if !ok {
		return nil, fail(CodeBadPrivateKey, `want a file with one PEM block "PRIVATE KEY" or "ENCRYPTED PRIVATE KEY" and nothing else`)
	}
	switch block.Type {
	case pemPrivateKey:
		return ParsePrivateKey(block.Bytes)
	case pemEncryptedPrivateKey:
		if len(password) == 0 {
			return nil, fail(CodePasswordNeeded, "the key file is encrypted: give its password")
		}
		der, err := decryptKey(block.Bytes, password)
		if err != nil {
			return nil, err
		}
		return ParsePrivateKey(der)
	case pemSEC1PrivateKey:
		return nil, fail(CodeBadPrivateKey, `a PEM block "EC PRIVATE KEY" is not PKCS#8: convert it with "openssl pkcs8 -topk8"`)
	}
	return nil, fail(CodeBadPrivateKey, `want a PEM block "PRIVATE KEY" or "ENCRYPTED PRIVATE KEY"`)
}

// ParsePrivateKey reads a DER PrivateKeyInfo (RFC 5208) of an SM2 key: version 0,
// id-ecPublicKey with the named curve sm2p256v1, no attributes, and an
// ECPrivateKey (RFC 5915) whose scalar is 32 bytes in [1, n-2], whose curve, if
// named again, is the same, and whose public key, if present, is the scalar's.
// Anything else is an [Error] with [CodeBadPrivateKey].
func ParsePrivateKey(pkcs8 []byte) (*PrivateKey, error) {
	d, point, ok := splitPKCS8(pkcs8)
	if !ok {
		return nil, fail(CodeBadPrivateKey, "not the DER PKCS#8 PrivateKeyInfo of an SM2 key "+
			"(id-ecPublicKey, curve sm2p256v1 1.2.156.10197.1.301 by name)")
	}
	k, err := newPrivateKey(d)
	if err != nil {
		return nil, err
	}
	if point != nil && !bytes.Equal(point, append([]byte{0x04}, k.public.xy[:]...)) {
		return nil, fail(CodeBadPrivateKey, "the public key in the key file is not the private key's")
	}
	return k, nil
}

// splitPKCS8 returns the scalar and, if there is one, the encoded point.
func splitPKCS8(der []byte) (d, point []byte, ok bool) {
	var info, inner, ec cryptobyte.String
	var version, ecVersion int
	input := cryptobyte.String(der)
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1Integer(&version) || version != 0 ||
		!readExact(&info, sm2Algorithm) ||
		!info.ReadASN1(&inner, asn1.OCTET_STRING) || !info.Empty() ||
		!inner.ReadASN1(&ec, asn1.SEQUENCE) || !inner.Empty() ||
		!ec.ReadASN1Integer(&ecVersion) || ecVersion != 1 ||
		!ec.ReadASN1Bytes(&d, asn1.OCTET_STRING) {
		return nil, nil, false
	}
	var field cryptobyte.String
	var present bool
	if !ec.ReadOptionalASN1(&field, &present, tagParameters) || present && !bytes.Equal(field, sm2CurveOID) {
		return nil, nil, false
	}
	if !ec.ReadOptionalASN1(&field, &present, tagPublicKey) || !ec.Empty() {
		return nil, nil, false
	}
	if present {
		var bits encasn1.BitString
		if !field.ReadASN1BitString(&bits) || !field.Empty() || bits.BitLength%8 != 0 {
			return nil, nil, false
		}
		point = bits.Bytes
	}
	return d, point, true
}

// readExact consumes want from the front of input.
func readExact(input *cryptobyte.String, want []byte) bool {
	var got []byte
	return input.ReadBytes(&got, len(want)) && bytes.Equal(got, want)
}
