package staff_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/staff"
)

const (
	token    = "credledger_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	password = "correct horse battery staple"
	// of password, at the least cost that is taken
	hash = "$2a$10$2TFbP9xaaSS5b4GbdvNuouQK2hhoULZP1/VF.4AsAuWz7uQfsWQFe"
)

var (
	certificate = []byte("a certificate in DER")
	inside      = netip.MustParseAddr("10.20.3.4")
	outside     = netip.MustParseAddr("203.0.113.9")
)

var file = strings.NewReplacer(
	"TOKEN", callers.TokenDigest(token).String(), "CERTIFICATE", callers.TokenDigest(string(certificate)).String(), "HASH", hash,
).Replace(`
systems:
  - id: registry
    tokens: ["TOKEN"]
    certificates: ["CERTIFICATE"]
    addresses: [10.20.0.0/16]
    rate: {perSecond: 2, burst: 3}
    rights:
      marriage: [issue, status]
people:
  - name: wangfang
    unit: 婚姻登记窗口1号
    password: "HASH"
    addresses: [10.20.3.0/24]
    rights:
      marriage: [search, issue]
      divorce: [open]
  - name: 李雷
    unit: 婚姻登记处
    password: "HASH"
    rights:
      marriage: [approve]
`)

func directory(t testing.TB, text string) *staff.Directory {
	t.Helper()
	d, err := staff.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A door is a gate with its clock.
type door struct {
	*staff.Gate
	now time.Time
}

func newDoor(t testing.TB) *door {
	d := &door{now: time.Date(2026, 11, 7, 8, 0, 0, 0, time.UTC)}
	d.Gate = staff.NewGate(directory(t, file), func() time.Time { return d.now })
	return d
}

func (d *door) signIn(t testing.TB, name string) *staff.Session {
	t.Helper()
	s, err := d.SignIn(t.Context(), name, password, inside)
	refused(t, err, "")
	return s
}

// refused wants a refusal of a code, "" for none.
func refused(t testing.TB, err error, code string) *staff.Refusal {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return nil
	}
	var r *staff.Refusal
	if !errors.As(err, &r) || staff.Code(err) != code || r.Message == "" {
		t.Fatalf("got %v, want %s", err, code)
	}
	if slices.Contains([]string{staff.CodeRateLimited, staff.CodeSignInLimited}, code) != (r.RetryAfter > 0) {
		t.Errorf("%s: retry after %v", code, r.RetryAfter)
	}
	return r
}

func TestRights(t *testing.T) {
	d := directory(t, file)
	wang := d.Caller("wangfang")
	if wang.Kind != staff.Person || wang.Unit != "婚姻登记窗口1号" || !wang.May("marriage", staff.Issue) || wang.May("marriage", staff.Open) || wang.May("property", staff.Issue) {
		t.Errorf("%+v", wang)
	}
	if got := wang.Types(); !slices.Equal(got, []string{"divorce", "marriage"}) {
		t.Errorf("types %v", got)
	}
	if got := wang.Types(staff.Issue, staff.Status); !slices.Equal(got, []string{"marriage"}) {
		t.Errorf("types to issue %v", got)
	}
	if got := wang.Rights("marriage"); !slices.Equal(got, []staff.Right{staff.Issue, staff.Search}) {
		t.Errorf("rights %v", got)
	}
	if d.Caller("nobody") != nil || len(d.Callers()) != 3 || d.Callers()[0].Name != "registry" {
		t.Errorf("callers %v", d.Callers())
	}
	if err := d.Check([]string{"marriage", "divorce"}); err != nil {
		t.Error(err)
	}
	if err := d.Check([]string{"marriage"}); err == nil || !strings.Contains(err.Error(), "divorce") {
		t.Errorf("a type that is not issued: %v", err)
	}
}

