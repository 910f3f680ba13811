package rest

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Bearer returns the token of the Authorization header (RFC 6750), "" if there is no such header.
func Bearer(h http.Header) (string, error) {
	given := h.Values("Authorization")
	if len(given) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", Refuse(CodeUnauthenticated, "a token is given in one header, Authorization: Bearer TOKEN")
	}
	return token, nil
}

// Certificate returns the client certificate (DER) that the connection has proven to hold, nil if none.
func Certificate(r *http.Request) []byte {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return r.TLS.PeerCertificates[0].Raw
	}
	return nil
}

// Address returns where a call comes from; the zero address if that is not an IP address.
func Address(r *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(r.RemoteAddr)
	return a.Unmap().WithZone("")
}

// A SessionCookie is how a page says in whose session it calls.
type SessionCookie struct {
	Name   string // of the cookie
	Header string // that calls with it carry with the value 1, when they change something
}

// Of returns the token of a request's session, "" if there is none.
func (s SessionCookie) Of(r *http.Request) (string, error) {
	switch given := r.CookiesNamed(s.Name); len(given) {
	case 0:
		return "", nil
	case 1:
		return given[0].Value, nil
	}
	return "", Refuse(CodeUnauthenticated, "there is more than one session cookie: remove the cookies of this site")
}

// Set gives a session to the caller's browser, for so long. No script reads the cookie, no other site
// sends it, and it goes to the API only. How long is counted from when it arrives, because the clocks of browsers are
// not to be relied on.
func (s SessionCookie) Set(w http.ResponseWriter, token string, ttl time.Duration) {
	http.SetCookie(w, s.cookie(token, int(ttl/time.Second)))
}

// Remove takes it away.
func (s SessionCookie) Remove(w http.ResponseWriter) { http.SetCookie(w, s.cookie("", -1)) }

func (s SessionCookie) cookie(token string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.Name, Value: token, Path: "/v1", MaxAge: maxAge, HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode,
	}
}

// FromPage refuses what a form or a page of another site could have sent: they cannot send the header.
func (s SessionCookie) FromPage(r *http.Request) error {
	if given := r.Header.Values(s.Header); len(given) != 1 || given[0] != "1" {
		p := Refuse(CodeHeaderMissing, "calls with a session carry the header "+s.Header+": 1")
		p.Member = s.Header
		return p
	}
	return nil
}

// Changes reports whether a request can change something.
func Changes(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }
