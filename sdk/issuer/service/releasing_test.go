package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/tlcp/tlcptest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
)

// An answered is as much of an answer to a request as the tests look at.
type answered struct {
	Outcome  string
	Answer   []byte
	Sealed   []byte
	Readable struct {
		Reason string
		Use    int
	}
	State string // of a grant
	Grant string // digest of a grant, or the signed grant in base64
	Code  string // of a problem
}

// ask sends a request of another department.
func (w *world) ask(client *http.Client, door string, r *releasetest.Request) (a answered, status int) {
	w.Helper()
	body, err := json.Marshal(map[string]any{"request": r.Signed})
	w.Must(err)
	got, err := client.Post(w.url(door)+"/v1/requests", "application/json", bytes.NewReader(body))
	w.Must(err)
	defer got.Body.Close()
	w.Must(json.NewDecoder(got.Body).Decode(&a))
	return a, got.StatusCode
}

// mustAsk sends a request and wants an answer for a reason.
func (w *world) mustAsk(r *releasetest.Request, reason string) answered {
	w.Helper()
	a, status := w.ask(http.DefaultClient, "web", r)
	if status != http.StatusOK || a.Readable.Reason != reason {
		w.Fatalf("%d %+v, want %s\n%s", status, a, reason, w.logged)
	}
	return a
}

// digest is that of a licence that is issued now.
func (w *world) digest() sm.Hash {
	w.Helper()
	h, err := sm.ParseHash(w.mustIssue().Licence.Digest)
	w.Must(err)
	return h
}

// Requests are answered on every door; what was answered is in the access log, and that is anchored. A start later
// the same request has the same answer.
func TestAnswersRequests(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	digest := w.digest()
	first := w.office.Request(digest, nil)
	before := w.mustAsk(first, "basis")
	if _, err := credential.Parse(first.Open(t, before.Sealed)); err != nil {
		t.Error(err)
	}
	if a, status := w.ask(tlcptest.Client(t, w.root), "tlcp", w.office.Request(digest, nil)); status != http.StatusOK || a.Outcome != "released" {
		t.Errorf("over TLCP: %d %+v", status, a)
	}
	w.mustAsk(w.office.Request(digest, func(r *statement.Request) { r.Fields = w.office.Granted() }), "no-basis")
	if got := w.metric("credledger_issuer_access_log_entries"); got != 3 {
		t.Errorf("%d entries", got)
	}
	w.Must(w.end())
	w.begin()
	w.await("the log to be anchored", func() bool { return w.metric("credledger_issuer_access_log_anchored_entries") == 3 })
	if after := w.mustAsk(first, "basis"); !bytes.Equal(after.Answer, before.Answer) || !bytes.Equal(after.Sealed, before.Sealed) {
		t.Error("another answer after the start")
	}
	w.Must(w.end())
	files, err := accesslog.OpenFiles(w.Path("release/access-log"))
	w.Must(err)
	if id := files.Identity(); id.Department != w.Department.ID || id.Log != "releases" {
		t.Errorf("%+v", id)
	}
}

// The policy is taken from its file whenever that changes, and one that is older is not.
func TestPolicyFile(t *testing.T) {
	w := newWorld(t, "")
	published, err := os.ReadFile(w.Path("policy.signed"))
	w.Must(err)
	w.Must(os.Remove(w.Path("policy.signed")))
	w.begin()
	digest := w.digest()
	if a, status := w.ask(http.DefaultClient, "web", w.office.Request(digest, nil)); status != http.StatusServiceUnavailable || a.Code != "policy-missing" {
		t.Errorf("without a policy: %d %+v", status, a)
	}
	put := func(signed []byte, version int) {
		t.Helper()
		w.write("policy.new", signed)
		w.Must(os.Rename(w.Path("policy.new"), w.Path("policy.signed")))
		w.await(fmt.Sprint("version ", version), func() bool { return w.metric("credledger_issuer_policy_version") == version })
	}
	put(published, 1)
	w.mustAsk(w.office.Request(digest, nil), "basis")
	put(w.office.Policy(2, "\nfrom: 2026-01-01\nanswerWithin: 60\n"), 2)
	w.mustAsk(w.office.Request(digest, nil), "no-basis")
	w.write("policy.new", published)
	w.Must(os.Rename(w.Path("policy.new"), w.Path("policy.signed")))
	w.await("the older one to be refused", func() bool { return w.hasLogged("policy-older") || w.hasLogged("taking the policy") })
	w.mustAsk(w.office.Request(digest, nil), "no-basis")
}

