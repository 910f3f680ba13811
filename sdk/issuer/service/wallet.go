package service

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	walletapi "github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/issuer/wallet/identity"
	"github.com/credledger/credledger/sdk/issuer/wallet/trial"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
)

// A holding is what a service has for the holders of its licences.
type holding struct {
	service *Service
	config  *Wallet
	wallet  *wallet.Wallet
	api     *walletapi.API
	doors   *serve.Doors
	trial   *serve.Doors // nil: people sign in at a real platform
	count   func(values ...string)
}

// Names of listeners.
const (
	walletDoor = "wallet"
	trialDoor  = "trial"
)

// trialClient is who we are at a trial's platform.
const trialClient = "credledger-wallet"

// openWallet opens the holders' wallet, and its listener.
func (s *Service) openWallet() error {
	if s.config.Wallet == nil {
		return nil
	}
	h := &holding{service: s, config: s.config.Wallet, count: s.metrics.Counter("wallet_requests_total", "Requests of the wallet answered.", "route", "status", "problem")}
	s.holding = h
	fail := func(doing string, err error) error {
		return &serve.Error{Code: serve.CodeConfig, Message: doing, Err: err}
	}
	var err error
	if h.wallet, err = h.open(); err != nil {
		return fail("open the wallet", err)
	}
	provider, platform, err := h.provider()
	if err != nil {
		return fail("prepare where people sign in", err)
	}
	h.api, err = walletapi.New(walletapi.Config{
		Wallet: h.wallet, Provider: provider, Platform: platform, Trial: h.config.Trial != nil, Pages: s.parts.WalletPages, Now: s.parts.Now,
		Rate: callers.Rate{PerSecond: h.config.PerSecond, Burst: h.config.Burst}, Observe: h.observe,
	})
	if err != nil {
		return fail("make the wallet's API", err)
	}
	h.doors, err = serve.Open(h.doorsConfig(walletDoor, &h.config.Web), serve.NewMetrics(walletDoor), serve.Handler{API: h.api, Refuse: h.api.Refuse, Ready: s.ready})
	return err
}

// doorsConfig is where a listener beside the desk's listens; it takes on as much.
func (h *holding) doorsConfig(name string, web *serve.Web) *serve.Config {
	l := h.service.config.Limits
	return &serve.Config{Name: name, Web: web, Connections: l.Connections, Concurrent: l.Concurrent}
}

// open makes the wallet.
func (h *holding) open() (*wallet.Wallet, error) {
	s := h.service
	deadline, err := h.config.deadline()
	if err != nil {
		return nil, err
	}
	c := wallet.Config{
		Issuer: s.issuer, Vault: s.parts.Vault, Department: s.learnt.department, Unit: s.unit, Types: s.learnt.types, Matters: s.releasing.matters,
		View: s.releasing.index, Host: s.parts.Host, Grants: s.releasing.desk, Releases: s.releasing.access, AgencyName: h.agencyName,
		Sessions: wallet.Sessions{Length: h.config.Session, Idle: h.config.Idle, Fresh: h.config.Fresh, One: h.config.One}, Deadline: deadline, Now: s.parts.Now,
	}
	if v := h.config.Verifier; v != nil {
		to := &wallet.Client{Department: s.config.Department, Host: s.parts.Host}
		if to.URL, to.HTTP, err = reach(v.URL, v.Networks, v.Authorities); err != nil {
			return nil, err
		}
		if to.Token, err = secretOf(v.Token); err != nil {
			return nil, err
		}
		c.Verifier = to
	}
	return wallet.New(c)
}

// agencyName knows the departments on the ledger.
func (h *holding) agencyName(id string) (licence.Text, bool) {
	d := h.service.releasing.index.Department(id)
	if d == nil {
		return licence.Text{}, false
	}
	return licence.Text{Zh: d.Profile.NameZh, En: d.Profile.NameEn}, true
}

