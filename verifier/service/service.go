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

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
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

	metrics     *metrics
	connections *connections
	index       *index.Index
	follower    *follower
	store       *store.Store
	access      *accesslog.Log
	gate        *agency.Gate
	matters     atomic.Pointer[matter.Catalog]
	snapshot    atomic.Pointer[httpapi.Snapshot]
	snapshotAt  time.Time // modification time of the file that snapshot was read from; of the chore alone
	web         webIdentity
	tlcp        *tlcp.Listener // nil without one
	doors       []*door

	ballast        []byte
	serving        atomic.Bool
	anchoringEnded atomic.Bool
	reloading      sync.Mutex
}

// ballastSize is memory that is never touched, and so takes none of the machine's. It counts as in use
// when the garbage collector decides how much may be allocated until it runs again: a service that holds
// little would otherwise spend a tenth of its time collecting what it allocates for each request.
const ballastSize = 64 << 20

// New opens a service. It follows the ledger until the index has caught up, or for a while; a new index
// cannot do without the ledger, and waits for it. Then it opens what the service keeps, and its
// listeners. The error is an [*Error] or ctx's. Run serves; a service that is not run is to be closed.
func New(ctx context.Context, config *Config, parts Parts) (*Service, error) {
	s := &Service{
		config: config, parts: parts, log: slog.New(parts.Log), metrics: newMetrics(), ballast: make([]byte, ballastSize),
	}
	s.connections = &connections{max: int64(config.Limits.Connections), shed: s.metrics.shed.WithLabelValues("connections").Inc}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Service) open(ctx context.Context) error {
	var err error
	if s.index, err = index.Open(filepath.Join(s.parts.Dir, "index")); err != nil {
		return &Error{Code: CodeStart, Message: "open the index", Err: err}
	}
	s.follower = &follower{index: s.index, ledger: s.parts.Ledger, log: s.log}
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, s.config.Store, s.parts.Now); err != nil {
		return &Error{Code: CodeStart, Message: "open the store", Err: err}
	}
	if err := s.openLog(); err != nil {
		return err
	}
	directory, err := agency.Load(s.config.Agencies)
	if err != nil {
		return &Error{Code: CodeConfig, Message: "read " + s.config.Agencies, Err: err}
	}
	s.gate = agency.NewGate(directory, s.store, s.parts.Now)
	if err := s.loadMatters(); err != nil {
		return err
	}
	s.compare(directory)
	s.gauges()
	return s.openDoors()
}

