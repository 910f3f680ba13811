package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/golang/protobuf/proto"
	mspproto "github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/core"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/cryptosuite"

	"github.com/credledger/credledger/sdk/ledger"
)

// An identity is a certificate of an organisation's client and its key.
type identity struct {
	organisation string
	certificate  []byte // PEM
	key          []byte // DER: PKCS#8 or SEC 1
	expires      time.Time
}

// loadIdentity reads an identity from its files.
func loadIdentity(organisation, certificateFile, keyFile string) (*identity, error) {
	certificate, err := readFile(certificateFile, maxPEM)
	if err != nil {
		return nil, err
	}
	key, err := readPrivate(keyFile, maxPEM)
	if err != nil {
		return nil, err
	}
	i, err := parseIdentity(organisation, certificate, key, time.Now())
	if err != nil {
		return nil, fail(CodeIdentity, certificateFile+" and "+keyFile, err)
	}
	return i, nil
}

func parseIdentity(organisation string, certificate, key []byte, now time.Time) (*identity, error) {
	der, err := onlyBlock(certificate, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() && public.Curve != elliptic.P384() {
		return nil, errors.New("the certificate's key is not ECDSA on P-256 or P-384, as Fabric's clients need")
	}
	switch {
	case now.Before(c.NotBefore):
		return nil, errors.New("the certificate is valid only from " + c.NotBefore.UTC().Format(time.RFC3339) + "; check the clock")
	case now.After(c.NotAfter):
		return nil, errors.New("the certificate was valid until " + c.NotAfter.UTC().Format(time.RFC3339) + "; renew it")
	}
	keyDER, err := onlyBlock(key, "PRIVATE KEY", "EC PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	private, err := parseKey(keyDER)
	if err != nil {
		return nil, err
	}
	if !private.PublicKey.Equal(public) {
		return nil, errors.New("the private key is not that of the certificate")
	}
	return &identity{
		organisation: organisation, key: keyDER, expires: c.NotAfter,
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}, nil
}

// onlyBlock returns the content of a PEM file that is one block of one of some types.
func onlyBlock(b []byte, types ...string) ([]byte, error) {
	block, rest := pem.Decode(b)
	if block != nil && len(bytes.TrimSpace(rest)) == 0 {
		for _, t := range types {
			if block.Type == t {
				return block.Bytes, nil
			}
		}
	}
	return nil, errors.New("expected one block of PEM of type " + types[0])
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key is neither PKCS#8 nor SEC 1; an encrypted one is not read")
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok {
		return key, nil
	}
	return nil, errors.New("the private key is not ECDSA")
}

// fingerprint names the identity.
func (i *identity) fingerprint() string {
	sum := sha256.Sum256(append([]byte(i.organisation+"\x00"), i.certificate...))
	return string(sum[:])
}

// signer makes the identity one of fabric-sdk-go's. The key stays in memory.
func (i *identity) signer(suite core.CryptoSuite) (*signer, error) {
	key, err := suite.KeyImport(i.key, cryptosuite.GetECDSAPrivateKeyImportOpts(true))
	if err != nil {
		return nil, fail(CodeIdentity, "use the private key", err)
	}
	serialized, err := proto.Marshal(&mspproto.SerializedIdentity{Mspid: i.organisation, IdBytes: i.certificate})
	if err != nil {
		return nil, fail(CodeIdentity, "use the certificate", err)
	}
	return &signer{i, key, serialized}, nil
}

// A signer implements msp.SigningIdentity. fabric-sdk-go signs with the key that PrivateKey returns.
type signer struct {
	*identity
	imported   core.Key
	serialized []byte
}

var errNoMethod = &ledger.Error{Code: CodeIdentity, Message: "the signing manager signs and verifies"}

func (s *signer) Identifier() *msp.IdentityIdentifier {
	return &msp.IdentityIdentifier{MSPID: s.organisation, ID: "client"}
}
func (s *signer) Serialize() ([]byte, error)      { return s.serialized, nil }
func (s *signer) EnrollmentCertificate() []byte   { return s.certificate }
func (s *signer) PrivateKey() core.Key            { return s.imported }
func (s *signer) PublicVersion() msp.Identity     { return s }
func (s *signer) Sign([]byte) ([]byte, error)     { return nil, errNoMethod }
func (s *signer) Verify(_ []byte, _ []byte) error { return errNoMethod }

// errExpired is returned once the certificate has expired: the network would refuse it.
func (i *identity) errExpired(now time.Time) error {
	if now.After(i.expires) {
		return fail(CodeIdentity, "the client's certificate was valid until "+i.expires.UTC().Format(time.RFC3339)+"; renew it and connect again", nil)
	}
	return nil
}
