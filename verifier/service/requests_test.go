package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/request/requesttest"
	"github.com/credledger/credledger/verifier/service"
	"github.com/credledger/credledger/verifier/verifiertest"
)

const registry = `
agencies:
  - id: natural-resources
    name: {zh: 示范市自然资源局, en: Demo City Natural Resources Bureau}
    tokens: [%s]
    types:
      marriage: [spouse1Name, spouse2Name]
    matters: [second-hand-home-transfer]
    rate: {perSecond: 1000000, burst: 1000000}
    dailyCap: 100000
`

// An asking world makes requests of a registry to the department that has a marriage.
type asking struct {
	*world
	issuer *requesttest.Issuer
	couple *verifiertest.Licence
	token  string
}

func newAsking(t *testing.T) *asking {
	t.Helper()
	w := newWorld(t)
	a := &asking{world: w, issuer: requesttest.New(t, w.city, ledgertest.Marriages), token: callers.NewToken()}
	a.couple = w.city.Issue("marriage", 1)[0]
	a.issuer.Hold(a.couple)
	w.write("agencies.yaml", fmt.Appendf(nil, registry, callers.TokenDigest(a.token)))
	w.askers = map[string]request.Key{ledgertest.Properties: w.city.Department(t, ledgertest.Properties).Consent}
	w.config.Requests = &service.Requests{
		Keys:    map[string]string{ledgertest.Properties: "keys/natural-resources/service.pem"},
		Issuers: map[string]string{ledgertest.Marriages: a.issuer.URL},
		Policy:  "policy.signed",
	}
	a.publish(1, w.city.Authority.Govern)
	return a
}

// publish puts a version of the policy where the service reads it.
func (a *asking) publish(version int, key *sm.PrivateKey) {
	a.Helper()
	text := strings.Replace(requesttest.Policy, "version: 1", fmt.Sprintf("version: %d", version), 1)
	signed, err := statement.Sign(&statement.Policy{Ledger: a.city.ID, Version: uint32(version), Definition: []byte(text), SignedAt: a.city.Clock.Unix()}, key)
	a.must(err)
	a.write("policy.signed", signed)
}

// A kept request, as far as the tests look at it.
type kept struct {
	Request string `json:"request"`
	State   string `json:"state"`
	ByLaw   bool   `json:"byLaw"`
	Verdict struct {
		Outcome string `json:"outcome"`
	} `json:"verdict"`
	Code string `json:"code"` // of a problem
}

func (a *asking) call(method, path string, body any) (out kept, status int) {
	a.Helper()
	var sent bytes.Buffer
	if body != nil {
		a.must(json.NewEncoder(&sent).Encode(body))
	}
	r, err := http.NewRequest(method, a.url("web")+path, &sent)
	a.must(err)
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	a.must(err)
	defer answer.Body.Close()
	a.must(json.NewDecoder(answer.Body).Decode(&out))
	return out, answer.StatusCode
}

func (a *asking) ask() (kept, int) {
	a.Helper()
	return a.call(http.MethodPost, "/v1/requests", map[string]any{
		"issuer": ledgertest.Marriages, "type": "marriage", "licence": a.couple.Digest.String(), "fields": []string{"spouse1Name"},
		"context": map[string]string{"clerk": "li", "unit": "hall-1", "matter": requesttest.Matter},
	})
}

func TestRequests(t *testing.T) {
	a := newAsking(t)
	a.start()
	made, status := a.ask()
	if status != http.StatusOK || made.State != "released" || made.Verdict.Outcome != "valid" || !made.ByLaw {
		t.Fatalf("%d, %+v", status, made)
	}
	// One that nobody answers is settled by the service by itself, also by the next one.
	a.issuer.Fault(func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true })
	pending, status := a.ask()
	if status != http.StatusAccepted || pending.State != "pending" {
		t.Fatalf("%d, %+v", status, pending)
	}
	silent, _ := a.ask()
	a.must(a.end())
	a.start()
	a.issuer.Fault(nil)
	a.city.Clock.Advance(10 * time.Second)
	for _, made := range []kept{pending, silent} {
		a.await("the request is answered", func() bool {
			got, _ := a.call(http.MethodGet, "/v1/requests/"+made.Request, nil)
			return got.State == "released"
		})
	}
	a.issuer.Fault(func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true })
	late, _ := a.ask()
	a.city.Clock.Advance(time.Minute)
	a.await("the request falls due", func() bool {
		got, _ := a.call(http.MethodGet, "/v1/requests/"+late.Request, nil)
		return got.State == "unanswered"
	})
	a.await("it is counted", func() bool {
		_, text := a.get(a.url("metrics") + "/metrics")
		return strings.Contains(text, `issuer_requests_total{state="unanswered"} 1`)
	})
	if got, _ := a.call(http.MethodGet, "/v1/requests/"+silent.Request, nil); got.State == "pending" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(a.logged.String(), a.couple.Digest.String()) {
		t.Error("the log names a licence")
	}
}

// The policy is read again with the rest; one that the authority did not sign, or an older one, is not taken.
func TestRequestPolicy(t *testing.T) {
	a := newAsking(t)
	a.publish(2, a.city.Department(t, ledgertest.Properties).Govern)
	if _, err := a.new(t.Context()); serve.Code(err) != serve.CodeConfig {
		t.Fatalf("a policy of a department: %v", err)
	}
	a.publish(2, a.city.Authority.Govern)
	a.start()
	for version, good := range map[int]bool{1: false, 3: true} {
		if a.publish(version, a.city.Authority.Govern); (a.service.Reload() == nil) != good {
			t.Errorf("version %d after 2", version)
		}
	}
	a.write("policy.signed", []byte("not a policy"))
	if a.service.Reload() == nil {
		t.Error("no policy is taken for one")
	}
	if made, _ := a.ask(); !made.ByLaw {
		t.Error("the policy is not kept")
	}
}

// Whoever gets a service none of whose departments make requests is told so.
func TestNoRequests(t *testing.T) {
	a := newAsking(t)
	a.config.Requests = nil
	a.start()
	if got, status := a.ask(); status != http.StatusNotFound || got.Code != "requests-none" {
		t.Errorf("%d, %+v", status, got)
	}
	a.must(a.end())
	a.config.Requests = &service.Requests{Keys: map[string]string{"a": "b"}, Issuers: map[string]string{"a": "https://a.example"}, Authorities: "missing.crt"}
	if _, err := a.new(t.Context()); serve.Code(err) != serve.CodeConfig {
		t.Errorf("authorities that are not there: %v", err)
	}
}
