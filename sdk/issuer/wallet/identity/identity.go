// Package identity signs people in at a city's identity platform, by OpenID Connect Core 1.0: the authorization
// code flow, with PKCE (RFC 7636, S256), state and nonce.
//
//	p, err := identity.New(identity.Config{Issuer: "https://id.city.example", ClientID: "wallet", Number: "idNumber", ...})
//	a, err := p.Begin(ctx, false)        // the browser goes to a.URL, and keeps a.Secrets
//	person, err := p.Finish(ctx, a.Secrets, false, query)   // when it comes back
//
// What a browser keeps between the two steps makes the answer of the platform its own: nobody is signed in
// as somebody else by following a link. Afterwards nothing of the platform's tokens is kept.
//
// The package has no accounts and no sessions, keeps no state but the platform's description and public keys, and
// no error of it holds who somebody is. ID tokens are signed with RSA, ECDSA or EdDSA, as libraries know them; one signed with
// SM2 is refused.
package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/credledger/credledger/sdk/licence"
)

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodeRefused     = "sign-in-refused"     // by the platform or the person, or the answer is not to be believed
	CodeExpired     = "sign-in-expired"     // begun too long ago, or in another browser
	CodeUnavailable = "sign-in-unavailable" // the platform does not answer
	CodeIdentity    = "identity-missing"    // it does not say who the person is
)

// An Error is why nobody is signed in.
type Error struct {
	Code    string // one of the codes above
	Message string // for the operator
	Err     error  // the cause, may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the code of the *Error in err's chain, "" if there is none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Config is a platform, and who we are there.
type Config struct {
	Issuer   string       // URL of the platform: the "iss" of its tokens
	Client   *http.Client // reaches it
	ClientID string
	Secret   string        // "": the platform knows us by PKCE alone
	Redirect string        // URL to which the browser comes back
	Scopes   []string      // beside openid
	Number   string        // claim that holds the identity number
	Name     string        // claim that holds the name; "": none
	MaxAge   time.Duration // how long ago people may have proven who they are, for which the platform is asked each time
	Now      func() time.Time
}

// A Provider is safe for concurrent use.
type Provider struct {
	config Config
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider // nil until the platform has answered once
}

// maxAnswer bounds what is read of an answer of the platform, in bytes.
const maxAnswer = 1 << 20

// New makes a provider. The platform is asked to describe itself when somebody signs in first.
func New(c Config) (*Provider, error) {
	if c.Issuer == "" || c.Client == nil || c.ClientID == "" || c.Redirect == "" || c.Number == "" || c.MaxAge < time.Second || c.Now == nil {
		return nil, errors.New("identity: something that it stands on is missing")
	}
	client := *c.Client
	client.Transport = bounded{c.Client.Transport}
	return &Provider{config: c, client: &client}, nil
}

// bounded bounds the bodies of answers.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	answer, err := next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

// context is what the libraries take the client from.
func (p *Provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// platform returns what the platform says of itself.
func (p *Provider) platform(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	found := p.found
	p.mu.Unlock()
	if found != nil {
		return found, nil
	}
	// Keys are read later and again with the client of this context, so that it must outlive the call.
	found, err := oidc.NewProvider(p.context(context.WithoutCancel(ctx)), p.config.Issuer)
	if err != nil {
		return nil, &Error{CodeUnavailable, "ask the identity platform to describe itself", err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = found
	return found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.Secret, Endpoint: found.Endpoint(), RedirectURL: p.config.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.config.Scopes...),
	}
}

// Secrets are what a browser keeps while its person is at the platform.
type Secrets struct {
	State    string
	Nonce    string
	Verifier string
}

// String returns one text of letters, digits, "-", "_" and ".".
func (s Secrets) String() string { return s.State + "." + s.Nonce + "." + s.Verifier }

// secretLength is the length of each of them in letters: 32 random bytes in base64url.
const secretLength = 43

// ParseSecrets is the inverse of String; false for what String does not return.
func ParseSecrets(text string) (Secrets, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || slices.ContainsFunc(parts, func(s string) bool { return len(s) != secretLength }) {
		return Secrets{}, false
	}
	return Secrets{parts[0], parts[1], parts[2]}, true
}

func secret() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// An Attempt is one person on the way to the platform.
type Attempt struct {
	URL string // where the browser goes
	Secrets
}

// Begin begins to sign somebody in; fresh asks the platform to have them prove who they are even if they have done so just
// now. Error: CodeUnavailable.
func (p *Provider) Begin(ctx context.Context, fresh bool) (*Attempt, error) {
	found, err := p.platform(ctx)
	if err != nil {
		return nil, err
	}
	var a Attempt
	for _, s := range []*string{&a.State, &a.Nonce, &a.Verifier} {
		if *s, err = secret(); err != nil {
			return nil, &Error{CodeUnavailable, "draw secrets", err}
		}
	}
	age := p.config.MaxAge
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if fresh {
		age = 0
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(age/time.Second))))
	a.URL = p.oauth(found).AuthCodeURL(a.State, options...)
	return &a, nil
}

