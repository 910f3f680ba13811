// Package requesttest is a department that is asked for fields of licences, to test those that ask: it decides
// by a policy of its own and the grants that it was given, over HTTP on the loopback, and can be told to
// fail or to answer with something else.
//
//	issuer := requesttest.New(city, ledgertest.Marriages)
//	issuer.Hold(marriage)
//	grant := issuer.Give(marriage, ledgertest.Properties, requesttest.Matter, 2, "spouse1Id")
//	issuer.Fault(func(w http.ResponseWriter) bool { http.Error(w, "", 500); return true })
//
// The package is for tests alone.
package requesttest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// Matter is what the policy has a legal basis for.
const Matter = "second-hand-home-transfer"

// Policy gives the registry of real property the names of spouses, within a minute; the remarks are excluded.
const Policy = `
version: 1
from: 2026-11-01
answerWithin: 300
bases:
  - id: registration-rules-16
    text: {zh: 不动产登记暂行条例实施细则, en: Rules of real property registration}
    agency: natural-resources
    matter: second-hand-home-transfer
    issuer: civil-affairs
    type: marriage
    fields: [spouse1Name, spouse2Name]
    answerWithin: 60
negative:
  - id: remarks
    text: {zh: 备注不予共享, en: Remarks are not shared}
    type: marriage
    fields: [remarks]
`

// A Message is what the department answers with.
type Message struct {
	Outcome string `json:"outcome"`
	Answer  []byte `json:"answer"`
	Sealed  []byte `json:"sealed,omitempty"`
	Grant   []byte `json:"grant,omitempty"`
	Binding []byte `json:"binding,omitempty"`
}

// An Issuer is the department. Its methods are for the goroutine of the test.
type Issuer struct {
	*ledgertest.Department
	Policy *policy.Published
	URL    string

	city   *verifiertest.City
	tb     testing.TB
	server *httptest.Server

	mu       sync.Mutex
	licences []*verifiertest.Licence
	grants   map[sm.Hash]*held
	answers  map[sm.Hash]*Message
	calls    int
	fault    func(http.ResponseWriter) bool
	change   func(*Message)
	asked    func(*statement.Request)
}

type held struct {
	signed, binding []byte
	used            uint32
}

// New begins a department of a city, which ends with the test.
func New(tb testing.TB, city *verifiertest.City, id string) *Issuer {
	tb.Helper()
	i := &Issuer{Department: city.Department(tb, id), city: city, tb: tb, grants: map[sm.Hash]*held{}, answers: map[sm.Hash]*Message{}}
	parsed, err := policy.Parse([]byte(Policy))
	if err != nil {
		tb.Fatal(err)
	}
	signed := i.sign(&statement.Policy{Ledger: city.ID, Version: uint32(parsed.Version), Definition: []byte(Policy), SignedAt: city.Clock.Unix()}, city.Authority.Govern)
	if i.Policy, err = policy.Read(signed, city.Authority.ID, city.Index.Grants()); err != nil {
		tb.Fatal(err)
	}
	i.server = httptest.NewServer(i)
	tb.Cleanup(i.server.Close)
	i.URL = i.server.URL
	return i
}

// Place is where it is asked.
func (i *Issuer) Place() *outbound.Place {
	u, err := url.Parse(i.URL)
	if err != nil {
		i.tb.Fatal(err)
	}
	return &outbound.Place{URL: u}
}

// Hold lets it have licences that it issued.
func (i *Issuer) Hold(licences ...*verifiertest.Licence) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.licences = append(i.licences, licences...)
}

// Give has the holder of a licence give a grant, which the ledger then has, and returns its digest.
func (i *Issuer) Give(l *verifiertest.Licence, agency, matter string, uses uint32, fields ...string) sm.Hash {
	i.tb.Helper()
	binding := l.Bind()
	parsed, err := statement.Parse(binding)
	if err != nil {
		i.tb.Fatal(err)
	}
	now := i.city.Clock.Unix()
	var salt [16]byte
	rand.Read(salt[:])
	signed := i.sign(&statement.Grant{
		Ledger: i.city.ID, Issuer: i.ID, Licence: l.Digest, Type: l.Type.ID, Agency: agency, Matter: matter, Fields: fields, Uses: uses,
		NotBefore: now, NotAfter: now + 30*24*3600, Means: statement.MeansKey, Evidence: sm.Sum(parsed.Payload), Salt: salt, SignedAt: now,
	}, l.Holder)
	g, err := grant.ReadGrant(signed, binding, i.city.Index.Grants())
	if err != nil {
		i.tb.Fatal(err)
	}
	i.consent(g.Digest, statement.ConsentGive)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.grants[g.Digest] = &held{signed: signed, binding: binding}
	return g.Digest
}

// Withdraw withdraws a grant on the ledger.
func (i *Issuer) Withdraw(digest sm.Hash) { i.consent(digest, statement.ConsentWithdraw) }

