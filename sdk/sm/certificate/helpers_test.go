package certificate

import (
	"bytes"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"github.com/credledger/credledger/sdk/sm"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A party has a key and, once it was issued, a certificate.
type party struct {
	name        string
	own         *sm.PrivateKey
	engine      *sm2.PrivateKey
	certificate *smx509.Certificate
}

func newParty(tb testing.TB, name string) *party {
	tb.Helper()
	own, err := sm.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	engine, err := smx509.ParsePKCS8PrivateKey(own.PKCS8())
	if err != nil {
		tb.Fatal(err)
	}
	return &party{name: name, own: own, engine: engine.(*sm2.PrivateKey)}
}

// authority changes a template to that of an authority.
func authority(t *smx509.Certificate) {
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = smx509.KeyUsageCertSign | smx509.KeyUsageCRLSign
}

// issue makes a certificate of p, by itself or by another; changes are made to an ordinary one of a
// department.
func (p *party) issue(tb testing.TB, by *party, changes ...func(*smx509.Certificate)) *party {
	tb.Helper()
	template := &smx509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: p.name},
		NotBefore: noon.Add(-24 * time.Hour), NotAfter: noon.Add(24 * time.Hour),
		KeyUsage: smx509.KeyUsageDigitalSignature | smx509.KeyUsageContentCommitment,
	}
	for _, change := range changes {
		change(template)
	}
	parent := template
	if by != p {
		parent = by.certificate
	}
	der, err := smx509.CreateCertificate(rand.Reader, template, parent, &p.engine.PublicKey, by.engine)
	if err != nil {
		tb.Fatal(err)
	}
	if p.certificate, err = smx509.ParseCertificate(der); err != nil {
		tb.Fatal(err)
	}
	return p
}

// files puts certificates into one file.
func files(all ...*party) []byte {
	var out []byte
	for _, p := range all {
		out = append(out, block(p.certificate.Raw)...)
	}
	return out
}

func block(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// three is a chain of a root, an authority under it, and a department.
func three(tb testing.TB) (root, middle, department *party) {
	tb.Helper()
	root, middle, department = newParty(tb, "root"), newParty(tb, "middle"), newParty(tb, "department")
	root.issue(tb, root, authority)
	middle.issue(tb, root, authority)
	return root, middle, department.issue(tb, middle)
}

func code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return "another error: " + err.Error()
	}
	return ""
}

// verdict reads and checks a chain, and returns the code of the error.
func verdict(tb testing.TB, chain, roots []byte, at time.Time) string {
	tb.Helper()
	r, err := ParseRoots(roots)
	if err != nil {
		return "roots: " + code(err)
	}
	c, err := ParseChain(chain)
	if err != nil {
		return code(err)
	}
	return code(c.Check(r, at))
}

// replaced returns a file with one byte of a certificate's DER changed.
func replaced(der []byte, at int) []byte {
	changed := bytes.Clone(der)
	changed[at] ^= 1
	return block(changed)
}
