package certificate

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// openssl is the independent party of these tests, so it must be there.
type openssl struct {
	t   *testing.T
	dir string
}

func newOpenSSL(t *testing.T) openssl {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("these tests need the openssl command, version 3.0 or newer, in the PATH: ", err)
	}
	return openssl{t, t.TempDir()}
}

func (o openssl) write(name string, data []byte) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), data, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o openssl) read(names ...string) []byte {
	o.t.Helper()
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(o.dir, name))
		if err != nil {
			o.t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

func (o openssl) try(args ...string) error {
	cmd := exec.Command("openssl", args...)
	cmd.Dir = o.dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Logf("openssl %q: %v\n%s", args, err, output)
	}
	return err
}

func (o openssl) run(args ...string) {
	o.t.Helper()
	if err := o.try(args...); err != nil {
		o.t.Fatal(err)
	}
}

const distid = "distid:" + sm.DefaultID

// extensions are those that an authority gives to each kind of certificate.
const extensions = `[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[department]
basicConstraints = CA:false
keyUsage = critical, digitalSignature, nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
1.2.156.10260.4.1.4 = ASN1:PRINTABLESTRING:11990100MB00000057
[encryption]
keyUsage = critical, keyEncipherment
`

// request makes a key and a request for its certificate.
func (o openssl) request(name, subject string) {
	o.t.Helper()
	o.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", name+".key")
	o.run("req", "-new", "-utf8", "-sm3", "-sigopt", distid, "-key", name+".key", "-subj", subject, "-out", name+".csr")
}

// issue certifies a request, for a day from now.
func (o openssl) issue(name, kind string, by ...string) {
	o.t.Helper()
	o.write("extensions", []byte(extensions))
	o.run(slices.Concat([]string{"x509", "-req", "-sm3", "-vfyopt", distid, "-sigopt", distid, "-days", "1",
		"-extfile", "extensions", "-extensions", kind, "-in", name + ".csr", "-out", name + ".crt"}, by)...)
}

func by(name string) []string {
	return []string{"-CA", name + ".crt", "-CAkey", name + ".key", "-CAcreateserial"}
}

func TestOpenSSLIssues(t *testing.T) {
	o := newOpenSSL(t)
	o.request("root", "/C=CN/O=示范根认证中心")
	o.issue("root", "authority", "-signkey", "root.key")
	o.request("middle", "/C=CN/O=示范认证中心")
	o.issue("middle", "authority", by("root")...)
	o.request("department", "/C=CN/O=档案局/CN=Archives")
	o.issue("department", "department", by("middle")...)
	o.request("encryption", "/C=CN/O=档案局")
	o.issue("encryption", "encryption", by("middle")...)

	now := time.Now()
	for _, roots := range []string{"root.crt", "middle.crt"} {
		if got := verdict(t, o.read("department.crt", "middle.crt"), o.read(roots), now); got != "" {
			t.Errorf("OpenSSL's chain to %s: %s", roots, got)
		}
	}
	if got := verdict(t, o.read("encryption.crt", "middle.crt"), o.read("root.crt"), now); got != CodeUsage {
		t.Errorf("OpenSSL's certificate for encryption: %q", got)
	}
	if got := verdict(t, o.read("department.crt", "middle.crt"), o.read("root.crt"), now.AddDate(0, 0, 2)); got != CodeDates {
		t.Errorf("OpenSSL's chain the day after: %q", got)
	}
	c, err := ParseChain(o.read("department.crt"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := sm.ParsePrivateKeyPEM(o.read("department.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Key().Equal(own.Public()) {
		t.Error("the certified key is another")
	}
	if got := c.Codes(); !slices.Equal(got, []string{"11990100MB00000057"}) {
		t.Errorf("codes %v", got)
	}
	if c.Subject() != "CN=Archives,O=档案局,C=CN" || c.Issuer() != "O=示范认证中心,C=CN" {
		t.Errorf("read as %s by %s", c.Subject(), c.Issuer())
	}

	// A certificate signed under another distinguishing identifier.
	o.run("x509", "-req", "-sm3", "-vfyopt", distid, "-sigopt", "distid:another", "-days", "1", "-extfile", "extensions",
		"-extensions", "department", "-CA", "middle.crt", "-CAkey", "middle.key", "-CAcreateserial", "-in", "department.csr", "-out", "other.crt")
	if got := verdict(t, o.read("other.crt", "middle.crt"), o.read("root.crt"), time.Now()); got != CodeUntrusted {
		t.Errorf("signed under another identifier: %q", got)
	}

	o.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "nist.key")
	o.run("req", "-x509", "-new", "-key", "nist.key", "-sha256", "-subj", "/CN=x", "-out", "nist.crt")
	if _, err := ParseRoots(o.read("nist.crt")); code(err) != CodeUnsupported {
		t.Errorf("ECDSA with SHA-256: %v", err)
	}
	o.run("pkey", "-in", "nist.key", "-pubout", "-out", "nist.pub")
	o.issue("department", "department", append(by("middle"), "-force_pubkey", "nist.pub")...)
	if _, err := ParseChain(o.read("department.crt")); code(err) != CodeUnsupported {
		t.Errorf("a P-256 key, certified with SM2: %v", err)
	}
}

// OpenSSL and this package agree on certificates that the other library made, good and bad. OpenSSL's
// command takes the distinguishing identifier for the last link of a chain alone, so each link is one
// chain for it.
func TestOpenSSLAgrees(t *testing.T) {
	o := newOpenSSL(t)
	root, middle, department := three(t)
	forger := newParty(t, "middle")
	forger.issue(t, forger, authority)
	changed := bytes.Clone(department.certificate.Raw)
	changed[len(changed)-1] ^= 1
	issued := func(by *party) []byte { return files(newParty(t, "department").issue(t, by)) }
	for _, test := range []struct {
		name         string
		leaf, issuer []byte
		at           time.Time
		good         bool
	}{
		{"good", files(department), files(middle), noon, true},
		{"by the root", issued(root), files(root), noon, true},
		{"before its time", files(department), files(middle), noon.AddDate(0, 0, -2), false},
		{"after its time", files(department), files(middle), noon.AddDate(0, 0, 2), false},
		{"forged", issued(forger), files(middle), noon, false},
		{"changed", block(changed), files(middle), noon, false},
		{"by another", issued(root), files(middle), noon, false},
		{"by a department", issued(department), files(department), noon, false},
	} {
		o.write("leaf", test.leaf)
		o.write("issuer", test.issuer)
		theirs := o.try("verify", "-vfyopt", distid, "-attime", strconv.FormatInt(test.at.Unix(), 10),
			"-partial_chain", "-x509_strict", "-CAfile", "issuer", "leaf") == nil
		if ours := verdict(t, test.leaf, test.issuer, test.at) == ""; ours != test.good || ours != theirs {
			t.Errorf("%s: we say %t, OpenSSL says %t, want %t", test.name, ours, theirs, test.good)
		}
	}
}
