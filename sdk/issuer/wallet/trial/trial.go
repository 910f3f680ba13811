// Package trial is an identity platform for trials: whoever comes chooses which of some made-up people to be.
//
//	p, err := trial.New(trial.Config{Issuer: "http://127.0.0.1:8447", Redirect: "http://127.0.0.1:8446/v1/sign-in/callback", People: people, ...})
//	http.Serve(listener, p)
//
// It speaks as much of OpenID Connect as package identity does. It proves nothing about anybody, and so it
// refuses to be anywhere but on this machine, to send anybody elsewhere, to answer for any other host name, and
// to know anybody whose identity number could be a real person's: the first two digits of a number are
// the province, and there is none with 99.
package trial

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed" // for the page
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// A Person is one that can be chosen.
type Person struct {
	Number string `yaml:"number"` // resident identity number that begins with 99
	Name   string `yaml:"name"`
}

// Bounds.
const (
	maxPeople  = 1000
	maxCodes   = 10_000
	codeTTL    = time.Minute
	tokenTTL   = 5 * time.Minute
	maxRequest = 64 << 10 // bytes
)

// ParsePeople reads a YAML file of people:
//
//	people:
//	  - {number: "990101195503077324", name: 张三}
func ParsePeople(b []byte) ([]Person, error) {
	var file struct {
		People []Person `yaml:"people"`
	}
	if err := strictyaml.Decode(b, &file); err != nil {
		return nil, err
	}
	return file.People, checkPeople(file.People)
}

func checkPeople(people []Person) error {
	if len(people) == 0 || len(people) > maxPeople {
		return fmt.Errorf("people are 1 to %d", maxPeople)
	}
	for i, p := range people {
		number, ok := licence.CanonicalHolder(p.Number)
		if !ok || number != p.Number || len(number) != 18 || !strings.HasPrefix(number, "99") || p.Name == "" || len(p.Name) > 256 {
			return fmt.Errorf("person %d: number is a resident identity number that begins with 99, which nobody has, and name a text", i+1)
		}
	}
	return nil
}

// Config is a platform for trials.
type Config struct {
	Issuer   string // http://HOST:PORT on loopback
	Redirect string // the only URL to which people are sent back, on loopback
	ClientID string
	People   []Person
	Now      func() time.Time
}

// A Platform is the handler of one. It is safe for concurrent use.
type Platform struct {
	Config
	host string
	key  *ecdsa.PrivateKey
	mux  *http.ServeMux

	mu    sync.Mutex
	codes map[string]given
}

// given is what a code stands for.
type given struct {
	person    *Person
	nonce     string
	challenge string
	at        time.Time
}

// New makes a platform, and refuses what is not on this machine.
func New(c Config) (*Platform, error) {
	if c.ClientID == "" || c.Now == nil {
		return nil, errors.New("trial: something that it stands on is missing")
	}
	issuer, err := onLoopback(c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("the trial's identity platform: %w", err)
	}
	if issuer.Path != "" {
		return nil, errors.New("the trial's identity platform: its URL has no path")
	}
	if _, err := onLoopback(c.Redirect); err != nil {
		return nil, fmt.Errorf("where the trial's identity platform sends people back to: %w", err)
	}
	if err := checkPeople(c.People); err != nil {
		return nil, err
	}
	p := &Platform{Config: c, host: issuer.Host, mux: http.NewServeMux(), codes: map[string]given{}}
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	p.mux.HandleFunc("GET /.well-known/openid-configuration", p.describe)
	p.mux.HandleFunc("GET /keys", p.keys)
	p.mux.HandleFunc("GET /authorize", p.choose)
	p.mux.HandleFunc("POST /authorize", p.chosen)
	p.mux.HandleFunc("POST /token", p.token)
	return p, nil
}

// onLoopback refuses a URL that can be reached from another machine.
func onLoopback(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Fragment != "" || u.RawQuery != "" || (u.Scheme != "http" && u.Scheme != "https") || !IsLoopback(u.Host) {
		return nil, errors.New("its URL must be http://127.0.0.1:PORT or another on this machine: a trial proves nothing about anybody, and must not be reached from elsewhere")
	}
	return u, nil
}

