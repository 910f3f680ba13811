package httpapi_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

var tester = vault.By{Actor: httpapitest.Clerk, Purpose: "test"}

// Of a licence that was erased nothing is said, and of those beside it everything.
func TestErased(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	job := upload(t, s.System(), "import", "type=marriage", "application/jsonl", file(t, s, 1, 3))
	jobDone(t, s, s.System(), job)
	found := s.System().Post("/v1/licences/search", members{"type": "marriage", "number": s.Number(2), "purpose": "a"}).Want(t, http.StatusOK)
	id := found.Number("licences.0.licence.id")
	s.Must(s.Vault.Write(t.Context(), tester, func(tx *vault.Tx) error { return tx.Erase(vault.ID(id)) }))

	for _, call := range []string{"/open", "/credential", "/attach", "/code"} {
		body := members{"purpose": "a"}
		switch call {
		case "/attach":
			body["file"] = plainPDF()
		case "/code":
			body["fields"] = []string{"spouse1Name"}
		}
		if a := s.System().Post(path(id, call), body).Problem(t, "licence-erased"); a.Status != http.StatusGone {
			t.Errorf("%s: %d", call, a.Status)
		}
	}
	if a := s.System().Get(path(id, "")).Want(t, http.StatusOK); a.Get("licence.erasedAt") == nil || a.Text("licence.state") != "active" {
		t.Errorf("%s", a.Body)
	}
	if a := s.System().Post("/v1/licences/search", members{"type": "marriage", "number": s.Number(2), "purpose": "a"}).Want(t, http.StatusOK); len(a.Get("licences").([]any)) != 1 || a.Get("licences.0.fields") != nil {
		t.Errorf("%s", a.Body)
	}
	b := s.System().Get(job+"/credentials").Want(t, http.StatusOK).Body
	left := 0
	for len(b) > 0 {
		_, n, err := credential.ParsePrefix(b)
		s.Must(err)
		b, left = b[n:], left+1
	}
	if left != 2 {
		t.Errorf("%d credentials", left)
	}
	today := licence.DateOf(s.Clock.Now()).String()
	list := s.System().Post("/v1/licences/export", members{"type": "marriage", "from": today, "until": today, "purpose": "a"}).Want(t, http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(list.Body), "\ufeff"))).ReadAll()
	s.Must(err)
	empty := 0
	for _, row := range rows[1:] {
		if strings.Join(row[5:], "") == "" {
			empty++
		}
	}
	if len(rows) != 4 || empty != 1 {
		t.Errorf("%v", rows)
	}
}

// Killed after a draft was issued and before it was closed: whoever goes on gets the same licence, and nobody can delete
// what is issued.
func TestDraftInterrupted(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	for n, finish := range []func(c httpapitest.Client, draft string, id vault.ID){
		func(c httpapitest.Client, draft string, id vault.ID) {
			if a := c.Post(draft+"/issue", nil).Want(t, http.StatusCreated); a.Number("licence.id") != int64(id) || a.Get("earlier") != true {
				t.Errorf("%s", a.Body)
			}
		},
		func(c httpapitest.Client, draft string, _ vault.ID) {
			c.Do(http.MethodDelete, draft, nil).Problem(t, "proposal-closed")
		},
	} {
		c := s.SignIn(httpapitest.Clerk)
		kept := c.Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(n)}).Want(t, http.StatusCreated).Text("id")
		id, err := vault.ParseProposalID(kept)
		s.Must(err)
		p, err := s.Vault.Proposal(t.Context(), id)
		s.Must(err)
		issued, err := s.Issuer.Apply(t.Context(), tester, &issuer.Application{
			Type: "marriage", Record: s.Record(n), Claim: &vault.ClaimKey{Caller: "\tdraft", Key: kept, Request: sm.Sum(p.Content)},
		})
		s.Must(err)
		finish(c, "/v1/drafts/"+kept, issued.Licence.ID)
		if a := c.Get("/v1/drafts"); len(a.Get("drafts").([]any)) != 0 {
			t.Errorf("the draft is still there: %s", a.Body)
		}
		if desk := c.Get("/v1/desk"); desk.Number("issued.0.count") != int64(n+1) {
			t.Errorf("%s", desk.Body)
		}
	}
}

// Killed after an approval, or after the change and before that was noted: the next process comes to the end of it.
func TestApprovalInterrupted(t *testing.T) {
	for name, changed := range map[string]bool{"after the approval": false, "after the change": true} {
		t.Run(name, func(t *testing.T) {
			s := httpapitest.New(t, "marriage")
			id, proposal := propose(t, s, s.SignIn(httpapitest.Clerk), 1)
			pid, err := vault.ParseProposalID(strings.TrimPrefix(proposal, "/v1/proposals/"))
			s.Must(err)
			second := vault.By{Actor: httpapitest.Second}
			s.Must(s.Vault.Write(t.Context(), second, func(tx *vault.Tx) error {
				_, err := tx.Decide(pid, true)
				return err
			}))
			if changed {
				subject, err := s.Issuer.Subject(t.Context(), vault.ID(id))
				s.Must(err)
				_, err = s.Issuer.SetStatus(t.Context(), second, []issuer.StatusChange{{Licence: subject, To: licence.Active, Reason: "reversed"}}, nil)
				s.Must(err)
			}
			s.Rewire()
			work(t, s, func() bool {
				p, err := s.Vault.Proposal(t.Context(), pid)
				s.Must(err)
				return p.State == vault.Done
			})
			if a := s.System().Get(path(id, "")); a.Text("licence.state") != "active" || a.Number("licence.sequence") != 2 {
				t.Errorf("%s", a.Body)
			}
		})
	}
}

