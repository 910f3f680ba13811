package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
)

// A registry is a home whose verifier makes requests for the department of real property.
type registry struct {
	*issuing
	token string
}

const registryAgency = `agencies:
  - id: natural-resources
    name: {zh: 示范市自然资源局, en: Demo City Natural Resources Bureau}
    tokens: [%s]
    types:
      marriage: [spouse1Name, spouse2Name]
    matters: [second-hand-home-transfer]
    rate: {perSecond: 1000, burst: 1000}
    dailyCap: 1000
`

func newRegistry(t *testing.T) *registry {
	t.Helper()
	r := &registry{issuing: newIssuing(t), token: callers.NewToken()}
	r.onAnyPort()
	r.must(os.WriteFile(filepath.Join(r.home, agenciesFile), fmt.Appendf(nil, registryAgency, callers.TokenDigest(r.token)), 0o600))
	staff, err := os.ReadFile(r.path(staffFile))
	r.must(err)
	r.must(os.WriteFile(r.path(staffFile), bytes.Replace(staff, []byte("[issue, open]"), []byte("[grant]"), 1), 0o600))
	r.marriages("input.jsonl", 1, 2)
	r.run(exitDone, issueArgs("--out", "out", "input.jsonl")...)
	r.issuersAt("http://127.0.0.1:9") // where nobody is
	return r
}

// issuersAt says in verifier.yaml where the issuer is.
func (r *registry) issuersAt(url string) {
	r.t.Helper()
	path := filepath.Join(r.home, verifierFile)
	b, err := os.ReadFile(path)
	r.must(err)
	b, _, _ = bytes.Cut(b, []byte("\nrequests:\n"))
	b = fmt.Appendf(b, "\nrequests:\n  keys: {natural-resources: keys/natural-resources/service.pem}\n  issuers: {civil-affairs: %q}\n  policy: policy.signed\n", url)
	r.must(os.WriteFile(path, b, 0o600))
}

// digest is the digest of the first marriage.
func (r *registry) digest() string {
	r.t.Helper()
	out, _ := r.run(exitDone, "show", filepath.Join("out", "licence-0000001.cred"), "--json")
	var shown struct{ Digest string }
	r.must(json.Unmarshal([]byte(out), &shown))
	return shown.Digest
}

// A madeRequest is as much of a request as is looked at.
type madeRequest struct {
	Request, State, Problem string
	Verdict                 struct{ Outcome string }
}

// call calls the verifier.
func (r *registry) call(s *served, method, path string, body any) (m madeRequest, status int) {
	r.t.Helper()
	status = r.callAs(r.token, s, method, path, body, &m)
	return m, status
}

// callAs calls a service with a token, and returns the status.
func (r *registry) callAs(token string, s *served, method, path string, body, answer any) int {
	r.t.Helper()
	var sent bytes.Buffer
	if body != nil {
		r.must(json.NewEncoder(&sent).Encode(body))
	}
	q, err := http.NewRequest(method, s.urls["web"]+path, &sent)
	r.must(err)
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(q)
	r.must(err)
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	r.must(err)
	if err := json.Unmarshal(b, answer); err != nil {
		r.t.Fatalf("%s %s: %d %s", method, path, a.StatusCode, b)
	}
	return a.StatusCode
}

// A verifier that is killed while an issuer is away goes on with its requests when it is back, and the evidence of
// what was released is good.
func TestServeRequests(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	digest := r.digest()
	ask := map[string]any{
		"issuer": "civil-affairs", "type": "marriage", "licence": digest, "fields": []string{"spouse1Name"}, "within": 3600,
		"context": map[string]string{"clerk": "li", "unit": "hall-1", "matter": "second-hand-home-transfer"},
	}
	s := r.serve()
	made, status := r.call(s, http.MethodPost, "/v1/requests", ask)
	if status != http.StatusAccepted || made.State != "pending" || made.Problem != "issuer-unreachable" {
		t.Fatalf("%d, %+v", status, made)
	}
	r.must(s.cmd.Process.Kill())
	_ = s.cmd.Wait()

	issuer := r.begin()
	r.issuersAt(issuer.urls["web"])
	s = r.serve()
	path := "/v1/requests/" + made.Request
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got, _ := r.call(s, http.MethodGet, path, nil)
		if got.State == "released" && got.Verdict.Outcome == "valid" {
			break
		}
		if time.Now().After(deadline) || got.State != "pending" && got.State != "released" {
			t.Fatalf("%+v\n%s", got, s.log)
		}
	}
	now, status := r.call(s, http.MethodPost, "/v1/requests", ask)
	if status != http.StatusOK || now.State != "released" {
		t.Fatalf("%d, %+v", status, now)
	}

	// The command leaves the access log to the service.
	command := func(fields string, more ...string) []string {
		return append([]string{"request", "--department", "natural-resources", "--issuer", "civil-affairs", "--type", "marriage",
			"--licence", digest, "--matter", "second-hand-home-transfer", "--fields", fields, "--json"}, more...)
	}
	_, problems := r.run(exitFailed, command("spouse1Name")...)
	if !strings.Contains(problems, "log-in-use") {
		t.Errorf("%s", problems)
	}
	s.end(exitDone)
	r.run(exitDone, command("spouse1Name")...)

	// Under a grant, which is used up then, and whose evidence anybody checks who has the ledger.
	var given struct{ Grant, State string }
	if status := r.callAs(r.issuing.token, issuer, http.MethodPost, "/v1/grants", map[string]any{
		"licence": 1, "agency": "natural-resources", "matter": "second-hand-home-transfer", "fields": []string{"spouse1Id"}, "uses": 1,
		"notAfter": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "identified": "identity card, by window 3",
	}, &given); status != http.StatusCreated || given.State != "given" {
		t.Fatalf("%d, %+v", status, given)
	}
	r.run(exitDone, command("spouse1Id", "--grant", given.Grant, "--evidence", "evidence", "--out", "released.cred")...)
	r.run(exitFailed, command("spouse1Id", "--grant", given.Grant, "--evidence", "refusal")...)
	issuer.end(exitDone)
	var found struct {
		Reason string
		Grant  struct {
			Digest string
			Uses   int
		}
	}
	out, _ := r.run(exitDone, "evidence", "evidence", "--presentation", "released.cred", "--json")
	r.must(json.Unmarshal([]byte(out), &found))
	if found.Reason != "grant" || found.Grant.Digest != given.Grant || found.Grant.Uses != 1 {
		t.Errorf("%s", out)
	}
	if out, _ := r.run(exitDone, "evidence", "refusal", "--json"); !strings.Contains(out, `"reason": "grant-used-up"`) {
		t.Errorf("%s", out)
	}
	r.run(exitDone, "access-log", "verify", "--json")
}
