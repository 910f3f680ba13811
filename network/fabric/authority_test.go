package fabric

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A testAuthority certifies the material of test organisations.
type testAuthority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *testAuthority {
	t.Helper()
	a := &testAuthority{t: t}
	a.certificate, a.key = a.issue(&x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "test authority"},
	})
	return a
}

// issue completes a template and certifies it; without an authority it certifies itself.
func (a *testAuthority) issue(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(365*24*time.Hour)
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	issued, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return issued, key
}

// tls is a template for a process of a host.
func tlsTemplate(host string) *x509.Certificate {
	c := &x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	return c
}

func (a *testAuthority) write(file, kind string, der []byte) {
	a.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// put issues a certificate and writes it, with its key, where a Fabric CA's client would, or under
// the names of cryptogen.
func (a *testAuthority) put(c *x509.Certificate, certificateFile, keyFile string) {
	a.t.Helper()
	issued, key := a.issue(c)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(certificateFile, "CERTIFICATE", issued.Raw)
	a.write(keyFile, "PRIVATE KEY", der)
}

// organisation writes the material of an organisation.
func (a *testAuthority) organisation(dir string, o *Organisation) {
	a.t.Helper()
	msp := func(path ...string) {
		msp := filepath.Join(append(append([]string{dir}, path...), "msp")...)
		a.write(filepath.Join(msp, "cacerts", "ca.pem"), "CERTIFICATE", a.certificate.Raw)
		a.write(filepath.Join(msp, "tlscacerts", "ca.pem"), "CERTIFICATE", a.certificate.Raw)
		if err := os.WriteFile(filepath.Join(msp, "config.yaml"), []byte("NodeOUs:\n  Enable: true\n"), 0o644); err != nil {
			a.t.Fatal(err)
		}
		a.put(&x509.Certificate{Subject: pkix.Name{CommonName: filepath.Join(path...)}},
			filepath.Join(msp, "signcerts", "cert.pem"), filepath.Join(msp, "keystore", "key_sk"))
	}
	msp()
	msp("admin")
	msp("client")
	if len(o.Orderers) > 0 {
		msp("ordering")
	}
	topology := &Topology{Organisations: []Organisation{*o}}
	for _, p := range topology.nodes(1) {
		if p.kind != kindChaincode {
			msp(p.short())
		}
		tls := filepath.Join(dir, p.short(), "tls")
		a.put(tlsTemplate(p.Host), filepath.Join(tls, "signcerts", "cert.pem"), filepath.Join(tls, "keystore", "key_sk"))
		a.write(filepath.Join(tls, "tlscacerts", "ca.pem"), "CERTIFICATE", a.certificate.Raw)
	}
}
