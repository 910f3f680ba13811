package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/follower"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verify"
)

// A Release is the section release: with it, the department answers the requests of others.
type Release struct {
	Directory string `yaml:"directory"` // of the index and the access log
	AccessLog string `yaml:"accessLog"` // name of the log
	Policy    string `yaml:"policy"`    // the newest, signed
	Matters   string `yaml:"matters"`   // directory; may be left out

	AddressPerSecond float64 `yaml:"addressPerSecond"`
	AddressBurst     int     `yaml:"addressBurst"`
	AgencyPerSecond  float64 `yaml:"agencyPerSecond"`
	AgencyBurst      int     `yaml:"agencyBurst"`
}

// DefaultRelease is the section of a new home: the policy is the one that is published in it.
func DefaultRelease() *Release {
	return &Release{
		Directory: "release", AccessLog: "releases", Policy: filepath.Join("..", "..", "policy.signed"),
		AddressPerSecond: 100, AddressBurst: 400, AgencyPerSecond: 50, AgencyBurst: 200,
	}
}

// Names in the directory of releases.
const (
	AccessLogDir = "access-log"
	indexDir     = "index"
)

var logName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

func (r *Release) check() error {
	switch {
	case r == nil:
		return nil
	case r.Directory == "":
		return fmt.Errorf("release.directory names a directory")
	case !logName.MatchString(r.AccessLog):
		return fmt.Errorf("release.accessLog is a name of lower-case letters, digits and '-', 32 at most")
	case r.Policy == "":
		return fmt.Errorf("release.policy names a file")
	}
	return serve.CheckRanges([]serve.Range{
		{Name: "release.addressPerSecond", Value: r.AddressPerSecond, Least: 0.01, Most: 1e6},
		{Name: "release.addressBurst", Value: float64(r.AddressBurst), Least: 1, Most: 1e6},
		{Name: "release.agencyPerSecond", Value: r.AgencyPerSecond, Least: 0.01, Most: 1e6},
		{Name: "release.agencyBurst", Value: float64(r.AgencyBurst), Least: 1, Most: 1e6},
	})
}

// A releasing is what a service has for answering requests.
type releasing struct {
	service *Service
	config  *Release

	index    *index.Index
	follower *follower.Follower
	access   *accesslog.Log
	signer   sm.Signer // of the log's checkpoints
	desk     *release.Desk
	matters  *matter.Catalog
	agencies *httpapi.AgencyLimiter
	policyAt time.Time // modification time of the file that was taken last; of the chore alone

	unanchored atomic.Bool // the anchoring of the log has ended
	unrecorded atomic.Bool // the log could not be written when that was last tried
}

// openRelease opens what answering requests takes: a view of the ledger of its own, up to date, and the access
// log.
func (s *Service) openRelease(ctx context.Context) error {
	if s.config.Release == nil {
		return nil
	}
	r := &releasing{service: s, config: s.config.Release}
	s.releasing = r
	var err error
	if r.index, err = index.Open(filepath.Join(r.config.Directory, indexDir)); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "open the index", Err: err}
	}
	r.follower = follower.New(r.index, s.parts.Ledger, s.log)
	if err := r.follower.CatchUp(ctx); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "follow the ledger", Err: err}
	}
	if err := r.openLog(ctx); err != nil {
		return err
	}
	if err := r.loadMatters(); err != nil {
		return err
	}
	r.agencies = httpapi.NewAgencyLimiter(callers.Rate{PerSecond: r.config.AgencyPerSecond, Burst: r.config.AgencyBurst}, s.parts.Now)
	if r.desk, err = release.New(ctx, release.Config{
		Issuer: s.issuer, Vault: s.parts.Vault, Types: s.learnt.types, View: r.index.Grants(), Known: r.known, Ledger: s.parts.Ledger,
		Department: s.config.Department, Authority: s.learnt.authority, Signers: s.keys.signers, Log: r.access, Admit: r.admit, Now: s.parts.Now,
	}); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "begin to answer requests", Err: err}
	}
	if err := r.takePolicy(ctx); err != nil {
		s.log.Warn("the policy cannot be taken; what was taken before counts", "error", err)
	}
	return nil
}

