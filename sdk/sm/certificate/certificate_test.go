package certificate

import (
	"bytes"
	"crypto/x509/pkix"
	encasn1 "encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"github.com/credledger/credledger/sdk/sm"
)

func TestChain(t *testing.T) {
	root, middle, department := three(t)
	other := newParty(t, "root")
	other.issue(t, other, authority)
	trusted := files(root)
	for name, test := range map[string]struct {
		chain, roots []byte
		want         string
	}{
		"with the root":                         {files(department, middle, root), trusted, ""},
		"without the root":                      {files(department, middle), trusted, ""},
		"white space between":                   {bytes.ReplaceAll(files(department, middle), []byte("-----BEGIN"), []byte("\r\n \n-----BEGIN")), trusted, ""},
		"the authority itself trusted":          {files(department), files(middle), ""},
		"several roots":                         {files(department, middle), files(other, root), ""},
		"another root of the same name":         {files(department, middle), files(other), CodeUntrusted},
		"another root, the true one at the end": {files(department, middle, root), files(other), CodeUntrusted},
		"the middle is missing":                 {files(department), trusted, CodeUntrusted},
		"in the wrong order":                    {files(middle, department), trusted, CodeMalformed},
		"something between":                     {files(department, other, middle), trusted, CodeMalformed},
		"something at the end":                  {files(department, middle, department), trusted, CodeMalformed},
		"twice":                                 {files(department, department), trusted, CodeMalformed},
		"an authority's":                        {files(middle, root), trusted, CodeUsage},
		"the root's":                            {files(root), trusted, CodeUsage},
		"a department trusted":                  {files(department), files(department), "roots: " + CodeUsage},
		"nothing trusted":                       {files(department, middle), nil, "roots: " + CodeMalformed},
	} {
		if got := verdict(t, test.chain, test.roots, noon); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	c, err := ParseChain(files(department, middle))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Key().Equal(department.own.Public()) || c.Fingerprint() != sm.Sum(department.certificate.Raw) ||
		c.Subject() != "CN=department" || c.Issuer() != "CN=middle" || !c.NotAfter().Equal(noon.Add(24*time.Hour)) {
		t.Errorf("read as %s by %s until %s", c.Subject(), c.Issuer(), c.NotAfter())
	}
}

// A chain is good on every second of all its certificates, and on no other.
func TestDates(t *testing.T) {
	from := func(begin, end time.Duration) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.NotBefore, c.NotAfter = noon.Add(begin), noon.Add(end) }
	}
	root, middle, department := three(t)
	root.issue(t, root, authority, from(-3*time.Hour, 3*time.Hour))
	middle.issue(t, root, authority, from(-2*time.Hour, 4*time.Hour))
	department.issue(t, middle, from(-4*time.Hour, 2*time.Hour))
	for at, want := range map[time.Duration]string{
		-2 * time.Hour: "", -2*time.Hour - time.Second: CodeDates,
		2 * time.Hour: "", 2*time.Hour + time.Second: CodeDates, -100 * 365 * 24 * time.Hour: CodeDates,
	} {
		for _, chain := range [][]byte{files(department, middle), files(department, middle, root)} {
			if got := verdict(t, chain, files(root), noon.Add(at)); got != want {
				t.Errorf("at %s: %q, want %q", at, got, want)
			}
		}
	}
	department.issue(t, middle, from(-4*time.Hour, 9*time.Hour))
	middle.issue(t, root, authority, from(-4*time.Hour, 9*time.Hour))
	for _, chain := range [][]byte{files(department, middle), files(department, middle, root)} {
		if got := verdict(t, chain, files(root), noon.Add(4*time.Hour)); got != CodeDates {
			t.Errorf("after the end of the root: %q", got)
		}
	}
}

