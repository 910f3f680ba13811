package service

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/serve"
)

// full is a configuration with every key.
func full() *Config {
	c := Default("natural-resources")
	c.Web = serve.Web{Address: "0.0.0.0:443", Certificate: "/etc/web 1.crt", Key: "/etc/web.key", ClientAuthorities: "/etc/agencies.crt",
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/8")}}
	c.Matters = `/srv/matters "x" # 事项`
	c.Reports = "/srv/reports"
	c.Store = "postgres://verifier:pass word@db/verifier"
	c.LogLevel = "debug"
	c.Ready.Age = 90 * time.Minute
	c.Requests = &Requests{
		Keys:     map[string]string{"natural-resources": "/etc/consent.pem", "tax": "/etc/tax key.pem"},
		Issuers:  map[string]string{"civil-affairs": "https://issuer.example/path", "natural-resources": "http://127.0.0.1:8090"},
		Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Authorities: "/etc/ca.crt", Policy: "/etc/policy.signed",
	}
	return c
}

// A configuration is read as it was written.
func TestConfigText(t *testing.T) {
	plain := Default("data-bureau")
	plain.Web = serve.Web{Address: "[::]:80", Plain: true}
	plain.TLCP, plain.Metrics = nil, ""
	for name, want := range map[string]*Config{"default": Default("data-bureau"), "full": full(), "plain": plain} {
		got, err := ParseConfig(want.Text(), "/home")
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, want.Text())
			continue
		}
		want.resolve("/home")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read as %+v, want %+v", name, got, want)
		}
	}
}

func TestConfigPaths(t *testing.T) {
	c, err := ParseConfig(Default("a").Text(), "/srv/home")
	if err != nil {
		t.Fatal(err)
	}
	if c.Key != "/srv/home/keys/a/service.pem" || c.Store != "/srv/home/verifier/store.db" || c.Matters != "" || c.Web.Certificate != "" ||
		c.TLCP.SigningKey != "/srv/home/tlcp/signing.key" {
		t.Errorf("%+v, %+v", c, c.TLCP)
	}
	if c, err = ParseConfig(full().Text(), "/srv/home"); err != nil || c.Store != full().Store || c.Web.Key != "/etc/web.key" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"no department":             func(c *Config) { c.Department = "" },
		"a department in capitals":  func(c *Config) { c.Department = "Bureau" },
		"no key":                    func(c *Config) { c.Key = "" },
		"a log's name with a space": func(c *Config) { c.AccessLog = "verifier 1" },
		"requests of nobody":        func(c *Config) { c.Requests = &Requests{Issuers: full().Requests.Issuers} },
		"requests to nobody":        func(c *Config) { c.Requests = &Requests{Keys: full().Requests.Keys} },
		"requests without a key":    func(c *Config) { c.Requests = full().Requests; c.Requests.Keys["tax"] = "" },
		"requests of no department": func(c *Config) { c.Requests = full().Requests; c.Requests.Keys["Tax"] = "x" },
		"requests to no department": func(c *Config) { c.Requests = full().Requests; c.Requests.Issuers["A B"] = "https://a.example" },
		"requests in the clear":     func(c *Config) { c.Requests = full().Requests; c.Requests.Issuers["a"] = "http://a.example" },
		"requests with a password":  func(c *Config) { c.Requests = full().Requests; c.Requests.Issuers["a"] = "https://a:b@a.example" },
		"requests with a query":     func(c *Config) { c.Requests = full().Requests; c.Requests.Issuers["a"] = "https://a.example/?x=1" },
		"requests without a URL":    func(c *Config) { c.Requests = full().Requests; c.Requests.Issuers["a"] = ":" },
		"no agencies":               func(c *Config) { c.Agencies = "" },
		"no store":                  func(c *Config) { c.Store = "" },
		"no snapshot":               func(c *Config) { c.Snapshot.File = "" },
		"no port":                   func(c *Config) { c.Web.Address = "127.0.0.1" },
		"plain on every interface":  func(c *Config) { c.Web.Address = ":8080" },
		"plain to the network":      func(c *Config) { c.Web.Address = "192.0.2.1:8080" },
		"a certificate without key": func(c *Config) { c.Web.Certificate = "a" },
		"plain with a certificate":  func(c *Config) { c.Web.Certificate, c.Web.Key, c.Web.Plain = "a", "b", true },
		"clients without HTTPS":     func(c *Config) { c.Web.ClientAuthorities = "a" },
		"TLCP without a port":       func(c *Config) { c.TLCP.Address = "x" },
		"TLCP without a key":        func(c *Config) { c.TLCP.EncryptionKey = "" },
		"metrics for everybody":     func(c *Config) { c.Metrics = "0.0.0.0:9464" },
		"metrics nowhere":           func(c *Config) { c.Metrics = "9464" },
		"no connections":            func(c *Config) { c.Limits.Connections = 0 },
		"no requests":               func(c *Config) { c.Limits.Concurrent = -1 },
		"no public":                 func(c *Config) { c.Limits.PublicPerSecond = 0 },
		"no burst":                  func(c *Config) { c.Limits.PublicBurst = 0 },
		"no blocks":                 func(c *Config) { c.Ready.Blocks = 0 },
		"no age":                    func(c *Config) { c.Ready.Age = time.Second },
		"snapshots at once":         func(c *Config) { c.Snapshot.Every = time.Second },
		"a level of nothing":        func(c *Config) { c.LogLevel = "loud" },
	} {
		c := Default("a")
		change(c)
		if _, err := ParseConfig(c.Text(), "."); serve.Code(err) != serve.CodeConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "a: b", string(Default("a").Text()) + "port: 80\n", "department: [a]", "\x00"} {
		if _, err := ParseConfig([]byte(text), "."); serve.Code(err) != serve.CodeConfig {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// Every key is explained, and no line is too long to read.
func TestConfigTextIsReadable(t *testing.T) {
	for line := range strings.Lines(string(Default("data-bureau").Text())) {
		if len(line) > 112 || strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
			t.Errorf("%q", line)
		}
	}
	if strings.Contains(string(Default("a").Text()), "\n\n\n") {
		t.Error("two empty lines")
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(Default("data-bureau").Text())
	f.Add(full().Text())
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		c, err := ParseConfig(b, dir)
		if err != nil {
			return
		}
		again, err := ParseConfig(c.Text(), dir)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%+v is read again as %+v, %v", c, again, err)
		}
		if !filepath.IsAbs(c.Key) {
			t.Errorf("key %q", c.Key)
		}
	})
}
