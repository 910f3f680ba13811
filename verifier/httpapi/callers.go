package httpapi

import (
	"net/netip"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/store"
)

// A caller is who makes a call.
type caller struct {
	kind    string // CallerPublic, CallerAgency or CallerClerk
	agency  *agency.Agency
	clerk   *agency.Clerk // of CallerClerk
	session string        // its token
	address netip.Addr
}

// cookie is how the counter page says in whose session it calls.
var cookie = rest.SessionCookie{Name: "credledger-session", Header: "CredLedger-Counter"}

// identify finds out who is calling. Credentials that are wrong never make a call of the public's.
func (c *call) identify(who audience) error {
	c.caller = caller{kind: CallerPublic, address: rest.Address(c.R)}
	if who != nobody {
		if err := c.authenticate(); err != nil {
			return c.unknown(err)
		}
	}
	return nil
}

// authenticate goes by the token, else by the certificate, else by the session.
func (c *call) authenticate() error {
	token, err := rest.Bearer(c.R.Header)
	if err != nil {
		return err
	}
	if der := rest.Certificate(c.R); token != "" || der != nil {
		a, err := c.Gate.Admit(callers.Credentials{Token: token, Certificate: der, Address: c.caller.address})
		if err == nil {
			c.caller.kind, c.caller.agency = CallerAgency, a
		}
		return err
	}
	if token, err = cookie.Of(c.R); err != nil || token == "" {
		return err
	}
	return c.resume(token)
}

// unknown makes guessing slow: what does not authenticate counts as the public's.
func (c *call) unknown(err error) error {
	if c.AsProblem(err).Code != rest.CodeUnauthenticated {
		return err
	}
	if limited := c.limit(); limited != nil {
		return limited
	}
	return err
}

// resume goes on in a clerk's session.
func (c *call) resume(token string) error {
	if rest.Changes(c.R) {
		if err := cookie.FromPage(c.R); err != nil {
			return err
		}
	}
	s, err := c.Store.Session(c.R.Context(), token)
	if code := store.Code(err); code == store.CodeSessionUnknown || code == store.CodeSessionExpired {
		cookie.Remove(c.W)
		return rest.Refuse(rest.CodeUnauthenticated, "the session has ended: sign in again")
	}
	if err != nil {
		return err
	}
	a, clerk, err := c.Gate.AdmitClerk(s.Agency, s.Clerk, c.caller.address)
	if err != nil {
		return err
	}
	c.caller.kind, c.caller.agency, c.caller.clerk, c.caller.session = CallerClerk, a, clerk, token
	return nil
}

// admit says whether the caller may call an endpoint at all, and how often.
func (c *call) admit(who audience) error {
	kind := c.caller.kind
	switch {
	case who == agencies && kind == CallerPublic, who == systems && kind != CallerAgency:
		return rest.Refuse(rest.CodeUnauthenticated, "this is for agencies: call with a token or a client certificate")
	case who == clerks && kind != CallerClerk:
		return rest.Refuse(rest.CodeUnauthenticated, "nobody is signed in")
	case kind == CallerPublic:
		return c.limit()
	}
	return nil
}

// limit counts a call of the public's.
func (c *call) limit() error {
	if wait := c.public.Take(c.caller.address); wait > 0 {
		return &rest.Problem{Code: rest.CodeRateLimited, Detail: "too many calls from this address; agencies have limits of their own", RetryAfter: wait}
	}
	return nil
}

// audiences returns the names that the caller's challenges may be in, the usual one first.
func (c *call) audiences() []string {
	if c.caller.agency != nil {
		return []string{c.Host + "/" + c.caller.agency.ID, c.Host}
	}
	return []string{c.Host}
}

// audience returns the one that is named, or the usual one.
func (c *call) audience(named string) (string, error) {
	if named == "" {
		return c.audiences()[0], nil
	}
	for _, a := range c.audiences() {
		if a == named {
			return a, nil
		}
	}
	p := rest.Refuse(codeAudienceRefused, "the caller's audiences are those that /v1/me lists")
	p.Member = "/audience"
	return "", p
}
