// Package httpapitest is a verifier's API to test against: that of the data bureau of a
// verifiertest.City, on a store, an access log and agencies of its own, with every answer held against
// openapi.yaml.
//
//	s := httpapitest.New(t)
//	house := s.Issue("property", 1)[0]
//	a := s.Post("/v1/verifications", map[string]any{"code": house.Code("location")})
//	a.Want(t, 200)
//	s.Agency(s.Tax).Post("/v1/verifications", ...)
//
// Passwords and tokens are known to everybody. The package is for tests alone.
package httpapitest

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/request/requesttest"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// The clerk who can sign in at the counter.
const (
	Clerk    = "wangfang"
	Unit     = "综合窗口3号"
	Password = "counter number three"

	passwordHash = "$2a$10$q2yaVR7/5w27aCGMg1hltuiFlhYlYbcGQU1wULPUsb3NtWfZ/F8yC" // of Password
)

// Ids of the agencies.
const (
	TaxID     = "tax"               // sees a little of property and marriage certificates, for one matter
	CounterID = "counter"           // a shared counter: sees all that the matter needs, for its departments
	IssuerID  = "civil-affairs"     // the department that issues marriage certificates
	AskerID   = "natural-resources" // a department that requests fields of marriage certificates
)

// Certificate stands for the client certificate of the tax bureau.
var Certificate = []byte("the tax bureau's certificate")

// A Server is a running API and all that it stands on.
type Server struct {
	*verifiertest.City
	Client // the public

	API   *httpapi.API
	Log   *accesslog.Log
	Store *store.Store
	Gate  *agency.Gate

	Tax, Counter, Issuer, Asker string // tokens of the agencies

	Requests *request.Asker
	Asked    *requesttest.Issuer // of marriage certificates: requests to it are made with the key of AskerID

	tb       testing.TB
	anchorer *accesslog.Anchorer
	mu       sync.Mutex
	calls    []httpapi.Call
	snapshot *httpapi.Snapshot
}

// contract is read once; it is not changed.
var contract = sync.OnceValues(func() (*resttest.Contract, error) {
	return resttest.Load(httpapi.Contract, "application/vnd.credledger.snapshot", "application/cbor")
})

// New starts an API; change changes what it stands on.
func New(tb testing.TB, change ...func(*httpapi.Config)) *Server {
	tb.Helper()
	return NewOn(tb, verifiertest.New(tb), change...)
}

// NewOn is New in a city that there is.
func NewOn(tb testing.TB, city *verifiertest.City, change ...func(*httpapi.Config)) *Server {
	tb.Helper()
	s := &Server{
		City: city, tb: tb,
		Tax: callers.NewToken(), Counter: callers.NewToken(), Issuer: callers.NewToken(), Asker: callers.NewToken(),
		Asked: requesttest.New(tb, city, IssuerID),
	}
	s.openLog()
	s.openStore()
	s.openGate()
	matters, err := matter.Builtin()
	s.must(err)
	c := httpapi.Config{
		Host: verifiertest.Host, View: city.Index, AccessLog: s.Log, Store: s.Store,
		Intake: intake.NewReader(2), Gate: s.Gate, Now: city.Clock.Now,
		Matters:  func() *matter.Catalog { return matters },
		Snapshot: func() *httpapi.Snapshot { return s.snapshot },
		Public:   callers.Rate{PerSecond: 1000, Burst: 1000},
		Observe: func(c httpapi.Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, c)
		},
	}
	for _, f := range change {
		f(&c)
	}
	s.openRequests(&c)
	s.API, err = httpapi.New(c)
	s.must(err)
	doc, err := contract()
	s.must(err)
	s.Client = Client{resttest.Client{TB: tb, Handler: s.API, Contract: doc}}
	return s
}

func (s *Server) must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) openLog() {
	s.tb.Helper()
	dir := filepath.Join(s.tb.TempDir(), "access-log")
	s.must(accesslog.Create(dir, accesslog.Identity{Ledger: s.ID, Department: s.Authority.ID, Log: "verifier-1"}))
	var err error
	s.Log, err = accesslog.Open(dir, s.Authority.Log, s.Clock.Now)
	s.must(err)
	s.tb.Cleanup(func() {
		if err := s.Log.Close(); err != nil {
			s.tb.Errorf("close the access log: %v", err)
		}
	})
	s.anchorer = accesslog.NewAnchorer(s.Log, s.City.As(s.Authority.ID))
}

