package tlcp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/tjfoc/gmsm/gmtls"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/credledger/credledger/sdk/sm"
)

// An Identity is what a server proves itself with: a signing and an encryption certificate, each with
// its private key. It is immutable and safe for concurrent use.
type Identity struct {
	config   *gmtls.Config
	notAfter time.Time
}

// Files are the contents of the four files of an identity, PEM. A certificate file begins with the
// certificate itself; those of the authorities above it may follow, and are sent once, after both
// certificates (GB/T 38636, 6.4.5.3).
type Files struct {
	SigningCertificate, SigningKey       []byte
	EncryptionCertificate, EncryptionKey []byte
}

// NewIdentity reads an identity. The keys are SM2, PKCS#8 and not encrypted; the certificates are for
// different keys, and their key usage, where they name one, is digitalSignature of the one and
// keyEncipherment, dataEncipherment or keyAgreement of the other. Anything else is an [Error] with
// [CodeBadCertificate].
func NewIdentity(f Files) (*Identity, error) {
	signing, err := readPair("signing", f.SigningCertificate, f.SigningKey, smx509.KeyUsageDigitalSignature)
	if err != nil {
		return nil, err
	}
	encryption, err := readPair("encryption", f.EncryptionCertificate, f.EncryptionKey,
		smx509.KeyUsageKeyEncipherment|smx509.KeyUsageDataEncipherment|smx509.KeyUsageKeyAgreement)
	if err != nil {
		return nil, err
	}
	if signing.key.Public().Equal(encryption.key.Public()) {
		return nil, &Error{Code: CodeBadCertificate, Text: "the signing and the encryption certificate are of one key; TLCP wants two"}
	}
	notAfter := signing.notAfter
	if encryption.notAfter.Before(notAfter) {
		notAfter = encryption.notAfter
	}
	above := encryption.above
	if len(above) == 0 {
		above = signing.above
	}
	return &Identity{
		notAfter: notAfter,
		config: &gmtls.Config{
			GMSupport: gmtls.NewGMSupport(),
			Certificates: []gmtls.Certificate{
				{Certificate: [][]byte{signing.leaf}, PrivateKey: signer{signing.key}},
				{Certificate: append([][]byte{encryption.leaf}, above...), PrivateKey: decrypter{encryption.key}},
			},
			MinVersion:             gmtls.VersionGMSSL,
			MaxVersion:             gmtls.VersionGMSSL,
			CipherSuites:           []uint16{gmtls.GMTLS_SM2_WITH_SM4_SM3},
			SessionTicketsDisabled: true,
		},
	}, nil
}

// NotAfter returns when the first of both certificates ends.
func (id *Identity) NotAfter() time.Time { return id.notAfter }

// A pair is a certificate and its key.
type pair struct {
	leaf     []byte
	above    [][]byte
	key      *sm.PrivateKey
	notAfter time.Time
}

// maxChain is how many certificates a file may hold.
const maxChain = 8

func readPair(name string, certificates, key []byte, usage smx509.KeyUsage) (*pair, error) {
	refuse := func(text string, err error) (*pair, error) {
		return nil, &Error{Code: CodeBadCertificate, Text: "the " + name + " " + text, Err: err}
	}
	chain, err := readChain(certificates)
	if err != nil {
		return refuse("certificate cannot be read", err)
	}
	leaf := chain[0]
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != sm2.P256() {
		return refuse("certificate is not of an SM2 key", nil)
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&usage == 0 {
		return refuse("certificate is not for "+name, nil)
	}
	private, err := sm.ParsePrivateKeyPEM(key, nil)
	if err != nil {
		return refuse("key cannot be read", err)
	}
	var xy [64]byte
	public.X.FillBytes(xy[:32])
	public.Y.FillBytes(xy[32:])
	if !bytes.Equal(private.Public().Bytes(), xy[:]) {
		return refuse("key is not the certificate's", nil)
	}
	p := &pair{leaf: leaf.Raw, key: private, notAfter: leaf.NotAfter}
	for _, c := range chain[1:] {
		p.above = append(p.above, c.Raw)
	}
	return p, nil
}

// readChain reads the certificates of a PEM file, which holds nothing else.
func readChain(text []byte) ([]*smx509.Certificate, error) {
	var chain []*smx509.Certificate
	for text = bytes.TrimSpace(text); len(text) > 0; text = bytes.TrimSpace(text) {
		var block *pem.Block
		if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
			block, text = pem.Decode(text)
		}
		if block == nil || block.Type != "CERTIFICATE" || len(chain) == maxChain {
			return nil, errors.New(`want PEM blocks "CERTIFICATE", 8 at most, and nothing else`)
		}
		c, err := smx509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("the file is empty")
	}
	return chain, nil
}

// A signer signs for the engine. What it is given is the message, not a digest of it.
type signer struct{ key *sm.PrivateKey }

func (s signer) Public() crypto.PublicKey { return s.key.Public() }

func (s signer) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	rs, err := s.key.Sign(message)
	if err != nil {
		return nil, err
	}
	return sm.SignatureToDER(rs)
}

// A decrypter decrypts for the engine, which has taken the DER form apart into 0x04 || x || y || C3 ||
// C2: coordinates and C3 are of 32 bytes each.
type decrypter struct{ key *sm.PrivateKey }

func (d decrypter) Public() crypto.PublicKey { return d.key.Public() }

func (d decrypter) Decrypt(_ io.Reader, raw []byte, _ crypto.DecrypterOpts) ([]byte, error) {
	const x, y, c3, c2 = 1, 33, 65, 97
	if len(raw) <= c2 || raw[0] != 4 {
		return nil, errors.New("not an SM2 ciphertext")
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[x:y]))
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[y:c3]))
		b.AddASN1OctetString(raw[c3:c2])
		b.AddASN1OctetString(raw[c2:])
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return d.key.Decrypt(der)
}
