// Package httpapitest is an issuer's API to test against: that of the department of an issuertest.Town, with a
// staff of its own, and with every answer held against openapi.yaml.
//
//	s := httpapitest.New(t, "marriage")
//	a := s.System().Key("first").Post("/v1/licences", map[string]any{"type": "marriage", "fields": s.Fields(1)})
//	clerk := s.SignIn(httpapitest.Clerk)
//
// Passwords are known to everybody. The package is for tests alone.
package httpapitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/issuertest"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/matter"
)

// The people, who all have the same password.
const (
	Clerk    = "wangfang" // has every right for the town's type but approve
	Second   = "李雷"       // may approve, search, and see what is waiting
	Stranger = "zhaoli"   // has rights for another type only
	Viewer   = "sunmei"   // may search

	Password = "counter number three"

	passwordHash = "$2a$10$q2yaVR7/5w27aCGMg1hltuiFlhYlYbcGQU1wULPUsb3NtWfZ/F8yC" // of Password
)

// Registry is the id of the system, which has every right for the town's type but approve.
const Registry = "registry"

// Certificate stands for the client certificate of the system.
var Certificate = []byte("the registry's certificate")

// A Server is a running API and all that it stands on.
type Server struct {
	*issuertest.Town
	Client // the public

	API    *httpapi.API
	Issuer *issuer.Issuer
	Staff  *staff.Gate
	Token  string // of the system
	Spool  string

	config httpapi.Config
	mu     sync.Mutex
	calls  []httpapi.Call
}

// contract is read once; it is not changed.
var contract = sync.OnceValues(func() (*resttest.Contract, error) {
	return resttest.Load(httpapi.Contract, "text/csv", "application/jsonl", "application/xml", "application/cbor-seq", "application/cbor")
})

// New starts an API for a department that issues licences of a type; change changes what it stands on. Jobs are done while
// the API's Run runs.
func New(tb testing.TB, typ string, change ...func(*httpapi.Config)) *Server {
	tb.Helper()
	return NewAt(tb, typ, "", change...)
}

// NewAt is New with the vault at an address.
func NewAt(tb testing.TB, typ, address string, change ...func(*httpapi.Config)) *Server {
	tb.Helper()
	s := &Server{Town: issuertest.New(tb, typ, address), Token: callers.NewToken()}
	s.Issuer = s.Town.Issuer(s.Vault)
	s.Spool = s.Path("spool")
	s.Must(os.Mkdir(s.Spool, 0o700))
	d, err := staff.Parse([]byte(s.StaffFile()))
	s.Must(err)
	s.Staff = staff.NewGate(d, s.Clock.Now)
	town := s.Town.Config(s.Vault)
	s.config = httpapi.Config{
		Issuer: s.Issuer, Vault: s.Vault, Staff: s.Staff, Department: town.Department, Unit: town.Department.Units[0].ID, Types: town.Types,
		Spool: s.Spool, MaxImport: 64 << 20, Host: "verify.example.gov.cn", Now: s.Clock.Now, Public: callers.Rate{PerSecond: 1000, Burst: 1000},
		Observe: func(c httpapi.Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, c)
		},
	}
	s.Rewire(change...)
	return s
}

// Offer has the API answer the requests of other departments.
func (s *Server) Offer() *releasetest.Office {
	s.Helper()
	rate := callers.Rate{PerSecond: 1e6, Burst: 1e6}
	o := releasetest.New(s.Town, s.Issuer, func(c *release.Config) { c.Admit = httpapi.NewAgencyLimiter(rate, s.Clock.Now).Take })
	matters, err := matter.Builtin()
	s.Must(err)
	s.Rewire(func(c *httpapi.Config) {
		c.Release = &httpapi.Release{Desk: o.Desk, AccessLog: o.Log, View: o.Index, Matters: matters, Address: rate}
	})
	return o
}

// Wiring is what the API stands on.
func (s *Server) Wiring() httpapi.Config { return s.config }

// Rewire starts the API anew, as a process does, on the same vault and spool; change changes what it stands on.
func (s *Server) Rewire(change ...func(*httpapi.Config)) {
	s.Helper()
	for _, f := range change {
		f(&s.config)
	}
	var err error
	s.API, err = httpapi.New(s.config)
	s.Must(err)
	doc, err := contract()
	s.Must(err)
	s.Client = Client{resttest.Client{TB: s.TB, Handler: s.API, Contract: doc}}
}

// StaffFile is the staff of the department.
func (s *Server) StaffFile() string {
	return strings.NewReplacer("TYPE", s.Type.ID, "TOKEN", callers.TokenDigest(s.Token).String(), "CERTIFICATE", sm.Sum(Certificate).String(),
		"HASH", passwordHash).Replace(`
systems:
  - id: registry
    tokens: ["TOKEN"]
    certificates: ["CERTIFICATE"]
    rate: {perSecond: 1000000, burst: 1000000}
    rights:
      TYPE: [issue, status, restrict, open, search, grant, audit, objection, bind, import]
people:
  - {name: wangfang, unit: 登记窗口1号, password: "HASH", rights: {TYPE: [issue, status, restrict, open, search, grant, audit, objection, bind, import]}}
  - {name: 李雷, unit: 登记处, password: "HASH", rights: {TYPE: [approve, search]}}
  - {name: zhaoli, unit: 其他科室, password: "HASH", rights: {other: [issue, status, restrict, open, search, approve, grant, audit, objection, bind, import]}}
  - {name: sunmei, unit: 档案室, password: "HASH", rights: {TYPE: [search]}}
`)
}

// A Client calls the API as somebody.
type Client struct{ resttest.Client }

// Key returns a client that calls under an idempotency key.
func (c Client) Key(key string) Client { return Client{c.With("Idempotency-Key", "test-key-"+key)} }

// System returns a client with the system's token.
func (s *Server) System() Client { return Client{s.Client.Token(s.Token)} }

// SignIn signs a person in and returns a client in the session.
func (s *Server) SignIn(name string) Client {
	s.TB.Helper()
	c := s.With("CredLedger-Desk", "1")
	a := c.Post("/v1/sessions", map[string]any{"name": name, "password": Password}).Want(s.TB, http.StatusCreated)
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if len(cookies) != 1 {
		s.Fatalf("%d cookies", len(cookies))
	}
	return Client{c.With("Cookie", cookies[0].Name+"="+cookies[0].Value)}
}

// Fields is a record of the town's type, whose licence number no other n has.
func (s *Server) Fields(n int) map[string]any {
	s.TB.Helper()
	var fields map[string]any
	s.Must(json.Unmarshal(s.Record(n), &fields))
	return fields
}

// Number is the licence number of record n.
func (s *Server) Number(n int) string { return fmt.Sprint(s.Fields(n)[s.Type.NumberField().Key]) }

// Issue has a licence issued by the system, and returns its id.
func (s *Server) Issue(n int) (id int64) {
	s.TB.Helper()
	a := s.System().Key(fmt.Sprint("issue-", n)).Post("/v1/licences", map[string]any{"type": s.Type.ID, "fields": s.Fields(n)}).Want(s.TB, http.StatusCreated)
	return a.Number("licence.id")
}

// Spooled returns the names of the uploads and rejects in the spool.
func (s *Server) Spooled() map[string]bool {
	s.Helper()
	files, err := os.ReadDir(s.Spool)
	s.Must(err)
	out := map[string]bool{}
	for _, f := range files {
		if f.Name() != "id" {
			out[f.Name()] = true
		}
	}
	return out
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
	s.Cleanup(h.Close)
	return h.URL
}
