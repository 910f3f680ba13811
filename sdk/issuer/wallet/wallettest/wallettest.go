// Package wallettest is a department's wallet to test against: that of the department of an issuertest.Town, with a verifier
// on the same ledger at which codes are checked, and with every answer held against openapi.yaml.
//
//	w := wallettest.New(t, "marriage")
//	id := w.Issue(1)
//	holder := w.SignIn(w.Holder(1))
//	a := holder.Post("/v1/codes", map[string]any{"licence": id, "fields": w.Minimum(), "matter": wallettest.Matter, "kind": "reference"})
//	w.Scan(a.Text("code"))
//
// People sign in by saying who they are. The package is for tests alone.
package wallettest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/issuertest"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/issuer/wallet/identity"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	verifierapi "github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/store"
)

// Matter needs all types that a town can have.
const Matter = releasetest.Matter

// VerifierHost is that of the check page.
const VerifierHost = "verify.example.gov.cn"

// A World is a running wallet and all that it stands on.
type World struct {
	*releasetest.Office
	Client // nobody

	Issuer   *issuer.Issuer
	Wallet   *wallet.Wallet
	API      *httpapi.API
	Verifier *verifierapi.API
	Platform *Platform
	Counter  resttest.Client // calls the verifier as an agency that may see what the matter needs
	Away     atomic.Bool     // the verifier does not answer

	config httpapi.Config
	logic  wallet.Config
	mu     sync.Mutex
	calls  []httpapi.Call
	beats  uint64
}

// A Client calls the wallet as somebody.
type Client struct{ resttest.Client }

// For returns a client that acts under a delegation.
func (c Client) For(delegation string) Client { return Client{c.With("CredLedger-For", delegation)} }

var contracts = sync.OnceValues(func() (both [2]*resttest.Contract, err error) {
	if both[0], err = resttest.Load(httpapi.Contract, "application/pdf"); err == nil {
		both[1], err = resttest.Load(verifierapi.Contract, "application/vnd.credledger.snapshot", "application/cbor")
	}
	return both, err
})

// New makes a world whose department issues licences of a type; change changes what the wallet stands on.
func New(tb testing.TB, typ string, change ...func(*wallet.Config)) *World {
	tb.Helper()
	return NewAt(tb, typ, "", change...)
}

// NewAt is New with the vault at an address.
func NewAt(tb testing.TB, typ, address string, change ...func(*wallet.Config)) *World {
	tb.Helper()
	town := issuertest.New(tb, typ, address)
	iss := town.Issuer(town.Vault)
	w := &World{Office: releasetest.New(town, iss), Issuer: iss}
	matters, err := matter.Builtin()
	w.Must(err)
	both, err := contracts()
	w.Must(err)
	token := w.openVerifier(matters, both[1])
	of := town.Config(town.Vault)
	of.Department.Name = licence.Text{Zh: "示范市民政局", En: "Demo City Civil Affairs Bureau"}
	for i := range of.Department.Units {
		of.Department.Units[i].Name = licence.Text{Zh: "登记处", En: "Registry"}
	}
	w.logic = wallet.Config{
		Issuer: iss, Vault: town.Vault, Department: of.Department, Unit: of.Department.Units[0].ID, Types: of.Types, Matters: matters, View: w.Index, Host: VerifierHost,
		Grants: w.Desk, Releases: w.Log, Verifier: w.client(token), AgencyName: w.agencyName,
		Sessions: wallet.Sessions{Length: 2 * time.Hour, Idle: 20 * time.Minute, Fresh: 10 * time.Minute, One: false}, Deadline: wallet.Deadline{Days: 10}, Now: w.Clock.Now,
	}
	w.Platform = &Platform{now: w.Clock.Now}
	w.config = httpapi.Config{
		Provider: w.Platform, Platform: licence.Text{Zh: "示范市统一身份认证平台", En: "Demo City Identity Platform"}, Now: w.Clock.Now,
		Rate: callers.Rate{PerSecond: 10_000, Burst: 10_000},
		Observe: func(c httpapi.Call) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.calls = append(w.calls, c)
		},
	}
	w.Client = Client{resttest.Client{TB: tb, Contract: both[0]}}
	w.Rewire(func(c *wallet.Config, _ *httpapi.Config) {
		for _, f := range change {
			f(c)
		}
	})
	w.Beat()
	return w
}

// Rewire starts the wallet anew, as a process does, on the same vault; change changes what it stands on.
func (w *World) Rewire(change func(*wallet.Config, *httpapi.Config)) {
	w.Helper()
	if change != nil {
		change(&w.logic, &w.config)
	}
	var err error
	w.Wallet, err = wallet.New(w.logic)
	w.Must(err)
	w.config.Wallet = w.Wallet
	w.API, err = httpapi.New(w.config)
	w.Must(err)
	w.Client.Handler = w.API
}

