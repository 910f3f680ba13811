package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A counter is an API that answers requests, with one licence.
type counter struct {
	*httpapitest.Server
	office *releasetest.Office
	id     int64
	digest sm.Hash
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	s := httpapitest.New(t, "marriage")
	c := &counter{Server: s, office: s.Offer(), id: s.Issue(1)}
	c.digest = c.digestOf(c.id)
	return c
}

func (c *counter) digestOf(id int64) sm.Hash {
	c.Helper()
	l, err := c.Vault.Licence(c.Context(), vault.ID(id))
	c.Must(err)
	return l.Digest
}

// ask sends a request.
func (c *counter) ask(r *releasetest.Request) resttest.Answer {
	c.Helper()
	return c.Post("/v1/requests", members{"request": r.Signed})
}

// opened returns what an answer releases.
func (c *counter) opened(r *releasetest.Request, a resttest.Answer) *credential.Opened {
	c.Helper()
	b := r.Open(c, bytesOf(c, a, "sealed"))
	p, err := credential.Parse(b)
	c.Must(err)
	o, err := p.Open(c.Type)
	c.Must(err)
	return o
}

// By law: the agency gets the fields that it asked for and no others, sealed to its key, with an answer that holds by itself.
func TestRequestByLaw(t *testing.T) {
	c := newCounter(t)
	r := c.office.Request(c.digest, nil)
	a := c.ask(r).Want(t, http.StatusOK)
	if a.Text("outcome") != "released" || a.Text("readable.reason") != "basis" || a.Text("readable.bases.0") != releasetest.Basis || a.Text("readable.request") != r.Digest.String() {
		t.Fatalf("%s", a.Body)
	}
	for _, absent := range []string{"grant", "binding"} {
		if a.Get(absent) != nil {
			t.Errorf("%s is there", absent)
		}
	}
	view := c.office.Index.Grants()
	asked, err := grant.ReadRequest(r.Signed, view)
	c.Must(err)
	answer, err := grant.ReadAnswer(bytesOf(t, a, "answer"), asked, view)
	c.Must(err)
	if err := answer.Released(c.opened(r, a)); err != nil {
		t.Error(err)
	}
	for _, f := range c.Type.Fields {
		if v, ok := c.Fields(1)[f.Key].(string); ok && len(v) > 3 && strings.Contains(string(a.Body), v) {
			t.Errorf("the answer has the value of %s in the open", f.Key)
		}
	}
	// The same request gets the same answer; another, an answer of its own.
	if again := c.ask(r).Want(t, http.StatusOK); again.Text("answer") != a.Text("answer") || again.Text("sealed") != a.Text("sealed") {
		t.Error("another answer to the same request")
	}
	if other := c.ask(c.office.Request(c.digest, nil)).Want(t, http.StatusOK); other.Text("answer") == a.Text("answer") {
		t.Error("one answer to two requests")
	}
}

// What is refused is answered all the same, for a reason.
func TestRequestRefused(t *testing.T) {
	c := newCounter(t)
	other := c.office.Other
	for name, test := range map[string]struct {
		reason string
		ask    func() *releasetest.Request
	}{
		"no basis": {"no-basis", func() *releasetest.Request {
			return c.office.Request(c.digest, func(r *statement.Request) { r.Fields = c.office.Granted() })
		}},
		"another matter": {"no-basis", func() *releasetest.Request {
			return c.office.Request(c.digest, func(r *statement.Request) { r.Matter = "other" })
		}},
		"another agency": {"no-basis", func() *releasetest.Request {
			return c.office.RequestBy(other.Consent, c.digest, func(r *statement.Request) { r.Agency = other.ID })
		}},
		"excluded": {"excluded", func() *releasetest.Request {
			return c.office.Request(c.digest, func(r *statement.Request) { r.Fields = []string{c.office.Never()} })
		}},
		"no such licence": {"licence-unknown", func() *releasetest.Request { return c.office.Request(sm.Sum([]byte("nobody")), nil) }},
		"no such grant": {"grant-missing", func() *releasetest.Request {
			return c.office.Request(c.digest, func(r *statement.Request) { r.Fields, r.Grant = c.office.Granted(), new(sm.Sum([]byte("none"))) })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.ask(test.ask()).Want(t, http.StatusOK)
			if a.Text("outcome") != "refused" || a.Text("readable.reason") != test.reason || a.Text("readable.text.zh") == test.reason || a.Get("sealed") != nil || a.Get("grant") != nil {
				t.Errorf("%s", a.Body)
			}
		})
	}
}

