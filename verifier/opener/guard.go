package opener

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/credledger/credledger/sdk/rest"
)

// guard refuses whoever is no program on this machine that has the token.
func (o *Opener) guard(r *http.Request) error {
	switch {
	case !rest.Address(r).IsLoopback():
		return rest.Refuse(codeAddress, "the endpoint answers this machine alone")
	case !isLoopbackHost(r.Host):
		return rest.Refuse(codeHost, "the address of the endpoint is localhost, 127.0.0.1 or [::1]")
	case ofBrowser(r.Header):
		return rest.Refuse(codeBrowser, "the endpoint answers programs; a page in a browser has no business here")
	}
	if token, err := rest.Bearer(r.Header); err != nil {
		return err
	} else if !o.Token.is(token) {
		return rest.Refuse(rest.CodeUnauthenticated, "call with `Authorization: Bearer TOKEN`, the token in the file that the endpoint named when it started")
	}
	return nil
}

// isLoopbackHost reports whether the Host of a request, with or without a port, names loopback by itself: a name that
// somebody else has bound to a loopback address does not (DNS rebinding).
func isLoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	at, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && at.IsLoopback() && at.Zone() == ""
}

// ofBrowser reports whether a request has what browsers add by themselves (Fetch Standard; W3C Fetch Metadata).
func ofBrowser(h http.Header) bool {
	for _, name := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Cookie"} {
		if len(h.Values(name)) > 0 {
			return true
		}
	}
	return false
}
