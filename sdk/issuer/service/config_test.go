package service

import (
	"bytes"
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
	c := Default("natural-resources", "../../tlcp")
	c.Unit = "property-registry"
	c.Web = serve.Web{Address: "0.0.0.0:443", Certificate: "/etc/web 1.crt", Key: "/etc/web.key", ClientAuthorities: "/etc/systems.crt",
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/8")}}
	c.Retention = map[string]int{"property": 36500, "no-record": 0}
	c.Webhooks = []Webhook{
		{Name: "permits", URL: "https://permits.example.gov.cn:8443/credledger?x=1", Secret: "permits.secret", Types: []string{"property"},
			Events: []string{"licence.status", "job.done"}, Authorities: "ca.crt", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		{Name: "here", URL: "http://127.0.0.1:9/", Secret: "/etc/here"},
	}
	c.Release = &Release{Directory: "/srv/release", AccessLog: "releases-2", Policy: "policy 7", Matters: "matters", AddressPerSecond: 0.5, AddressBurst: 3, AgencyPerSecond: 7, AgencyBurst: 9}
	c.Wallet = fullWallet()
	c.LogLevel = "debug"
	c.Window = 50 * time.Millisecond
	return c
}

// A configuration is read as it was written.
func TestConfigText(t *testing.T) {
	plain := Default("civil-affairs", "tlcp")
	plain.Web = serve.Web{Address: "[::]:80", Plain: true}
	plain.TLCP, plain.Metrics, plain.Expiring, plain.Release = nil, "", 0, nil
	for name, want := range map[string]*Config{"default": Default("civil-affairs", "tlcp"), "full": full(), "plain": plain} {
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
	c, err := ParseConfig(full().Text(), "/srv/home/issuer/natural-resources")
	if err != nil {
		t.Fatal(err)
	}
	if c.Staff != "/srv/home/issuer/natural-resources/staff.yaml" || c.Spool != "/srv/home/issuer/natural-resources/spool" || c.TLCP.SigningKey != "/srv/home/tlcp/signing.key" ||
		c.Web.Key != "/etc/web.key" || c.Webhooks[0].Secret != "/srv/home/issuer/natural-resources/permits.secret" ||
		c.Release.Directory != "/srv/release" || c.Release.Policy != "/srv/home/issuer/natural-resources/policy 7" ||
		c.Webhooks[0].Authorities != "/srv/home/issuer/natural-resources/ca.crt" || c.Webhooks[1].Secret != "/etc/here" || c.Webhooks[1].Authorities != "" {
		t.Errorf("%+v", c)
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"no department":                 func(c *Config) { c.Department = "" },
		"a department in capitals":      func(c *Config) { c.Department = "Bureau" },
		"no staff":                      func(c *Config) { c.Staff = "" },
		"no spool":                      func(c *Config) { c.Spool = "" },
		"no port":                       func(c *Config) { c.Web.Address = "127.0.0.1" },
		"plain on every interface":      func(c *Config) { c.Web.Address = ":8090" },
		"metrics for everybody":         func(c *Config) { c.Metrics = "0.0.0.0:9465" },
		"no connections":                func(c *Config) { c.Limits.Connections = 0 },
		"no requests":                   func(c *Config) { c.Limits.Concurrent = -1 },
		"no public":                     func(c *Config) { c.Limits.PublicPerSecond = 0 },
		"no burst":                      func(c *Config) { c.Limits.PublicBurst = 0 },
		"no imports":                    func(c *Config) { c.Limits.ImportMegabytes = 0 },
		"no window":                     func(c *Config) { c.Window = 0 },
		"a window of a minute":          func(c *Config) { c.Window = time.Minute },
		"expired licences":              func(c *Config) { c.Expiring = -1 },
		"kept for less than nothing":    func(c *Config) { c.Retention = map[string]int{"property": -1} },
		"kept for ever":                 func(c *Config) { c.Retention = map[string]int{"property": maxDays + 1} },
		"no type is kept":               func(c *Config) { c.Retention = map[string]int{"": 1} },
		"a webhook twice":               func(c *Config) { c.Webhooks[1].Name = "permits" },
		"a webhook without a name":      func(c *Config) { c.Webhooks[1].Name = "" },
		"a webhook without a secret":    func(c *Config) { c.Webhooks[1].Secret = "" },
		"a webhook over HTTP":           func(c *Config) { c.Webhooks[0].URL = "http://permits.example.gov.cn/" },
		"a webhook that is no URL":      func(c *Config) { c.Webhooks[0].URL = "https://%" },
		"a webhook of an unknown event": func(c *Config) { c.Webhooks[0].Events = []string{"licence.lost"} },
		"too many webhooks":             func(c *Config) { c.Webhooks = make([]Webhook, maxWebhooks+1) },
		"no directory of releases":      func(c *Config) { c.Release.Directory = "" },
		"a log's name with a space":     func(c *Config) { c.Release.AccessLog = "releases 1" },
		"no policy":                     func(c *Config) { c.Release.Policy = "" },
		"no requests of an address":     func(c *Config) { c.Release.AddressPerSecond = 0 },
		"no requests of an agency":      func(c *Config) { c.Release.AgencyBurst = 0 },
		"a level of nothing":            func(c *Config) { c.LogLevel = "loud" },
	} {
		c := Default("a", "tlcp")
		c.Webhooks = full().Webhooks
		change(c)
		if _, err := ParseConfig(c.Text(), "."); serve.Code(err) != serve.CodeConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "a: b", string(Default("a", "tlcp").Text()) + "port: 80\n", "department: [a]", "\x00"} {
		if _, err := ParseConfig([]byte(text), "."); serve.Code(err) != serve.CodeConfig {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// Every key is explained, and no line is too long to read.
func TestConfigTextIsReadable(t *testing.T) {
	for _, c := range []*Config{Default("civil-affairs", "tlcp"), full()} {
		for line := range strings.Lines(string(c.Text())) {
			if len(line) > 115 || strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
				t.Errorf("%q", line)
			}
		}
		if strings.Contains(string(c.Text()), "\n\n\n") {
			t.Errorf("two empty lines:\n%s", c.Text())
		}
	}
}

// readAgain makes sure that what is accepted is read again as it is written.
func readAgain(t *testing.T, b []byte) {
	t.Helper()
	const dir = "/srv"
	c, err := ParseConfig(b, dir)
	if err != nil {
		return
	}
	again, err := ParseConfig(c.Text(), dir)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%+v is read again as %+v, %v", c, again, err)
	}
	if !filepath.IsAbs(c.Staff) {
		t.Errorf("staff %q", c.Staff)
	}
}

// Whatever byte is changed or left out.
func TestConfigMangled(t *testing.T) {
	text := full().Text()
	for i := 0; i < len(text); i += 7 {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		readAgain(t, changed)
		readAgain(t, append(changed[:i:i], text[i+1:]...))
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(Default("civil-affairs", "tlcp").Text())
	f.Add(full().Text())
	f.Fuzz(readAgain)
}
