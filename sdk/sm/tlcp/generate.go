package tlcp

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"github.com/credledger/credledger/sdk/sm"
)

// GeneratedLifetime is how long certificates of [Generate] are valid.
const GeneratedLifetime = 2 * 365 * 24 * time.Hour

// Generate makes the files of an identity for trials: an authority of its own, whose key is forgotten
// as soon as it has signed both certificates, and root, its certificate, which clients are to trust. The
// names are host names or IP addresses. For service, certificates come from a licensed CA instead.
func Generate(names []string, now time.Time) (files Files, root []byte, err error) {
	ca, err := newLeafKey()
	if err != nil {
		return Files{}, nil, err
	}
	authority := template("CredLedger trial authority", now)
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = smx509.KeyUsageCertSign
	root, err = certify(authority, authority, ca, ca)
	if err != nil {
		return Files{}, nil, err
	}
	above, err := readChain(root)
	if err != nil {
		return Files{}, nil, err
	}
	for _, leaf := range []struct {
		name             string
		usage            smx509.KeyUsage
		certificate, key *[]byte
	}{
		{"CredLedger signing", smx509.KeyUsageDigitalSignature, &files.SigningCertificate, &files.SigningKey},
		{"CredLedger encryption", smx509.KeyUsageKeyEncipherment | smx509.KeyUsageDataEncipherment, &files.EncryptionCertificate, &files.EncryptionKey},
	} {
		key, err := newLeafKey()
		if err != nil {
			return Files{}, nil, err
		}
		t := template(leaf.name, now)
		t.KeyUsage, t.ExtKeyUsage = leaf.usage, []smx509.ExtKeyUsage{smx509.ExtKeyUsageServerAuth}
		for _, name := range names {
			if ip := net.ParseIP(name); ip != nil {
				t.IPAddresses = append(t.IPAddresses, ip)
			} else {
				t.DNSNames = append(t.DNSNames, name)
			}
		}
		if *leaf.certificate, err = certify(t, above[0], key, ca); err != nil {
			return Files{}, nil, err
		}
		*leaf.key = key.own.PEM()
	}
	return files, root, nil
}

// A leafKey is one key in both forms: that of the certificates' library, and ours.
type leafKey struct {
	engine *sm2.PrivateKey
	own    *sm.PrivateKey
}

func newLeafKey() (*leafKey, error) {
	own, err := sm.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	parsed, err := smx509.ParsePKCS8PrivateKey(own.PKCS8())
	if err != nil {
		return nil, err
	}
	return &leafKey{parsed.(*sm2.PrivateKey), own}, nil
}

func template(name string, now time.Time) *smx509.Certificate {
	return &smx509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), // for clocks that are behind
		NotAfter:  now.Add(GeneratedLifetime),
	}
}

func certify(t, parent *smx509.Certificate, key, ca *leafKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	t.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := smx509.CreateCertificate(rand.Reader, t, parent, &key.engine.PublicKey, ca.engine)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
