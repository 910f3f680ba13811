package trial_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet/trial"
)

const callback = "http://127.0.0.1:8446/v1/sign-in/callback"

var people = []trial.Person{{Number: "990101195503077324", Name: "张<b>三"}, {Number: "990101196811176439", Name: "李四"}}

func config() trial.Config {
	return trial.Config{Issuer: "http://127.0.0.1:8447", Redirect: callback, ClientID: "wallet", People: people, Now: time.Now}
}

// A platform for trials is nowhere but on this machine, and knows nobody who could be real.
func TestRefused(t *testing.T) {
	if _, err := trial.New(config()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*trial.Config){
		"a host of the network":       func(c *trial.Config) { c.Issuer = "http://10.0.0.1:8447" },
		"every address":               func(c *trial.Config) { c.Issuer = "http://0.0.0.0:8447" },
		"every address of IPv6":       func(c *trial.Config) { c.Issuer = "http://[::]:8447" },
		"a name":                      func(c *trial.Config) { c.Issuer = "http://id.city.example" },
		"a name that begins like one": func(c *trial.Config) { c.Issuer = "http://127.0.0.1.evil.example" },
		"a user":                      func(c *trial.Config) { c.Issuer = "http://127.0.0.1@evil.example" },
		"a path":                      func(c *trial.Config) { c.Issuer = "http://127.0.0.1:8447/x" },
		"nothing":                     func(c *trial.Config) { c.Issuer = "" },
		"back to a host elsewhere":    func(c *trial.Config) { c.Redirect = "https://wallet.city.example/v1/sign-in/callback" },
		"back to nowhere":             func(c *trial.Config) { c.Redirect = "" },
		"back to a script":            func(c *trial.Config) { c.Redirect = "javascript://localhost/x" },
		"no people":                   func(c *trial.Config) { c.People = nil },
		"a number that could be real": func(c *trial.Config) { c.People = []trial.Person{{Number: "110101199003077571", Name: "x"}} },
		"a number that is none":       func(c *trial.Config) { c.People = []trial.Person{{Number: "990101195503077325", Name: "x"}} },
		"a company":                   func(c *trial.Config) { c.People = []trial.Person{{Number: "91350211M000100Y43", Name: "x"}} },
		"no name":                     func(c *trial.Config) { c.People = []trial.Person{{Number: people[0].Number}} },
	} {
		c := config()
		change(&c)
		if _, err := trial.New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestParsePeople(t *testing.T) {
	got, err := trial.ParsePeople([]byte("people:\n  - {number: \"990101195503077324\", name: 张三}\n"))
	if err != nil || len(got) != 1 || got[0].Name != "张三" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "people: []", "people: [{number: \"110101199003077571\", name: x}]", "persons: []", "people:\n  - {number: \"990101195503077324\", name: x, age: 3}"} {
		if _, err := trial.ParsePeople([]byte(bad)); err == nil {
			t.Errorf("%q: taken", bad)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9:80": true, "[::1]:80": true, "::1": true, "localhost": true, "localhost:80": true,
		"": false, "0.0.0.0": false, ":80": false, "10.0.0.1": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false, "[::]": false,
		"::ffff:10.0.0.1": false,
	} {
		if got := trial.IsLoopback(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

// call calls the platform as somebody on a machine, by a name.
func call(t *testing.T, p *trial.Platform, method, target, from, host string, form url.Values) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr, r.Host = from, host
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result()
}

const (
	here = "127.0.0.1:50000"
	host = "127.0.0.1:8447"
)

func query() url.Values {
	return url.Values{"client_id": {"wallet"}, "redirect_uri": {callback}, "response_type": {"code"}, "code_challenge_method": {"S256"},
		"code_challenge": {strings.Repeat("A", 43)}, "state": {"s"}, "nonce": {"n"}, "scope": {"openid"}}
}

func TestElsewhere(t *testing.T) {
	p, err := trial.New(config())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, host string }{
		"another machine":   {"203.0.113.9:1", host},
		"another name":      {here, "evil.example"},
		"a rebound name":    {here, "evil.example:8447"},
		"another port":      {here, "127.0.0.1:80"},
		"its other address": {here, "localhost:8447"},
	} {
		if a := call(t, p, "GET", "/authorize?"+query().Encode(), c.from, c.host, nil); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", name, a.StatusCode)
		}
	}
	if a := call(t, p, "GET", "/authorize?"+query().Encode(), here, host, nil); a.StatusCode != http.StatusOK {
		t.Errorf("this machine: status %d", a.StatusCode)
	}
}

func TestChoose(t *testing.T) {
	p, err := trial.New(config())
	if err != nil {
		t.Fatal(err)
	}
	page := call(t, p, "GET", "/authorize?"+query().Encode(), here, host, nil)
	b, _ := io.ReadAll(page.Body)
	if !strings.Contains(string(b), "张&lt;b&gt;三") || !strings.Contains(string(b), "虚构") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("the page: %s", b)
	}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "code_challenge_method", "code_challenge", "state", "nonce"} {
		q := query()
		q.Set(name, "")
		if a := call(t, p, "GET", "/authorize?"+q.Encode(), here, host, nil); a.StatusCode != http.StatusBadRequest {
			t.Errorf("without %s: status %d", name, a.StatusCode)
		}
		if a := call(t, p, "POST", "/authorize", here, host, url.Values{"query": {q.Encode()}, "person": {people[0].Number}}); a.StatusCode != http.StatusBadRequest {
			t.Errorf("chosen without %s: status %d", name, a.StatusCode)
		}
	}
	chosen := func(person string) *url.URL {
		t.Helper()
		a := call(t, p, "POST", "/authorize", here, host, url.Values{"query": {query().Encode()}, "person": {person}})
		to, err := url.Parse(a.Header.Get("Location"))
		if err != nil || !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("state") != "s" {
			t.Fatalf("sent to %v, %v", to, err)
		}
		return to
	}
	if to := chosen("990101196112039898"); to.Query().Get("error") != "access_denied" {
		t.Errorf("somebody who is not among them: %v", to)
	}
	code := chosen(people[1].Number).Query().Get("code")
	exchange := func(change func(url.Values)) int {
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"wallet"}, "redirect_uri": {callback}, "code": {code}, "code_verifier": {"v"}}
		change(form)
		return call(t, p, "POST", "/token", here, host, form).StatusCode
	}
	if got := exchange(func(url.Values) {}); got != http.StatusBadRequest {
		t.Errorf("another verifier than the one that was announced: status %d", got)
	}
	if !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(code) {
		t.Errorf("code %q", code)
	}
}
