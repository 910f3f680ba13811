package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

// A stolen session is worth little after some minutes, and nothing once its person signs out, or everywhere, or is idle, or some
// hours have gone.
func TestStolenSession(t *testing.T) {
	s := newScene(t)
	thief := s.holder // has the same cookie
	s.Clock.Advance(11 * time.Minute)
	thief.Get("/v1/licences").Want(t, 200)
	for path, body := range map[string]any{
		fmt.Sprintf("/v1/licences/%d/open", s.id): nil,
		"/v1/prints":      s.sheet(),
		"/v1/delegations": s.delegation(s.Holder(2)),
		"/v1/codes":       s.code("self-contained"),
		"/v1/grants":      with(with(s.grant(), "beyond", true), "fields", append([]string{"spouse1Nationality"}, s.Minimum()...)),
	} {
		thief.Post(path, body).Want(t, 403).Problem(t, "fresh-sign-in-required")
	}
	// What it can: show the minimum of a matter, once, which is in the list of accesses.
	code := thief.Post("/v1/codes", s.code("reference")).Want(t, 201).Text("code")
	s.Scan(code).Want(t, 200)
	if a := s.spouse.Get(fmt.Sprintf("/v1/licences/%d/accesses", s.id)).Want(t, 200); len(a.Get("accesses").([]any)) != 1 {
		t.Errorf("what a thief showed is not in the list: %s", a.Body)
	}

	second := s.SignIn(s.Holder(1))
	s.holder.Do("DELETE", "/v1/sessions", nil).Want(t, 204)
	thief.Get("/v1/licences").Want(t, 401).Problem(t, "unauthenticated")
	second.Get("/v1/licences").Want(t, 200)
	third := s.SignIn(s.Holder(1))
	third.Do("DELETE", "/v1/sessions?all=1", nil).Want(t, 204)
	second.Get("/v1/licences").Problem(t, "unauthenticated")

	idle := s.SignIn(s.Holder(1))
	s.Clock.Advance(19 * time.Minute)
	idle.Get("/v1/me").Want(t, 200)
	s.Clock.Advance(19 * time.Minute)
	idle.Get("/v1/licences").Want(t, 200)
	s.Clock.Advance(21 * time.Minute)
	idle.Get("/v1/licences").Problem(t, "unauthenticated")

	long := s.SignIn(s.Holder(1))
	for range 7 {
		s.Clock.Advance(17 * time.Minute)
		long.Get("/v1/licences").Want(t, 200)
	}
	s.Clock.Advance(17 * time.Minute)
	long.Get("/v1/licences").Problem(t, "unauthenticated")

	s.Rewire(func(c *wallet.Config, _ *httpapi.Config) { c.Sessions.One = true })
	one := s.SignIn(s.Holder(1))
	other := s.SignIn(s.Spouse(1))
	s.SignIn(s.Holder(1)).Get("/v1/licences").Want(t, 200)
	one.Get("/v1/licences").Problem(t, "unauthenticated")
	other.Get("/v1/licences").Want(t, 200)
}

// Sessions that nobody began.
func TestMadeUpSessions(t *testing.T) {
	s := newScene(t)
	for _, value := range []string{"x", callers.NewToken(), callers.TokenDigest("x").String(), strings.Repeat("A", 4000)} {
		a := wallettest.Client{Client: s.With("CredLedger-Wallet", "1").With("Cookie", "credledger-wallet="+value)}.Get("/v1/licences")
		a.Want(t, 401).Problem(t, "unauthenticated")
	}
	both := s.holder.With("Cookie", s.holder.Header("Cookie")+"; credledger-wallet=x")
	both.Get("/v1/licences").Problem(t, "unauthenticated")
	s.Get("/v1/licences").Problem(t, "unauthenticated")
	s.Post("/v1/codes", s.code("reference")).Problem(t, "unauthenticated")
}

