package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/credledger/credledger/sdk/issuer/wallet/identity"
	"github.com/credledger/credledger/sdk/issuer/wallet/trial"
)

// A platform is one that can be made to misbehave.
type platform struct {
	*httptest.Server
	key, other *ecdsa.PrivateKey
	now        time.Time

	mu      sync.Mutex
	down    bool
	status  int               // of the token endpoint; 0: 200
	huge    bool              // it answers without end
	sign    *ecdsa.PrivateKey // with which tokens are signed
	alg     jose.SignatureAlgorithm
	change  func(map[string]any) // of the claims
	asked   url.Values           // at the token endpoint
	noToken bool
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{now: time.Unix(1_790_000_000, 0), alg: jose.ES256}
	p.key, p.other = newKey(t), newKey(t)
	p.sign = p.key
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	write := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		write(map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"}})
	case "/keys":
		write(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	case "/token":
		p.token(w, r, write)
	}
}

func (p *platform) token(w http.ResponseWriter, r *http.Request, write func(any)) {
	_ = r.ParseForm()
	p.asked = r.PostForm
	if p.status != 0 {
		http.Error(w, `{"error":"invalid_grant","error_description":"990101195503077324"}`, p.status)
		return
	}
	if p.huge {
		for range 64 {
			fmt.Fprint(w, strings.Repeat(" ", 64<<10))
		}
	}
	nonce, _, _ := strings.Cut(r.PostForm.Get("code"), ".")
	claims := map[string]any{"iss": p.URL, "aud": "wallet", "sub": "1", "nonce": nonce, "iat": p.now.Unix(), "exp": p.now.Add(time.Minute).Unix(),
		"auth_time": p.now.Unix(), "number": "990101195503077324", "name": "张三"}
	if p.change != nil {
		p.change(claims)
	}
	body, _ := json.Marshal(claims)
	key := jose.SigningKey{Algorithm: p.alg, Key: jose.JSONWebKey{Key: p.sign, KeyID: "k"}}
	if p.alg == jose.HS256 {
		key.Key = []byte("a secret of thirty-two bytes ...")
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		panic(err)
	}
	token, _ := signed.CompactSerialize()
	answer := map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token}
	if p.noToken {
		delete(answer, "id_token")
	}
	write(answer)
}

