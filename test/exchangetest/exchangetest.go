// Package exchangetest is two departments at work, each with a process of its own: one whose issuing service answers
// requests, and one whose verifier makes them. Where their ledger is, the test decides.
//
//	x := exchangetest.New(operator, operator.Home, operator.Home)
//	x.BeginIssuing()
//	x.BeginAsking()
//	l := x.Issue(1)
//	a := x.Ask(l.Digest, exchangetest.Free, nil)
//
// The licences are marriage certificates, and the policy is that of the demonstration city: the agency has names and date
// by law, and ids under a grant. The package is for tests alone.
package exchangetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/serve/servetest"
	"github.com/credledger/credledger/test/hometest"
)

// The two departments, and what the one asks the other for.
const (
	Issuer = "civil-affairs"
	Agency = "natural-resources"
	Type   = "marriage"
	Matter = "second-hand-home-transfer"
)

// Free is what the law gives, and Granted what takes a grant.
var (
	Free    = []string{"registrationDate", "spouse1Name", "spouse2Name"}
	Granted = []string{"spouse1Id", "spouse2Id"}
)

// An Exchange is the two.
type Exchange struct {
	*hometest.Operator
	Issuing *hometest.Service // the issuer's service
	Asking  *hometest.Service // the agency's verifier

	issuerHome, agencyHome string
	registry, office       string // tokens of a system of each
	record                 map[string]any
}

// New configures the services of both departments, in homes that have their keys. The homes may be one.
func New(o *hometest.Operator, issuerHome, agencyHome string) *Exchange {
	o.Helper()
	x := &Exchange{Operator: o, issuerHome: issuerHome, agencyHome: agencyHome}
	var digest string
	x.RunIn(issuerHome, 0, "issuer", "init", "--department", Issuer)
	at := x.freePort()
	dir := filepath.Join("issuer", Issuer)
	x.Edit(issuerHome, filepath.Join(dir, "issuer.yaml"), "127.0.0.1:8090", at, ":8444", ":0", ":9465", ":0",
		"addressPerSecond: 100", "addressPerSecond: 100000", "addressBurst: 400", "addressBurst: 100000", "agencyPerSecond: 50", "agencyPerSecond: 100000", "agencyBurst: 200", "agencyBurst: 100000")
	x.anyPort(filepath.Join(issuerHome, dir, "issuer.yaml"), "127.0.0.1:8091", "127.0.0.1:8092")
	x.registry, digest = x.token("issuer")
	x.write(filepath.Join(issuerHome, dir, "staff.yaml"), "systems:\n  - id: registry\n    tokens: [%q]\n    rate: {perSecond: 100000, burst: 100000}\n"+
		"    rights:\n      marriage: [issue, open, status, grant, audit]\npeople: []\n", digest)

	x.office, digest = x.token("agency")
	x.write(filepath.Join(agencyHome, "agencies.yaml"), "agencies:\n  - id: %s\n    name: {zh: 自然资源局, en: Natural resources}\n    tokens: [%q]\n"+
		"    types:\n      marriage: [%s]\n    matters: [%s]\n    rate: {perSecond: 100000, burst: 100000}\n    dailyCap: 10000000\n", Agency, digest, strings.Join(append(Free, Granted...), ", "), Matter)
	x.Edit(agencyHome, "verifier.yaml", "data-bureau", Agency, "verifier-1", "verifier-2", ":8080", ":0", ":8443", ":0", ":9464", ":0",
		"logLevel:", fmt.Sprintf("requests:\n  keys: {%s: keys/%s/service.pem}\n  issuers: {%s: \"http://%s\"}\n  policy: policy.signed\n\nlogLevel:", Agency, Agency, Issuer, at))
	x.Must(os.RemoveAll(filepath.Join(agencyHome, "verifier", "access-log")))
	x.RunIn(agencyHome, 0, "access-log", "create")

	file, err := samples.Files.ReadFile(Type + ".jsonl")
	x.Must(err)
	line, _, _ := bytes.Cut(file, []byte("\n"))
	x.Must(json.Unmarshal(line, &x.record))
	return x
}

