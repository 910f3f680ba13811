package outbound

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func place(t *testing.T, address string, networks ...string) *Place {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &Place{URL: u}
	for _, n := range networks {
		p.Networks = append(p.Networks, netip.MustParsePrefix(n))
	}
	return p
}

func TestCheck(t *testing.T) {
	for address, good := range map[string]bool{
		"https://issuer.example": true, "https://issuer.example:8443/path": true, "https://10.1.2.3": true,
		"http://127.0.0.1:8090": true, "http://localhost:1": true, "http://[::1]:1": true,
		"http://issuer.example": false, "http://10.0.0.1": false, "ftp://127.0.0.1": false, "https://": false, "issuer.example": false,
		"https://somebody@issuer.example": false, "https://issuer.example/#part": false, "https:opaque": false,
	} {
		if err := place(t, address).Check(); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
	if (&Place{}).Check() == nil || (&Place{URL: place(t, "https://a.example").URL, Networks: []netip.Prefix{{}}}).Check() == nil {
		t.Error("a place that is none")
	}
}

func TestWhereItMayBe(t *testing.T) {
	for _, c := range []struct {
		address, at string
		networks    []string
		may         bool
	}{
		{"https://issuer.example", "93.184.215.14", nil, true},
		{"https://issuer.example", "2606:2800:21f::1", nil, true},
		{"https://issuer.example", "10.1.2.3", nil, false},
		{"https://issuer.example", "10.1.2.3", []string{"10.1.0.0/16"}, true},
		{"https://issuer.example", "10.2.2.3", []string{"10.1.0.0/16"}, false},
		{"https://issuer.example", "::ffff:10.1.2.3", []string{"10.1.0.0/16"}, true},
		{"https://issuer.example", "127.0.0.1", nil, false},
		{"https://issuer.example", "::1", nil, false},
		{"https://issuer.example", "169.254.169.254", nil, false},
		{"https://issuer.example", "fe80::1", nil, false},
		{"https://issuer.example", "100.64.0.1", nil, false},
		{"https://issuer.example", "64:ff9b::a00:1", nil, false},
		{"https://issuer.example", "224.0.0.1", nil, false},
		{"https://issuer.example", "192.168.1.1", nil, false},
		{"https://issuer.example", "192.168.1.1", []string{"10.0.0.0/8"}, false},
		{"https://issuer.example", "8.8.8.8", []string{"10.0.0.0/8"}, true},
		{"https://issuer.example", "0.0.0.0", nil, false},
		{"https://issuer.example", "255.255.255.255", nil, false},
		{"https://issuer.example", "::", nil, false},
		{"https://issuer.example", "fe80::1%eth0", nil, false},
		{"https://issuer.example", "fd00::1", nil, false},
		{"https://issuer.example", "2002:a01:203::1", nil, false},
		{"https://[fd00::1]/x", "fd00::1", nil, true},
		{"http://localhost", "::1", nil, true},
		{"http://localhost", "10.1.2.3", nil, false},
		{"https://10.1.2.3", "10.1.2.3", nil, true},
		{"https://10.1.2.3", "10.1.2.4", nil, false},
		{"http://localhost", "127.0.0.1", nil, true},
		{"http://localhost", "93.184.215.14", nil, false},
	} {
		if got := place(t, c.address, c.networks...).may(netip.MustParseAddr(c.at)); got != c.may {
			t.Errorf("%s at %s with %v: %v", c.address, c.at, c.networks, got)
		}
	}
}

// A name that leads to this machine is not called, and what a server redirects to is not either.
func TestClient(t *testing.T) {
	inside := 0
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside++ }))
	defer target.Close()
	server := httptest.NewTLSServer(http.RedirectHandler(target.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	p := place(t, server.URL)
	p.Roots = x509.NewCertPool()
	p.Roots.AddCert(server.Certificate())
	r, err := p.Client(time.Minute).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusTemporaryRedirect || inside != 0 {
		t.Errorf("status %d, %d calls of what it redirects to", r.StatusCode, inside)
	}
	if _, err := place(t, server.URL).Client(time.Minute).Get(server.URL); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
	// The client of another place, which a name has led here.
	if _, err := place(t, "https://issuer.example").Client(time.Minute).Get(target.URL); !errors.Is(err, ErrNetwork) {
		t.Errorf("%v", err)
	}
}

// An answer that takes too long, or has no end of headers, is given up.
func TestClientIsBounded(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	if _, err := place(t, slow.URL).Client(50 * time.Millisecond).Get(slow.URL); err == nil {
		t.Error("it waits without end")
	}
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("a", 64<<10))
	}))
	defer long.Close()
	if _, err := place(t, long.URL).Client(time.Minute).Get(long.URL); err == nil {
		t.Error("64 KB of headers are read")
	}
}