func TestAdmit(t *testing.T) {
	for _, c := range []struct {
		name  string
		shown callers.Credentials
		code  string
	}{
		{"token", callers.Credentials{Token: token, Address: inside}, ""},
		{"certificate", callers.Credentials{Certificate: certificate, Address: inside}, ""},
		{"from elsewhere", callers.Credentials{Token: token, Address: outside}, staff.CodeAddress},
		{"another token", callers.Credentials{Token: token + "A", Address: inside}, staff.CodeUnauthenticated},
		{"nothing", callers.Credentials{Address: inside}, staff.CodeUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := newDoor(t).Admit(c.shown)
			refused(t, err, c.code)
			if c.code == "" && (a.Name != "registry" || a.Kind != staff.System) {
				t.Errorf("admitted %+v", a)
			}
		})
	}
	d := newDoor(t)
	call := func() error {
		_, err := d.Admit(callers.Credentials{Token: token, Address: inside})
		return err
	}
	for range 3 {
		refused(t, call(), "")
	}
	r := refused(t, call(), staff.CodeRateLimited)
	if d.Reload(directory(t, file)); staff.Code(call()) != staff.CodeRateLimited {
		t.Error("reading the file again fills the bucket")
	}
	d.now = d.now.Add(r.RetryAfter)
	refused(t, call(), "")
	d.Reload(directory(t, "systems: []\npeople: []"))
	refused(t, call(), staff.CodeUnauthenticated)
}

func TestSignIn(t *testing.T) {
	for _, c := range []struct {
		name, who, password string
		from                netip.Addr
		code                string
	}{
		{"right", "wangfang", password, inside, ""},
		{"right, Chinese, from anywhere", "李雷", password, outside, ""},
		{"wrong password", "wangfang", password + "r", inside, staff.CodeSignIn},
		{"no password", "wangfang", "", inside, staff.CodeSignIn},
		{"the hash as password", "wangfang", hash, inside, staff.CodeSignIn},
		{"nobody", "nobody", password, inside, staff.CodeSignIn},
		{"a system", "registry", password, inside, staff.CodeSignIn},
		{"endless", strings.Repeat("x", 1<<20), password, inside, staff.CodeSignIn},
		{"from elsewhere", "wangfang", password, outside, staff.CodeAddress},
		{"from elsewhere, wrong password", "wangfang", "wrong", outside, staff.CodeSignIn}, // no word on addresses
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := newDoor(t).SignIn(t.Context(), c.who, c.password, c.from)
			refused(t, err, c.code)
			if c.code == "" && (s.Person.Name != c.who || s.Token == "") {
				t.Errorf("%+v", s)
			}
		})
	}
	d := newDoor(t)
	for range 5 {
		_, err := d.SignIn(t.Context(), "wangfang", "a guess", inside)
		refused(t, err, staff.CodeSignIn)
	}
	_, err := d.SignIn(t.Context(), "wangfang", password, inside)
	if r := refused(t, err, staff.CodeSignInLimited); r.RetryAfter != 12*time.Second {
		t.Errorf("retry after %v", r.RetryAfter)
	}
}