// agencyName knows the departments on the ledger.
func (w *World) agencyName(id string) (licence.Text, bool) {
	d := w.Index.Department(id)
	if d == nil {
		return licence.Text{}, false
	}
	return licence.Text{Zh: d.Profile.NameZh, En: d.Profile.NameEn}, true
}

// agencies is the verifier's directory, given the digests of the tokens.
const agencies = `
agencies:
  - id: %s
    name: {zh: 颁发机构, en: The issuer}
    tokens: [%s]
    types: {%s: [%s]}
    matters: [%s]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
  - id: counter
    name: {zh: 示范市政务服务中心, en: Demo City Service Centre}
    tokens: [%s]
    types: {%s: [%s]}
    matters: [%s]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
`

// openVerifier starts the verifier, and returns the token with which the department calls it.
func (w *World) openVerifier(matters *matter.Catalog, contract *resttest.Contract) string {
	w.Helper()
	dir := w.Path("verifier-log")
	w.Must(accesslog.Create(dir, accesslog.Identity{Ledger: w.City.ID, Department: w.City.Authority.ID, Log: "verifier"}))
	log, err := accesslog.Open(dir, w.City.Authority.Log, w.Clock.Now)
	w.Must(err)
	w.Cleanup(func() { _ = log.Close() })
	kept, err := store.Open(w.Context(), filepath.Join(w.Dir, "verifier.db"), w.Clock.Now)
	w.Must(err)
	w.Cleanup(func() { _ = kept.Close() })
	own, counter := callers.NewToken(), callers.NewToken()
	keys := strings.Join(w.Type.Leaves(), ", ")
	d, err := agency.Parse(fmt.Appendf(nil, agencies, w.Department.ID, callers.TokenDigest(own), w.Type.ID, keys, Matter, callers.TokenDigest(counter), w.Type.ID, keys, Matter))
	w.Must(err)
	w.Verifier, err = verifierapi.New(verifierapi.Config{
		Host: VerifierHost, View: w.Index, AccessLog: log, Store: kept, Intake: intake.NewReader(1), Gate: agency.NewGate(d, kept, w.Clock.Now),
		Matters: func() *matter.Catalog { return matters }, Snapshot: func() *verifierapi.Snapshot { return nil }, Now: w.Clock.Now,
		Public: callers.Rate{PerSecond: 10_000, Burst: 10_000}, Observe: func(verifierapi.Call) {},
	})
	w.Must(err)
	w.Counter = resttest.Client{TB: w.Town, Handler: w.Verifier, Contract: contract}.Token(counter)
	return own
}

// client is how the wallet reaches the verifier.
func (w *World) client(token string) *wallet.Client {
	w.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.Away.Load() {
			http.Error(rw, "away", http.StatusBadGateway)
			return
		}
		w.Verifier.ServeHTTP(rw, r)
	}))
	w.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	w.Must(err)
	return &wallet.Client{HTTP: server.Client(), URL: u, Token: token, Department: w.Department.ID, Host: VerifierHost}
}

// Beat puts a heartbeat of now on the ledger, and waits until the view has it.
func (w *World) Beat() {
	w.Helper()
	w.beats++
	beat := &statement.Heartbeat{Ledger: w.City.ID, Sequence: w.beats, Time: w.Seconds()}
	ledgertest.Submit(w.Town, w.As(w.City.Authority.ID), ledgertest.Sign(w.Town, beat, w.City.Authority.Log))
	w.CatchUp()
}

// Issue issues record n of the town, waits until the view has it, and returns its id.
func (w *World) Issue(n int) vault.ID {
	w.Helper()
	issued, err := w.Issuer.Apply(w.Context(), vault.By{Actor: "wangfang", Purpose: "counter"}, &issuer.Application{Type: w.Type.ID, Record: w.Record(n)})
	w.Must(err)
	w.CatchUp()
	return issued.Licence.ID
}

// Fields are those of record n.
func (w *World) Fields(n int) map[string]any {
	w.Helper()
	var fields map[string]any
	w.Must(json.Unmarshal(w.Record(n), &fields))
	return fields
}

// holderFields are those that hold the identity number and the name of a holder.
var holderFields = map[string][2][2]string{
	"marriage": {{"spouse1Id", "spouse1Name"}, {"spouse2Id", "spouse2Name"}},
	"property": {{"rightHolderIds", "rightHolders"}, {"rightHolderIds", "rightHolders"}},
}

// Holder is the first holder of record n, and Spouse the other one.
func (w *World) Holder(n int) wallet.Person { w.Helper(); return w.person(n, 0) }

