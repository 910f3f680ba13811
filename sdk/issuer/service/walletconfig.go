package service

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/trial"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/serve"
)

// A Wallet is the section wallet: with it, the holders of licences have a listener of their own (docs/WALLET.md).
type Wallet struct {
	Web      serve.Web `yaml:"web"`
	Origin   string    `yaml:"origin"`   // what browsers know it by: https://HOST, or http:// on loopback
	Platform *Platform `yaml:"platform"` // where people sign in; this or Trial
	Trial    *Trial    `yaml:"trial"`
	Verifier *Remote   `yaml:"verifier"` // may be left out

	Session time.Duration `yaml:"session"` // at most
	Idle    time.Duration `yaml:"idle"`    // without a call
	Fresh   time.Duration `yaml:"fresh"`   // how long a proof of who somebody is counts as fresh
	One     bool          `yaml:"one"`     // signing in ends the person's other sessions; may be left out

	AnswerWithin int      `yaml:"answerWithin"` // working days, of objections
	Holidays     []string `yaml:"holidays"`     // days; may be left out
	Workdays     []string `yaml:"workdays"`     // days; may be left out

	PerSecond float64 `yaml:"perSecond"` // calls from one address
	Burst     int     `yaml:"burst"`
}

// A Platform is a city's identity platform, by OpenID Connect.
type Platform struct {
	Name        licence.Text   `yaml:"name"`
	Issuer      string         `yaml:"issuer"` // URL
	Client      string         `yaml:"client"` // id
	Secret      string         `yaml:"secret"` // path; may be left out
	Scopes      []string       `yaml:"scopes"` // beside openid; may be left out
	Number      string         `yaml:"number"` // claim that holds the identity number
	NameClaim   string         `yaml:"nameClaim"`
	Authorities string         `yaml:"authorities"` // path; may be left out
	Networks    []netip.Prefix `yaml:"networks"`    // may be left out
}

// A Trial is a platform of made-up people, on this machine alone.
type Trial struct {
	Address string `yaml:"address"`
	People  string `yaml:"people"` // path
}

// A Remote is the verifier at which codes are checked.
type Remote struct {
	URL         string         `yaml:"url"`
	Token       string         `yaml:"token"`       // path; may be left out
	Authorities string         `yaml:"authorities"` // path; may be left out
	Networks    []netip.Prefix `yaml:"networks"`    // may be left out
}

// TrialWallet is the section of a trial: everything on this machine, and people who are made up.
func TrialWallet(verifier string) *Wallet {
	return &Wallet{
		Web: serve.Web{Address: "127.0.0.1:8091"}, Origin: "http://127.0.0.1:8091", Trial: &Trial{Address: "127.0.0.1:8092", People: "people.yaml"},
		Verifier: &Remote{URL: verifier}, Session: 2 * time.Hour, Idle: 20 * time.Minute, Fresh: 10 * time.Minute, AnswerWithin: 10, PerSecond: 10, Burst: 100,
	}
}

// Bounds of what somebody can configure.
const (
	maxSession = 12 * time.Hour
	maxFresh   = time.Hour
)

// check returns what is wrong first, in the words of whoever wrote the file.
func (w *Wallet) check(release *Release, limits *Limits) error {
	if w == nil {
		return nil
	}
	if release == nil {
		return fmt.Errorf("wallet goes with release: what holders grant is released by it, and it has the view of the ledger")
	}
	doors := serve.Config{Web: &w.Web, Connections: limits.Connections, Concurrent: limits.Concurrent}
	if err := doors.Check(); err != nil {
		return fmt.Errorf("wallet.%w", err)
	}
	if w.Web.ClientAuthorities != "" {
		return fmt.Errorf("wallet.web.clientAuthorities: people have no certificates")
	}
	if err := w.checkOrigin(); err != nil {
		return err
	}
	if err := w.checkPlatform(); err != nil {
		return err
	}
	if w.Verifier != nil {
		if _, err := place(w.Verifier.URL, w.Verifier.Networks); err != nil {
			return fmt.Errorf("wallet.verifier: %w", err)
		}
	}
	if _, err := w.deadline(); err != nil {
		return err
	}
	return serve.CheckRanges([]serve.Range{
		{Name: "wallet.session (minutes)", Value: w.Session.Minutes(), Least: w.Idle.Minutes(), Most: maxSession.Minutes()},
		{Name: "wallet.idle (minutes)", Value: w.Idle.Minutes(), Least: 1, Most: maxSession.Minutes()},
		{Name: "wallet.fresh (minutes)", Value: w.Fresh.Minutes(), Least: 1, Most: maxFresh.Minutes()},
		{Name: "wallet.perSecond", Value: w.PerSecond, Least: 0.01, Most: 1e6},
		{Name: "wallet.burst", Value: float64(w.Burst), Least: 1, Most: 1e6},
	})
}