func (p *platform) provider(t *testing.T, change func(*identity.Config)) *identity.Provider {
	t.Helper()
	c := identity.Config{Issuer: p.URL, Client: p.Client(), ClientID: "wallet", Secret: "secret", Redirect: "https://wallet.example/v1/sign-in/callback", Scopes: []string{"profile"},
		Number: "number", Name: "name", MaxAge: time.Hour, Now: func() time.Time { return p.now }}
	if change != nil {
		change(&c)
	}
	provider, err := identity.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func TestSignIn(t *testing.T) {
	p := newPlatform(t)
	provider := p.provider(t, nil)
	a, err := provider.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"client_id": "wallet", "response_type": "code", "scope": "openid profile", "state": a.State, "nonce": a.Nonce, "code_challenge_method": "S256",
		"redirect_uri": "https://wallet.example/v1/sign-in/callback", "max_age": "3600", "prompt": "",
	} {
		if got := to.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(a.URL, a.Verifier) || len(a.State) != 43 || a.State == a.Nonce || a.Nonce == a.Verifier {
		t.Errorf("the secrets: %s, %s", a.URL, a.Secrets)
	}
	back, ok := identity.ParseSecrets(a.Secrets.String())
	if !ok || back != a.Secrets {
		t.Error("the secrets do not survive being kept")
	}
	person, err := provider.Finish(t.Context(), back, false, url.Values{"state": {a.State}, "code": {a.Nonce + ".x"}, "session_state": {"whatever"}})
	if err != nil || *person != (identity.Person{Number: "990101195503077324", Name: "张三", Proven: p.now}) {
		t.Fatalf("%+v, %v", person, err)
	}
	if p.asked.Get("code_verifier") != a.Verifier || p.asked.Get("redirect_uri") != "https://wallet.example/v1/sign-in/callback" {
		t.Errorf("asked %v", p.asked)
	}
	fresh, err := provider.Begin(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if to, _ := url.Parse(fresh.URL); to.Query().Get("max_age") != "0" || to.Query().Get("prompt") != "login" {
		t.Errorf("fresh: %s", fresh.URL)
	}
}

func TestRefusals(t *testing.T) {
	set := func(name string, value any) func(*platform) {
		return func(p *platform) { p.change = func(c map[string]any) { c[name] = value } }
	}
	for name, c := range map[string]struct {
		code  string
		how   func(*platform)
		fresh bool
		query func(url.Values)
	}{
		"another state":      {identity.CodeExpired, nil, false, func(q url.Values) { q.Set("state", "x") }},
		"no state":           {identity.CodeExpired, nil, false, func(q url.Values) { q.Del("state") }},
		"refused":            {identity.CodeRefused, nil, false, func(q url.Values) { q.Set("error", "access_denied") }},
		"from elsewhere":     {identity.CodeRefused, nil, false, func(q url.Values) { q.Set("iss", "https://evil.example") }},
		"no code":            {identity.CodeRefused, nil, false, func(q url.Values) { q.Del("code") }},
		"another nonce":      {identity.CodeRefused, nil, false, func(q url.Values) { q.Set("code", "other.x") }},
		"the code is bad":    {identity.CodeRefused, func(p *platform) { p.status = 400 }, false, nil},
		"it fails":           {identity.CodeUnavailable, func(p *platform) { p.status = 502 }, false, nil},
		"without end":        {identity.CodeUnavailable, func(p *platform) { p.huge = true }, false, nil},
		"no ID token":        {identity.CodeRefused, func(p *platform) { p.noToken = true }, false, nil},
		"another key":        {identity.CodeRefused, func(p *platform) { p.sign = p.other }, false, nil},
		"another algorithm":  {identity.CodeRefused, func(p *platform) { p.alg = jose.HS256 }, false, nil},
		"another issuer":     {identity.CodeRefused, set("iss", "https://evil.example"), false, nil},
		"for another client": {identity.CodeRefused, set("aud", "other"), false, nil},
		"expired":            {identity.CodeRefused, set("exp", 1_789_999_000), false, nil},
		"no auth_time":       {identity.CodeRefused, set("auth_time", nil), false, nil},
		"proven long ago":    {identity.CodeRefused, set("auth_time", 1_790_000_000-3600-301), false, nil},
		"proven to come":     {identity.CodeRefused, set("auth_time", 1_790_000_000+301), false, nil},
		"not fresh":          {identity.CodeRefused, set("auth_time", 1_790_000_000-600), true, nil},
		"no number":          {identity.CodeIdentity, set("number", nil), false, nil},
		"not a text":         {identity.CodeIdentity, set("number", 990101), false, nil},
		"no such number":     {identity.CodeIdentity, set("number", "990101195503077325"), false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			provider := p.provider(t, nil)
			a, err := provider.Begin(t.Context(), c.fresh)
			if err != nil {
				t.Fatal(err)
			}
			if c.how != nil {
				p.mu.Lock()
				c.how(p)
				p.mu.Unlock()
			}
			q := url.Values{"state": {a.State}, "code": {a.Nonce + ".x"}}
			if c.query != nil {
				c.query(q)
			}
			person, err := provider.Finish(t.Context(), a.Secrets, c.fresh, q)
			if identity.Code(err) != c.code || person != nil {
				t.Fatalf("%+v, %v, want %s", person, err, c.code)
			}
			if strings.Contains(err.Error(), "990101") {
				t.Errorf("the error says who it is: %v", err)
			}
		})
	}
}

// A platform that was away is asked again.
func TestPlatformAway(t *testing.T) {
	p := newPlatform(t)
	provider := p.provider(t, nil)
	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	if _, err := provider.Begin(t.Context(), false); identity.Code(err) != identity.CodeUnavailable {
		t.Fatalf("away: %v", err)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	if _, err := provider.Begin(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

func TestParseSecrets(t *testing.T) {
	part := strings.Repeat("a", 43)
	for text, want := range map[string]bool{
		part + "." + part + "." + part: true, "": false, part: false, part + "." + part: false, part + "." + part + ".": false,
		part + "." + part + "." + part + "." + part: false, "." + part + part: false,
	} {
		if _, ok := identity.ParseSecrets(text); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
}

// The platform for trials speaks what this package does.
func TestTrial(t *testing.T) {
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	const back = "http://127.0.0.1:8446/v1/sign-in/callback"
	platform, err := trial.New(trial.Config{Issuer: server.URL, Redirect: back, ClientID: "wallet", People: []trial.Person{{Number: "990101195503077324", Name: "张三"}}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	handler = platform
	provider, err := identity.New(identity.Config{Issuer: server.URL, Client: server.Client(), ClientID: "wallet", Redirect: back, Number: trial.NumberClaim, Name: trial.NameClaim, MaxAge: time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	a, err := provider.Begin(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	going, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := *server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page, err := client.Get(a.URL)
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatalf("the page: %v, %v", page, err)
	}
	page.Body.Close()
	sent, err := client.PostForm(server.URL+"/authorize", url.Values{"query": {going.RawQuery}, "person": {"990101195503077324"}})
	if err != nil {
		t.Fatal(err)
	}
	sent.Body.Close()
	to, err := url.Parse(sent.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	person, err := provider.Finish(t.Context(), a.Secrets, true, to.Query())
	if err != nil || person.Number != "990101195503077324" || person.Name != "张三" || time.Since(person.Proven) > time.Hour {
		t.Fatalf("%+v, %v", person, err)
	}
	if _, err := provider.Finish(t.Context(), a.Secrets, true, to.Query()); identity.Code(err) != identity.CodeRefused {
		t.Errorf("a code was taken twice: %v", err)
	}
}