// Spouse is the other holder of record n.
func (w *World) Spouse(n int) wallet.Person { w.Helper(); return w.person(n, 1) }

func (w *World) person(n, which int) wallet.Person {
	w.Helper()
	fields, keys := w.Fields(n), holderFields[w.Type.ID][which]
	first := func(v any) string {
		if all, ok := v.([]any); ok {
			v = all[0]
		}
		return fmt.Sprint(v)
	}
	return wallet.Person{Number: first(fields[keys[0]]), Name: first(fields[keys[1]])}
}

// Minimum are the fields that the matter needs.
func (w *World) Minimum() []string {
	return w.logic.Matters.Matter(Matter, licence.DateOf(w.Clock.Now())).Fields(w.Type.ID)
}

// SignIn signs somebody in and returns a client in the session.
func (w *World) SignIn(p wallet.Person) Client {
	w.Helper()
	return w.SignInFrom(w.Client, "/v1/sign-in", p)
}

// SignInFrom signs somebody in with a client, which may be in a session already.
func (w *World) SignInFrom(c Client, path string, p wallet.Person) Client {
	w.Helper()
	a := w.browse(c, path)
	going := cookies(a)["credledger-wallet-sign-in"]
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || going == "" {
		w.Fatalf("to the platform: %q, %v", a.Header.Get("Location"), err)
	}
	back := w.Platform.Choose(to, p)
	a = w.browse(Client{w.With("Cookie", "credledger-wallet-sign-in="+going)}, back)
	session := cookies(a)["credledger-wallet"]
	if session == "" {
		w.Fatalf("nobody is signed in: %q", a.Header.Get("Location"))
	}
	return Client{w.With("CredLedger-Wallet", "1").With("Cookie", "credledger-wallet="+session)}
}

// browse calls a path as a browser does that goes there: the contract knows nothing of it.
func (w *World) browse(c Client, path string) resttest.Answer {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = resttest.From
	if cookie := c.Header("Cookie"); cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	rec := httptest.NewRecorder()
	w.API.ServeHTTP(rec, r)
	if rec.Code != http.StatusSeeOther {
		w.Fatalf("GET %s: status %d", path, rec.Code)
	}
	return resttest.Answer{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes()}
}

// Browse is what a browser is answered that goes to a path with the cookies that it has: where it is sent, and what it is given.
func (w *World) Browse(c Client, path string) (to string, cookie map[string]string) {
	w.Helper()
	a := w.browse(c, path)
	return a.Header.Get("Location"), cookies(a)
}

func cookies(a resttest.Answer) map[string]string {
	out := map[string]string{}
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		out[c.Name] = c.Value
	}
	return out
}

// Scan is what a clerk's counter gets for a code.
func (w *World) Scan(code string) resttest.Answer {
	w.Helper()
	return w.Counter.Post("/v1/verifications", map[string]any{"code": code, "context": map[string]any{"matter": Matter, "case": "20261107-0042", "clerk": "wangfang", "unit": "综合窗口3号"}})
}

// Calls returns what was observed so far.
func (w *World) Calls() []httpapi.Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]httpapi.Call{}, w.calls...)
}

// A Platform signs in whoever says who they are.
type Platform struct {
	now    func() time.Time
	mu     sync.Mutex
	known  map[string]wallet.Person // by code
	Fresh  bool                     // the last one was asked to prove who they are
	Proven time.Duration            // how long ago those who sign in have proven who they are
}

// Begin implements httpapi.Provider.
func (p *Platform) Begin(_ context.Context, fresh bool) (*identity.Attempt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Fresh = fresh
	text := func(s string) string { return strings.Repeat("x", 43-len(s)) + s }
	return &identity.Attempt{URL: "https://id.example.gov.cn/authorize?state=" + text("state"), Secrets: identity.Secrets{State: text("state"), Nonce: text("nonce"), Verifier: text("verifier")}}, nil
}

// Choose returns the path with which somebody comes back who was sent to a URL.
func (p *Platform) Choose(to *url.URL, who wallet.Person) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[string]wallet.Person{}
	}
	code := fmt.Sprint("code-", len(p.known))
	p.known[code] = who
	return "/v1/sign-in/callback?" + url.Values{"state": {to.Query().Get("state")}, "code": {code}, "session_state": {"what platforms add"}}.Encode()
}

// Finish implements httpapi.Provider.
func (p *Platform) Finish(_ context.Context, s identity.Secrets, _ bool, query url.Values) (*identity.Person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.known[query.Get("code")]
	if !ok || query.Get("state") != s.State {
		return nil, &identity.Error{Code: identity.CodeRefused, Message: "nobody chose to be somebody"}
	}
	return &identity.Person{Number: who.Number, Name: who.Name, Proven: p.now().Add(-p.Proven)}, nil
}
