package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/follower"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// AccessLogDir is the name of the access log's directory in that of the service.
const AccessLogDir = "access-log"

// Parts are what a service is given beside its configuration.
type Parts struct {
	Dir    string        // its directory, see the package comment
	Host   string        // HOST or HOST:PORT under which people reach it
	Ledger ledger.Ledger // the department's connection; closed by the caller, after Run
	Signer sm.Signer     // the department's key for the log

	AskerKeys map[string]request.Key // of the departments that make requests to issuers, by id: for consent

	// Beat submits a heartbeat if one is due; nil where the authority is elsewhere.
	Beat func(context.Context) error
	// Keys returns the private keys of a department that are at hand: with one of the authority's for
	// the log the service makes snapshots.
	Keys func(department string) ([]sm.Signer, error)

	Pages http.Handler // what is served beside the API
	Now   func() time.Time
	Log   slog.Handler
}

// A Service is a verifier.
type Service struct {
	config *Config
	parts  Parts
	log    *slog.Logger

	metrics    *serve.Metrics
	outcomes   func(values ...string) // counts verdicts
	index      *index.Index
	follower   *follower.Follower
	store      *store.Store
	access     *accesslog.Log
	gate       *agency.Gate
	matters    atomic.Pointer[matter.Catalog]
	asker      *request.Asker // nil: no requests are made here
	policy     atomic.Pointer[policy.Published]
	snapshot   atomic.Pointer[httpapi.Snapshot]
	snapshotAt time.Time // modification time of the file that snapshot was read from; of the chore alone
	doors      *serve.Doors

	anchoringEnded atomic.Bool
	unrecorded     atomic.Bool // the access log could not be written when that was last tried
	reloading      sync.Mutex
}

// New opens a service. It follows the ledger until the index has caught up, or for a while; a new index
// cannot do without the ledger, and waits for it. Then it opens what the service keeps, and its
// listeners. The error is an [*serve.Error] or ctx's. Run serves; a service that is not run is to be closed.
func New(ctx context.Context, config *Config, parts Parts) (*Service, error) {
	s := &Service{config: config, parts: parts, log: slog.New(parts.Log), metrics: serve.NewMetrics("verifier")}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Service) open(ctx context.Context) error {
	var err error
	if s.index, err = index.Open(filepath.Join(s.parts.Dir, "index")); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "open the index", Err: err}
	}
	s.follower = follower.New(s.index, s.parts.Ledger, s.log)
	if err := s.follower.CatchUp(ctx); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "follow the ledger", Err: err}
	}
	if s.store, err = store.Open(ctx, s.config.Store, s.parts.Now); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "open the store", Err: err}
	}
	if err := s.openLog(); err != nil {
		return err
	}
	directory, err := agency.Load(s.config.Agencies)
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "read " + s.config.Agencies, Err: err}
	}
	s.gate = agency.NewGate(directory, s.store, s.parts.Now)
	if err := s.loadMatters(); err != nil {
		return err
	}
	s.compare(directory)
	s.count()
	if err := s.openRequests(); err != nil {
		return err
	}
	return s.openDoors()
}

// openLog opens the access log, which must be this department's, on this ledger, under this name.
func (s *Service) openLog() error {
	log, err := accesslog.Open(filepath.Join(s.parts.Dir, AccessLogDir), s.parts.Signer, s.parts.Now)
	if err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "open the access log", Err: err}
	}
	s.access = log
	want := accesslog.Identity{Ledger: s.index.Ledger(), Department: s.config.Department, Log: s.config.AccessLog}
	if got := log.Identity(); got != want {
		return &serve.Error{Code: serve.CodeConfig, Message: fmt.Sprintf(
			"the access log in %s is %s of %s on the ledger %s, not %s of %s on the ledger %s: a log keeps its name, department and ledger for ever",
			s.parts.Dir, got.Log, got.Department, got.Ledger, want.Log, want.Department, want.Ledger)}
	}
	return nil
}

func (s *Service) loadMatters() error {
	var catalog *matter.Catalog
	var err error
	if s.config.Matters == "" {
		catalog, err = matter.Builtin()
	} else {
		catalog, err = matter.Load(os.DirFS(s.config.Matters))
	}
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "read the matters", Err: err}
	}
	s.matters.Store(catalog)
	return nil
}

// compare logs where agencies and matters name fields that the types on the ledger do not have: what
// asks for those is refused, or never complete.
func (s *Service) compare(directory *agency.Directory) {
	matters := s.matters.Load().All(licence.DateOf(s.parts.Now()))
	for _, t := range s.index.Types() {
		if err := directory.Check(t); err != nil {
			s.log.Warn("the agencies and the ledger disagree", "error", err)
		}
		for _, m := range matters {
			if err := m.Check(t); err != nil {
				s.log.Warn("a matter and the ledger disagree", "matter", m.ID, "error", err)
			}
		}
	}
}

// openDoors makes the API and opens the listeners.
func (s *Service) openDoors() error {
	config := httpapi.Config{
		Host:      s.parts.Host,
		View:      s.index,
		AccessLog: s.access,
		Store:     s.store,
		Intake:    intake.NewReader(heavyAtATime),
		Gate:      s.gate,
		Matters:   s.matters.Load,
		Snapshot:  s.snapshot.Load,
		Pages:     s.pages(),
		Now:       s.parts.Now,
		Public:    callers.Rate{PerSecond: s.config.Limits.PublicPerSecond, Burst: s.config.Limits.PublicBurst},
		Observe:   s.observe,
	}
	if s.asker != nil {
		config.Requests = s.asker
	}
	api, err := httpapi.New(config)
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "make the API", Err: err}
	}
	s.doors, err = serve.Open(s.config.doors(), s.metrics, serve.Handler{API: patient(api), Refuse: api.Refuse, Ready: s.ready})
	return err
}

// heavyAtATime is how many pictures and documents are decoded at a time, each of which takes a
// processor and tens of megabytes.
const heavyAtATime = 2

// checkKey reports whether the ledger has the service's key for the log, as the department's.
func (s *Service) checkKey() error {
	k := s.index.Key(s.parts.Signer.Public().ID())
	if k == nil || k.Department != s.config.Department || !k.Purposes.Has(statement.PurposeLog) || k.State != verify.KeyActive {
		return &serve.Error{Code: CodeKey, Message: fmt.Sprintf(
			"the ledger does not have the key %s in force for %s and the log: nobody would believe its receipts", s.parts.Signer.Public().ID(), s.config.Department)}
	}
	return nil
}

// Addresses returns where the service listens.
func (s *Service) Addresses() []serve.Address { return s.doors.Addresses() }

// Close closes what is open; Run does it at its end.
func (s *Service) Close() error {
	var err error
	if s.doors != nil {
		s.doors.Close()
	}
	if s.asker != nil {
		s.asker.Close()
	}
	if s.access != nil {
		err = errors.Join(err, s.access.Close())
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	if s.index != nil {
		err = errors.Join(err, s.index.Close())
	}
	return err
}