// A vault that is not there is told as that, and nothing about it is.
func TestVaultGone(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	c := s.SignIn(httpapitest.Clerk)
	s.Must(s.Vault.Close())
	for _, call := range []func() string{
		func() string { return c.Get("/v1/desk").Text("code") },
		func() string { return c.Get(path(id, "")).Text("code") },
		func() string { return c.Post(path(id, "/open"), members{"purpose": "a"}).Text("code") },
		func() string {
			return c.Key("gone").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(2)}).Text("code")
		},
		func() string {
			return c.Key("gone").With("Content-Type", "text/csv").Post("/v1/imports?type=marriage", "a").Text("code")
		},
	} {
		if code := call(); code != "vault-unavailable" {
			t.Errorf("code %q", code)
		}
	}
	calls := s.Calls()
	if last := calls[len(calls)-1]; last.Err == nil || last.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", last)
	}
}

// A change that takes two is not made by one because the vault has not learnt yet what the ledger says.
func TestVaultLagsBehind(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	s.System().Post(path(id, "/status"), members{"to": "suspended", "reason": "court"}).Want(t, http.StatusOK)
	// Another home of the department revokes it, on a vault of its own.
	elsewhere := s.Town.Config(s.Vault)
	v, err := vault.Create(t.Context(), s.Path("other.db"), s.Vault.Identity(), s.MasterKeys(), s.Clock.Now)
	s.Must(err)
	defer v.Close()
	elsewhere.Vault = v
	iss, err := issuer.New(t.Context(), elsewhere)
	s.Must(err)
	defer iss.Close()
	_, err = iss.CatchUp(t.Context())
	s.Must(err)
	subject, err := s.Issuer.Subject(t.Context(), vault.ID(id))
	s.Must(err)
	subject.ID = 0
	_, err = iss.SetStatus(t.Context(), tester, []issuer.StatusChange{{Licence: subject, To: licence.Revoked, Reason: "error"}}, nil)
	s.Must(err)
	a := s.System().Post(path(id, "/status"), members{"to": "active", "reason": "cleared"})
	if a.Status < 400 || a.Text("code") == "internal" {
		t.Errorf("%s", a.Body)
	}
	// The reason of the two-person change, said as if it took one.
	a = s.System().Post(path(id, "/status"), members{"to": "active", "reason": "reversed"})
	if a.Status == http.StatusOK {
		t.Errorf("one has made a change that takes two: %s", a.Body)
	}
	_, err = s.Vault.CatchUp(t.Context(), s.Ledger)
	s.Must(err)
	s.System().Post(path(id, "/status"), members{"to": "active", "reason": "reversed"}).Want(t, http.StatusAccepted)
}

// Who deletes a draft that is being issued at this moment, and who issues it: one of the two has it.
func TestDraftDeletedWhileItIsIssued(t *testing.T) {
	s, f := newFlaky(t)
	draft := "/v1/drafts/" + s.System().Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(1)}).Want(t, http.StatusCreated).Text("id")
	f.hold = make(chan struct{})
	answers := make(chan resttest.Answer, 2)
	go func() {
		answers <- s.System().Key("first").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(2)})
	}()
	for f.waiting.Load() == 0 { // for the ledger; what comes now waits for others to share its anchor
		time.Sleep(time.Millisecond)
	}
	go func() { answers <- s.System().Post(draft+"/issue", nil) }()
	time.Sleep(100 * time.Millisecond)
	s.System().Do(http.MethodDelete, draft, nil).Want(t, http.StatusNoContent)
	close(f.hold)
	issued, refused := 0, 0
	for range 2 {
		switch a := <-answers; {
		case a.Status == http.StatusCreated:
			issued++
		case a.Text("code") == "proposal-closed":
			refused++
		default:
			t.Errorf("%s", a.Body)
		}
	}
	if issued != 1 || refused != 1 {
		t.Errorf("%d issued, %d refused", issued, refused)
	}
	s.System().Key("free").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1)}).Want(t, http.StatusCreated)
}

// One caller cannot keep others' drafts and proposals out of sight.
func TestTooManyWaiting(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	_, proposal := propose(t, s, s.SignIn(httpapitest.Clerk), 1)
	for n := range 100 {
		s.System().Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(100 + n)}).Want(t, http.StatusCreated)
	}
	s.System().Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(500)}).Problem(t, "too-many-waiting")
	s.SignIn(httpapitest.Clerk).Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(500)}).Want(t, http.StatusCreated)
	if a := s.SignIn(httpapitest.Second).Get("/v1/proposals"); "/v1/proposals/"+a.Text("proposals.0.id") != proposal {
		t.Errorf("%s", a.Body)
	}
}

