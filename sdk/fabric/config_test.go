package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
)

const goodConfig = `# A department's way to the network.
organisation: civil-affairs
authority: data-bureau
channel: credledger
chaincode: credledger
profile: profiles/network.yaml
certificate: client.pem
key: client.key
`

const goodProfile = `name: credledger
version: 1.0.0
client:
  organization: civil-affairs
organizations:
  data-bureau:
    mspid: data-bureau
    peers: [peer1.data-bureau]
  Marriages:
    mspid: civil-affairs
    peers: [peer1.civil-affairs, peer2.civil-affairs]
    certificateAuthorities: []
  nobody:
    mspid: nobody
orderers:
  orderer1.data-bureau:
    url: grpcs://127.0.0.1:7050
    tlsCACerts: {path: ../tls.pem}
peers:
  peer1.data-bureau:
    url: grpcs://127.0.0.1:7051
    tlsCACerts: {path: ../tls.pem}
    grpcOptions: {keep-alive-time: 30s, ssl-target-name-override: peer1, allow-insecure: false}
  peer1.civil-affairs:
    url: grpcs://peer1.example:7051
    tlsCACerts: {path: ../tls.pem}
  peer2.civil-affairs:
    url: grpcs://[::1]:7051
    tlsCACerts: {path: ../tls.pem}
  unused:
    url: nothing
`

