package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

func TestWhoAmI(t *testing.T) {
	s := httpapitest.New(t)
	a := s.Get("/v1/me").Want(t, http.StatusOK)
	if a.Text("kind") != "public" || a.Get("agency") != nil || a.Get("types") != nil || a.Text("audiences.0") != verifiertest.Host || a.Text("verifier.name.zh") == "" {
		t.Errorf("%s", a.Body)
	}
	a = s.Agency(s.Tax).Get("/v1/me").Want(t, http.StatusOK)
	if a.Text("kind") != "agency" || a.Text("agency.id") != "tax" || a.Text("types.0.type") != "marriage" || a.Get("clerk") != nil {
		t.Errorf("%s", a.Body)
	}
	a = s.SignIn().Get("/v1/me").Want(t, http.StatusOK)
	if a.Text("kind") != "clerk" || a.Text("agency.id") != "counter" || a.Text("clerk.unit") != httpapitest.Unit || a.Text("onBehalf.1") != "tax" {
		t.Errorf("%s", a.Body)
	}
}

// Wrong credentials are refused, whatever they are, and never make a call of the public's.
func TestWrongCredentials(t *testing.T) {
	s := httpapitest.New(t)
	for name, c := range map[string]httpapitest.Client{
		"guessed token":    s.Agency("credledger_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"token cut short":  s.Agency(s.Tax[:len(s.Tax)-1]),
		"no token":         s.With("Authorization", "Bearer "),
		"another scheme":   s.With("Authorization", "Basic dXNlcjpwYXNz"),
		"two headers":      {Client: s.Agency(s.Tax).Also("Authorization", "Bearer "+s.Counter)},
		"long token":       s.Agency(strings.Repeat("A", 4000)),
		"no such session":  s.With("Cookie", "credledger-session="+strings.Repeat("A", 32)),
		"malformed cookie": s.With("Cookie", "credledger-session=x"),
		"two sessions":     s.With("Cookie", "credledger-session="+strings.Repeat("A", 32)+"; credledger-session="+strings.Repeat("B", 32)),
	} {
		t.Run(name, func(t *testing.T) {
			a := c.Get("/v1/me").Problem(t, "unauthenticated")
			if a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
	for _, path := range []string{"/v1/statuses/civil-affairs/" + zeros, "/v1/anchors/civil-affairs/" + zeros, "/v1/accesses/civil-affairs/" + zeros} {
		s.Get(path).Problem(t, "unauthenticated")
	}
	s.Post("/v1/matters/second-hand-home-transfer/verifications", members{}).Problem(t, "unauthenticated")
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// Guesses of tokens count as calls of the public's.
func TestGuessingIsLimited(t *testing.T) {
	s := httpapitest.New(t, func(c *httpapi.Config) { c.Public = callers.Rate{PerSecond: 1, Burst: 3} })
	for range 3 {
		s.Agency("guess").Get("/v1/me").Problem(t, "unauthenticated")
	}
	a := s.Agency("guess").Get("/v1/me").Problem(t, "rate-limited")
	if a.Header.Get("Retry-After") != "1" || a.Get("retryAfter").(float64) != 1 {
		t.Errorf("%v", a.Header)
	}
	s.Get("/v1/me").Problem(t, "rate-limited")
	s.Agency(s.Tax).Get("/v1/me").Want(t, http.StatusOK) // whose limits are its own
	s.At("198.51.100.7:1").Get("/v1/me").Want(t, http.StatusOK)
	s.Clock.Advance(time.Second)
	s.Get("/v1/me").Want(t, http.StatusOK)
	s.Get("/v1/me").Problem(t, "rate-limited")
}

func TestSession(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	signIn := func(change members) httpapitest.Answer {
		body := members{"agency": httpapitest.CounterID, "clerk": httpapitest.Clerk, "password": httpapitest.Password}
		for k, v := range change {
			body[k] = v
		}
		return s.With("CredLedger-Counter", "1").Post("/v1/sessions", body)
	}
	a := signIn(nil).Want(t, http.StatusCreated)
	cookie := a.Header.Get("Set-Cookie")
	for _, attribute := range []string{"HttpOnly", "Secure", "SameSite=Strict", "Path=/v1;"} {
		if !strings.Contains(cookie, attribute) {
			t.Errorf("the cookie has no %s: %s", attribute, cookie)
		}
	}
	wrong := signIn(members{"password": "counter number four!"}).Problem(t, "sign-in-failed")
	nobody := signIn(members{"clerk": "nobody"}).Problem(t, "sign-in-failed")
	nowhere := signIn(members{"agency": "nowhere"}).Problem(t, "sign-in-failed")
	if wrong.Text("detail") != nobody.Text("detail") || wrong.Text("detail") != nowhere.Text("detail") {
		t.Error("the answers tell a wrong password from a wrong name")
	}
	s.Post("/v1/sessions", members{"agency": "counter", "clerk": "a", "password": "b"}).Problem(t, "header-missing")

	// What a form or another site can send does nothing.
	clerk := s.SignIn()
	session := clerk.Cookie()
	bare := s.With("Cookie", session)
	context := members{"matter": "second-hand-home-transfer", "onBehalf": "tax"}
	body := members{"code": house.Code("location"), "context": context}
	bare.Get("/v1/me").Want(t, http.StatusOK)
	bare.Post("/v1/verifications", body).Problem(t, "header-missing")
	bare.With("CredLedger-Counter", "2").Post("/v1/verifications", body).Problem(t, "header-missing")
	bare.Do(http.MethodDelete, "/v1/sessions", nil).Problem(t, "header-missing")
	a = bare.With("Content-Type", "text/plain").Post("/v1/verifications", body).Problem(t, "header-missing")

	// Clerk and unit are those who signed in.
	a = clerk.Post("/v1/verifications", body).Want(t, http.StatusOK)
	if e := receiptOf(t, a, "receipt").Entry; e.Clerk != httpapitest.Clerk || e.Unit != httpapitest.Unit || e.OnBehalf != "tax" {
		t.Errorf("recorded %+v", e)
	}
	for _, name := range []string{"clerk", "unit"} {
		clerk.Post("/v1/verifications", members{"code": house.Code(), "context": members{"matter": "second-hand-home-transfer", "onBehalf": "tax", name: "x"}}).Problem(t, "member-invalid")
	}
	clerk.Get("/v1/accesses/natural-resources/"+zeros).Problem(t, "unauthenticated") // for programs

	a = clerk.Do(http.MethodDelete, "/v1/sessions", nil).Want(t, http.StatusNoContent)
	if !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie stays: %v", a.Header)
	}
	a = clerk.Get("/v1/me").Problem(t, "unauthenticated")
	if !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("a dead cookie stays: %v", a.Header)
	}
	clerk = s.SignIn()
	s.Clock.Advance(11 * time.Hour)
	clerk.Get("/v1/me").Problem(t, "unauthenticated")
	clerk.SignIn() // with the dead cookie
	s.Do(http.MethodDelete, "/v1/sessions", nil).Problem(t, "unauthenticated")
}

func TestClientCertificate(t *testing.T) {
	s := httpapitest.New(t)
	r := newRequest(t, http.MethodGet, "/v1/me", nil)
	r.TLS = tlsOf(httpapitest.Certificate)
	w := serve(s, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"id":"tax"`) {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	r.TLS = tlsOf([]byte("a stranger's"))
	if w = serve(s, r); w.Code != http.StatusUnauthorized {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// A code that can be taken once is there still after a call that may not ask so, whatever it shows.
func TestRefusedContextTakesNothing(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	url := s.Post("/v1/references", members{"presentation": base64Of(house.Show("location").Bytes())}).Want(t, http.StatusCreated).Text("url")
	context := func(change members) members {
		c := members{"clerk": "a", "unit": "b", "matter": transfer, "onBehalf": "tax"}
		for k, v := range change {
			c[k] = v
		}
		return c
	}
	counter := s.Agency(s.Counter)
	single := func(c members) httpapitest.Answer {
		return counter.Post("/v1/verifications", members{"code": url, "context": c})
	}
	single(members{"clerk": "a"}).Problem(t, "context-missing")
	single(context(members{"onBehalf": ""})).Problem(t, "member-invalid")
	single(context(members{"matter": "divination"})).Problem(t, "matter-refused")
	single(context(members{"onBehalf": "divination"})).Problem(t, "on-behalf-refused")
	counter.Post(transferPath, members{"case": "1", "licences": []members{{"code": url}}}).Problem(t, "context-missing")
	s.Agency(s.Tax).Post("/v1/matters/company-opening/verifications",
		members{"case": "1", "context": members{"clerk": "a", "unit": "b"}, "licences": []members{{"code": url}}}).Problem(t, "matter-refused")
	if n := s.Log.Size(); n != 0 {
		t.Errorf("%d entries", n)
	}
	single(context(nil)).Want(t, http.StatusOK)
}