// IsLoopback reports whether HOST:PORT, or HOST, can be reached from this machine alone.
func IsLoopback(address string) bool {
	host := address
	if h, _, err := net.SplitHostPort(address); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ServeHTTP implements http.Handler. Who comes from another machine, or by another name of this one (which a page
// anywhere could have led here), is refused.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if !IsLoopback(r.RemoteAddr) || r.Host != p.host {
		http.Error(w, "a trial is for this machine alone", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	p.mux.ServeHTTP(w, r)
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "something went wrong", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func (p *Platform) describe(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(jose.ES256)}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none", "client_secret_post", "client_secret_basic"},
	})
}

// keyID names the only key.
const keyID = "trial"

func (p *Platform) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: keyID, Algorithm: string(jose.ES256), Use: "sig"}}})
}

//go:embed choose.html
var pageText string

var page = template.Must(template.New("choose").Parse(pageText))

// wrong returns what is wrong with how somebody was sent here.
func (p *Platform) wrong(q url.Values) string {
	switch {
	case q.Get("client_id") != p.ClientID:
		return "client_id"
	case q.Get("redirect_uri") != p.Redirect:
		return "redirect_uri"
	case q.Get("response_type") != "code":
		return "response_type"
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43:
		return "code_challenge"
	case q.Get("state") == "" || q.Get("nonce") == "":
		return "state, nonce"
	}
	return ""
}

// choose shows the people.
func (p *Platform) choose(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if what := p.wrong(q); what != "" {
		http.Error(w, "not a request of the wallet: "+what, http.StatusBadRequest)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	_ = page.Execute(w, map[string]any{"People": p.People, "Query": q.Encode()})
}

// chosen sends the one who was chosen back.
func (p *Platform) chosen(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.PostFormValue("query"))
	if err != nil || p.wrong(q) != "" {
		http.Error(w, "not a request of the wallet", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {p.Issuer}}
	var person *Person
	for i := range p.People {
		if p.People[i].Number == r.PostFormValue("person") {
			person = &p.People[i]
		}
	}
	if person == nil {
		back.Set("error", "access_denied")
	} else {
		back.Set("code", p.code(given{person, q.Get("nonce"), q.Get("code_challenge"), p.Now()}))
	}
	http.Redirect(w, r, p.Redirect+"?"+back.Encode(), http.StatusSeeOther)
}

// code gives a code out. If there are too many, all are forgotten: this is a trial.
func (p *Platform) code(g given) string {
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.codes, func(_ string, old given) bool { return g.at.Sub(old.at) > codeTTL })
	if len(p.codes) >= maxCodes {
		clear(p.codes)
	}
	p.codes[code] = g
	return code
}

// take returns what a code stands for, once.
func (p *Platform) take(code string) (given, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.codes[code]
	delete(p.codes, code)
	return g, ok && p.Now().Sub(g.at) <= codeTTL
}

func (p *Platform) token(w http.ResponseWriter, r *http.Request) {
	client := r.PostFormValue("client_id")
	if name, _, ok := r.BasicAuth(); ok {
		client = name
	}
	g, ok := p.take(r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || client != p.ClientID || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != p.Redirect ||
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(g.challenge)) != 1 {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	token, err := p.sign(g)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(tokenTTL / time.Second), "id_token": token})
}

// Claims of the identity number and the name.
const (
	NumberClaim = "identity_number"
	NameClaim   = "name"
)

// sign makes the ID token.
func (p *Platform) sign(g given) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: keyID}}, nil)
	if err != nil {
		return "", err
	}
	now := p.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": p.Issuer, "aud": p.ClientID, "sub": g.person.Number, "nonce": g.nonce, "iat": now.Unix(), "auth_time": g.at.Unix(), "exp": now.Add(tokenTTL).Unix(),
		NumberClaim: g.person.Number, NameClaim: g.person.Name,
	})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