// Of a crowd that signs in at once some are asked to come again a moment later.
func TestCrowd(t *testing.T) {
	d := newDoor(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const crowd = 200
	refusals := make(chan error, crowd)
	for i := range crowd {
		go func() {
			_, err := d.SignIn(ctx, fmt.Sprint("clerk", i), password, inside)
			refusals <- err
		}()
	}
	held := 0
	for range crowd {
		if err := <-refusals; staff.Code(err) == staff.CodeSignInLimited {
			if r := refused(t, err, staff.CodeSignInLimited); r.RetryAfter != time.Second {
				t.Errorf("retry after %v", r.RetryAfter)
			}
			held++
			cancel() // the others need not go on
		}
	}
	if held == 0 {
		t.Error("all of them wait")
	}
}

func TestSessions(t *testing.T) {
	d := newDoor(t)
	resume := func(s *staff.Session) error {
		c, err := d.Resume(s.Token, inside)
		if err == nil && c.Name != s.Person.Name {
			t.Errorf("the session is %s's", c.Name)
		}
		return err
	}
	s := d.signIn(t, "wangfang")
	refused(t, resume(s), "")
	_, err := d.Resume(s.Token, outside)
	refused(t, err, staff.CodeAddress)
	for _, bad := range []string{"", "x", s.Token + "A", callers.TokenDigest(s.Token).String()} {
		_, err := d.Resume(bad, inside)
		refused(t, err, staff.CodeUnauthenticated)
	}
	d.SignOut(s.Token)
	d.SignOut(s.Token)
	refused(t, resume(s), staff.CodeUnauthenticated)

	s = d.signIn(t, "wangfang")
	d.now = s.Expires.Add(-time.Second)
	refused(t, resume(s), "")
	d.now = s.Expires
	refused(t, resume(s), staff.CodeUnauthenticated)

	// Another password, another kind, or a file without the person: the session is over for good.
	for _, text := range map[string]string{
		"password": strings.Replace(file, hash, "$2a$10$"+strings.Repeat("x", 53), 1),
		"gone":     strings.Replace(file, "name: wangfang", "name: zhaoli", 1),
		"system":   strings.NewReplacer("name: wangfang", "name: zhaoli", "id: registry", "id: wangfang").Replace(file),
	} {
		s = d.signIn(t, "wangfang")
		d.Reload(directory(t, text))
		refused(t, resume(s), staff.CodeUnauthenticated)
		d.Reload(directory(t, file))
		refused(t, resume(s), staff.CodeUnauthenticated)
		d.now = d.now.Add(time.Minute)
	}
	s = d.signIn(t, "wangfang")
	d.Reload(directory(t, strings.Replace(file, "[search, issue]", "[search]", 1)))
	c, err := d.Resume(s.Token, inside)
	refused(t, err, "")
	if c.May("marriage", staff.Issue) {
		t.Error("a right that was taken away is there in a session")
	}
}

func TestBadFiles(t *testing.T) {
	digest := callers.TokenDigest(token).String()
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "unit:", "units:", "units"},
		{"id", "id: registry", "id: Registry", "system 1: id"},
		{"name twice", "name: 李雷", "name: wangfang", "person 2: another"},
		{"name of a system", "name: 李雷", "name: registry", "person 2: another"},
		{"person without a name", "name: wangfang", `name: ""`, "person 1: name"},
		{"long name", "name: wangfang", "name: " + strings.Repeat("𠀀", 51), "at most 200 bytes"},
		{"person without a unit", "unit: 婚姻登记处", `unit: " "`, "person 2: name"},
		{"token itself", digest, token, "tokens: number 1"},
		{"no token", `tokens: ["` + digest + `"]` + "\n    certificates: [\"" + callers.TokenDigest(string(certificate)).String() + `"]`, "tokens: []", "cannot say who it is"},
		{"address", "10.20.0.0/16", "10.20.0.1/16", "addresses"},
		{"person's address", "10.20.3.0/24", "here", "addresses"},
		{"no rate", "{perSecond: 2, burst: 3}", "{perSecond: 0, burst: 3}", "rate"},
		{"unknown right", "[issue, status]", "[issue, everything]", "rights: marriage"},
		{"right twice", "[issue, status]", "[issue, issue]", "rights: marriage"},
		{"no right", "[issue, status]", "[]", "is empty"},
		{"no rights", "    rights:\n      marriage: [approve]\n", "", "must name a type"},
		{"a system that approves", "[issue, status]", "[issue, approve]", "only people approve"},
		{"type", "divorce:", `"../etc":`, "ids of licence types"},
		{"password itself", "password: \"" + hash, "password: \"" + password, "not a bcrypt hash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(file, c.old, c.new, 1)
			if text == file {
				t.Fatalf("%q is not in the file", c.old)
			}
			_, err := staff.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			for _, secret := range []string{password, "$2a$", token} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("a secret is in the error: %v", err)
				}
			}
		})
	}
	for _, text := range []string{"", "people", "people: {}", "- a", "people: [{}]", "systems: [{}]", "people:\n  - \xff", strings.Repeat("#", staff.MaxFile+1)} {
		if _, err := staff.Parse([]byte(text)); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staff.yaml")
	if _, err := staff.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for text, want := range map[string]string{file: "", "people: 1": path} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := staff.Load(path)
		if (d == nil) == (want == "") || want != "" && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v", d, err)
		}
	}
	if d := directory(t, string(staff.Template())); len(d.Callers()) != 0 {
		t.Error("somebody is in the template")
	}
	var example []string
	for line := range strings.Lines(string(staff.Template())) {
		if text, ok := strings.CutPrefix(line, "# "); ok {
			example = append(example, text)
		}
	}
	text := strings.NewReplacer("64 hexadecimal digits", callers.TokenDigest(token).String(), "60 characters of bcrypt", hash).Replace(strings.Join(example, ""))
	if d := directory(t, text); len(d.Callers()) != 2 {
		t.Errorf("the example of the template has %d callers", len(d.Callers()))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file))
	f.Add(staff.Template())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		d, err := staff.Parse(b)
		if (d == nil) == (err == nil) {
			t.Fatalf("%v, %v", d, err)
		}
		if err != nil {
			return
		}
		for _, c := range d.Callers() {
			if d.Caller(c.Name) != c || len(c.Types()) == 0 || c.Rate.Check() != nil || c.Kind == staff.System && len(c.Types(staff.Approve)) > 0 {
				t.Errorf("%+v", c)
			}
		}
	})
}