// openLog opens the access log, which must be this department's, on this ledger, under this name.
func (r *releasing) openLog(ctx context.Context) error {
	keys, err := r.service.parts.Keys(ctx, statement.PurposeLog)
	if err == nil && len(keys) == 0 {
		err = errors.New("the department has no key in force for the log")
	}
	if err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "open the access log", Err: err}
	}
	r.signer = keys[0]
	dir := filepath.Join(r.config.Directory, AccessLogDir)
	if r.access, err = accesslog.Open(dir, r.signer, r.service.parts.Now); err != nil {
		return &serve.Error{Code: serve.CodeStart, Message: "open the access log", Err: err}
	}
	want := accesslog.Identity{Ledger: r.index.Ledger(), Department: r.service.config.Department, Log: r.config.AccessLog}
	if got := r.access.Identity(); got != want {
		return &serve.Error{Code: serve.CodeConfig, Message: fmt.Sprintf(
			"the access log in %s is %s of %s on the ledger %s, not %s of %s on the ledger %s: a log keeps its name, department and ledger for ever",
			dir, got.Log, got.Department, got.Ledger, want.Log, want.Department, want.Ledger)}
	}
	return nil
}

func (r *releasing) loadMatters() (err error) {
	if r.config.Matters == "" {
		r.matters, err = matter.Builtin()
	} else {
		r.matters, err = matter.Load(os.DirFS(r.config.Matters))
	}
	if err != nil {
		return &serve.Error{Code: serve.CodeConfig, Message: "read the matters", Err: err}
	}
	return nil
}

// known returns what the view has: how many blocks, and the time of the newest heartbeat.
func (r *releasing) known() (height, heartbeat uint64) {
	l := r.index.Licence("", sm.Hash{}, sm.Hash{})
	return l.Height, l.Heartbeat.Time
}

// admit decides whether requests of an agency are looked at: only by a view of the ledger that is of the present, since
// what was withdrawn or ended meanwhile would count, and only those of a department that is admitted.
func (r *releasing) admit(agency string) error {
	if len(r.outdated()) > 0 {
		return httpapi.Outdated()
	}
	if d := r.index.Department(agency); d == nil || d.State != statement.DepartmentActive {
		return httpapi.Suspended()
	}
	return r.agencies.Take(agency)
}

// maxAge is how old the view may be: what a verdict on any of the department's licences may rest on.
func (r *releasing) maxAge() time.Duration {
	age := licence.MaxStatusAge
	for _, t := range r.service.learnt.types {
		age = min(age, t.MaxStatusAge)
	}
	return age
}

// age is how long ago the newest heartbeat of the view was; ok if it has one.
func (r *releasing) age() (age time.Duration, ok bool) {
	_, beat := r.known()
	return r.service.parts.Now().Sub(time.Unix(int64(beat), 0)), beat > 0
}

// outdated returns why the view is not of the present, as problems of readiness.
func (r *releasing) outdated() (out []string) {
	l := r.follower.State()
	if !l.Settled || l.Behind > mostBehind {
		out = append(out, notViewing)
	}
	if l.Discrepancy != "" {
		out = append(out, notHonest)
	}
	if r.old() {
		out = append(out, notRecent)
	}
	return out
}

// old reports whether the newest heartbeat of the view is longer ago, by this machine's clock, than verdicts may rest on.
func (r *releasing) old() bool {
	age, known := r.age()
	return !known || age > r.maxAge()
}

// takePolicy takes the policy in the file, when that has changed.
func (r *releasing) takePolicy(ctx context.Context) error {
	info, err := os.Stat(r.config.Policy)
	if err != nil {
		return err
	}
	if info.ModTime().Equal(r.policyAt) {
		return nil
	}
	signed, err := readFile(r.config.Policy)
	if err != nil {
		return err
	}
	if err := r.desk.SetPolicy(ctx, signed); err != nil {
		return fmt.Errorf("%s: %w", r.config.Policy, err)
	}
	r.policyAt = info.ModTime()
	return nil
}

// Intervals of what is done for releases again and again.
const (
	policyEvery = 5 * time.Second
	grantsEvery = 5 * time.Second
	flushEvery  = 30 * time.Second
	recordLook  = 5 * time.Second
)