// provider is where people sign in, and its name.
func (h *holding) provider() (*identity.Provider, licence.Text, error) {
	if h.config.Trial != nil {
		return h.openTrial()
	}
	p := h.config.Platform
	_, client, err := reach(p.Issuer, p.Networks, p.Authorities)
	if err != nil {
		return nil, p.Name, err
	}
	secret, err := secretOf(p.Secret)
	if err != nil {
		return nil, p.Name, err
	}
	provider, err := identity.New(identity.Config{
		Issuer: p.Issuer, Client: client, ClientID: p.Client, Secret: secret, Redirect: h.config.Origin + walletapi.CallbackPath, Scopes: p.Scopes,
		Number: p.Number, Name: p.NameClaim, MaxAge: h.config.Session, Now: h.service.parts.Now,
	})
	return provider, p.Name, err
}

// trialName is what people call the platform of a trial.
var trialName = licence.Text{Zh: "试用登录(人员均为虚构)", En: "Trial sign-in (made-up people)"}

// openTrial opens the listener of a trial's platform.
func (h *holding) openTrial() (*identity.Provider, licence.Text, error) {
	c := h.config.Trial
	b, err := readFile(c.People)
	if err != nil {
		return nil, trialName, err
	}
	people, err := trial.ParsePeople(b)
	if err != nil {
		return nil, trialName, err
	}
	issuer, redirect := "http://"+c.Address, h.config.Origin+walletapi.CallbackPath
	platform, err := trial.New(trial.Config{Issuer: issuer, Redirect: redirect, ClientID: trialClient, People: people, Now: h.service.parts.Now})
	if err != nil {
		return nil, trialName, err
	}
	h.trial, err = serve.Open(h.doorsConfig(trialDoor, &serve.Web{Address: c.Address}), serve.NewMetrics(trialDoor), serve.Handler{
		API: platform, Refuse: func(w http.ResponseWriter, _ *http.Request, _ string, _ time.Duration) {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		}, Ready: h.service.ready,
	})
	if err != nil {
		return nil, trialName, err
	}
	_, client, err := reach(issuer, nil, "")
	if err != nil {
		return nil, trialName, err
	}
	provider, err := identity.New(identity.Config{
		Issuer: issuer, Client: client, ClientID: trialClient, Redirect: redirect, Number: trial.NumberClaim, Name: trial.NameClaim,
		MaxAge: h.config.Session, Now: h.service.parts.Now,
	})
	return provider, trialName, err
}

// observe counts a request of the wallet and logs it: failures always, the rest when asked to.
func (h *holding) observe(c walletapi.Call) {
	h.count(c.Route, strconv.Itoa(c.Status), c.Problem)
	line := []any{"request", c.RequestID, "method", c.Method, "route", c.Route, "status", c.Status, "problem", c.Problem, "microseconds", c.Duration.Microseconds()}
	if c.Err != nil {
		h.service.log.Error("a request of the wallet failed", append(line, "error", c.Err)...)
		return
	}
	h.service.log.Debug("request of the wallet", line...)
}

// walletChores are what the wallet has to do: serving, too, begins with the other listeners and ends after them.
func (s *Service) walletChores() []serve.Chore {
	if s.holding == nil {
		return nil
	}
	h := s.holding
	run := func(d *serve.Doors) serve.Chore {
		return func(ctx context.Context) error { return d.Run(ctx, s.log, nil, func() error { return nil }) }
	}
	chores := []serve.Chore{run(h.doors), func(ctx context.Context) error {
		return serve.Every(ctx, s.log, purgeEvery, "purging the wallet", h.wallet.Purge)
	}}
	if h.trial != nil {
		s.log.Warn("the wallet is a trial: whoever can reach this machine can be any of the made-up people")
		chores = append(chores, run(h.trial))
	}
	return chores
}

// addresses are where the wallet listens.
func (h *holding) addresses() (out []serve.Address) {
	if h == nil {
		return nil
	}
	for _, d := range []*serve.Doors{h.doors, h.trial} {
		if d != nil {
			out = append(out, d.Addresses()...)
		}
	}
	return out
}

// reload reads the certificate again.
func (h *holding) reload() error {
	if h == nil {
		return nil
	}
	return h.doors.Reload()
}

// close closes the listeners.
func (h *holding) close() {
	if h == nil {
		return
	}
	for _, d := range []*serve.Doors{h.doors, h.trial} {
		if d != nil {
			d.Close()
		}
	}
}
