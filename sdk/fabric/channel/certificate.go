package channel

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
)

// parseCertificate reads the first PEM block of b, whatever its label.
func parseCertificate(b []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("it is not in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// verifySignature reports whether an ECDSA signature over SHA-256 of message is valid and has the
// lower of the two possible values of s: Fabric takes no other.
func verifySignature(key *ecdsa.PublicKey, message, signature []byte) bool {
	s, err := parseSignature(signature)
	if err != nil || s.S.Cmp(halfOrder(key)) > 0 {
		return false
	}
	digest := sha256.Sum256(message)
	return ecdsa.Verify(key, digest[:], s.R, s.S)
}

// A signature is ECDSA-Sig-Value of RFC 3279, section 2.2.3.
type signature struct{ R, S *big.Int }

// parseSignature reads a signature as Fabric does: what comes after it is not looked at.
func parseSignature(der []byte) (*signature, error) {
	s := new(signature)
	if _, err := asn1.Unmarshal(der, s); err != nil {
		return nil, err
	}
	if s.R == nil || s.S == nil || s.R.Sign() <= 0 || s.S.Sign() <= 0 {
		return nil, errors.New("it is not positive")
	}
	return s, nil
}

func halfOrder(key *ecdsa.PublicKey) *big.Int { return new(big.Int).Rsh(key.Params().N, 1) }

// lowS returns the DER of a certificate with the lower of the two possible values of s in its
// signature by a CA: the form in which Fabric hashes certificates.
func lowS(cert, by *x509.Certificate) []byte {
	key, ok := by.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return cert.Raw
	}
	s, err := parseSignature(cert.Signature)
	if err != nil || s.S.Cmp(halfOrder(key)) <= 0 {
		return cert.Raw
	}
	s.S.Sub(key.Params().N, s.S)
	low, err := asn1.Marshal(*s)
	if err != nil {
		return cert.Raw
	}
	var whole struct {
		Body, Algorithm asn1.RawValue
		Signature       asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.Raw, &whole); err != nil {
		return cert.Raw
	}
	whole.Signature = asn1.BitString{Bytes: low, BitLength: 8 * len(low)}
	der, err := asn1.Marshal(whole)
	if err != nil {
		return cert.Raw
	}
	return der
}