// While the ledger cannot be reached, what the view has is enough to answer; a grant is kept, and holds as soon as the
// ledger has it.
func TestReleaseInAnOutage(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	l := w.mustIssue()
	digest, err := sm.ParseHash(l.Licence.Digest)
	w.Must(err)
	w.mustAsk(w.office.Request(digest, nil), "basis")
	w.ledger.gone.Store(true)
	w.await("the outage to be seen", func() bool { return slices.Contains(w.ready().Problems, "ledger-unreached") })
	w.mustAsk(w.office.Request(digest, nil), "basis")
	terms, err := json.Marshal(map[string]any{
		"licence": l.Licence.ID, "agency": w.office.Agency.ID, "matter": releasetest.Matter, "fields": w.office.Granted(), "uses": 1,
		"notAfter": w.Clock.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339), "identified": "identity card",
	})
	w.Must(err)
	given := w.post("/v1/grants", terms, http.StatusCreated)
	if given.State != "kept" {
		t.Errorf("%+v", given)
	}
	name, err := sm.ParseHash(given.Grant)
	w.Must(err)
	under := func(r *statement.Request) { r.Fields, r.Grant = w.office.Granted(), &name }
	w.mustAsk(w.office.Request(digest, under), "grant-not-given")
	w.ledger.gone.Store(false)
	var last answered
	w.await("the grant to be given", func() bool {
		last, _ = w.ask(http.DefaultClient, "web", w.office.Request(digest, under))
		return last.Readable.Reason != "grant-not-given"
	})
	if last.Outcome != "released" || last.Readable.Use != 1 {
		t.Errorf("%+v", last)
	}
	w.ledger.gone.Store(true)
	if a := w.post("/v1/grants/"+given.Grant+"/withdraw", []byte(`{"identified":"identity card"}`), http.StatusOK); a.State != "withdrawn" {
		t.Errorf("%+v", a)
	}
	w.mustAsk(w.office.Request(digest, under), "grant-withdrawn")
	w.ledger.gone.Store(false)
	w.await("readiness", func() bool { return w.ready().Ready })
}

// post asks the API something as the system.
func (w *world) post(path string, body []byte, want int) (a answered) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, w.url("web")+path, bytes.NewReader(body))
	w.Must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.token)
	got, err := http.DefaultClient.Do(r)
	w.Must(err)
	defer got.Body.Close()
	w.Must(json.NewDecoder(got.Body).Decode(&a))
	if got.StatusCode != want {
		w.Fatalf("%s: %d %+v", path, got.StatusCode, a)
	}
	return a
}

// By a view of the ledger that is too old nothing is released, and a department that was suspended gets nothing.
func TestAdmission(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	digest := w.digest()
	w.mustAsk(w.office.Request(digest, nil), "basis")
	w.Clock.Advance(2 * time.Hour) // more than a verdict may rest on
	if a, status := w.ask(http.DefaultClient, "web", w.office.Request(digest, nil)); status != http.StatusServiceUnavailable || a.Code != "view-outdated" {
		t.Errorf("by an old view: %d %+v", status, a)
	}
	if r := w.ready(); !slices.Contains(r.Problems, "view-old") {
		t.Errorf("%+v", r)
	}
	w.beat(2)
	w.await("readiness", func() bool { return w.ready().Ready })
	w.mustAsk(w.office.Request(digest, nil), "basis")
	admission := w.City.Admission(w.office.Agency)
	admission.State, admission.Sequence = statement.DepartmentSuspended, 2
	ledgertest.Submit(t, w.As(w.City.Authority.ID), ledgertest.Sign(t, admission, w.City.Authority.Govern))
	w.await("the suspension", func() bool {
		a, status := w.ask(http.DefaultClient, "web", w.office.Request(digest, nil))
		return status == http.StatusForbidden && a.Code == "department-suspended"
	})
}

// A key of the log that the ledger has no more in force is said, since nobody would believe what it signs.
func TestKeyOfTheLog(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	w.Rotate(w.Department.Log, statement.PurposeLog)
	w.await("the retired key to be seen", func() bool { return slices.Contains(w.ready().Problems, "key-not-for-log") })
	w.Must(w.end())
	w.begin()
}

// Without the section, nothing is answered, and nothing of it is opened.
func TestWithoutReleases(t *testing.T) {
	w := newWorld(t, "")
	w.config.Release = nil
	w.Must(os.RemoveAll(w.Path("release")))
	w.begin()
	if a, status := w.ask(http.DefaultClient, "web", w.office.Request(w.digest(), nil)); status != http.StatusNotFound || a.Code != "releases-not-offered" {
		t.Errorf("%d %+v", status, a)
	}
	if _, err := os.Stat(w.Path("release")); err == nil {
		t.Error("a directory was made")
	}
}

// A service that cannot write its access log answers no request, says that it is not ready, and why, and is ready again once
// the log can be written, though nobody has asked for anything meanwhile. It issues all the time.
func TestNotReadyWithoutAccessLog(t *testing.T) {
	w := newWorld(t, "")
	var err error
	w.service, err = w.new(w.Context())
	w.Must(err)
	segment := w.Path("release/access-log/0000000000.entries")
	w.Must(os.Mkdir(segment, 0o700)) // where the log's first file belongs
	w.run()
	w.await("the failure to be seen", func() bool { return slices.Equal(w.ready().Problems, []string{"log-unavailable"}) })
	request := w.office.Request(w.digest(), nil)
	if a, status := w.ask(http.DefaultClient, "web", request); status != http.StatusServiceUnavailable || a.Code != "access-log-unavailable" {
		t.Errorf("%d %+v", status, a)
	}
	w.Must(os.Remove(segment))
	w.await("readiness", func() bool { return w.ready().Ready })
	w.mustAsk(request, "basis")
	if !w.hasLogged("writing the access log failed") || !w.hasLogged("writing the access log works again") {
		t.Error(w.logged)
	}
	w.Must(w.end())
}
