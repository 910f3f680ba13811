package agency_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/verifiertest"
)

func TestParse(t *testing.T) {
	d := directory(t, file)
	if len(d.Agencies()) != 2 || d.Agencies()[0] != d.Agency("tax") || d.Agency("police") != nil {
		t.Fatalf("agencies %v", d.Agencies())
	}
	tax := d.Agency("tax")
	if tax.Name != (licence.Text{Zh: "示范市税务局", En: "Demo City Tax Bureau"}) || tax.DailyCap != 10 || tax.Rate != (callers.Rate{PerSecond: 2, Burst: 3}) {
		t.Errorf("%+v", tax)
	}
	if !tax.May("marriage", "spouse1Name") || tax.May("marriage", "spouse1Id") || tax.May("property", "spouse1Name") {
		t.Error("it may have what it may not, or the other way about")
	}
}

func TestTemplate(t *testing.T) {
	if d := directory(t, string(agency.Template())); len(d.Agencies()) != 0 {
		t.Errorf("%d agencies", len(d.Agencies()))
	}
	// What its comments show is a directory, once digits and a hash are put in.
	var b strings.Builder
	for text := range strings.Lines(string(agency.Template())) {
		if text, ok := strings.CutPrefix(text, "# "); ok && !strings.HasPrefix(text, "The agencies") && !strings.HasPrefix(text, "a licence") {
			b.WriteString(text)
		}
	}
	text := strings.NewReplacer("64 hexadecimal digits", strings.Repeat("0", 64), "60 characters of bcrypt", hash).Replace(b.String())
	d := directory(t, text)
	city := verifiertest.New(t)
	for _, typ := range city.Types {
		if err := d.Check(typ); err != nil {
			t.Error(err)
		}
	}
}

func TestCheck(t *testing.T) {
	city := verifiertest.New(t)
	d := directory(t, strings.Replace(file, "[spouse1Name, spouse2Name]", "[spouse1Name, spouse3Name]", 1))
	if err := d.Check(city.Type(t, "marriage")); err == nil || !strings.Contains(err.Error(), "spouse3Name") {
		t.Errorf("got %v", err)
	}
	if err := d.Check(city.Type(t, "business")); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "agencies.yaml")
	if _, err := agency.Load(path); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file)
	if d, err := agency.Load(path); err != nil || d.Agency("tax") == nil {
		t.Errorf("got %v", err)
	}
	write("agencies: []\n" + strings.Repeat("#", agency.MaxFile))
	if _, err := agency.Load(path); err == nil || !strings.Contains(err.Error(), "at most") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	other := "$2a$11$" + hash[7:]
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "dailyCap: 10\n", "dailyCap: 10\n    colour: red\n", "colour"},
		{"key twice", "dailyCap: 10\n", "dailyCap: 10\n    dailyCap: 10\n", "already"},
		{"second document", "agencies:", "agencies: []\n---\nagencies:", "more than one document"},
		{"id in capitals", "id: tax", "id: Tax", "agency 1: id"},
		{"id empty", "id: tax", `id: ""`, "agency 1: id"},
		{"id twice", "id: tax", "id: counter", "two agencies"},
		{"no English name", "en: Shared counter", `en: ""`, "name"},
		{"name of two lines", "en: Shared counter", `en: "a\nb"`, "name"},
		{"token itself", callers.TokenDigest(token).String(), token, "tokens: number 1"},
		{"token digest in capitals", callers.TokenDigest(token).String(), strings.ToUpper(callers.TokenDigest(token).String()), "tokens: number 1"},
		{"token twice", `tokens: ["`, `tokens: ["` + callers.TokenDigest(token).String() + `", "`, "a token is there twice"},
		{"certificate too short", callers.TokenDigest(string(certificate)).String(), "00", "certificates: number 1"},
		{"nobody can ask", file[strings.Index(file, "    clerks:"):], "", "nobody can ask in its name"},
		{"address of a host's name", "192.0.2.7", "example.org", "addresses"},
		{"network with bits of a host", "10.20.0.0/16", "10.20.3.0/16", "addresses"},
		{"IPv4 in IPv6", "192.0.2.7", "::ffff:192.0.2.7", "addresses"},
		{"address with a zone", "192.0.2.7", "fe80::1%eth0", "addresses"},
		{"type in capitals", "marriage:", "Marriage:", "types"},
		{"field with a space", "[spouse1Name, spouse2Name]", `["spouse1 Name"]`, "types: marriage"},
		{"field twice", "[spouse1Name, spouse2Name]", "[spouse1Name, spouse1Name]", "types: marriage"},
		{"all fields", "[spouse1Name, spouse2Name]", `["*"]`, "types: marriage"},
		{"matter in Chinese", "[second-hand-home-transfer]", "[二手房过户]", "matters"},
		{"on behalf twice", "[natural-resources, tax]", "[tax, tax]", "onBehalf"},
		{"no rate", "perSecond: 2", "perSecond: 0", "rate"},
		{"rate not a number", "perSecond: 2", "perSecond: .nan", "rate"},
		{"rate of infinity", "perSecond: 2", "perSecond: .inf", "rate"},
		{"no burst", "burst: 3", "burst: 0", "rate"},
		{"no cap", "dailyCap: 10\n", "dailyCap: 0\n", "dailyCap"},
		{"negative cap", "dailyCap: 10\n", "dailyCap: -1\n", ""},
		{"clerk without a name", "name: wangfang", `name: ""`, "clerks: number 1"},
		{"clerk twice", "name: wangfang", "name: 李雷", "clerks: number 2"},
		{"clerk without a unit", "unit: 综合窗口3号", `unit: ""`, "clerks: number 1"},
		{"password itself", hash, password, "not a bcrypt hash"},
		{"hash of another kind", hash, "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG", "not a bcrypt hash"},
		{"cheap hash", hash, "$2a$04$" + hash[7:], "not a bcrypt hash"},
		{"dear hash", hash, "$2a$31$" + hash[7:], "not a bcrypt hash"},
		{"hashes of different cost", "综合窗口4号, password: \"" + hash, "综合窗口4号, password: \"" + other, "differ in cost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(file, c.old, c.new, 1)
			if text == file {
				t.Fatalf("%q is not in the file", c.old)
			}
			_, err := agency.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "$2a$") || strings.Contains(err.Error(), token) {
				t.Errorf("a secret is in the error: %v", err)
			}
		})
	}
	for _, text := range []string{"", "agencies", "agencies: {}", "- a", "agencies: [{}]", "agencies:\n  - \xff", "agencies: !!binary x"} {
		if _, err := agency.Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file))
	f.Add(agency.Template())
	f.Add([]byte("agencies: [{id: a}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		d, err := agency.Parse(b)
		if (d == nil) == (err == nil) {
			t.Fatalf("%v, %v", d, err)
		}
		if err != nil {
			return
		}
		for _, a := range d.Agencies() {
			if d.Agency(a.ID) != a || a.DailyCap == 0 || a.Rate.Burst == 0 {
				t.Errorf("%+v", a)
			}
		}
	})
}
