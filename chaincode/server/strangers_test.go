package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	pb "github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/credledger/credledger/chaincode/server/peertest"
)

// Only clients with a certificate of the authority, over TLS 1.2 or newer, are served.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	s := peertest.Start(t, script{"done": done})
	state := peertest.NewState()
	identity, _ := s.Authority.Issue(t, nil)
	with := func(change func(*tls.Config)) *tls.Config {
		c := s.Authority.Client(t)
		change(c)
		return c
	}
	certificate := func(a *peertest.Authority, change func(*x509.Certificate)) func(*tls.Config) {
		return func(c *tls.Config) {
			cert, key := a.Issue(t, change)
			pair, err := tls.X509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			// Shown whether or not the server asks for its authority.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
	}
	for name, c := range map[string]*tls.Config{
		"no certificate":        with(func(c *tls.Config) { c.Certificates = nil }),
		"another authority's":   with(certificate(peertest.NewAuthority(t, nil), nil)),
		"an expired one":        with(certificate(s.Authority, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) })),
		"one that begins later": with(certificate(s.Authority, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })),
		"a server's only": with(certificate(s.Authority, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})),
		"TLS 1.1": with(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }),
	} {
		if p, err := peertest.Dial(s.Address, c, state, identity); err == nil {
			p.Close()
			t.Errorf("%s: served", name)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p, err := peertest.Dial(s.Address, with(func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }), state, identity)
		if err != nil {
			t.Fatalf("TLS version %x: %v", version, err)
		}
		p.Close()
	}
	conn, err := grpc.NewClient(s.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if stream, err := pb.NewChaincodeClient(conn).Connect(t.Context()); err == nil {
		if _, err = stream.Recv(); err == nil {
			t.Error("without TLS: served")
		}
	}
	if log := s.Log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("strangers make errors:\n%s", log)
	}
}