// A Person is who has signed in.
type Person struct {
	Number string    // identity number, in the canonical form of package licence
	Name   string    // "": the platform does not tell it
	Proven time.Time // when they have proven who they are: auth_time
}

// Finish ends what Begin has begun, with the query with which the browser came back and the secrets that it kept. With
// fresh, the person must have proven who they are within the last minutes.
//
// Errors: all codes of this package.
func (p *Provider) Finish(ctx context.Context, s Secrets, fresh bool, query url.Values) (*Person, error) {
	switch {
	case s.State == "" || query.Get("state") != s.State:
		return nil, &Error{CodeExpired, "somebody came back from the identity platform with what this browser did not begin", nil}
	case query.Get("iss") != "" && query.Get("iss") != p.config.Issuer: // RFC 9207
		return nil, &Error{CodeRefused, "somebody came back from another identity platform than where they were sent", nil}
	case query.Get("error") != "":
		return nil, &Error{CodeRefused, "the identity platform or the person refused", nil}
	case query.Get("code") == "":
		return nil, &Error{CodeRefused, "the identity platform gave no code", nil}
	}
	found, err := p.platform(ctx)
	if err != nil {
		return nil, err
	}
	ctx = p.context(ctx)
	tokens, err := p.oauth(found).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return nil, exchangeError(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, &Error{CodeRefused, "the identity platform gave no ID token", nil}
	}
	token, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID, Now: p.config.Now}).Verify(ctx, raw)
	if err != nil {
		return nil, &Error{CodeRefused, "verify the ID token", err}
	}
	if token.Nonce != s.Nonce {
		return nil, &Error{CodeRefused, "the ID token is for another sign-in", nil}
	}
	return p.person(token, fresh)
}

// exchangeError tells a platform that refuses from one that does not answer. What it says stays out of the error: it may
// repeat what it was sent.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 {
		return &Error{CodeRefused, "the identity platform refuses the code: " + refused.Response.Status, nil}
	}
	return &Error{CodeUnavailable, "exchange the code at the identity platform", nil}
}

// Skew is what the clocks of the platform and ours may differ by, and how long a person may take from their proof back to us.
const skew = 5 * time.Minute

// person reads who an ID token is about. Since the platform was asked for an age, it has to say when the person has proven who they are.
func (p *Provider) person(token *oidc.IDToken, fresh bool) (*Person, error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return nil, &Error{CodeRefused, "read the ID token", nil}
	}
	age := p.config.MaxAge
	if fresh {
		age = 0
	}
	at, ok := claims["auth_time"].(float64)
	proven, now := time.Unix(int64(at), 0), p.config.Now()
	if ago := now.Sub(proven); !ok || ago > age+skew || ago < -skew {
		return nil, &Error{CodeRefused, "the identity platform does not say that the person has proven who they are as lately as it was asked for (max_age, auth_time)", nil}
	}
	if proven.After(now) {
		proven = now
	}
	text, _ := claims[p.config.Number].(string)
	number, ok := licence.CanonicalHolder(text)
	if !ok {
		return nil, &Error{CodeIdentity, "the ID token has no identity number in the claim that the configuration names", nil}
	}
	out := &Person{Number: number, Proven: proven}
	if name, ok := claims[p.config.Name].(string); ok && p.config.Name != "" && len(name) <= maxName {
		out.Name = name
	}
	return out, nil
}

// maxName is the greatest length of a name in bytes.
const maxName = 256
