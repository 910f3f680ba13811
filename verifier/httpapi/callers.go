package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

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

// Names of what callers send.
const (
	sessionCookie = "credledger-session"
	counterHeader = "CredLedger-Counter" // no form and no other site can send it
	counterValue  = "1"
)

// certificate returns the client certificate (DER) that the connection has proven to hold, nil if none.
func certificate(r *http.Request) []byte {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return r.TLS.PeerCertificates[0].Raw
	}
	return nil
}

// identify finds out who is calling. Credentials that are wrong never make a call of the public's.
func (c *call) identify(who audience) error {
	c.caller = caller{kind: CallerPublic, address: address(c.r)}
	if who != nobody {
		if err := c.authenticate(); err != nil {
			return c.unknown(err)
		}
	}
	c.seen.Caller = c.caller.kind
	if c.caller.agency != nil {
		c.seen.Agency = c.caller.agency.ID
	}
	return nil
}

// authenticate goes by the token, else by the certificate, else by the session.
func (c *call) authenticate() error {
	token, err := bearer(c.r.Header)
	if err != nil {
		return err
	}
	if der := certificate(c.r); token != "" || der != nil {
		a, err := c.Gate.Admit(agency.Credentials{Token: token, Certificate: der, Address: c.caller.address})
		if err == nil {
			c.caller.kind, c.caller.agency = CallerAgency, a
		}
		return err
	}
	if token, err = session(c.r); err != nil || token == "" {
		return err
	}
	return c.resume(token)
}

// unknown makes guessing slow: what does not authenticate counts as the public's.
func (c *call) unknown(err error) error {
	if asProblem(err).code != codeUnauthenticated {
		return err
	}
	if limited := c.limit(); limited != nil {
		return limited
	}
	return err
}

// bearer returns the token of the Authorization header (RFC 6750), "" if there is no such header.
func bearer(h http.Header) (string, error) {
	given := h.Values("Authorization")
	if len(given) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", refuse(codeUnauthenticated, "an agency's token is given in one header, Authorization: Bearer TOKEN")
	}
	return token, nil
}

// session returns the token of a clerk's session, "" if there is none.
func session(r *http.Request) (string, error) {
	switch given := r.CookiesNamed(sessionCookie); len(given) {
	case 0:
		return "", nil
	case 1:
		return given[0].Value, nil
	}
	return "", refuse(codeUnauthenticated, "there is more than one session cookie: remove the cookies of this site")
}

// resume goes on in a clerk's session.
func (c *call) resume(token string) error {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		if err := c.fromCounter(); err != nil {
			return err
		}
	}
	s, err := c.Store.Session(c.r.Context(), token)
	if code := store.Code(err); code == store.CodeSessionUnknown || code == store.CodeSessionExpired {
		http.SetCookie(c.w, sessionOf("", time.Time{}))
		return refuse(codeUnauthenticated, "the session has ended: sign in again")
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

// fromCounter refuses what a form or a page of another site could have sent.
func (c *call) fromCounter() error {
	if given := c.r.Header.Values(counterHeader); len(given) != 1 || given[0] != counterValue {
		p := refuse(codeHeaderMissing, "calls with a session carry the header "+counterHeader+": "+counterValue)
		p.member = counterHeader
		return p
	}
	return nil
}

// admit says whether the caller may call an endpoint at all, and how often.
func (c *call) admit(who audience) error {
	kind := c.caller.kind
	switch {
	case who == agencies && kind == CallerPublic, who == systems && kind != CallerAgency:
		return refuse(codeUnauthenticated, "this is for agencies: call with a token or a client certificate")
	case who == clerks && kind != CallerClerk:
		return refuse(codeUnauthenticated, "nobody is signed in")
	case kind == CallerPublic:
		return c.limit()
	}
	return nil
}

// limit counts a call of the public's.
func (c *call) limit() error {
	if wait := c.public.take(c.caller.address); wait > 0 {
		return &problem{code: codeRateLimited, detail: "too many calls from this address; agencies have limits of their own", retryAfter: wait}
	}
	return nil
}

// address returns where a call comes from; the zero address if that is not an IP address.
func address(r *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(r.RemoteAddr)
	return a.Unmap().WithZone("")
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
	p := refuse(codeAudienceRefused, "the caller's audiences are those that /v1/me lists")
	p.member = "/audience"
	return "", p
}