// What certificates may be used for, and how far authorities may go.
func TestUsage(t *testing.T) {
	usage := func(u smx509.KeyUsage) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.KeyUsage = u }
	}
	extension := func(critical bool) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: encasn1.ObjectIdentifier{1, 2, 3, 4}, Critical: critical, Value: []byte{5, 0}}}
		}
	}
	nothing := func(*smx509.Certificate) {}
	for _, test := range []struct {
		name                     string
		root, middle, department func(*smx509.Certificate)
		want                     string
	}{
		{"as it should be", nothing, nothing, nothing, ""},
		{"digitalSignature alone", nothing, nothing, usage(smx509.KeyUsageDigitalSignature), ""},
		{"nonRepudiation alone", nothing, nothing, usage(smx509.KeyUsageContentCommitment), ""},
		{"for encryption", nothing, nothing, usage(smx509.KeyUsageKeyEncipherment | smx509.KeyUsageDataEncipherment), CodeUsage},
		{"no usage is named", nothing, nothing, usage(0), CodeUsage},
		{"may issue", nothing, nothing, usage(smx509.KeyUsageDigitalSignature | smx509.KeyUsageCertSign), CodeUsage},
		{"an authority that names no issuing", nothing, nothing, func(c *smx509.Certificate) {
			c.IsCA, c.BasicConstraintsValid = true, true
		}, CodeUsage},
		{"the middle is no authority", nothing, func(c *smx509.Certificate) { c.IsCA = false }, nothing, CodeUsage},
		{"the middle has no basic constraints", nothing, func(c *smx509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false }, nothing, CodeUsage},
		{"the middle is for lists of revoked ones", nothing, usage(smx509.KeyUsageCRLSign), nothing, CodeUsage},
		{"the middle names no usage", nothing, usage(0), nothing, ""},
		{"the root names no usage", usage(0), nothing, nothing, ""},
		{"the root is for lists of revoked ones", usage(smx509.KeyUsageCRLSign), nothing, nothing, "roots: " + CodeUsage},
		{"the root allows no authority under it", func(c *smx509.Certificate) { c.MaxPathLenZero = true }, nothing, nothing, CodeUsage},
		{"the middle allows none under it", nothing, func(c *smx509.Certificate) { c.MaxPathLenZero = true }, nothing, ""},
		{"names that are allowed", nothing, func(c *smx509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
		}, func(c *smx509.Certificate) { c.DNSNames = []string{"a.example.org"} }, ""},
		{"names that are not", nothing, func(c *smx509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
		}, func(c *smx509.Certificate) { c.DNSNames = []string{"example.com"} }, CodeUsage},
		{"an unknown extension", nothing, extension(false), extension(false), ""},
		{"an unknown extension that is critical", nothing, nothing, extension(true), CodeUnsupported},
		{"one of the middle", nothing, extension(true), nothing, CodeUnsupported},
	} {
		root, middle, department := three(t)
		root.issue(t, root, authority, test.root)
		middle.issue(t, root, authority, test.middle)
		department.issue(t, middle, test.department)
		for _, chain := range [][]byte{files(department, middle), files(department, middle, root)} {
			if got := verdict(t, chain, files(root), noon); got != test.want {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
	}
}

// A department that issues to itself, or to another, is no authority, whatever names it uses.
func TestDepartmentIssues(t *testing.T) {
	root, middle, department := three(t)
	thief := newParty(t, "another department").issue(t, department)
	if got := verdict(t, files(thief, department, middle), files(root), noon); got != CodeUsage {
		t.Errorf("issued by a department: %q", got)
	}
	posing := newParty(t, "middle")
	posing.issue(t, posing, authority)
	forged := newParty(t, "department").issue(t, posing)
	for _, chain := range [][]byte{files(forged, middle), files(forged, posing), files(forged, posing, root), files(forged, middle, root)} {
		if got := verdict(t, chain, files(root), noon); got != CodeUntrusted && got != CodeMalformed {
			t.Errorf("issued by whoever took an authority's name: %q", got)
		}
	}
}

// No byte of a certificate can be another.
func TestEveryByteCounts(t *testing.T) {
	root, middle, department := three(t)
	roots, err := ParseRoots(files(root))
	if err != nil {
		t.Fatal(err)
	}
	der := department.certificate.Raw
	for at := range der {
		c, err := ParseChain(append(replaced(der, at), files(middle)...))
		if err == nil {
			err = c.Check(roots, noon)
		}
		if err == nil {
			t.Fatalf("byte %d can be another", at)
		}
		if code(err) == "" {
			t.Fatalf("byte %d: an error without a code: %v", at, err)
		}
	}
}

func TestMalformedFiles(t *testing.T) {
	root, middle, department := three(t)
	good := string(files(department))
	outer := func(more ...byte) []byte { // more bytes within the outermost SEQUENCE
		der := append(bytes.Clone(department.certificate.Raw), more...)
		length := len(der) - 4
		der[2], der[3] = byte(length>>8), byte(length)
		return block(der)
	}
	for name, text := range map[string]string{
		"empty":                       "",
		"white space":                 " \n",
		"a text before":               "subject=CN=department\n" + good,
		"a text after":                good + "x",
		"a text between":              good + "issuer\n" + string(files(middle)),
		"another block":               good + string(department.own.Public().PEM()),
		"a private key":               string(department.own.PEM()) + good,
		"a header":                    strings.Replace(good, "CERTIFICATE-----\n", "CERTIFICATE-----\nProc-Type: 4,CLEAR\n\n", 1),
		"cut off":                     good[:len(good)-10],
		"a block that is begun twice": "-----BEGIN CERTIFICATE-----\n" + good,
		"not base64":                  strings.Replace(good, "M", "*", 1),
		"an empty block":              "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		"DER":                         string(department.certificate.Raw),
		"bytes after the certificate": string(block(append(bytes.Clone(department.certificate.Raw), 0))),
		"bytes after the signature":   string(outer(5, 0)),
		"trusted, as OpenSSL has it":  strings.ReplaceAll(good, "CERTIFICATE", "TRUSTED CERTIFICATE"),
		"nine":                        strings.Repeat(string(files(root)), MaxChain+1),
		"too long":                    good + strings.Repeat("\n", MaxFile),
	} {
		if _, err := ParseChain([]byte(text)); code(err) != CodeMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseChain([]byte(strings.Repeat(string(files(root)), MaxChain))); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
	if _, err := ParseRoots([]byte(strings.Repeat(string(files(root)), MaxRoots+1))); code(err) != CodeMalformed {
		t.Errorf("too many roots: %v", err)
	}
}

// Certificates before version 3 have no extensions, so that they say nothing of what a key is for.
func TestOldVersions(t *testing.T) {
	_, _, department := three(t)
	for _, version := range []byte{0, 1} {
		der := bytes.Replace(department.certificate.Raw, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, version}, 1)
		if _, err := ParseChain(block(der)); code(err) != CodeUnsupported {
			t.Errorf("version %d: %v", version+1, err)
		}
	}
}

// What a certificate says never comes back in an error.
func TestErrorsTellNothing(t *testing.T) {
	root, middle, department := three(t)
	const secret = "Sima Yi"
	department.name = secret
	middle.issue(t, root, authority, func(c *smx509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
	})
	department.issue(t, middle, func(c *smx509.Certificate) { c.DNSNames = []string{"sima.example.com"} })
	c, err := ParseChain(files(department, middle))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := ParseRoots(files(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{noon, noon.AddDate(1, 0, 0)} {
		if err := c.Check(roots, at); err == nil || strings.Contains(err.Error(), "ima") {
			t.Errorf("the error is: %v", err)
		}
	}
}

func TestCodes(t *testing.T) {
	const uscc, number = "11990100MB00000057", "202605010000000001"
	extension := func(oid encasn1.ObjectIdentifier, value []byte) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) { c.ExtraExtensions = []pkix.Extension{{Id: oid, Value: value}} }
	}
	attribute := func(oid encasn1.ObjectIdentifier, text string) func(*smx509.Certificate) {
		return func(c *smx509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: oid, Value: text}}
		}
	}
	_, middle, department := three(t)
	for _, test := range []struct {
		name   string
		change func(*smx509.Certificate)
		want   []string
	}{
		{"none", func(*smx509.Certificate) {}, nil},
		{"organizationIdentifier", attribute(subjectCodes[0], "NTRCN-"+uscc), []string{uscc}},
		{"serialNumber", attribute(subjectCodes[1], uscc), []string{uscc}},
		{"organizationalUnitName", attribute(subjectCodes[2], "统一社会信用代码"+uscc), []string{uscc}},
		{"organisation name", attribute(encasn1.ObjectIdentifier{2, 5, 4, 10}, uscc), nil},
		{"one too long", attribute(subjectCodes[1], uscc+"1"), nil},
		{"small letters", attribute(subjectCodes[1], strings.ToLower(uscc)), nil},
		{"two", attribute(subjectCodes[1], number+"@"+uscc+"@"+number), []string{uscc, number}},
		{"extension", extension(extensionCodes[0], append([]byte{0x13, 18}, uscc...)), []string{uscc}},
		{"extension, UTF8String", extension(extensionCodes[1], append([]byte{0x0c, 18}, uscc...)), []string{uscc}},
		{"extension, bare", extension(extensionCodes[0], []byte(uscc)), []string{uscc}},
		{"extension, bare, 48 bytes", extension(extensionCodes[0], append([]byte{0x13, 48}, strings.Repeat("=", 30)+uscc...)), []string{uscc}},
		{"extension that is empty", extension(extensionCodes[0], nil), nil},
		{"another extension", extension(encasn1.ObjectIdentifier{1, 2, 156, 10260, 4, 1, 1}, []byte(uscc)), nil},
	} {
		department.issue(t, middle, test.change)
		c, err := ParseChain(files(department))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := c.Codes(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func FuzzParseChain(f *testing.F) {
	root, middle, department := three(f)
	f.Add(files(department, middle, root))
	f.Add(files(department))
	f.Add([]byte(nil))
	trusted, err := ParseRoots(files(root))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRoots(text)
		if err != nil && code(err) == "" {
			t.Errorf("an error without a code: %v", err)
		}
		c, err := ParseChain(text)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		c.Codes()
		if c.Check(trusted, noon) == nil && !c.Key().Equal(department.own.Public()) {
			t.Error("a certificate that nobody issued passes")
		}
		if r != nil {
			c.Check(r, noon)
		}
		var again []byte
		for _, one := range c.certificates {
			again = append(again, block(one.Raw)...)
		}
		if back, err := ParseChain(again); err != nil || back.Fingerprint() != c.Fingerprint() {
			t.Errorf("written again: %v", err)
		}
	})
}

// FuzzParse is FuzzParseChain without the armour.
func FuzzParse(f *testing.F) {
	root, middle, department := three(f)
	for _, p := range []*party{root, middle, department} {
		f.Add(p.certificate.Raw)
	}
	trusted, err := ParseRoots(files(root, middle))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, refused := parse(der)
		if refused != nil {
			return
		}
		chain := &Chain{[]*certificate{c}}
		chain.Codes()
		if chain.Check(trusted, noon) == nil && !bytes.Equal(der, department.certificate.Raw) {
			t.Error("a certificate that nobody issued passes")
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	root, middle, department := three(b)
	text := files(department, middle)
	roots, err := ParseRoots(files(root))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c, err := ParseChain(text)
		if err == nil {
			err = c.Check(roots, noon)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