// writeConfig writes a good configuration into a directory of its own; change alters it first.
func writeConfig(t *testing.T, change func(files map[string]string)) (file string) {
	t.Helper()
	root := issue(t, "root", nil, nil)
	client := issue(t, "client", root, nil)
	files := map[string]string{
		"config.yaml":           goodConfig,
		"profiles/network.yaml": goodProfile,
		"tls.pem":               string(root.certificatePEM()),
		"client.pem":            string(client.certificatePEM()),
		"client.key":            string(client.keyPEM(t)),
	}
	if change != nil {
		change(files)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "profiles"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

func TestLoadConfig(t *testing.T) {
	c, err := LoadConfig(writeConfig(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Organisation != "civil-affairs" || c.Authority != "data-bureau" || c.Channel != "credledger" || c.Chaincode != "credledger" {
		t.Errorf("%+v", c)
	}
	if n := len(c.profile.Organizations); n != 2 {
		t.Errorf("%d organisations with peers, want 2", n)
	}
	e := c.profile.Peers["peer1.data-bureau"]
	if e.address() != "127.0.0.1:7051" || e.tls().ServerName != "peer1" {
		t.Errorf("the endpoint %s expects the name %s", e.address(), e.tls().ServerName)
	}
	if name := c.profile.Peers["peer2.civil-affairs"].tls().ServerName; name != "::1" {
		t.Errorf("the name %s is expected of [::1]", name)
	}
	if _, ok := c.profile.Peers["unused"]; ok {
		t.Error("a peer of no organisation is used")
	}
	if got, want := fmt.Sprint(preference(c.profile, "civil-affairs", "data-bureau")), "[civil-affairs data-bureau]"; got != want {
		t.Errorf("peers are asked in the order %s, want %s", got, want)
	}
}

// replace alters one file, which must hold what is replaced.
func replace(name, old, new string) func(map[string]string) {
	return func(files map[string]string) {
		if !strings.Contains(files[name], old) {
			panic(name + " does not hold " + old)
		}
		files[name] = strings.Replace(files[name], old, new, 1)
	}
}

func TestLoadConfigRefuses(t *testing.T) {
	const config, profile = "config.yaml", "profiles/network.yaml"
	set := func(name, text string) func(map[string]string) {
		return func(files map[string]string) { files[name] = text }
	}
	remove := func(name string) func(map[string]string) {
		return func(files map[string]string) { delete(files, name) }
	}
	other := issue(t, "another", nil, nil)
	for _, test := range []struct {
		name   string
		change func(map[string]string)
		says   string // in the error
	}{
		{"no file", remove(config), "no such file"},
		{"empty", set(config, ""), "empty"},
		{"comment", set(config, "# nothing\n"), "empty"},
		{"no YAML", set(config, "organisation: [\n"), "config.yaml"},
		{"a list", set(config, "- organisation\n"), "config.yaml"},
		{"unknown key", set(config, goodConfig+"peer: x\n"), "peer"},
		{"key twice", set(config, goodConfig+"channel: x\n"), "channel"},
		{"two documents", set(config, goodConfig+"---\n"+goodConfig), "more than one"},
		{"too long", set(config, goodConfig+strings.Repeat("#", maxConfig)), "longer"},
		{"no organisation", replace(config, "organisation: civil-affairs\n", ""), "organisation must be"},
		{"organisation", replace(config, "organisation: civil-affairs", "organisation: Civil Affairs"), "organisation must be"},
		{"authority", replace(config, "authority: data-bureau", "authority: ''"), "authority must be"},
		{"authority without peers", replace(config, "authority: data-bureau", "authority: nobody"), "no peer of the authority"},
		{"channel", replace(config, "channel: credledger", "channel: CredLedger"), "channel must be"},
		{"chaincode", replace(config, "chaincode: credledger", "chaincode: a--b"), "chaincode must be"},
		{"no profile", replace(config, "profile: profiles/network.yaml", ""), "profile must be"},
		{"profile missing", remove(profile), "no such file"},
		{"key missing", remove("client.key"), "no such file"},
		{"certificate missing", remove("client.pem"), "no such file"},

		{"profile empty", set(profile, "{}"), "it must name"},
		{"profile unknown section", set(profile, goodProfile+"entityMatchers: {}\n"), "entityMatchers"},
		{"profile too long", set(profile, goodProfile+strings.Repeat("#", maxProfile)), "longer"},
		{"no orderers", replace(profile, "orderers:\n  orderer1.data-bureau:\n    url: grpcs://127.0.0.1:7050\n    tlsCACerts: {path: ../tls.pem}\n", ""), "an orderer"},
		{"mspid", replace(profile, "mspid: nobody", "mspid: No Body"), "nobody.mspid"},
		{"mspid twice", replace(profile, "mspid: nobody", "mspid: data-bureau"), "two have"},
		{"peer unknown", replace(profile, "[peer1.data-bureau]", "[peer7]"), "peer7"},
		{"peer twice", replace(profile, "[peer1.data-bureau]", "[peer1.data-bureau, peer1.data-bureau]"), "twice"},
		{"peer of two", replace(profile, "[peer1.data-bureau]", "[peer1.civil-affairs]"), "twice"},
		{"url without TLS", replace(profile, "grpcs://127.0.0.1:7051", "grpc://127.0.0.1:7051"), "grpcs://HOST:PORT"},
		{"url without port", replace(profile, "grpcs://127.0.0.1:7051", "grpcs://127.0.0.1"), "grpcs://HOST:PORT"},
		{"url with port 0", replace(profile, "grpcs://127.0.0.1:7051", "grpcs://127.0.0.1:0"), "grpcs://HOST:PORT"},
		{"url without host", replace(profile, "grpcs://127.0.0.1:7051", "grpcs://:7051"), "grpcs://HOST:PORT"},
		{"url with path", replace(profile, "grpcs://127.0.0.1:7051", "grpcs://127.0.0.1/x:7051"), "grpcs://HOST:PORT"},
		{"url twice", replace(profile, "grpcs://127.0.0.1:7050", "grpcs://127.0.0.1:7051"), "also that of"},
		{"no roots", replace(profile, "tlsCACerts: {path: ../tls.pem}", "tlsCACerts: {}"), "either a path or a pem"},
		{"roots missing", replace(profile, "../tls.pem", "tls.pem"), "no such file"},
		{"roots not PEM", replace(profile, "{path: ../tls.pem}", "{pem: nothing}"), "certificates in PEM"},
		{"roots and more", func(files map[string]string) { files["tls.pem"] += "more" }, "certificates in PEM"},
		{"roots broken", replace("tls.pem", "\nM", "\nN"), "tlsCACerts"},
		{"roots a key", func(files map[string]string) { files["tls.pem"] = files["client.key"] }, "certificates in PEM"},
		{"insecure", replace(profile, "allow-insecure: false", "allow-insecure: true"), "without TLS"},
		{"override", replace(profile, "ssl-target-name-override: peer1", "ssl-target-name-override: 1"), "must be a name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := LoadConfig(writeConfig(t, test.change))
			if ledger.Code(err) != CodeConfig || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%+v, %v; want %s, and %q in it", c, err, CodeConfig, test.says)
			}
		})
	}
	for _, test := range []struct {
		name   string
		change func(map[string]string)
		says   string
	}{
		{"another's key", set("client.key", string(other.keyPEM(t))), "not that of the certificate"},
		{"key twice", func(files map[string]string) { files["client.key"] += files["client.key"] }, "one block"},
		{"no key", set("client.key", "nothing"), "one block"},
		{"certificate as key", func(files map[string]string) { files["client.key"] = files["client.pem"] }, "PRIVATE KEY"},
		{"key broken", set("client.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))), "PKCS#8"},
		{"chain as certificate", func(files map[string]string) { files["client.pem"] += files["tls.pem"] }, "one block"},
		{"certificate broken", set("client.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))), "x509"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := LoadConfig(writeConfig(t, test.change))
			if ledger.Code(err) != CodeIdentity || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%+v, %v; want %s, and %q in it", c, err, CodeIdentity, test.says)
			}
		})
	}
}

func TestKeyFileMode(t *testing.T) {
	for mode, code := range map[fs.FileMode]string{0o600: "", 0o400: "", 0o640: CodeKeyExposed, 0o604: CodeKeyExposed, 0o620: CodeKeyExposed} {
		file := writeConfig(t, nil)
		if err := os.Chmod(filepath.Join(filepath.Dir(file), "client.key"), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConfig(file); ledger.Code(err) != code {
			t.Errorf("mode %04o: %v, want %q", mode, err, code)
		}
	}
}

func TestParseIdentity(t *testing.T) {
	now := time.Now()
	good := issue(t, "client", nil, nil)
	if _, err := parseIdentity("o", good.certificatePEM(), good.keyPEM(t), now); err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(good.key)
	if err != nil {
		t.Fatal(err)
	}
	i, err := parseIdentity("o", good.certificatePEM(), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), now)
	if err != nil {
		t.Fatalf("a key in SEC 1: %v", err)
	}
	if err := i.errExpired(now.Add(2 * time.Hour)); ledger.Code(err) != CodeIdentity {
		t.Errorf("after its end: %v, want %s", err, CodeIdentity)
	}
	if err := i.errExpired(now); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*x509.Certificate){
		"expired": func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) },
		"early":   func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) },
	} {
		bad := issue(t, "client", nil, change)
		if _, err := parseIdentity("o", bad.certificatePEM(), bad.keyPEM(t), now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := issue(t, "root", nil, nil)
	der, err := x509.CreateCertificate(rand.Reader, c.certificate, c.certificate, &key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	weak := &issued{&x509.Certificate{Raw: der}, key}
	if _, err := parseIdentity("o", weak.certificatePEM(), weak.keyPEM(t), now); err == nil {
		t.Error("a key on P-224 is accepted")
	}
}

func TestOpenWantsAConfig(t *testing.T) {
	for _, c := range []*Config{nil, {}} {
		if _, err := Open(t.Context(), c); ledger.Code(err) != CodeConfig {
			t.Errorf("%+v: %v, want %s", c, err, CodeConfig)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(goodConfig))
	f.Add([]byte("organisation: &a x\nauthority: *a\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConfig("f", b)
		if err != nil && ledger.Code(err) != CodeConfig || err == nil && (c.Key == "" || !mspID.MatchString(c.Organisation)) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func FuzzParseProfile(f *testing.F) {
	root := issue(f, "root", nil, nil).certificatePEM()
	f.Add([]byte(goodProfile))
	f.Add([]byte("organizations: {a: {mspid: a, peers: [p]}}\npeers: {p: {url: 'grpcs://a:1', tlsCACerts: {path: x}}}\norderers: {o: {url: 'grpcs://a:2', tlsCACerts: {path: x}}}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseProfile("f", b, func(string, int64) ([]byte, error) { return root, nil })
		if err != nil {
			if ledger.Code(err) != CodeConfig {
				t.Error(err)
			}
			return
		}
		encoded, fingerprint := p.encode()
		again, sum := p.encode()
		if !bytes.Equal(encoded, again) || fingerprint != sum {
			t.Error("two encodings of one profile differ")
		}
		for name, e := range p.Peers {
			if e.tls().ServerName == "" {
				t.Errorf("nothing vouches for peer %s", name)
			}
		}
	})
}
