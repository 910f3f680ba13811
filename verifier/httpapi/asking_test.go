package httpapi_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/request/requesttest"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// newAsked starts an API, with a marriage that the department which is asked has.
func newAsked(t *testing.T, change ...func(*httpapi.Config)) (*httpapitest.Server, *verifiertest.Licence) {
	t.Helper()
	s := httpapitest.New(t, change...)
	couple := s.Issue("marriage", 1)[0]
	s.Asked.Hold(couple)
	return s, couple
}

// askBody is the body of a request by law, with changes; nil leaves a member out.
func askBody(l *verifiertest.Licence, changes members) members {
	out := members{
		"issuer": httpapitest.IssuerID, "type": "marriage", "licence": l.Digest.String(), "fields": []string{"spouse1Name", "spouse2Name"},
		"context": members{"clerk": "li", "unit": "hall-1", "matter": requesttest.Matter, "case": "20261107-0042"},
	}
	for name, value := range changes {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

func TestRequestReleased(t *testing.T) {
	s, couple := newAsked(t)
	asker := s.Agency(s.Asker)
	a := asker.Post("/v1/requests", askBody(couple, nil)).Want(t, http.StatusOK)
	if a.Text("state") != "released" || a.Text("answer.reason") != "basis" || a.Text("answer.bases.0") != "registration-rules-16" || a.Get("byLaw") != true ||
		a.Text("verdict.outcome") != "valid" || a.Text("verdict.fields.0.key") != "spouse1Name" || a.Text("receipt.readable.entry.outcome") != "valid" {
		t.Fatalf("%s", a.Body)
	}
	path := a.Header.Get("Location")
	if path != "/v1/requests/"+a.Text("request") {
		t.Fatalf("Location %q", path)
	}
	// What was released is a presentation like any other.
	if v := asker.Post("/v1/verifications", members{"credential": a.Text("presentation"),
		"context": members{"clerk": "li", "unit": "hall-1", "matter": requesttest.Matter}}).Want(t, http.StatusOK); v.Text("verdict.outcome") != "valid" {
		t.Errorf("%s", v.Body)
	}
	again := asker.Get(path).Want(t, http.StatusOK)
	if again.Text("presentation") != a.Text("presentation") || again.Text("receipt.readable.leaf") == a.Text("receipt.readable.leaf") {
		t.Error("it is not given out, and recorded, again")
	}
	if list := asker.Get("/v1/requests?state=released").Want(t, http.StatusOK); list.Text("requests.0.request") != a.Text("request") || list.Get("requests.0.verdict") != nil {
		t.Errorf("%s", list.Body)
	}
	evidence, err := grant.ParseEvidence(asker.Get(path+"/evidence").Want(t, http.StatusOK).Body)
	if err != nil {
		t.Fatal(err)
	}
	if evidence.Presentation, err = base64.StdEncoding.DecodeString(a.Text("presentation")); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Check(s.Index.Grants()); err != nil {
		t.Error(err)
	}
	for i, want := range []string{"released", "valid", "valid", "valid"} {
		b, err := s.Log.Entries(uint64(i), 1)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := access.ParseEntry(b[0]); err != nil || e.Outcome != want || e.Agency != httpapitest.AskerID || (e.Clerk == "li") == (i == 3) {
			t.Errorf("entry %d: %+v, %v", i, e, err)
		}
	}
	// Nobody else has it, not even another agency that knows its name.
	s.Agency(s.Tax).Get(path).Problem(t, "request-unknown")
	s.Agency(s.Tax).Get(path+"/evidence").Problem(t, "request-unknown")
	if list := s.Agency(s.Tax).Get("/v1/requests").Want(t, http.StatusOK); len(list.Get("requests").([]any)) != 0 {
		t.Errorf("%s", list.Body)
	}
	for _, path := range []string{path, path + "/evidence", "/v1/requests"} {
		s.Get(path).Problem(t, "unauthenticated")
	}
}

func TestRequestByClerk(t *testing.T) {
	s, couple := newAsked(t)
	clerk := s.SignInAt(httpapitest.AskerID)
	a := clerk.Post("/v1/requests", askBody(couple, members{"context": members{"matter": requesttest.Matter}})).Want(t, http.StatusOK)
	if a.Text("clerk") != httpapitest.Clerk || a.Text("unit") != "不动产登记大厅" || a.Text("receipt.readable.entry.clerk") != httpapitest.Clerk {
		t.Errorf("%s", a.Body)
	}
	if again := clerk.Get(a.Header.Get("Location")).Want(t, http.StatusOK); again.Text("receipt.readable.entry.clerk") != httpapitest.Clerk {
		t.Errorf("%s", again.Body)
	}
	clerk.Post("/v1/requests", askBody(couple, nil)).Problem(t, "member-invalid") // clerk and unit are known
	s.SignIn().Post("/v1/requests", askBody(couple, members{"context": members{"matter": requesttest.Matter}})).Problem(t, "request-agency")
}

func TestRequestRefusedAndSilent(t *testing.T) {
	s, couple := newAsked(t)
	asker := s.Agency(s.Asker)
	refused := asker.Post("/v1/requests", askBody(couple, members{"fields": []string{"spouse1Id"}})).Want(t, http.StatusOK)
	if refused.Text("state") != "refused" || refused.Text("answer.reason") != "no-basis" || refused.Get("verdict") != nil || refused.Get("byLaw") != false || refused.Get("refusalToShare") != false {
		t.Errorf("%s", refused.Body)
	}
	asker.Get(refused.Header.Get("Location")+"/evidence").Want(t, http.StatusOK)

	s.Asked.Fault(func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true })
	silent := asker.Post("/v1/requests", askBody(couple, members{"within": 30})).Want(t, http.StatusAccepted)
	path := silent.Header.Get("Location")
	if silent.Text("state") != "pending" || silent.Text("problem") != request.CodeIssuerFailed || silent.Get("answer") != nil {
		t.Errorf("%s", silent.Body)
	}
	asker.Get(path+"/evidence").Problem(t, "evidence-none")
	s.Pass(30 * time.Second)
	if err := s.Requests.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := asker.Get(path).Want(t, http.StatusOK); a.Text("state") != "unanswered" || a.Text("text.zh") != "逾期未答复" || a.Get("byLaw") != true || a.Get("refusalToShare") != true {
		t.Errorf("%s", a.Body)
	}
	for state, want := range map[string]string{"refused": refused.Text("request"), "unanswered": silent.Text("request")} {
		if list := asker.Get("/v1/requests?state="+state).Want(t, http.StatusOK); list.Text("requests.0.request") != want || list.Get("requests.1") != nil {
			t.Errorf("%s: %s", state, list.Body)
		}
	}
	first := asker.Get("/v1/requests?limit=1").Want(t, http.StatusOK)
	if first.Text("requests.0.state") != "unanswered" {
		t.Errorf("%s", first.Body)
	}
	second := asker.Get("/v1/requests?limit=1&before="+strconv.FormatInt(first.Number("next"), 10)).Want(t, http.StatusOK)
	if second.Text("requests.0.state") != "refused" {
		t.Errorf("%s", second.Body)
	}
	asker.Get("/v1/requests?state=lost").Problem(t, "parameter-invalid")
}

func TestRequestsThatAreNotMade(t *testing.T) {
	s, couple := newAsked(t)
	digest := couple.Digest.String()
	who := func(change members) members {
		c := members{"clerk": "li", "unit": "hall-1", "matter": requesttest.Matter}
		for k, v := range change {
			c[k] = v
		}
		return members{"context": c}
	}
	for name, c := range map[string]struct {
		token   string
		changes members
		code    string
	}{
		"public":               {"", nil, "unauthenticated"},
		"more than it may ask": {s.Asker, members{"fields": []string{"spouse1Name", "spouse2Id"}}, "over-asking"},
		"type":                 {s.Asker, members{"type": "property"}, "type-refused"},
		"matter":               {s.Asker, who(members{"matter": "company-opening"}), "matter-refused"},
		"no clerk":             {s.Asker, members{"context": members{"matter": requesttest.Matter}}, "context-missing"},
		"not a department":     {s.Tax, nil, "request-agency"},
		"a counter":            {s.Counter, nil, "request-agency"},
		"issuer":               {s.Asker, members{"issuer": "market-regulation"}, "request-issuer"},
		"number and digest":    {s.Asker, members{"number": "J990101"}, "request-invalid"},
		"neither":              {s.Asker, members{"licence": nil}, "request-invalid"},
		"number and grant":     {s.Asker, members{"licence": nil, "number": "J990101", "grant": digest}, "request-invalid"},
		"no fields":            {s.Asker, members{"fields": []string{}}, "request-invalid"},
		"no context":           {s.Asker, members{"context": nil}, "member-invalid"},
		"digest":               {s.Asker, members{"licence": strings.ToUpper(digest)}, "member-invalid"},
		"grant":                {s.Asker, members{"grant": digest[1:]}, "member-invalid"},
		"too long":             {s.Asker, members{"within": 31 * 24 * 3600}, "member-invalid"},
		"on behalf":            {s.Asker, who(members{"onBehalf": "tax"}), "member-invalid"},
		"no such member":       {s.Asker, members{"url": "http://127.0.0.1"}, "member-invalid"},
	} {
		client := s.Client
		if c.token != "" {
			client = s.Agency(c.token)
		}
		a := client.Post("/v1/requests", askBody(couple, c.changes))
		if got := a.Text("code"); got != c.code || strings.Contains(string(a.Body), digest) {
			t.Errorf("%s: %s; want %s", name, a.Body, c.code)
		}
	}
	if s.Asked.Calls() != 0 || s.Log.Size() != 0 {
		t.Errorf("%d were sent, %d recorded", s.Asked.Calls(), s.Log.Size())
	}
	s.Agency(s.Asker).Get("/v1/requests/"+digest).Problem(t, "request-unknown")
	s.Agency(s.Asker).Get("/v1/requests/x").Problem(t, "parameter-invalid")

	// A service that was not told where issuers are.
	bare, couple := newAsked(t, func(c *httpapi.Config) { c.Store = onlyStore{c.Store} })
	bare.Agency(bare.Asker).Post("/v1/requests", askBody(couple, nil)).Problem(t, "requests-none")
	bare.Agency(bare.Asker).Get("/v1/requests").Problem(t, "requests-none")
	bare.Agency(bare.Asker).Get("/v1/requests/"+digest).Problem(t, "requests-none")
	bare.Agency(bare.Asker).Get("/v1/requests/"+digest+"/evidence").Problem(t, "requests-none")
}

// onlyStore keeps no requests.
type onlyStore struct{ httpapi.Store }

var _ request.Store = (*store.Store)(nil)

// What cannot be recorded is not given out; when it can be again, it is.
func TestRequestIsRecordedFirst(t *testing.T) {
	broken := &faultyLog{before: &accesslog.Error{Code: accesslog.CodeStorage, Message: "full"}}
	s, couple := newAsked(t, func(c *httpapi.Config) { broken.AccessLog = c.AccessLog; c.AccessLog = broken })
	a := s.Agency(s.Asker).Post("/v1/requests", askBody(couple, nil)).Problem(t, "log-unavailable")
	if strings.Contains(string(a.Body), "spouse") {
		t.Errorf("%s", a.Body)
	}
	broken.before = nil
	list := s.Agency(s.Asker).Get("/v1/requests").Want(t, http.StatusOK)
	got := s.Agency(s.Asker).Get("/v1/requests/"+list.Text("requests.0.request")).Want(t, http.StatusOK)
	if got.Text("verdict.outcome") != "valid" || s.Log.Size() != 2 {
		t.Errorf("%d entries, %s", s.Log.Size(), got.Body)
	}
}
