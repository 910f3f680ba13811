package blocktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/msp"
)

// An Organisation has a CA, and certificates with a role each.
type Organisation struct {
	ID                     string
	Root                   *Identity // of the CA
	Issuer                 *Identity // Root, or a CA below it
	Admin, Peer, Client    *Identity
	Orderer                *Identity
	Revoked, Intermediates [][]byte // PEM
}

// An Identity is a certificate with its key.
type Identity struct {
	MSP  string
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// NewOrganisation makes an organisation. With below, certificates are issued by a CA below the root.
func NewOrganisation(tb testing.TB, id string, below bool) *Organisation {
	tb.Helper()
	o := &Organisation{ID: id}
	o.Root = o.issue(tb, nil, "", true)
	o.Issuer = o.Root
	if below {
		o.Issuer = o.issue(tb, o.Root, "", true)
		o.Intermediates = [][]byte{o.Issuer.PEM()}
	}
	for role, to := range map[string]**Identity{"admin": &o.Admin, "peer": &o.Peer, "client": &o.Client, "orderer": &o.Orderer} {
		*to = o.Issue(tb, role)
	}
	return o
}

// Issue makes an identity with organisational units, of which roles are some.
func (o *Organisation) Issue(tb testing.TB, units ...string) *Identity {
	tb.Helper()
	return o.issue(tb, o.Issuer, units[0], false, units[1:]...)
}

func (o *Organisation) issue(tb testing.TB, by *Identity, unit string, ca bool, more ...string) *Identity {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: o.ID + " " + serial.String()},
		// Long ago: certificates are judged at the moment when they became valid.
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: ca,
	}
	if unit != "" {
		template.Subject.OrganizationalUnit = append([]string{unit}, more...)
	}
	if ca {
		id := sha256.Sum256(key.X.Bytes())
		template.SubjectKeyId, template.KeyUsage = id[:], x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Cert, by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &Identity{o.ID, cert, key}
}

// Revoke puts a certificate on a list of the organisation's, for the next configuration.
func (o *Organisation) Revoke(tb testing.TB, id *Identity) {
	tb.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number:                    big.NewInt(1),
		ThisUpdate:                o.Root.Cert.NotBefore,
		NextUpdate:                o.Root.Cert.NotAfter,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: id.Cert.SerialNumber, RevocationTime: o.Root.Cert.NotBefore}},
	}, o.Issuer.Cert, o.Issuer.Key)
	if err != nil {
		tb.Fatal(err)
	}
	o.Revoked = append(o.Revoked, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

// PEM returns the certificate.
func (id *Identity) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Cert.Raw})
}

// Serialized returns the identity as it stands in messages.
func (id *Identity) Serialized() []byte {
	return encode(&msp.SerializedIdentity{Mspid: id.MSP, IdBytes: id.PEM()})
}

// Sign signs as Fabric does: ECDSA over SHA-256, with the lower of the two possible values of s.
func (id *Identity) Sign(parts ...[]byte) []byte { return id.sign(false, parts...) }

// SignHigh signs with the higher value, which Fabric refuses.
func (id *Identity) SignHigh(parts ...[]byte) []byte { return id.sign(true, parts...) }

func (id *Identity) sign(high bool, parts ...[]byte) []byte {
	digest := sha256.Sum256(slices.Concat(parts...))
	r, s, err := ecdsa.Sign(rand.Reader, id.Key, digest[:])
	if err != nil {
		panic(err) // the system's random numbers are gone
	}
	n := id.Key.Params().N
	if isHigh := s.Cmp(new(big.Int).Rsh(n, 1)) > 0; isHigh != high {
		s.Sub(n, s)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		panic(err) // two integers always encode
	}
	return der
}

// config is the organisation's MSP in the channel's configuration.
func (o *Organisation) config() []byte {
	unit := func(role string) *msp.FabricOUIdentifier {
		return &msp.FabricOUIdentifier{OrganizationalUnitIdentifier: role, Certificate: o.Issuer.PEM()}
	}
	return encode(&msp.MSPConfig{Config: encode(&msp.FabricMSPConfig{
		Name: o.ID, RootCerts: [][]byte{o.Root.PEM()}, IntermediateCerts: o.Intermediates, RevocationList: o.Revoked,
		FabricNodeOus: &msp.FabricNodeOUs{
			Enable: true, ClientOuIdentifier: unit("client"), PeerOuIdentifier: unit("peer"),
			AdminOuIdentifier: unit("admin"), OrdererOuIdentifier: unit("orderer"),
		},
	})})
}

// encode encodes a message in the one way that a test can rely on.
func encode(m proto.Message) []byte {
	buffer := proto.NewBuffer(nil)
	buffer.SetDeterministic(true)
	if err := buffer.Marshal(m); err != nil {
		panic(err) // what tests make always encodes
	}
	return buffer.Bytes()
}