// Nothing that another site can send changes anything: neither a form, nor a picture, nor a page's script.
func TestCrossSite(t *testing.T) {
	s := newScene(t)
	grant := s.holder.Post("/v1/grants", s.grant()).Want(t, 201).Text("grant.grant")
	without := wallettest.Client{Client: s.With("Cookie", s.holder.Header("Cookie"))}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/v1/codes", s.code("reference")}, {"POST", "/v1/prints", s.sheet()}, {"POST", "/v1/grants", s.grant()},
		{"POST", "/v1/grants/" + grant + "/withdraw", nil}, {"POST", "/v1/delegations", s.delegation(s.Holder(2))},
		{"POST", "/v1/objections", members{"licence": s.id, "about": "state", "text": "x"}}, {"DELETE", "/v1/sessions", nil},
		{"POST", fmt.Sprintf("/v1/licences/%d/open", s.id), nil},
	} {
		without.Do(c.method, c.path, c.body).Want(t, 403).Problem(t, "header-missing")
	}
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		r := httptest.NewRequest("POST", "/v1/grants", strings.NewReader(`{"licence":1}`))
		r.RemoteAddr = resttest.From
		r.Header.Set("Content-Type", media)
		r.Header.Set("Cookie", s.holder.Header("Cookie"))
		r.Header.Set("CredLedger-Wallet", "1")
		w := httptest.NewRecorder()
		s.API.ServeHTTP(w, r)
		if w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%s: status %d", media, w.Code)
		}
	}
	if a := s.holder.Get("/v1/grants").Want(t, 200); a.Text("grants.0.state") != "given" || a.Get("grants.1") != nil {
		t.Errorf("the grants: %s", a.Body)
	}
	// No answer lets another site read it, or put it into a frame.
	a := s.holder.With("Origin", "https://evil.example").Get("/v1/licences").Want(t, 200)
	if a.Header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("headers: %v", a.Header)
	}
}

// Cookies are out of the reach of scripts and other sites.
func TestCookies(t *testing.T) {
	s := newScene(t)
	r := httptest.NewRequest("GET", "/v1/sign-in", nil)
	w := httptest.NewRecorder()
	s.API.ServeHTTP(w, r)
	going := w.Result().Cookies()[0]
	if !going.HttpOnly || !going.Secure || going.SameSite != http.SameSiteLaxMode || going.Path != "/v1/sign-in" || going.MaxAge != 600 {
		t.Errorf("on the way: %+v", going)
	}
	r = httptest.NewRequest("GET", "/v1/sign-in/callback?code=code-0&state="+strings.Repeat("x", 38)+"state", nil)
	r.AddCookie(going)
	w = httptest.NewRecorder()
	s.API.ServeHTTP(w, r)
	var session *http.Cookie
	for _, c := range w.Result().Cookies() {
		if c.Name == "credledger-wallet" {
			session = c
		}
	}
	if session == nil || !session.HttpOnly || !session.Secure || session.SameSite != http.SameSiteStrictMode || session.Path != "/v1" {
		t.Errorf("the session: %+v", session)
	}
}

