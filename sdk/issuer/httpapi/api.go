// Package httpapi is the HTTP interface of an issuing department, as openapi.yaml in it describes it:
// issuing, drafts, imports, looking licences up, changing what holds of them, approvals by a second
// person, and what a desk needs to know; and the requests of other departments, which no session or token but
// their signatures authenticate, with holders' grants and objections.
//
// It reads requests strictly, finds out who is calling and what for, asks package staff what that
// caller may do, and leaves the rest to package issuer and its vault. Everything that shows what a
// licence says is in the licence's history, with who asked and what for, before it is answered. Nothing is
// told of licences of a type for which the caller has no right.
//
// Long work (imports, and changes that were approved while the ledger could not be reached) is done by Run, and
// goes on where it was when the process starts again. What was uploaded lies in the spool directory meanwhile,
// sealed under a key that is in the vault.
//
// No value of a licence goes anywhere but into the answer: not into a path, a log, or an error. The
// package opens no connection, and sets no time-outs: those are the server's.
package httpapi

import (
	_ "embed" // for the contract
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

// Contract is the interface as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var Contract []byte

// Config is what the API stands on. All of it is safe for concurrent use.
type Config struct {
	Issuer *issuer.Issuer
	Vault  *vault.Vault // that the issuer has
	Staff  *staff.Gate

	Department licence.Department
	Unit       string          // id of the unit of the department that issues
	Types      []*licence.Type // all versions of each; of those that the department issues, and perhaps of others

	Spool     string // an existing directory for sealed uploads and for rejects, of this process alone
	MaxImport int64  // greatest length of an upload in bytes
	Host      string // host of the verifier's check page, which paper codes lead to

	Release *Release     // answers the requests of other departments; nil: nothing does
	Pages   http.Handler // answers what is not the API's; nil: nothing does
	Now     func() time.Time
	Public  callers.Rate // of calls of nobody in particular, for each address
	Observe func(Call)   // told of every call once it is answered
}

// A Call is what is known of one call once it is answered. It holds no personal data: neither path nor
// query, nor the person.
type Call struct {
	RequestID string
	Method    string
	Route     string // its pattern; "" of a path that the API does not have
	Caller    string // CallerPublic, staff.System or staff.Person; "" if that did not come up
	System    string // id, if the caller is one
	Problem   string // code of the problem, if there is one
	Status    int
	Duration  time.Duration
	Err       error // the cause of a problem that is no fault of the caller's
}

// CallerPublic is nobody in particular.
const CallerPublic = "public"

// An API is the handler of everything that an issuer's server answers. It is safe for concurrent use.
type API struct {
	Config
	*rest.Server
	public *rest.AddressLimiter
	asking *rest.AddressLimiter     // of requests of other departments
	spool  string                   // id of it
	types  map[string]*licence.Type // the newest version of each that the department issues

	begun    chan struct{} // holds a value when there may be work
	turn     chan struct{} // holds a value while what was approved is done
	progress progress
}

// New makes the API of an issuer. Run does the work that it begins.
func New(c Config) (*API, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	spool, err := spoolID(c.Spool)
	if err != nil {
		return nil, err
	}
	a := &API{Config: c, spool: spool, public: rest.NewAddressLimiter(c.Public, c.Now), types: map[string]*licence.Type{}, begun: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
	for _, t := range c.Types {
		if known := a.types[t.ID]; slices.Contains(c.Department.Issues, t.ID) && (known == nil || known.Version < t.Version) {
			a.types[t.ID] = t
		}
	}
	if c.Release != nil {
		a.asking = rest.NewAddressLimiter(c.Release.Address, c.Now)
	}
	a.Server = rest.New(rest.Config{
		Routes: a.routes(), Kinds: kinds, Problem: fromPackages, Elsewhere: c.Pages,
		Observe: func(rc *rest.Call) {
			seen := Call{RequestID: rc.ID, Method: rc.R.Method, Route: rc.Route, Problem: rc.Problem, Status: rc.Status, Duration: rc.Duration, Err: rc.Err}
			if own, ok := rc.State.(*call); ok {
				seen.Caller, seen.System = own.seen()
			}
			c.Observe(seen)
		},
	})
	return a, nil
}

// check reports the first thing that is missing, a mistake of whoever wires the service.
func (c *Config) check() error {
	switch {
	case c.Issuer == nil, c.Vault == nil, c.Staff == nil, c.Now == nil, c.Observe == nil, c.Host == "", c.Department.ID == "", c.Unit == "":
		return errors.New("issuer API: something that it stands on is missing")
	case c.MaxImport < 1:
		return errors.New("issuer API: an upload may have some bytes")
	}
	if err := c.Public.Check(); err != nil {
		return err
	}
	if r := c.Release; r != nil {
		if r.Desk == nil || r.AccessLog == nil || r.View == nil || r.Matters == nil {
			return errors.New("issuer API: something that releases stand on is missing")
		}
		if err := r.Address.Check(); err != nil {
			return err
		}
	}
	if info, err := os.Stat(c.Spool); err != nil {
		return err
	} else if !info.IsDir() {
		return errors.New("issuer API: the spool is not a directory")
	}
	return nil
}

// version returns a version of a type, nil if it is not known.
func (a *API) version(typ string, version uint32) *licence.Type {
	for _, t := range a.Types {
		if t.ID == typ && t.Version == int(version) {
			return t
		}
	}
	return nil
}

// today returns the day in UTC+8, and the times between which it lies.
func (a *API) today() (day licence.Date, from, until uint64) {
	day = licence.DateOf(a.Now())
	return day, start(day), start(day + 1)
}

// start returns when a day begins.
func start(day licence.Date) uint64 { return uint64(max(int64(day)*86400-8*3600, 0)) }

// wake has Run look for work.
func (a *API) wake() {
	select {
	case a.begun <- struct{}{}:
	default:
	}
}

// sortedTypes returns the types of the department for which somebody has a right, by id.
func (a *API) sortedTypes(c *staff.Caller) []*licence.Type {
	var out []*licence.Type
	for _, id := range slices.Sorted(maps.Keys(a.types)) {
		if len(c.Rights(id)) > 0 {
			out = append(out, a.types[id])
		}
	}
	return out
}
