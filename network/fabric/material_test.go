package fabric

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMaterial(t *testing.T) {
	n := newExample(t)
	if err := n.checkMaterial(time.Now()); err != nil {
		t.Fatal(err)
	}
	peer := filepath.Join(n.topology.Organisations[0].Certificates, "peer2")
	certificate := filepath.Join(peer, "tls", "signcerts", "cert.pem")
	key := filepath.Join(peer, "tls", "keystore", "key_sk")
	ca := filepath.Join(n.topology.Organisations[0].Certificates, "msp", "tlscacerts", "ca.pem")
	own := &testAuthority{t: t}
	stranger := newAuthority(t)
	for name, test := range map[string]struct {
		spoil func()
		says  string
	}{
		"no certificate":    {func() { os.Remove(certificate) }, "peer2/tls"},
		"no key":            {func() { os.Remove(key) }, "peer2/tls"},
		"no PEM":            {func() { os.WriteFile(certificate, []byte("certificate"), 0o600) }, "no certificate in PEM"},
		"damaged":           {func() { own.write(certificate, "CERTIFICATE", []byte{0x30, 0x00}) }, certificate},
		"another key":       {func() { stranger.put(tlsTemplate("127.0.0.2"), filepath.Join(t.TempDir(), "c"), key) }, key},
		"another authority": {func() { stranger.put(tlsTemplate("127.0.0.2"), certificate, key) }, ca},
		"another host":      {func() { stranger.put(tlsTemplate("127.0.0.3"), certificate, key) }, "have it issued for 127.0.0.2"},
		"expired": {func() {
			c := tlsTemplate("127.0.0.2")
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
			stranger.put(c, certificate, key)
		}, "put a current certificate in its place"},
		"for servers only": {func() {
			c := tlsTemplate("127.0.0.2")
			c.ExtKeyUsage = c.ExtKeyUsage[:1]
			issuer := newAuthority(t)
			issuer.write(ca, "CERTIFICATE", issuer.certificate.Raw)
			issuer.put(c, certificate, key)
		}, "server and client authentication"},
		"no identity":        {func() { os.RemoveAll(filepath.Join(peer, "msp")) }, "peer2/msp"},
		"no administrator":   {func() { os.RemoveAll(filepath.Join(peer, "..", "admin")) }, "admin/msp"},
		"no client":          {func() { os.RemoveAll(filepath.Join(peer, "..", "client", "msp", "keystore")) }, "client/msp/keystore"},
		"no roles":           {func() { os.Remove(filepath.Join(peer, "..", "msp", "config.yaml")) }, "config.yaml"},
		"no orderer's TLS":   {func() { os.RemoveAll(filepath.Join(peer, "..", "orderer1", "tls")) }, "orderer1/tls"},
		"no ordering's MSP":  {func() { os.RemoveAll(filepath.Join(peer, "..", "ordering")) }, "ordering/msp"},
		"nothing of another": {func() { os.RemoveAll(n.topology.Organisations[1].Certificates) }, "affairs"},
	} {
		t.Run(name, func(t *testing.T) {
			saved := t.TempDir()
			for _, o := range n.topology.Organisations {
				if err := os.CopyFS(filepath.Join(saved, o.ID), os.DirFS(o.Certificates)); err != nil {
					t.Fatal(err)
				}
			}
			test.spoil()
			err := n.checkMaterial(time.Now())
			if Code(err) != CodeCertificates || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want something with %q", err, test.says)
			}
			for _, o := range n.topology.Organisations {
				if err := os.RemoveAll(o.Certificates); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(o.Certificates, os.DirFS(filepath.Join(saved, o.ID))); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if err := n.checkMaterial(time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestExpiring(t *testing.T) {
	n := newExample(t)
	if found := n.expiring(expiryNotice, time.Now()); len(found) > 0 {
		t.Errorf("%v", found)
	}
	// The authority's are for a year: 1 orderer, 3 peers and their chaincode servers with TLS, 1 orderer
	// and 3 peers with identities, 2 administrators and clients.
	if found := n.expiring(366*24*time.Hour, time.Now()); len(found) != 7+4+4 {
		t.Errorf("%d certificates end within a year: %v", len(found), found)
	}
}