// Once a job is done nobody can read what was uploaded for it, whatever copies there are of the spool: also if the
// process was killed when it was about to see to that.
func TestUploadIsDestroyed(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	path := upload(t, s.System(), "import", "type=marriage", "application/jsonl", file(t, s, 1, 2))
	id := s.System().Get(path).Number("id")
	detail := func() (upload map[string]any, all map[string]any) {
		j, err := s.Vault.Job(t.Context(), id)
		s.Must(err)
		s.Must(json.Unmarshal(j.Detail, &all))
		return all["upload"].(members), all
	}
	kept, _ := detail()
	key := kept["key"]
	jobDone(t, s, s.System(), path)
	ended, all := detail()
	if key == nil || ended["key"] != nil {
		t.Errorf("the key is still there: %v, %v", key, ended["key"])
	}
	ended["key"] = key
	b := encode(t, all)
	s.Must(s.Vault.Write(t.Context(), tester, func(tx *vault.Tx) error {
		j, err := s.Vault.Job(t.Context(), id)
		if err == nil {
			j.Detail = b
			err = tx.PutJob(j)
		}
		return err
	}))
	work(t, s, func() bool { now, _ := detail(); return now["key"] == nil })
	if a := s.System().Get(path); a.Text("state") != "done" || a.Number("accepted") != 2 {
		t.Errorf("%s", a.Body)
	}
}

// A key that the department does not have is the operator's trouble, and no conflict.
func TestSignerMissing(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	c := s.Town.Config(s.Vault)
	keys := c.Signers
	c.Signers = func(ctx context.Context, p statement.Purposes, refused bool) ([]sm.Signer, error) {
		if p == statement.PurposeStatus {
			return nil, nil
		}
		return keys(ctx, p, refused)
	}
	iss, err := issuer.New(t.Context(), c)
	s.Must(err)
	t.Cleanup(iss.Close)
	s.Rewire(func(c *httpapi.Config) { c.Issuer = iss })
	if a := s.System().Post(path(id, "/status"), members{"to": "suspended", "reason": "court"}).Problem(t, "signer-missing"); a.Status != http.StatusServiceUnavailable {
		t.Errorf("%s", a.Body)
	}
}

// The same for a second key: what two have approved is done when it is there.
func TestSecondSignerMissing(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	c := s.Town.Config(s.Vault)
	keys, first := c.Signers, atomic.Bool{}
	first.Store(true)
	c.Signers = func(ctx context.Context, p statement.Purposes, refused bool) ([]sm.Signer, error) {
		all, err := keys(ctx, p, refused)
		if first.Load() && p == statement.PurposeStatus {
			all = all[:1]
		}
		return all, err
	}
	iss, err := issuer.New(t.Context(), c)
	s.Must(err)
	t.Cleanup(iss.Close)
	s.Rewire(func(c *httpapi.Config) { c.Issuer = iss })
	id, proposal := propose(t, s, s.SignIn(httpapitest.Clerk), 1)
	s.SignIn(httpapitest.Second).Post(proposal+"/approve", nil).Problem(t, "signer-missing")
	first.Store(false)
	work(t, s, func() bool { return s.System().Get(path(id, "")).Text("licence.state") == "active" })
}

// Whoever may issue one licence gets the credential of one that was left to a job; and nothing more when the right is gone.
func TestSingleJob(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	only := func(rights string) string {
		return strings.Replace(s.StaffFile(), "{other: [issue, status, restrict, open, search, approve, grant, audit, objection, bind, import]}", rights, 1)
	}
	reload(t, s, only("{marriage: [issue]}"))
	c := s.SignIn(httpapitest.Stranger)
	job := c.Key("async").With("Prefer", "respond-async").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1)}).Want(t, http.StatusAccepted).Header.Get("Location")
	jobDone(t, s, c, job)
	if a := c.Get(job+"/credentials").Want(t, http.StatusOK); len(a.Body) == 0 {
		t.Error("no credential")
	}
	file := upload(t, s.System(), "import", "type=marriage", "application/jsonl", file(t, s, 5, 1))
	jobDone(t, s, s.System(), file)
	c.Get(file).Problem(t, "not-in-vault")
	reload(t, s, only("{marriage: [search]}"))
	c.Get(job).Want(t, http.StatusOK)
	c.Get(job+"/credentials").Problem(t, "right-missing")
	reload(t, s, only("{other: [search]}"))
	c.Get(job).Problem(t, "not-in-vault")
	if a := c.Get("/v1/jobs"); len(a.Get("jobs").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	// By holder nothing of another type is found, nor where it would be.
	if a := c.Post("/v1/licences/search", members{"holder": s.Fields(1)["spouse1Id"], "purpose": "a"}).Want(t, http.StatusOK); len(a.Get("licences").([]any)) != 0 || a.Get("next") != nil {
		t.Errorf("%s", a.Body)
	}
	reload(t, s, only("{marriage: [issue]}"))
	c.Post("/v1/licences/search", members{"holder": s.Fields(1)["spouse1Id"], "purpose": "a"}).Problem(t, "right-missing")
}
