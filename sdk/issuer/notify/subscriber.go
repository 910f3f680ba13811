package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/credledger/credledger/sdk/webhook"
)

// A Subscriber is who is told, and of what.
type Subscriber struct {
	Name     string   // lower-case letters, digits and '-', up to 64; never another's
	URL      *url.URL // where its messages are posted to
	Types    []string // ids of licence types; none: all
	Events   []string // types of events; none: all
	Secrets  []webhook.Secret
	Networks []netip.Prefix // private networks in which its host may be
	Roots    *x509.CertPool // authorities of its certificate; nil: those of the system
}

var name = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// Check returns what is wrong with a subscriber, in the words of whoever configured it.
func (s *Subscriber) Check() error {
	switch {
	case !name.MatchString(s.Name):
		return errors.New("a subscriber's name has lower-case letters, digits and '-', 64 at most")
	case s.URL == nil || s.URL.Host == "" || s.URL.User != nil || s.URL.Fragment != "" || s.URL.Opaque != "":
		return errors.New("a subscriber's url is https://HOST/PATH, without a user or a fragment")
	case s.URL.Scheme != "https" && !(s.URL.Scheme == "http" && s.onLoopback()):
		return errors.New("a subscriber's url begins with https://, or on this machine with http://127.0.0.1")
	case len(s.Secrets) == 0:
		return errors.New("a subscriber has a file with one secret, or two")
	case slices.ContainsFunc(s.Networks, func(p netip.Prefix) bool { return !p.IsValid() }):
		return errors.New("networks are written like 10.0.0.0/8")
	}
	for _, e := range s.Events {
		if !slices.Contains(webhook.Types, e) {
			return errors.New("events are licence.status, licence.restriction, licence.expiring and job.done")
		}
	}
	return nil
}

// onLoopback reports whether the subscriber's host is this machine, by its address or as localhost.
func (s *Subscriber) onLoopback() bool {
	ip, err := netip.ParseAddr(s.URL.Hostname())
	return s.URL.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// errNetwork says that a subscriber's name has led to a network in which it is not to be.
var errNetwork = errors.New("the host's address is in a private network that the configuration does not name")

// special are networks that are neither private nor anybody's on the Internet, or that lead into others.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
}

// may reports whether the subscriber may be at an address that its host has led to.
func (s *Subscriber) may(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	contains := func(p netip.Prefix) bool { return p.Contains(ip) }
	if written, err := netip.ParseAddr(s.URL.Hostname()); err == nil && written.Unmap().WithZone("") == ip {
		return true // what the configuration says itself
	}
	if s.onLoopback() {
		return ip.IsLoopback()
	}
	if slices.ContainsFunc(s.Networks, contains) {
		return true
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(special, contains)
}

// Time-outs of one attempt.
const (
	dialTimeout    = 5 * time.Second
	attemptTimeout = 10 * time.Second
	idleTimeout    = 30 * time.Second
	maxHead        = 16 << 10 // bytes of the head of an answer
)

// client makes a client that reaches this subscriber and nobody else.
func (s *Subscriber) client() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !s.may(at.Addr()) {
			return errNetwork
		}
		return nil
	}}
	return &http.Client{
		Timeout:       attemptTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots},
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHead,
			DisableCompression:     true,
		},
	}
}