// What is no request, or nobody's, gets no answer.
func TestNoRequest(t *testing.T) {
	c := newCounter(t)
	fresh, err := sm.GenerateKey(rand.Reader)
	c.Must(err)
	good := c.office.Request(c.digest, nil)
	for name, test := range map[string]struct {
		code   string
		signed []byte
	}{
		"nothing":            {"request-malformed", []byte{0}},
		"another statement":  {"request-malformed", c.office.Policy(2, c.office.Law())},
		"one byte more":      {"request-malformed", append(slices.Clone(good.Signed), 0)},
		"a stranger's key":   {"key-unknown", c.office.RequestBy(fresh, c.digest, nil).Signed},
		"another's key":      {"key-department", c.office.RequestBy(c.office.Other.Consent, c.digest, nil).Signed},
		"a key for the log":  {"key-purpose", c.office.RequestBy(c.office.Agency.Log, c.digest, nil).Signed},
		"to somebody else":   {"request-elsewhere", c.office.Request(c.digest, func(r *statement.Request) { r.Issuer = c.office.Agency.ID }).Signed},
		"over":               {"request-expired", c.office.Request(c.digest, func(r *statement.Request) { r.SignedAt, r.NotAfter = r.SignedAt-3000, r.SignedAt-2000 }).Signed},
		"of the future":      {"request-not-yet-valid", c.office.Request(c.digest, func(r *statement.Request) { r.SignedAt, r.NotAfter = r.SignedAt+3000, r.NotAfter+3000 }).Signed},
		"without its number": {"subject-missing", c.office.Request(c.digest, func(r *statement.Request) { r.Licence, r.Subject = nil, new(sm.Sum(nil)) }).Signed},
	} {
		t.Run(name, func(t *testing.T) {
			if a := c.Post("/v1/requests", members{"request": test.signed}).Problem(t, test.code); a.Status != http.StatusUnprocessableEntity {
				t.Errorf("%d", a.Status)
			}
		})
	}
	c.Post("/v1/requests", members{"request": good.Signed, "fields": []string{}}).Problem(t, "member-invalid")
	if size := c.office.Log.Size(); size != 0 {
		t.Errorf("%d entries of what was no request", size)
	}
}

// Requests are limited by address before anything is looked at, and by agency once it is known who asks; neither
// is in anybody else's way.
func TestRequestsAreLimited(t *testing.T) {
	c := newCounter(t)
	address := *c.Wiring().Release
	address.Address = callers.Rate{PerSecond: 0.001, Burst: 2}
	c.Rewire(func(w *httpapi.Config) { w.Release = &address })
	for range 2 {
		c.Post("/v1/requests", members{"request": []byte{0}}).Problem(t, "request-malformed")
	}
	if a := c.ask(c.office.Request(c.digest, nil)).Problem(t, "rate-limited"); a.Header.Get("Retry-After") == "" {
		t.Errorf("%v", a.Header)
	}
	there := c.At("198.51.100.1:1")
	there.Post("/v1/requests", members{"request": c.office.Request(c.digest, nil).Signed}).Want(t, http.StatusOK)
	c.System().Get("/v1/me").Want(t, http.StatusOK)

	l := httpapi.NewAgencyLimiter(callers.Rate{PerSecond: 0.001, Burst: 2}, c.Clock.Now)
	c.Must(l.Take("a"))
	c.Must(l.Take("a"))
	if err := l.Take("a"); rest.ProblemCode(err) != rest.CodeRateLimited {
		t.Errorf("%v", err)
	}
	c.Must(l.Take("b"))
}

