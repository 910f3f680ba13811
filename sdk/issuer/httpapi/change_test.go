package httpapi_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

func TestStatus(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	status := path(id, "/status")
	for name, c := range map[string]struct {
		body members
		code string
	}{
		"no such change":         {members{"to": "active", "reason": "reversed"}, ""}, // it is active
		"reason of another":      {members{"to": "suspended", "reason": "divorce"}, "reason-unknown"},
		"no reason":              {members{"to": "suspended"}, "member-invalid"},
		"no state":               {members{"to": "forged", "reason": "court"}, "member-invalid"},
		"successor out of place": {members{"to": "revoked", "reason": "divorce", "successor": id}, "successor-invalid"},
		"no successor":           {members{"to": "superseded", "reason": "reissue"}, "successor-invalid"},
		"its own successor":      {members{"to": "superseded", "reason": "reissue", "successor": id}, "successor-invalid"},
		"unknown successor":      {members{"to": "superseded", "reason": "reissue", "successor": id + 99}, "successor-invalid"},
		"a day that is none":     {members{"to": "suspended", "reason": "court", "effective": "soon"}, "member-invalid"},
	} {
		if c.code == "" {
			if a := s.System().Post(status, c.body).Want(t, http.StatusOK); a.Get("changed") != false {
				t.Errorf("%s: %s", name, a.Body)
			}
			continue
		}
		s.System().Post(status, c.body).Problem(t, c.code)
	}
	a := s.System().Post(status, members{"to": "suspended", "reason": "court", "purpose": "判决 12 号"}).Want(t, http.StatusOK)
	if a.Get("changed") != true || a.Text("licence.state") != "suspended" || a.Number("licence.sequence") != 1 {
		t.Errorf("%s", a.Body)
	}
	if again := s.System().Post(status, members{"to": "suspended", "reason": "court"}).Want(t, http.StatusOK); again.Get("changed") != false {
		t.Errorf("%s", again.Body)
	}
	s.System().Post(status, members{"to": "superseded", "reason": "reissue", "successor": s.Issue(2)}).Problem(t, "transition-not-allowed")

	// Reissued: the new one takes the number over, and then the place.
	old := s.Issue(3)
	fresh := s.System().Key("fresh").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(3), "predecessor": old}).Want(t, http.StatusCreated)
	if fresh.Number("licence.predecessor") != old {
		t.Errorf("%s", fresh.Body)
	}
	a = s.System().Post(path(old, "/status"), members{"to": "superseded", "reason": "reissue", "successor": fresh.Number("licence.id")}).Want(t, http.StatusOK)
	if a.Text("licence.state") != "superseded" || a.Get("licence.current") != false {
		t.Errorf("%s", a.Body)
	}
	s.System().Key("bad").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(4), "predecessor": old + 99}).Problem(t, "successor-invalid")
}

// propose has a revoked licence, and a proposal of the clerk's to make it active again, which takes two.
func propose(t *testing.T, s *httpapitest.Server, clerk httpapitest.Client, n int) (id int64, proposal string) {
	t.Helper()
	id = s.Issue(n)
	s.System().Post(path(id, "/status"), members{"to": "revoked", "reason": "error"}).Want(t, http.StatusOK)
	a := clerk.Post(path(id, "/status"), members{"to": "active", "reason": "reversed", "purpose": "复议 3 号"}).Want(t, http.StatusAccepted)
	if a.Get("mine") != true || a.Text("state") != "waiting" || a.Text("by") != httpapitest.Clerk || a.Text("purpose") != "复议 3 号" {
		t.Errorf("%s", a.Body)
	}
	return id, "/v1/proposals/" + a.Text("id")
}

