// Package httpapi is the HTTP interface of a department's wallet, as openapi.yaml in it describes it, with the way to the
// identity platform and back.
//
// It reads requests strictly, finds out whose session a call comes in and for whom that person acts, and leaves the rest to
// package wallet. Sessions are cookies that no script reads and no other site sends; calls that change something carry a header
// besides, which neither a form nor a page of another site can send. What is not the caller's is not found, as if it did not exist.
//
// No value of a licence, and nothing of who somebody is, goes anywhere but into the answer: not into a path, a log, or an
// error. The package opens no connection, and sets no time-outs: those are the server's.
package httpapi

import (
	"context"
	_ "embed" // for the contract
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/identity"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// Contract is the interface as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var Contract []byte

// Config is what the API stands on. All of it is safe for concurrent use.
type Config struct {
	Wallet   *wallet.Wallet
	Provider Provider
	Platform licence.Text // name of the identity platform
	Trial    bool         // it is one for trials

	Pages   http.Handler // answers what is not the API's; nil: nothing does
	Now     func() time.Time
	Rate    callers.Rate // of calls, for each address
	Observe func(Call)   // told of every call once it is answered
}

// A Provider signs people in; an identity.Provider is one.
type Provider interface {
	Begin(ctx context.Context, fresh bool) (*identity.Attempt, error)
	Finish(ctx context.Context, s identity.Secrets, fresh bool, query url.Values) (*identity.Person, error)
}

// A Call is what is known of one call once it is answered. It holds no personal data: neither path nor query, nor the person.
type Call struct {
	RequestID string // "" of the way to the identity platform and back
	Method    string
	Route     string // its pattern; "" of a path that the API does not have
	Problem   string // code of the problem, if there is one
	Status    int
	Duration  time.Duration
	Err       error // the cause of a problem that is no fault of the caller's
}

// An API is the handler of everything that a wallet's server answers. It is safe for concurrent use.
type API struct {
	Config
	server *rest.Server
	rate   *rest.AddressLimiter
}

// New makes the API of a wallet.
func New(c Config) (*API, error) {
	if c.Wallet == nil || c.Provider == nil || c.Now == nil || c.Observe == nil {
		return nil, errors.New("wallet API: something that it stands on is missing")
	}
	if err := c.Rate.Check(); err != nil {
		return nil, err
	}
	a := &API{Config: c, rate: rest.NewAddressLimiter(c.Rate, c.Now)}
	a.server = rest.New(rest.Config{
		Routes: a.routes(), Kinds: kinds, Problem: fromPackages, Elsewhere: c.Pages,
		Observe: func(rc *rest.Call) {
			c.Observe(Call{RequestID: rc.ID, Method: rc.R.Method, Route: rc.Route, Problem: rc.Problem, Status: rc.Status, Duration: rc.Duration, Err: rc.Err})
		},
	})
	return a, nil
}

// ServeHTTP implements http.Handler. Where browsers go to sign in takes whatever an identity platform adds to the query, and answers
// with the way on: it is no part of what package rest serves.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		switch r.URL.Path {
		case signInPath:
			a.browse(w, r, a.begin)
			return
		case callbackPath:
			a.browse(w, r, a.finish)
			return
		}
	}
	a.server.ServeHTTP(w, r)
}

// Refuse answers a call that does not get as far as the API: see rest.Server.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, code string, retryAfter time.Duration) {
	a.server.Refuse(w, r, code, retryAfter)
}

// cookie is how the page says in whose session it calls.
var cookie = rest.SessionCookie{Name: "credledger-wallet", Header: "CredLedger-Wallet"}

// forHeader names the delegation under which a helper acts.
const forHeader = "CredLedger-For"

// A call is one request on its way.
type call struct {
	*API
	*rest.Call
	who *wallet.Caller // nil: nobody has signed in
}

// serve finds out who is calling and answers.
func (a *API) serve(rc *rest.Call, e endpoint) error {
	c := &call{API: a, Call: rc}
	if wait := a.rate.Take(rest.Address(rc.R)); wait > 0 {
		return &rest.Problem{Code: rest.CodeRateLimited, Detail: "too many calls from this address", RetryAfter: wait}
	}
	if err := c.identify(e); err != nil {
		return err
	}
	if c.who == nil && e.who == signedIn {
		return rest.Refuse(rest.CodeUnauthenticated, "sign in: GET "+signInPath+" in the browser")
	}
	return e.serve(c)
}

// digest returns what names the session of a request; nil if it is in none.
func digest(r *http.Request) (*sm.Hash, error) {
	token, err := cookie.Of(r)
	if err != nil || token == "" {
		return nil, err
	}
	return new(callers.TokenDigest(token)), nil
}

// identify finds the session, and for whom the person acts in it.
func (c *call) identify(e endpoint) error {
	session, err := digest(c.R)
	if err != nil || session == nil {
		return err
	}
	if rest.Changes(c.R) {
		if err := cookie.FromPage(c.R); err != nil {
			return err
		}
	}
	under, err := c.under(e)
	if err != nil {
		return err
	}
	if c.who, err = c.Wallet.Caller(c.R.Context(), *session, under); err == nil && c.who == nil {
		cookie.Remove(c.W)
	}
	return err
}

// under returns the delegation that a helper names; nil: none.
func (c *call) under(e endpoint) (*vault.ItemID, error) {
	given := c.R.Header.Values(forHeader)
	if len(given) == 0 {
		return nil, nil
	}
	if !e.helpers {
		return nil, rest.Refuse(wallet.CodeLimits, "helpers cannot do this: leave "+forHeader+" out to do it for yourself")
	}
	id, err := vault.ParseItemID(given[0])
	if err != nil || len(given) > 1 {
		return nil, c.Wrong(forHeader, "must be the id of a delegation: 32 lower-case hexadecimal digits")
	}
	return &id, nil
}