// Who audits sees what was asked for, and gets a file that shows it to anybody who has the ledger.
func TestRequestsAreSeen(t *testing.T) {
	c := newCounter(t)
	var all []*releasetest.Request
	for range 3 {
		r := c.office.Request(c.digest, nil)
		c.ask(r).Want(t, http.StatusOK)
		all = append(all, r)
	}
	refused := c.office.Request(sm.Sum(nil), nil)
	c.ask(refused).Want(t, http.StatusOK)
	clerk := c.SignIn(httpapitest.Clerk)
	page := clerk.Get("/v1/requests?limit=2").Want(t, http.StatusOK)
	if page.Text("requests.0.request") != refused.Digest.String() || page.Get("requests.0.licence") != nil || page.Text("requests.1.request") != all[2].Digest.String() ||
		page.Number("requests.1.licence") != c.id || page.Text("requests.1.case") != all[2].Case || page.Text("requests.1.agencyName.en") == "" {
		t.Errorf("%s", page.Body)
	}
	older := clerk.Get(fmt.Sprintf("/v1/requests?type=marriage&limit=2&before=%d", page.Number("next"))).Want(t, http.StatusOK)
	if older.Text("requests.1.request") != all[0].Digest.String() {
		t.Errorf("%s", older.Body)
	}
	a := clerk.Get("/v1/requests/"+all[0].Digest.String()+"/evidence").Want(t, http.StatusOK)
	e, err := grant.ParseEvidence(a.Body)
	c.Must(err)
	report, err := e.Check(c.office.Index.Grants())
	if err != nil || report.Request.Digest != all[0].Digest || e.Presentation != nil {
		t.Errorf("%v, %+v", err, report)
	}
	clerk.Get("/v1/requests/"+strings.Repeat("0", 64)+"/evidence").Problem(t, "request-unknown")

	seen := clerk.Get(path(c.id, "/accesses?limit=2")).Want(t, http.StatusOK)
	if seen.Text("accesses.0.agency") != c.office.Agency.ID || seen.Text("accesses.0.outcome") != "released" || seen.Text("accesses.0.reasons.1") != releasetest.Basis {
		t.Errorf("%s", seen.Body)
	}
	if more := clerk.Get(path(c.id, fmt.Sprintf("/accesses?before=%d", seen.Number("next")))).Want(t, http.StatusOK); len(more.Get("accesses").([]any)) != 1 {
		t.Errorf("%s", more.Body)
	}
	for _, p := range []string{"/v1/requests", "/v1/requests/" + all[0].Digest.String() + "/evidence"} {
		if a := c.SignIn(httpapitest.Viewer).Get(p).Problem(t, "right-missing"); strings.Contains(string(a.Body), c.office.Agency.ID) {
			t.Errorf("%s", a.Body)
		}
		c.SignIn(httpapitest.Stranger).Get(p)
		c.Clock.Advance(time.Minute)
	}
	if a := c.SignIn(httpapitest.Stranger).Get("/v1/requests/" + all[0].Digest.String() + "/evidence"); a.Text("code") != "not-in-vault" {
		t.Errorf("whoever has no right for the type is told of it: %s", a.Body)
	}
}

// Many at once under one grant get as many answers as it allows.
func TestRequestsAtOnce(t *testing.T) {
	c := newCounter(t)
	g := c.office.Give(vault.ID(c.id), 3)
	outcomes := map[string]int{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	for range 12 {
		r := c.office.Request(c.digest, func(r *statement.Request) { r.Fields, r.Grant = c.office.Granted(), &g.Digest })
		asking.Go(func() {
			a := c.ask(r)
			mu.Lock()
			defer mu.Unlock()
			outcomes[a.Text("readable.reason")]++
		})
	}
	asking.Wait()
	if outcomes["grant"] != 3 || outcomes["grant-used-up"] != 9 {
		t.Errorf("%v", outcomes)
	}
}

// Where no requests are answered, that is what is said.
func TestNoReleases(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	s.Post("/v1/requests", members{"request": []byte{1}}).Problem(t, "releases-not-offered")
	for _, p := range []string{"/v1/requests", "/v1/grants?licence=1", "/v1/requests/" + strings.Repeat("0", 64) + "/evidence"} {
		s.System().Get(p).Problem(t, "releases-not-offered")
	}
}