// Who follows somebody else's way back from the platform is not signed in as anybody.
func TestSignInOfOthers(t *testing.T) {
	s := newScene(t)
	_, mine := s.Browse(s.Client, "/v1/sign-in?to=grants/1")
	going := wallettest.Client{Client: s.With("Cookie", "credledger-wallet-sign-in="+mine["credledger-wallet-sign-in"])}
	state := strings.Repeat("x", 38) + "state"
	for name, c := range map[string]struct {
		client     wallettest.Client
		path, want string
	}{
		"no cookie":      {s.Client, "/v1/sign-in/callback?code=code-0&state=" + state, "/#problem=sign-in-expired"},
		"a bad cookie":   {wallettest.Client{Client: s.With("Cookie", "credledger-wallet-sign-in=e30")}, "/v1/sign-in/callback?code=code-0&state=" + state, "/#problem=sign-in-expired"},
		"another state":  {going, "/v1/sign-in/callback?code=code-0&state=x", "/#problem=sign-in-refused"},
		"no code":        {going, "/v1/sign-in/callback?state=" + state, "/#problem=sign-in-refused"},
		"an unused code": {going, "/v1/sign-in/callback?code=never&state=" + state, "/#problem=sign-in-refused"},
	} {
		to, cookies := s.Browse(c.client, c.path)
		if to != c.want || cookies["credledger-wallet"] != "" {
			t.Errorf("%s: to %s, cookies %v", name, to, cookies)
		}
	}
	if to, _ := s.Browse(going, "/v1/sign-in/callback?code=code-0&state="+state); to != "/#/grants/1" {
		t.Errorf("back to %s", to)
	}
	s.Clock.Advance(11 * time.Minute)
	if to, _ := s.Browse(going, "/v1/sign-in/callback?code=code-0&state="+state); to != "/#problem=sign-in-expired" {
		t.Errorf("after eleven minutes: %s", to)
	}
	for _, bad := range []string{"https://evil.example", "//evil.example", "a%0d%0aSet-Cookie:x", "A", "a/b/c/d/e", "../x"} {
		_, cookies := s.Browse(s.Client, "/v1/sign-in?to="+bad)
		c := wallettest.Client{Client: s.With("Cookie", "credledger-wallet-sign-in="+cookies["credledger-wallet-sign-in"])}
		if to, _ := s.Browse(c, "/v1/sign-in/callback?code=code-0&state="+state); to != "/" {
			t.Errorf("%s leads to %s", bad, to)
		}
	}
}

// Proving once more who one is gives a new session in the place of the old one; for somebody else nothing changes.
func TestFreshSignIn(t *testing.T) {
	s := newScene(t)
	s.Clock.Advance(15 * time.Minute)
	s.holder.Post("/v1/prints", s.sheet()).Problem(t, "fresh-sign-in-required")
	fresh := s.SignInFrom(s.holder, "/v1/sign-in?fresh=1", s.Holder(1))
	if !s.Platform.Fresh {
		t.Error("the platform was not asked for a fresh proof")
	}
	fresh.Post("/v1/prints", s.sheet()).Want(t, 201)
	s.holder.Get("/v1/licences").Problem(t, "unauthenticated")

	s.Clock.Advance(15 * time.Minute)
	_, cookies := s.Browse(fresh, "/v1/sign-in?fresh=1")
	c := wallettest.Client{Client: s.With("Cookie", "credledger-wallet-sign-in="+cookies["credledger-wallet-sign-in"])}
	to, got := s.Browse(c, "/v1/sign-in/callback?code=code-1&state="+strings.Repeat("x", 38)+"state") // code-1 is the spouse's
	if to != "/#problem=sign-in-other" || got["credledger-wallet"] != "" {
		t.Errorf("somebody else: to %s, %v", to, got)
	}
	fresh.Get("/v1/licences").Want(t, 200)
	// A proof that is not fresh does not become so by signing in once more.
	s.Platform.Proven = time.Hour
	again := s.SignInFrom(fresh, "/v1/sign-in", s.Holder(1))
	again.Post("/v1/prints", s.sheet()).Problem(t, "fresh-sign-in-required")
}

// However many sessions and codes somebody has, they are one holder: nobody shows for two.
func TestOnePersonIsOneHolder(t *testing.T) {
	s := newScene(t)
	keys := map[[64]byte]bool{}
	shown := func(c wallettest.Client) {
		t.Helper()
		var left []byte
		s.Rewire(func(c *wallet.Config, _ *httpapi.Config) {
			c.Verifier = spy{c.Verifier, func(b []byte) { left = b }}
		})
		c.Handler = s.API
		c.Post("/v1/codes", s.code("reference")).Want(t, 201)
		p, err := credential.Parse(left)
		s.Must(err)
		if p.Holder == nil {
			t.Fatal("no holder proof")
		}
		keys[p.Holder.Key] = true
	}
	shown(s.holder)
	shown(s.SignIn(s.Holder(1)))
	s.Clock.Advance(time.Hour)
	shown(s.SignIn(s.Holder(1)))
	if len(keys) != 1 {
		t.Errorf("one person has %d keys", len(keys))
	}
	shown(s.SignIn(s.Spouse(1)))
	if len(keys) != 2 {
		t.Errorf("two people have %d keys", len(keys))
	}
}

