// Package outbound makes HTTP clients that reach where a configuration says, and nowhere else.
//
//	p := &outbound.Place{URL: u, Networks: networks}
//	if err := p.Check(); err != nil {
//		return err
//	}
//	client := p.Client(10 * time.Second)
//
// Redirections are not followed, no proxy is asked, and every address that a name leads to is looked at
// before it is connected to: one in a private network is not, unless the configuration has that
// network, or the address itself. So who controls a name, or the answers of a server, reaches nothing behind
// the wall with our help. TLS is 1.2 or later; without TLS only this machine is called.
//
// The package reads no files and keeps no state; bounding the answers' bodies is for the caller.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// A Place is what a client may reach. It is not changed once it has a client.
type Place struct {
	URL      *url.URL       // https://HOST/..., or http:// on this machine
	Networks []netip.Prefix // private networks in which its host may be
	Roots    *x509.CertPool // authorities of its certificate; nil: those of the system
}

// Check returns what is wrong with a place, in the words of whoever configured it.
func (p *Place) Check() error {
	switch u := p.URL; {
	case u == nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "":
		return errors.New("url is https://HOST/PATH, without a user or a fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && p.onLoopback()):
		return errors.New("url begins with https://, or on this machine with http://127.0.0.1")
	case slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return !n.IsValid() }):
		return errors.New("networks are written like 10.0.0.0/8")
	}
	return nil
}

// onLoopback reports whether the host is this machine, by its address or as localhost.
func (p *Place) onLoopback() bool {
	ip, err := netip.ParseAddr(p.URL.Hostname())
	return p.URL.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// ErrNetwork says that the host's name has led to a network in which it is not to be.
var ErrNetwork = errors.New("the host's address is in a private network that the configuration does not name")

// special are networks that are neither private nor anybody's on the Internet, or that lead into others.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
}

// may reports whether the place may be at an address that its host has led to.
func (p *Place) may(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	contains := func(n netip.Prefix) bool { return n.Contains(ip) }
	if written, err := netip.ParseAddr(p.URL.Hostname()); err == nil && written.Unmap().WithZone("") == ip {
		return true // what the configuration says itself
	}
	if p.onLoopback() {
		return ip.IsLoopback()
	}
	if slices.ContainsFunc(p.Networks, contains) {
		return true
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(special, contains)
}

// Bounds of one call.
const (
	dialTimeout = 5 * time.Second
	idleTimeout = 30 * time.Second
	maxHead     = 16 << 10 // bytes of the head of an answer
)

// Client makes a client that reaches this place and nobody else. A call may take so long as a whole, with the
// body of its answer. Connections are kept for calls that follow soon: one place needs one client.
func (p *Place) Client(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !p.may(at.Addr()) {
			return ErrNetwork
		}
		return nil
	}}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: p.Roots},
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHead,
			DisableCompression:     true,
		},
	}
}