func (w *Wallet) checkOrigin() error {
	u, err := url.Parse(w.Origin)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && !(u.Scheme == "http" && trial.IsLoopback(u.Host)) {
		return fmt.Errorf("wallet.origin is what browsers know the wallet by, https://HOST, or on loopback http://127.0.0.1:PORT")
	}
	return nil
}

func (w *Wallet) checkPlatform() error {
	switch {
	case (w.Platform == nil) == (w.Trial == nil):
		return fmt.Errorf("wallet has either platform or trial: people sign in in one way")
	case w.Trial != nil:
		u, _ := url.Parse(w.Origin)
		if !trial.IsLoopback(w.Trial.Address) || !trial.IsLoopback(w.Web.Address) || !trial.IsLoopback(u.Host) || w.Web.Plain || len(w.Web.Proxies) > 0 {
			return fmt.Errorf("wallet.trial proves nothing about anybody: trial.address, web.address and origin must be on loopback, without plain and proxies")
		}
		if w.Trial.People == "" {
			return fmt.Errorf("wallet.trial.people names a file")
		}
		return nil
	}
	p := w.Platform
	switch {
	case p.Name.Zh == "" || p.Name.En == "":
		return fmt.Errorf("wallet.platform.name is what people call it, {zh: ..., en: ...}")
	case p.Client == "" || p.Number == "":
		return fmt.Errorf("wallet.platform.client is our id there, and number the claim that holds the identity number")
	case slices.ContainsFunc(p.Scopes, func(s string) bool { return s == "" || strings.ContainsAny(s, " \t\r\n") }):
		return fmt.Errorf("wallet.platform.scopes are words")
	}
	if _, err := place(p.Issuer, p.Networks); err != nil {
		return fmt.Errorf("wallet.platform.issuer: %w", err)
	}
	return nil
}

// deadline is that of answers to objections.
func (w *Wallet) deadline() (wallet.Deadline, error) {
	d := wallet.Deadline{Days: w.AnswerWithin}
	for _, list := range []struct {
		name string
		days []string
		to   *[]licence.Date
	}{{"holidays", w.Holidays, &d.Holidays}, {"workdays", w.Workdays, &d.Workdays}} {
		for _, text := range list.days {
			day, err := licence.ParseDate(text)
			if err != nil || day.String() != text {
				return d, fmt.Errorf("wallet.%s are days like 2026-10-01", list.name)
			}
			*list.to = append(*list.to, day)
		}
	}
	if err := d.Check(); err != nil {
		return d, fmt.Errorf("wallet.answerWithin: %w", err)
	}
	return d, nil
}

// paths are those in the section.
func (w *Wallet) paths() []*string {
	if w == nil {
		return nil
	}
	out := []*string{&w.Web.Certificate, &w.Web.Key}
	if p := w.Platform; p != nil {
		out = append(out, &p.Secret, &p.Authorities)
	}
	if t := w.Trial; t != nil {
		out = append(out, &t.People)
	}
	if v := w.Verifier; v != nil {
		out = append(out, &v.Token, &v.Authorities)
	}
	return out
}

// place is where something outside is.
func place(text string, networks []netip.Prefix) (*outbound.Place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("url is https://HOST/PATH")
	}
	p := &outbound.Place{URL: u, Networks: networks}
	return p, p.Check()
}

// outboundTimeout is what a call to the platform or the verifier may take.
const outboundTimeout = 10 * time.Second

// reach makes the client for something outside, whose certificate is of some authorities.
func reach(text string, networks []netip.Prefix, authorities string) (*url.URL, *http.Client, error) {
	p, err := place(text, networks)
	if err != nil {
		return nil, nil, err
	}
	if authorities != "" {
		b, err := readFile(authorities)
		if err != nil {
			return nil, nil, err
		}
		p.Roots = x509.NewCertPool()
		if !p.Roots.AppendCertsFromPEM(bytes.TrimSpace(b)) {
			return nil, nil, fmt.Errorf("%s holds no certificate", authorities)
		}
	}
	return p.URL, p.Client(outboundTimeout), nil
}

// secretOf reads a file of one line; "" for no file.
func secretOf(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := readFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(b))
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("%s holds one line", path)
	}
	return text, nil
}