// recordTimeout is how long the disk of the access log may take before it counts as one that hangs.
const recordTimeout = 30 * time.Second

// releaseChores are what a service that answers requests has to do beside that.
func (s *Service) releaseChores() []serve.Chore {
	if s.releasing == nil {
		return nil
	}
	r := s.releasing
	every := func(interval time.Duration, what string, do func(context.Context) error) serve.Chore {
		return func(ctx context.Context) error { return serve.Every(ctx, s.log, interval, what, do) }
	}
	return []serve.Chore{
		r.follower.Run, r.anchor,
		every(policyEvery, "taking the policy", func(ctx context.Context) error {
			if err := r.takePolicy(ctx); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil // what was taken before counts
		}),
		s.once(every(grantsEvery, "settling grants and answers", r.desk.Settle)),
		every(flushEvery, "writing the index", func(context.Context) error { return r.index.Flush() }),
		every(recordLook, "writing the access log", r.tryLog),
	}
}

// tryLog finds out whether answers can be recorded, also while nobody asks: a service that is not ready is sent no
// requests.
func (r *releasing) tryLog(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	err := r.access.Check(ctx)
	r.unrecorded.Store(err != nil)
	return err
}

// anchor anchors checkpoints of the access log. A contradiction between the log and the ledger ends it, and is for
// people to look into: the service goes on, but is not ready.
func (r *releasing) anchor(ctx context.Context) error {
	err := accesslog.NewAnchorer(r.access, r.service.parts.Ledger).Run(ctx)
	if ctx.Err() == nil {
		r.unanchored.Store(true)
		r.service.log.Error("the access log is anchored no more", "error", err)
	}
	return nil
}

// problems are those of readiness; none if requests are not answered.
func (r *releasing) problems() []string {
	out := []string{}
	if r == nil {
		return out
	}
	out = append(out, r.outdated()...)
	if !r.enrolled() {
		out = append(out, notEnrolled)
	}
	if r.unrecorded.Load() {
		out = append(out, notRecorded)
	}
	if r.unanchored.Load() {
		out = append(out, notAnchored)
	}
	return out
}

// mostBehind is how many blocks the view may lack.
const mostBehind = 100

// enrolled reports whether the ledger has the key of the access log in force, for this department and the log.
func (r *releasing) enrolled() bool {
	k := r.index.Key(r.signer.Public().ID())
	return k != nil && k.Department == r.service.config.Department && k.Purposes.Has(statement.PurposeLog) && k.State == verify.KeyActive
}

// count adds what Prometheus is told.
func (r *releasing) count(gauge func(name, help string, read func() float64)) {
	if r == nil {
		return
	}
	gauge("index_height_blocks", "Blocks that the view of the ledger has.", func() float64 { return float64(r.index.Head().Height) })
	gauge("view_age_seconds", "Seconds since the newest heartbeat of the view of the ledger; -1 without any.", func() float64 {
		if age, ok := r.age(); ok {
			return age.Seconds()
		}
		return -1
	})
	gauge("access_log_entries", "Entries of the access log: answers to requests.", func() float64 { return float64(r.access.Size()) })
	gauge("access_log_anchored_entries", "Entries of the access log under its newest checkpoint on the ledger; -1 if that cannot be told.", func() float64 {
		anchored, err := r.access.Anchored()
		if err != nil {
			return -1
		}
		return float64(anchored)
	})
	gauge("policy_version", "Version of the policy that counts; 0 if there is none.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
		defer cancel()
		p, err := r.desk.Policy(ctx)
		if err != nil {
			return 0
		}
		return float64(p.Version)
	})
}

// close closes what was opened.
func (r *releasing) close() error {
	if r == nil {
		return nil
	}
	var err error
	if r.access != nil {
		err = r.access.Close()
	}
	if r.index != nil {
		err = errors.Join(err, r.index.Close())
	}
	return err
}

// api is what the API has of it; nil if requests are not answered.
func (r *releasing) api() *httpapi.Release {
	if r == nil {
		return nil
	}
	return &httpapi.Release{
		Desk: r.desk, AccessLog: r.access, View: r.index, Matters: r.matters,
		Address: callers.Rate{PerSecond: r.config.AddressPerSecond, Burst: r.config.AddressBurst},
	}
}