func TestApproval(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	clerk, second := s.SignIn(httpapitest.Clerk), s.SignIn(httpapitest.Second)
	id, proposal := propose(t, s, clerk, 1)
	if a := s.System().Get(path(id, "")); a.Text("licence.state") != "revoked" {
		t.Errorf("it was changed by one: %s", a.Body)
	}
	if a := second.Get("/v1/proposals").Want(t, http.StatusOK); len(a.Get("proposals").([]any)) != 1 || a.Get("proposals.0.mine") != false {
		t.Errorf("%s", a.Body)
	}
	// Neither who proposed it, nor who has not the right, nor a system.
	clerk.Post(proposal+"/approve", nil).Problem(t, "right-missing")
	s.SignIn(httpapitest.Viewer).Post(proposal+"/approve", nil).Problem(t, "right-missing")
	s.SignIn(httpapitest.Stranger).Post(proposal+"/approve", nil).Problem(t, "not-in-vault")
	s.System().Post(proposal+"/approve", nil).Problem(t, "unauthenticated")

	a := second.Post(proposal+"/approve", nil).Want(t, http.StatusOK)
	if a.Get("changed") != true || a.Text("licence.state") != "active" {
		t.Errorf("%s", a.Body)
	}
	second.Post(proposal+"/approve", nil).Problem(t, "proposal-closed")
	if a := second.Get("/v1/proposals"); len(a.Get("proposals").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	text := string(s.System().Get(path(id, "/history")).Body)
	for _, want := range []string{`"action":"proposed"`, `"action":"approved"`, `"action":"done"`, `"by":"李雷"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the history: %s", want, text)
		}
	}
}

// Whoever has both rights cannot approve what they have proposed themselves.
func TestNobodyIsTwo(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	reload(t, s, strings.Replace(s.StaffFile(), "bind, import]}}", "bind, import, approve]}}", 1))
	clerk := s.SignIn(httpapitest.Clerk)
	_, proposal := propose(t, s, clerk, 1)
	clerk.Post(proposal+"/approve", nil).Problem(t, "same-person")
	clerk.Post(proposal+"/refuse", members{"purpose": "a mistake"}).Want(t, http.StatusOK)
	s.SignIn(httpapitest.Second).Post(proposal+"/approve", nil).Problem(t, "proposal-closed")
	// Nor through the system: what the system has proposed takes a person.
	id := s.Issue(2)
	s.System().Post(path(id, "/status"), members{"to": "revoked", "reason": "error"}).Want(t, http.StatusOK)
	a := s.System().Post(path(id, "/status"), members{"to": "active", "reason": "reversed"}).Want(t, http.StatusAccepted)
	clerk.Post("/v1/proposals/"+a.Text("id")+"/approve", nil).Want(t, http.StatusOK)
}

func TestRefusal(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	clerk, second := s.SignIn(httpapitest.Clerk), s.SignIn(httpapitest.Second)
	id, proposal := propose(t, s, clerk, 1)
	s.SignIn(httpapitest.Viewer).Post(proposal+"/refuse", members{"purpose": "a"}).Problem(t, "right-missing")
	second.Post(proposal+"/refuse", members{}).Problem(t, "member-invalid")
	if a := second.Post(proposal+"/refuse", members{"purpose": "no ground"}).Want(t, http.StatusOK); a.Text("state") != "refused" || a.Text("decidedBy") != httpapitest.Second || a.Text("to") != "active" {
		t.Errorf("%s", a.Body)
	}
	second.Post(proposal+"/approve", nil).Problem(t, "proposal-closed")
	if a := s.System().Get(path(id, "")); a.Text("licence.state") != "revoked" {
		t.Errorf("%s", a.Body)
	}
	_, proposal = propose(t, s, clerk, 2)
	s.Clock.Advance(31 * 24 * time.Hour)
	s.SignIn(httpapitest.Second).Post(proposal+"/approve", nil).Problem(t, "proposal-closed")
}

// What cannot be done any more is refused when it is approved: another licence has the number by now.
func TestApprovalTooLate(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	clerk, second := s.SignIn(httpapitest.Clerk), s.SignIn(httpapitest.Second)
	id, proposal := propose(t, s, clerk, 1)
	s.System().Key("again").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1)}).Want(t, http.StatusCreated)
	second.Post(proposal+"/approve", nil).Problem(t, "number-taken")
	if text := string(s.System().Get(path(id, "/history")).Body); !strings.Contains(text, "not done: number-taken") {
		t.Errorf("%s", text)
	}
	if approved, err := s.Vault.Proposals(t.Context(), "status", vault.Approved, 10); err != nil || len(approved) != 0 {
		t.Errorf("%d are still to be done: %v", len(approved), err)
	}
}

// A flaky ledger is not there while it is down.
type flaky struct {
	ledger.Ledger
	down    atomic.Bool
	hold    chan struct{} // nil: nothing is held up; until it is closed
	waiting atomic.Int32
}

func (f *flaky) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	if f.down.Load() {
		return ledger.Receipt{}, &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "submit", Err: errors.New("no route to host 10.1.2.3")}
	}
	if f.hold != nil {
		f.waiting.Add(1)
		<-f.hold
	}
	return f.Ledger.Submit(ctx, tx)
}

// newFlaky is an API on a ledger that can go down.
func newFlaky(t *testing.T) (*httpapitest.Server, *flaky) {
	t.Helper()
	f := new(flaky)
	s := httpapitest.New(t, "marriage")
	f.Ledger = s.Ledger
	c := s.Town.Config(s.Vault)
	c.Ledger, c.Window = f, time.Minute // who waits behind another does so until that is done
	iss, err := issuer.New(t.Context(), c)
	s.Must(err)
	t.Cleanup(iss.Close)
	s.Rewire(func(c *httpapi.Config) { c.Issuer = iss })
	return s, f
}

// What was approved while the ledger was down is done when it is back, once.
func TestApprovalWhileTheLedgerIsDown(t *testing.T) {
	s, ledger := newFlaky(t)
	clerk, second := s.SignIn(httpapitest.Clerk), s.SignIn(httpapitest.Second)
	id, proposal := propose(t, s, clerk, 1)
	ledger.down.Store(true)
	a := second.Post(proposal+"/approve", nil).Problem(t, "ledger-unavailable")
	if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || strings.Contains(string(a.Body), "10.1.2.3") {
		t.Errorf("%v %s", a.Header, a.Body)
	}
	calls := s.Calls()
	if last := calls[len(calls)-1]; last.Err == nil || !strings.Contains(last.Err.Error(), "10.1.2.3") || last.Problem != "ledger-unavailable" {
		t.Errorf("the operator is told %+v", last)
	}
	s.System().Key("one").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(9)}).Problem(t, "ledger-unavailable")
	ledger.down.Store(false)
	work(t, s, func() bool { return s.System().Get(path(id, "")).Text("licence.state") == "active" })
	if a := s.System().Get(path(id, "")); a.Number("licence.sequence") != 2 {
		t.Errorf("%s", a.Body)
	}
	second.Post(proposal+"/approve", nil).Problem(t, "proposal-closed")
}

func TestRestrictions(t *testing.T) {
	s := httpapitest.New(t, "property")
	id := s.Issue(1)
	kind := s.Type.Restrictions[0]
	s.System().Post(path(id, "/restrictions"), members{"code": "curse"}).Problem(t, "restriction-unknown")
	s.System().Post(path(id, "/releases"), members{"code": kind.Code}).Problem(t, "restriction-not-open")
	laid := s.System().Post(path(id, "/restrictions"), members{"code": kind.Code, "purpose": "法院 7 号"}).Want(t, http.StatusCreated)
	a := s.System().Get(path(id, "")).Want(t, http.StatusOK)
	if a.Text("restrictions.0.code") != kind.Code || a.Text("restrictions.0.label.zh") != kind.Label.Zh || a.Text("restrictions.0.id") != laid.Text("id") || a.Text("licence.state") != "active" {
		t.Errorf("%s", a.Body)
	}
	second := s.System().Post(path(id, "/restrictions"), members{"code": kind.Code}).Want(t, http.StatusCreated)
	s.System().Post(path(id, "/releases"), members{"code": kind.Code}).Problem(t, "restriction-ambiguous")
	s.System().Post(path(id, "/releases"), members{"code": kind.Code, "id": "xyz"}).Problem(t, "member-invalid")
	s.System().Post(path(id, "/releases"), members{"code": kind.Code, "id": laid.Text("id")}).Want(t, http.StatusCreated)
	if a := s.System().Get(path(id, "")); len(a.Get("restrictions").([]any)) != 1 || a.Text("restrictions.0.id") != second.Text("id") {
		t.Errorf("%s", a.Body)
	}
	s.SignIn(httpapitest.Viewer).Post(path(id, "/restrictions"), members{"code": kind.Code}).Problem(t, "right-missing")
}

func TestBindings(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	key, err := sm.GenerateKey(rand.Reader)
	s.Must(err)
	spki := base64.StdEncoding.EncodeToString(key.Public().SPKI())
	until := rest.RFC3339(s.Clock.Now().Add(90 * 24 * time.Hour))
	a := s.System().Post(path(id, "/bindings"), members{"holderKey": spki, "notAfter": until}).Want(t, http.StatusCreated)
	if a.Text("binding.notAfter") != until || a.Get("binding.revokedAt") != nil || len(bytesOf(t, a, "statement")) < 100 {
		t.Errorf("%s", a.Body)
	}
	for name, bad := range map[string]members{
		"no end": {"holderKey": spki}, "no key": {"notAfter": until}, "another zone": {"holderKey": spki, "notAfter": "2030-01-01T00:00:00+08:00"},
		"too long":                     {"holderKey": spki, "notAfter": rest.RFC3339(s.Clock.Now().Add(500 * 24 * time.Hour))},
		"the end before the beginning": {"holderKey": spki, "notBefore": until, "notAfter": rest.RFC3339(s.Clock.Now())},
	} {
		t.Run(name, func(t *testing.T) { s.System().Post(path(id, "/bindings"), bad).Problem(t, "member-invalid") })
	}
	revoke := fmt.Sprintf("/v1/bindings/%d/revoke", a.Number("binding.id"))
	s.SignIn(httpapitest.Viewer).Post(revoke, members{"purpose": "lost phone"}).Problem(t, "right-missing")
	s.SignIn(httpapitest.Stranger).Post(revoke, members{"purpose": "lost phone"}).Problem(t, "not-in-vault")
	for range 2 {
		if b := s.System().Post(revoke, members{"purpose": "lost phone"}).Want(t, http.StatusOK); b.Get("revokedAt") == nil || b.Number("licence") != id {
			t.Errorf("%s", b.Body)
		}
	}
	if d := s.System().Get(path(id, "")); d.Get("bindings.0.revokedAt") == nil || d.Text("licence.state") != "active" {
		t.Errorf("%s", d.Body)
	}
	s.System().Post("/v1/bindings/99/revoke", members{"purpose": "a"}).Problem(t, "not-in-vault")
}