// anyPort lets what listens at an address, if the file has it, listen anywhere.
func (x *Exchange) anyPort(path string, addresses ...string) {
	x.Helper()
	b, err := os.ReadFile(path)
	x.Must(err)
	for _, a := range addresses {
		b = bytes.ReplaceAll(b, []byte(a), []byte("127.0.0.1:0"))
	}
	x.Must(os.WriteFile(path, b, 0o600))
}

// freePort is an address on which nobody listens.
func (x *Exchange) freePort() string {
	x.Helper()
	address, err := servetest.FreeAddress()
	x.Must(err)
	return address
}

// token draws the token of a system.
func (x *Exchange) token(of string) (token, digest string) {
	x.Helper()
	var drawn struct{ Token, Digest string }
	x.Must(json.Unmarshal([]byte(x.Run(0, of, "token", "--json")), &drawn))
	return drawn.Token, drawn.Digest
}

func (x *Exchange) write(path, format string, args ...any) {
	x.Helper()
	x.Must(os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600))
}

// BeginIssuing starts the issuer's service, and waits until it is ready.
func (x *Exchange) BeginIssuing() {
	x.Helper()
	x.Issuing = x.begin(x.issuerHome, "issuer", "serve", "--department", Issuer)
}

// BeginAsking starts the agency's verifier, and waits until it is ready.
func (x *Exchange) BeginAsking() {
	x.Helper()
	x.Asking = x.begin(x.agencyHome, "serve")
}

func (x *Exchange) begin(home string, args ...string) *hometest.Service {
	x.Helper()
	s := x.Serve(home, args...)
	s.Await("readiness", func() bool {
		var r struct{ Ready bool }
		s.Get("metrics", "/readyz", &r)
		return r.Ready
	})
	return s
}

// End ends both services in order.
func (x *Exchange) End() {
	x.Helper()
	x.Asking.End(syscall.SIGTERM)
	x.Issuing.End(syscall.SIGTERM)
}

// call asks one of the services something and decodes the answer, unless into is nil.
func (x *Exchange) call(s *hometest.Service, token, method, path string, body, into any) (status int, answer []byte) {
	x.Helper()
	r := x.request(s, token, method, path, body)
	got, err := http.DefaultClient.Do(r)
	x.Must(err)
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	x.Must(err)
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			x.Fatalf("%s: %d %s", path, got.StatusCode, b)
		}
	}
	return got.StatusCode, b
}