func (i *Issuer) consent(digest sm.Hash, action string) {
	i.tb.Helper()
	i.city.Submit(i.ID, ledgertest.Sign(i.tb, &statement.Consent{
		Ledger: i.city.ID, Department: i.ID, Digest: digest, Action: action, SignedAt: i.city.Clock.Unix(),
	}, i.Consent))
}

// Fault has every call looked at first, which may answer it: then it returns true. Nil ends that.
func (i *Issuer) Fault(fault func(http.ResponseWriter) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fault = fault
}

// Change has every message changed before it is sent. Nil ends that.
func (i *Issuer) Change(change func(*Message)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.change = change
}

// Asked has somebody told of every request that comes, before it is answered.
func (i *Issuer) Asked(asked func(*statement.Request)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = asked
}

// Close ends the department: it cannot be reached any more.
func (i *Issuer) Close() { i.server.Close() }

// Calls returns how often it was called.
func (i *Issuer) Calls() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls
}

// Sign signs an answer as the department does.
func (i *Issuer) Sign(a *statement.Answer) []byte { return i.sign(a, i.Consent) }

func (i *Issuer) sign(body statement.Body, key *sm.PrivateKey) []byte {
	signed, err := statement.Sign(body, key)
	if err != nil {
		panic(err) // the test asks for what is no statement
	}
	return signed
}

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.calls++; i.fault != nil && i.fault(w) {
		return
	}
	var body struct {
		Request []byte `json:"request"`
		Subject []byte `json:"subject"`
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/requests" || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "", http.StatusNotFound)
		return
	}
	m := new(Message)
	err := json.NewDecoder(r.Body).Decode(&body)
	if err == nil {
		m, err = i.answer(body.Request, body.Subject)
	}
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_ = json.NewEncoder(w).Encode(map[string]string{"code": grant.Code(err)})
		return
	}
	if i.change != nil {
		copied := *m
		i.change(&copied)
		m = &copied
	}
	_ = json.NewEncoder(w).Encode(m)
}

// answer answers a request; the same one always in the same way.
func (i *Issuer) answer(signed, subject []byte) (*Message, error) {
	view, now := i.city.Index.Grants(), i.city.Clock.Unix()
	r, err := grant.ReadRequest(signed, view)
	if err == nil {
		err = r.Current(now)
	}
	if err != nil {
		return nil, err
	}
	if i.asked != nil {
		i.asked(r.Request)
	}
	if m := i.answers[r.Digest]; m != nil {
		return m, nil
	}
	l, err := i.find(r, subject)
	if err != nil {
		return nil, err
	}
	var g *held
	var h *grant.Held
	if r.Grant != nil && i.grants[*r.Grant] != nil {
		g = i.grants[*r.Grant]
		read, err := grant.ReadGrant(g.signed, g.binding, view)
		if err != nil {
			return nil, err
		}
		h = read.Hold(view, g.used)
	}
	d := policy.Decide(r, h, i.Policy.Policy, now)
	a := d.Answer(r, i.Policy, now)
	m := new(Message)
	if a.Outcome == statement.AnswerReleased {
		p, err := credential.Disclose(l.Credential, l.Type, a.Fields...)
		if err != nil {
			return nil, err
		}
		digest := sm.Sum(p.Bytes())
		a.Presentation = &digest
		if a.Grant != nil {
			g.used++
			a.Use, m.Grant, m.Binding = g.used, g.signed, g.binding
		}
		if m.Sealed, err = i.Seal(r.Request, p.Bytes()); err != nil {
			return nil, err
		}
	}
	m.Outcome, m.Answer = a.Outcome, i.sign(a, i.Consent)
	i.answers[r.Digest] = m
	return m, nil
}

// Seal seals something to the key that a request names.
func (i *Issuer) Seal(r *statement.Request, contents []byte) ([]byte, error) {
	to, err := sm.NewPublicKey(r.Recipient[:])
	if err != nil {
		return nil, err
	}
	return envelope.Seal(to, envelope.Presentation, contents)
}

// find finds the licence that a request is for.
func (i *Issuer) find(r *grant.Request, subject []byte) (*verifiertest.Licence, error) {
	number := ""
	if r.Subject != nil {
		e, err := envelope.Parse(subject)
		if err != nil {
			return nil, err
		}
		contents, err := e.Open(i.Consent)
		if err != nil {
			return nil, err
		}
		s, err := grant.ParseSubject(contents, r.Request)
		if err != nil {
			return nil, err
		}
		number = s.Value
	}
	for _, l := range i.licences {
		if r.Licence != nil && *r.Licence == l.Digest {
			return l, nil
		}
		if l.Type.ID != r.Type || number == "" {
			continue
		}
		for _, f := range l.Credential.Fields {
			if l.Type.Leaves()[f.Index] == l.Type.NumberField().Key && f.Value.String() == number {
				return l, nil
			}
		}
	}
	return nil, errors.New("there is no such licence")
}