// catchUp follows the ledger until the index knows which one it is, and then until it has what the ledger
// has, but no longer than startPatience: while the ledger cannot be reached, or has much more, what the
// index has must do.
func (s *Service) catchUp(ctx context.Context) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.follower.run(following) }()
	for begun := time.Now(); ; {
		known := s.index.Ledger() != (sm.Hash{})
		if known && (s.follower.state().settled || time.Since(begun) > startPatience) {
			stop()
			<-ended
			return nil
		}
		select {
		case err := <-ended:
			if err == nil {
				err = ctx.Err()
			}
			return &Error{Code: CodeStart, Message: "follow the ledger", Err: err}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// startPatience is how long a start waits for an index that knows its ledger to catch up.
const startPatience = 10 * time.Second

// openLog opens the access log, which must be this department's, on this ledger, under this name.
func (s *Service) openLog() error {
	log, err := accesslog.Open(filepath.Join(s.parts.Dir, AccessLogDir))
	if err != nil {
		return &Error{Code: CodeStart, Message: "open the access log", Err: err}
	}
	s.access = log
	want := accesslog.Identity{Ledger: s.index.Ledger(), Department: s.config.Department, Log: s.config.AccessLog}
	if got := log.Identity(); got != want {
		return &Error{Code: CodeConfig, Message: fmt.Sprintf(
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
		return &Error{Code: CodeConfig, Message: "read the matters", Err: err}
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
	api, err := httpapi.New(httpapi.Config{
		Host:      s.parts.Host,
		Signer:    s.parts.Signer,
		View:      s.index,
		AccessLog: s.access,
		Store:     s.store,
		Intake:    intake.NewReader(heavyAtATime),
		Gate:      s.gate,
		Matters:   s.matters.Load,
		Snapshot:  s.snapshot.Load,
		Pages:     s.parts.Pages,
		Now:       s.parts.Now,
		Public:    httpapi.Rate{PerSecond: s.config.Limits.PublicPerSecond, Burst: s.config.Limits.PublicBurst},
		Observe:   s.observe,
	})
	if err != nil {
		return &Error{Code: CodeConfig, Message: "make the API", Err: err}
	}
	handler := s.handler(api)
	opens := []func() (*door, error){func() (*door, error) { return s.openWeb(handler) }}
	if s.config.TLCP != nil {
		opens = append(opens, func() (*door, error) { return s.openTLCP(handler) })
	}
	if s.config.Metrics != "" {
		opens = append(opens, s.openMetrics)
	}
	for _, open := range opens {
		d, err := open()
		if err != nil {
			return err
		}
		s.doors = append(s.doors, d)
	}
	return nil
}

// heavyAtATime is how many pictures and documents are decoded at a time, each of which takes a
// processor and tens of megabytes.
const heavyAtATime = 2

// gauges tells Prometheus what is asked for when it asks.
func (s *Service) gauges() {
	boolean := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	s.metrics.gauge("index_height_blocks", "Blocks that the index has applied.", func() float64 { return float64(s.index.Head().Height) })
	s.metrics.gauge("index_anchors", "Verified anchors that the index holds in memory.", func() float64 { return float64(s.index.Anchors()) })
	s.metrics.gauge("index_behind_blocks", "Blocks that the ledger had more, when it was last reached.", func() float64 { return float64(s.follower.state().behind) })
	s.metrics.gauge("ledger_reached", "1 while the ledger can be reached.", func() float64 { return boolean(s.follower.state().reached) })
	s.metrics.gauge("ledger_discrepant", "1 while the ledger has committed what it must not.", func() float64 { return boolean(s.follower.state().discrepancy != "") })
	s.metrics.gauge("view_age_seconds", "Seconds since the newest heartbeat of the index; -1 without any.", func() float64 {
		if age, ok := s.age(); ok {
			return age.Seconds()
		}
		return -1
	})
	s.metrics.gauge("access_log_entries", "Entries of the access log.", func() float64 { return float64(s.access.Size()) })
	s.metrics.gauge("access_log_anchored_entries", "Entries under the newest checkpoint on the ledger; -1 if the log cannot be read.", func() float64 {
		n, err := s.access.Anchored()
		if err != nil {
			return -1
		}
		return float64(n)
	})
	s.metrics.gauge("connections", "Open connections of callers.", func() float64 { return float64(s.connections.open.Load()) })
	s.metrics.gauge("ready", "1 while /readyz says yes.", func() float64 { return boolean(s.readiness(context.Background()).Ready) })
}

// checkKey reports whether the ledger has the service's key for the log, as the department's.
func (s *Service) checkKey() error {
	k := s.index.Key(s.parts.Signer.Public().ID())
	if k == nil || k.Department != s.config.Department || !k.Purposes.Has(statement.PurposeLog) || k.State != verify.KeyActive {
		return &Error{Code: CodeKey, Message: fmt.Sprintf(
			"the ledger does not have the key %s in force for %s and the log: nobody would believe its receipts", s.parts.Signer.Public().ID(), s.config.Department)}
	}
	return nil
}

// An Address is where a service listens.
type Address struct {
	Name string // web, tlcp or metrics
	URL  string
}

// Addresses returns where the service listens.
func (s *Service) Addresses() []Address {
	var out []Address
	for _, d := range s.doors {
		out = append(out, Address{d.name, d.scheme + "://" + d.listener.Addr().String()})
	}
	return out
}

// Close closes what is open; Run does it at its end.
func (s *Service) Close() error {
	var err error
	for _, d := range s.doors {
		_ = d.server.Close()
		_ = d.listener.Close()
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
