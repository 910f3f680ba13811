package service

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/filelock"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/notify"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Parts are what a service is given beside its configuration.
type Parts struct {
	Vault  *vault.Vault  // the department's; closed by the caller, after Run
	Ledger ledger.Ledger // the department's connection; likewise
	Host   string        // HOST or HOST:PORT of the verifier's check page, which stands in codes

	// Keys returns the department's keys at hand that the ledger has in force for a purpose, best first.
	Keys func(ctx context.Context, p statement.Purposes) ([]sm.Signer, error)
	// Beat submits a heartbeat if one is due; nil where the authority is elsewhere.
	Beat func(context.Context) error

	Pages       http.Handler // what is served beside the API
	WalletPages http.Handler // beside the wallet's
	Now         func() time.Time
	Log         slog.Handler
}

// A Service is an issuing department at work.
type Service struct {
	config *Config
	parts  Parts
	log    *slog.Logger

	spool    *os.File // locked
	metrics  *serve.Metrics
	attempts func(values ...string) // counts attempts to send messages
	learnt   *constitution
	unit     string
	keys     *keyring
	issuer   *issuer.Issuer
	gate     *staff.Gate
	api      *httpapi.API
	notifier *notify.Notifier
	doors    *serve.Doors

	holding   *holding   // nil: there is no wallet
	releasing *releasing // nil: the requests of other departments are not answered

	subscribers atomic.Pointer[[]*notify.Subscriber]
	comparison  comparison
	reloading   sync.Mutex
}

// New opens a service: it asks the ledger about the department, for which it waits, and opens the listeners.
// The error is a [*serve.Error] or ctx's. Run serves; a service that is not run is to be closed.
func New(ctx context.Context, config *Config, parts Parts) (*Service, error) {
	s := &Service{config: config, parts: parts, log: slog.New(parts.Log), metrics: serve.NewMetrics("issuer")}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Service) open(ctx context.Context) error {
	if err := s.takeSpool(); err != nil {
		return err
	}
	if err := s.loadSubscribers(); err != nil {
		return err
	}
	directory, err := s.loadStaff()
	if err != nil {
		return err
	}
	s.gate = staff.NewGate(directory, s.parts.Now)
	if s.learnt, err = learn(ctx, s.parts.Ledger, s.config.Department, s.log); err != nil {
		return err
	}
	s.compare(directory)
	if s.unit, err = s.learnt.unit(s.config.Unit); err != nil {
		return err
	}
	s.keys = &keyring{read: s.parts.Keys}
	if err := s.keys.refresh(ctx); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "begin", Err: err}
	}
	s.issuer, err = issuer.New(ctx, issuer.Config{
		Department: s.learnt.department, Unit: s.unit, Types: s.learnt.types,
		Ledger: s.parts.Ledger, Vault: s.parts.Vault, Signers: s.keys.signers, Window: s.config.Window, Now: s.parts.Now,
	})
	if err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "begin to issue", Err: err}
	}
	s.notifier = notify.New(notify.Config{
		Vault: s.parts.Vault, Ledger: s.parts.Ledger,
		Subscribers: func() []*notify.Subscriber { return *s.subscribers.Load() },
		Types:       s.learnt.ids, Expiring: s.config.Expiring,
		Now: s.parts.Now, Log: s.log, Attempts: func(subscriber, outcome string) { s.attempts(subscriber, outcome) },
	})
	if err := s.openRelease(ctx); err != nil {
		return err
	}
	if err := s.openWallet(); err != nil {
		return err
	}
	s.count()
	return s.openDoors()
}

// takeSpool makes sure that no other process works on what is in the spool.
func (s *Service) takeSpool() error {
	dir, err := os.Open(s.config.Spool)
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "open the spool", Err: err}
	}
	s.spool = dir
	if mine, err := filelock.Try(dir); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "lock the spool", Err: err}
	} else if !mine {
		return &serve.Error{Code: serve.CodeStart, Message: "another service works with the spool " + s.config.Spool + ": is it running already? Each has its own"}
	}
	return nil
}

// openDoors makes the API and opens the listeners.
func (s *Service) openDoors() error {
	var err error
	s.api, err = httpapi.New(httpapi.Config{
		Issuer: s.issuer, Vault: s.parts.Vault, Types: s.learnt.types, Department: s.learnt.department, Unit: s.unit,
		Staff: s.gate, Spool: s.config.Spool, Host: s.parts.Host, Pages: s.parts.Pages, Now: s.parts.Now,
		Public:    callers.Rate{PerSecond: s.config.Limits.PublicPerSecond, Burst: s.config.Limits.PublicBurst},
		MaxImport: int64(s.config.Limits.ImportMegabytes) << 20,
		Release:   s.releasing.api(),
		Observe:   s.observe,
	})
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "make the API", Err: err}
	}
	s.doors, err = serve.Open(s.config.doors(), s.metrics, serve.Handler{API: patient(s.api), Refuse: s.api.Refuse, Ready: s.ready})
	return err
}

// loadStaff reads who may do what.
func (s *Service) loadStaff() (*staff.Directory, error) {
	directory, err := staff.Load(s.config.Staff)
	if err != nil {
		return nil, &serve.Error{Code: serve.CodeConfig, Message: "read " + s.config.Staff, Err: err}
	}
	return directory, nil
}

// compare logs where staff have rights that the department has not.
func (s *Service) compare(directory *staff.Directory) {
	if err := directory.Check(s.learnt.department.Issues); err != nil {
		s.log.Warn("the staff and the ledger disagree", "error", err)
	}
}

func (s *Service) loadSubscribers() error {
	subscribers, err := s.config.subscribers()
	if err == nil {
		s.subscribers.Store(&subscribers)
	}
	return err
}

// Addresses returns where the service listens.
func (s *Service) Addresses() []serve.Address {
	return append(s.doors.Addresses(), s.holding.addresses()...)
}

// Close closes what is open; Run does it at its end.
func (s *Service) Close() error {
	if s.doors != nil {
		s.doors.Close()
	}
	if s.issuer != nil {
		s.issuer.Close()
	}
	s.holding.close()
	err := s.releasing.close()
	if s.spool != nil {
		err = errors.Join(err, s.spool.Close())
	}
	return err
}