// A matter that wants all holders to show a licence is not content with one of them who shows it twice.
func TestTwoOwners(t *testing.T) {
	w := wallettest.New(t, "property")
	n, owners := 0, []any(nil)
	for ; len(owners) < 2 && n < 40; n++ {
		owners, _ = w.Fields(n)["rightHolderIds"].([]any)
	}
	n--
	if len(owners) < 2 {
		t.Fatal("no sample has two owners")
	}
	id := w.Issue(n)
	sign := func(i int) wallettest.Client { return w.SignIn(wallet.Person{Number: fmt.Sprint(owners[i])}) }
	verify := func(all ...wallettest.Client) string {
		t.Helper()
		var codes []members
		for _, c := range all {
			code := c.Post("/v1/codes", members{"licence": id, "fields": w.Minimum(), "matter": wallettest.Matter, "kind": "reference"}).Want(t, 201).Text("code")
			codes = append(codes, members{"code": code})
		}
		a := w.Counter.Post("/v1/matters/"+wallettest.Matter+"/verifications", members{"licences": codes, "case": "1", "context": members{"clerk": "wangfang", "unit": "3"}}).Want(t, 200)
		return string(a.Body)
	}
	first := sign(0)
	w.Clock.Advance(8 * time.Minute)
	if body := verify(first, sign(0)); !strings.Contains(body, "holders-missing") {
		t.Errorf("one of %d owners stands for all: %s", len(owners), body)
	}
	all := []wallettest.Client{}
	for i := range owners {
		all = append(all, sign(i))
	}
	if body := verify(all...); strings.Contains(body, "holders-missing") {
		t.Errorf("all owners do not: %s", body)
	}
}

// spy sees what is left at a verifier.
type spy struct {
	wallet.Verifier
	left func([]byte)
}

func (s spy) Keep(ctx context.Context, presentation []byte) (string, time.Time, error) {
	s.left(presentation)
	return s.Verifier.Keep(ctx, presentation)
}

// Nothing of a person or a licence is in what is observed of calls.
func TestObserved(t *testing.T) {
	s := newScene(t)
	s.holder.Post("/v1/codes", s.code("self-contained")).Want(t, 201)
	s.holder.Get("/v1/licences/4711").Problem(t, "not-in-wallet")
	text := fmt.Sprintf("%+v", s.Calls())
	for _, secret := range []string{s.Holder(1).Number, s.Holder(1).Name, "4711", "code-0"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is observed", secret)
		}
	}
	if !strings.Contains(text, "/v1/sign-in/callback") || !strings.Contains(text, "not-in-wallet") {
		t.Errorf("calls: %s", text)
	}
}

// Too many calls from one address are refused, the way to the platform too.
func TestRate(t *testing.T) {
	s := newScene(t)
	s.Rewire(func(_ *wallet.Config, c *httpapi.Config) { c.Rate = callers.Rate{PerSecond: 0.01, Burst: 2} })
	s.holder.Handler = s.API
	s.holder.Get("/v1/me").Want(t, 200)
	s.holder.Get("/v1/me").Want(t, 200)
	s.holder.Get("/v1/me").Want(t, 429).Problem(t, "rate-limited")
	if to, _ := s.Browse(s.Client, "/v1/sign-in"); to != "/#problem=rate-limited" {
		t.Errorf("to %s", to)
	}
}