func (x *Exchange) request(s *hometest.Service, token, method, path string, body any) *http.Request {
	x.Helper()
	b, err := json.Marshal(body)
	x.Must(err)
	r, err := http.NewRequest(method, s.URLs["web"]+path, bytes.NewReader(b))
	x.Must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// A Licence is one that was issued.
type Licence struct {
	ID     int64
	Digest string
	Number string
	Fields map[string]any
}

// Issue issues the n-th licence.
func (x *Exchange) Issue(n int) *Licence {
	x.Helper()
	l := &Licence{Fields: map[string]any{}, Number: fmt.Sprintf("J990101-%09d", n)}
	for key, v := range x.record {
		l.Fields[key] = v
	}
	l.Fields["certificateNumber"] = l.Number
	r := x.request(x.Issuing, x.registry, http.MethodPost, "/v1/licences", map[string]any{"type": Type, "fields": l.Fields})
	r.Header.Set("Idempotency-Key", "licence-"+l.Number)
	got, err := http.DefaultClient.Do(r)
	x.Must(err)
	defer got.Body.Close()
	var answer struct {
		Licence struct { // the members in the order of JSON
			ID     int64
			Digest string
		}
	}
	x.Must(json.NewDecoder(got.Body).Decode(&answer))
	if got.StatusCode != http.StatusCreated {
		x.Fatalf("%d", got.StatusCode)
	}
	l.ID, l.Digest = answer.Licence.ID, answer.Licence.Digest
	return l
}

// An Answer is as much as tests look at of what the agency's verifier says of a request.
type Answer struct {
	Request string
	State   string
	Answer  struct {
		Reason string
		Grant  string
		Use    int
	}
	Verdict      struct{ Outcome string }
	Presentation []byte
	Code         string // of a problem
}

// Ask has the agency's verifier ask for fields; under a grant, if there is one, and change changes the call.
func (x *Exchange) Ask(licence string, fields []string, grant string, change ...func(map[string]any)) (a Answer) {
	x.Helper()
	body := Asked(licence, fields, grant)
	for _, f := range change {
		f(body)
	}
	if status, b := x.call(x.Asking, x.office, http.MethodPost, "/v1/requests", body, &a); status >= 300 {
		x.Fatalf("%d %s", status, b)
	}
	return a
}

// Asked is the body of a call that asks for fields.
func Asked(licence string, fields []string, grant string) map[string]any {
	body := map[string]any{
		"issuer": Issuer, "type": Type, "licence": licence, "fields": fields, "context": map[string]any{"matter": Matter, "case": "20261107-0042", "clerk": "系统", "unit": "不动产登记中心"},
	}
	if grant != "" {
		body["grant"] = grant
	}
	return body
}

// AskRequest is the call of Ask, to be made by whoever counts and measures.
func (x *Exchange) AskRequest(body map[string]any) *http.Request {
	x.Helper()
	return x.request(x.Asking, x.office, http.MethodPost, "/v1/requests", body)
}

// Look looks what has become of a request.
func (x *Exchange) Look(request string) (a Answer) {
	x.Helper()
	x.call(x.Asking, x.office, http.MethodGet, "/v1/requests/"+request, nil, &a)
	return a
}

// Give has the issuer give a grant for what the law does not give, on behalf of a holder at a counter, and returns its digest.
func (x *Exchange) Give(l *Licence, uses int) string {
	x.Helper()
	var given struct{ Grant, State string }
	status, b := x.call(x.Issuing, x.registry, http.MethodPost, "/v1/grants", map[string]any{
		"licence": l.ID, "agency": Agency, "matter": Matter, "fields": Granted, "uses": uses,
		"notAfter": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339), "identified": "身份证,窗口1号核对",
	}, &given)
	if status != http.StatusCreated {
		x.Fatalf("%d %s", status, b)
	}
	return given.Grant
}

// Withdraw withdraws a grant.
func (x *Exchange) Withdraw(grant string) {
	x.Helper()
	if status, b := x.call(x.Issuing, x.registry, http.MethodPost, "/v1/grants/"+grant+"/withdraw", map[string]any{"identified": "身份证,窗口1号核对"}, nil); status != http.StatusOK {
		x.Fatalf("%d %s", status, b)
	}
}

// Accesses returns what the issuer's access log has about a licence: the outcome of each answer, the newest first.
func (x *Exchange) Accesses(l *Licence) (outcomes []string) {
	x.Helper()
	var list struct {
		Accesses []struct{ Agency, Outcome string }
	}
	x.call(x.Issuing, x.registry, http.MethodGet, fmt.Sprintf("/v1/licences/%d/accesses", l.ID), nil, &list)
	for _, a := range list.Accesses {
		outcomes = append(outcomes, a.Outcome)
	}
	return outcomes
}

// Evidence writes what each party shows of a request into a file, and returns the files: the issuer's and the agency's.
func (x *Exchange) Evidence(request string) (files []string) {
	x.Helper()
	for _, of := range []struct {
		name, token string
		service     *hometest.Service
	}{{"issuer", x.registry, x.Issuing}, {"agency", x.office, x.Asking}} {
		status, b := x.call(of.service, of.token, http.MethodGet, "/v1/requests/"+request+"/evidence", nil, nil)
		if status != http.StatusOK {
			x.Fatalf("%s: %d %s", of.name, status, b)
		}
		file := x.Path(fmt.Sprintf("%.8s-%s.evidence", request, of.name))
		x.Must(os.WriteFile(file, b, 0o600))
		files = append(files, file)
	}
	return files
}