func (s *Server) openStore() {
	s.tb.Helper()
	var err error
	s.Store, err = store.Open(s.tb.Context(), filepath.Join(s.tb.TempDir(), "store.db"), s.Clock.Now)
	s.must(err)
	s.tb.Cleanup(func() {
		if err := s.Store.Close(); err != nil {
			s.tb.Errorf("close the store: %v", err)
		}
	})
}

// openRequests lets the API make requests, on the store and the access log that it has.
func (s *Server) openRequests(c *httpapi.Config) {
	s.tb.Helper()
	kept, ok := c.Store.(request.Store)
	if !ok || c.AccessLog == nil {
		return // the test is about something else
	}
	asker, err := request.New(request.Config{
		View: s.Index, Grants: s.Index.Grants(), Store: kept, Log: c.AccessLog, Now: c.Now,
		Keys:    map[string]request.Key{AskerID: s.Department(s.tb, AskerID).Consent},
		Issuers: map[string]*outbound.Place{IssuerID: s.Asked.Place()},
		Policy:  func() *policy.Published { return s.Asked.Policy },
		Ended:   func(store.RequestState) {},
	})
	s.must(err)
	s.tb.Cleanup(asker.Close)
	c.Requests, s.Requests = asker, asker
}

// agencies is the directory, given the digests of the tokens and of the certificate.
const agencies = `
agencies:
  - id: tax
    name: {zh: 示范市税务局, en: Demo City Tax Bureau}
    tokens: [%s]
    certificates: [%s]
    types:
      property: [certificateNumber, rightHolders, location, documents]
      marriage: [spouse1Name, spouse2Name]
    matters: [second-hand-home-transfer]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
  - id: counter
    name: {zh: 示范市政务服务中心, en: Demo City Service Centre}
    tokens: [%s]
    types:
      property: [certificateNumber, rightHolders, rightHolderIds, coOwnership, location, unitNumber, use, area, registrationDate]
      marriage: [spouse1Name, spouse1Id, spouse2Name, spouse2Id, registrationDate]
      business: [unifiedSocialCreditCode, name, scope]
    matters: [second-hand-home-transfer, company-opening]
    onBehalf: [natural-resources, tax]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
    clerks:
      - {name: wangfang, unit: 综合窗口3号, password: ` + passwordHash + `}
  - id: civil-affairs
    name: {zh: 示范市民政局, en: Demo City Civil Affairs Bureau}
    tokens: [%s]
    types:
      marriage: [spouse1Name, spouse1Id, spouse2Name, spouse2Id]
    matters: [second-hand-home-transfer]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
  - id: natural-resources
    name: {zh: 示范市自然资源局, en: Demo City Natural Resources Bureau}
    tokens: [%s]
    types:
      marriage: [spouse1Name, spouse1Id, spouse2Name]
    matters: [second-hand-home-transfer]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
    clerks:
      - {name: wangfang, unit: 不动产登记大厅, password: ` + passwordHash + `}
`

func (s *Server) openGate() {
	s.tb.Helper()
	text := fmt.Sprintf(agencies, callers.TokenDigest(s.Tax), sm.Sum(Certificate), callers.TokenDigest(s.Counter),
		callers.TokenDigest(s.Issuer), callers.TokenDigest(s.Asker))
	d, err := agency.Parse([]byte(text))
	s.must(err)
	s.Gate = agency.NewGate(d, s.Store, s.Clock.Now)
}

// Anchor brings the access log to the ledger.
func (s *Server) Anchor() {
	s.tb.Helper()
	s.must(s.anchorer.Anchor(s.tb.Context()))
}

// MakeSnapshot makes a snapshot of the ledger as it is.
func (s *Server) MakeSnapshot() *httpapi.Snapshot {
	s.tb.Helper()
	export, err := s.Index.Export()
	s.must(err)
	file, _, err := snapshot.Build(export, s.Authority.Log)
	s.must(err)
	signed, header, err := snapshot.Header(file)
	s.must(err)
	s.snapshot = &httpapi.Snapshot{File: file, Statement: signed, Header: header}
	return s.snapshot
}

// Calls returns what was observed so far.
func (s *Server) Calls() []httpapi.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]httpapi.Call{}, s.calls...)
}

// Listen serves the API over plain HTTP on the loopback, and returns its URL.
func (s *Server) Listen() (url string) {
	h := httptest.NewServer(s.API)
	s.tb.Cleanup(h.Close)
	return h.URL
}
