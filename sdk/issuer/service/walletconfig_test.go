package service

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
)

// fullWallet is a wallet with every key that goes with a platform.
func fullWallet() *Wallet {
	ten := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	return &Wallet{
		Web:    serve.Web{Address: "0.0.0.0:8446", Certificate: "wallet.crt", Key: "wallet.key", Proxies: ten},
		Origin: "https://licences.example.gov.cn",
		Platform: &Platform{
			Name: licence.Text{Zh: "市统一身份认证平台", En: "City Identity Platform"}, Issuer: "https://id.example.gov.cn/realms/city", Client: "licences", Secret: "platform.secret",
			Scopes: []string{"profile", "identity"}, Number: "id_number", NameClaim: "name", Authorities: "id-ca.crt", Networks: ten,
		},
		Verifier: &Remote{URL: "https://verify.example.gov.cn", Token: "verifier.token", Authorities: "verify-ca.crt", Networks: ten},
		Session:  time.Hour, Idle: 10 * time.Minute, Fresh: 5 * time.Minute, One: true,
		AnswerWithin: 7, Holidays: []string{"2026-10-01", "2026-10-02"}, Workdays: []string{"2026-10-10"}, PerSecond: 0.5, Burst: 7,
	}
}

// A trial's section is read as it was written too.
func TestWalletText(t *testing.T) {
	want := Default("civil-affairs", "tlcp")
	want.Wallet = TrialWallet("http://127.0.0.1:8080")
	got, err := ParseConfig(want.Text(), "/home")
	if err != nil {
		t.Fatalf("%v\n%s", err, want.Text())
	}
	want.resolve("/home")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read as %+v, want %+v", got.Wallet, want.Wallet)
	}
	if got.Wallet.Trial.People != "/home/people.yaml" {
		t.Errorf("people are in %s", got.Wallet.Trial.People)
	}
}

func TestWalletRefuses(t *testing.T) {
	platform := func(change func(*Wallet)) func(*Config) {
		return func(c *Config) { c.Wallet = fullWallet(); change(c.Wallet) }
	}
	trial := func(change func(*Wallet)) func(*Config) {
		return func(c *Config) { c.Wallet = TrialWallet("http://127.0.0.1:8080"); change(c.Wallet) }
	}
	for name, change := range map[string]func(*Config){
		"without release":          func(c *Config) { c.Release, c.Wallet = nil, fullWallet() },
		"no address":               platform(func(w *Wallet) { w.Web.Address = "" }),
		"plain for everybody":      platform(func(w *Wallet) { w.Web.Certificate, w.Web.Key = "", "" }),
		"certificates of people":   platform(func(w *Wallet) { w.Web.ClientAuthorities = "ca.crt" }),
		"no origin":                platform(func(w *Wallet) { w.Origin = "" }),
		"an origin with a path":    platform(func(w *Wallet) { w.Origin = "https://licences.example.gov.cn/" }),
		"an origin in the clear":   platform(func(w *Wallet) { w.Origin = "http://licences.example.gov.cn" }),
		"two ways to sign in":      platform(func(w *Wallet) { w.Trial = &Trial{"127.0.0.1:8447", "people.yaml"} }),
		"no way to sign in":        platform(func(w *Wallet) { w.Platform = nil }),
		"a platform in the clear":  platform(func(w *Wallet) { w.Platform.Issuer = "http://id.example.gov.cn" }),
		"a platform without name":  platform(func(w *Wallet) { w.Platform.Name.Zh = "" }),
		"no id there":              platform(func(w *Wallet) { w.Platform.Client = "" }),
		"no claim":                 platform(func(w *Wallet) { w.Platform.Number = "" }),
		"a scope of two words":     platform(func(w *Wallet) { w.Platform.Scopes = []string{"a b"} }),
		"a verifier in the clear":  platform(func(w *Wallet) { w.Verifier.URL = "http://verify.example.gov.cn" }),
		"sessions of a day":        platform(func(w *Wallet) { w.Session = 24 * time.Hour }),
		"idle for longer":          platform(func(w *Wallet) { w.Idle = 2 * time.Hour }),
		"idle for seconds":         platform(func(w *Wallet) { w.Idle = time.Second }),
		"fresh for hours":          platform(func(w *Wallet) { w.Fresh = 2 * time.Hour }),
		"no deadline":              platform(func(w *Wallet) { w.AnswerWithin = 0 }),
		"a holiday that is none":   platform(func(w *Wallet) { w.Holidays = []string{"2026-13-01"} }),
		"a workday written oddly":  platform(func(w *Wallet) { w.Workdays = []string{"20261010"} }),
		"no calls":                 platform(func(w *Wallet) { w.PerSecond = 0 }),
		"no burst":                 platform(func(w *Wallet) { w.Burst = 0 }),
		"a trial on the network":   trial(func(w *Wallet) { w.Trial.Address = "0.0.0.0:8447" }),
		"a trial's wallet there":   trial(func(w *Wallet) { w.Web = serve.Web{Address: "0.0.0.0:8446", Certificate: "a", Key: "b"} }),
		"a trial behind a proxy":   trial(func(w *Wallet) { w.Web.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }),
		"a trial in the clear":     trial(func(w *Wallet) { w.Web.Plain = true }),
		"a trial known elsewhere":  trial(func(w *Wallet) { w.Origin = "https://licences.example.gov.cn" }),
		"a trial without people":   trial(func(w *Wallet) { w.Trial.People = "" }),
		"a trial beside nothing":   trial(func(w *Wallet) { w.Trial = nil }),
		"a trial at a made-up one": trial(func(w *Wallet) { w.Trial.Address = "127.0.0.1.evil.example:1" }),
	} {
		c := Default("civil-affairs", "tlcp")
		change(c)
		if err := c.check(); err == nil {
			t.Errorf("%s: taken", name)
		} else if !strings.Contains(err.Error(), "wallet") && !strings.Contains(err.Error(), "limits") {
			t.Errorf("%s: the error does not say where: %v", name, err)
		}
	}
}
