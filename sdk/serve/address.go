package serve

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// throughProxies gives a request the address of its client, where it came through proxies that are
// believed: the last one in X-Forwarded-For that is not a proxy's. What a client wrote there itself
// stands before that and counts for nothing.
func throughProxies(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	trusted := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		address, parseErr := netip.ParseAddr(host)
		if err == nil && parseErr == nil {
			hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			for address = address.Unmap(); trusted(address) && len(hops) > 0; hops = hops[:len(hops)-1] {
				hop, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1]))
				if err != nil {
					break
				}
				address = hop.Unmap()
			}
			r.RemoteAddr = net.JoinHostPort(address.String(), strconv.Itoa(0))
		}
		next.ServeHTTP(w, r)
	})
}
