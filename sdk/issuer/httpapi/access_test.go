package httpapi_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

func TestSessions(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	me := s.Get("/v1/me").Want(t, http.StatusOK)
	if me.Text("kind") != "public" || me.Get("name") != nil || me.Text("issuer.department") != s.Department.ID || me.Text("issuer.ledger") != s.City.ID.String() {
		t.Errorf("%s", me.Body)
	}
	if me := s.System().Get("/v1/me"); me.Text("kind") != "system" || me.Text("name") != "registry" || me.Text("rights.0.rights.0") != "issue" {
		t.Errorf("%s", me.Body)
	}
	desk := s.With("CredLedger-Desk", "1")
	for name, body := range map[string]members{
		"wrong password": {"name": httpapitest.Clerk, "password": "wrong"}, "nobody": {"name": "nobody", "password": httpapitest.Password},
		"a system": {"name": "registry", "password": httpapitest.Password},
	} {
		if a := desk.Post("/v1/sessions", body).Problem(t, "sign-in-failed"); a.Status != http.StatusUnauthorized || len(a.Header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: %v", name, a.Header)
		}
	}
	desk.Post("/v1/sessions", members{"name": httpapitest.Clerk}).Problem(t, "member-invalid")
	s.Post("/v1/sessions", members{"name": httpapitest.Clerk, "password": httpapitest.Password}).Problem(t, "header-missing")

	a := desk.Post("/v1/sessions", members{"name": httpapitest.Clerk, "password": httpapitest.Password}).Want(t, http.StatusCreated)
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if c := cookies[0]; !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/v1" || c.Name != "credledger-desk" || strings.Contains(string(a.Body), c.Value) {
		t.Errorf("%+v", c)
	}
	clerk := s.SignIn(httpapitest.Clerk)
	if me := clerk.Get("/v1/me"); me.Text("kind") != "person" || me.Text("unit") != "登记窗口1号" {
		t.Errorf("%s", me.Body)
	}
	// What a form, or a page of another site, can send does nothing.
	forged := s.With("Cookie", clerk.Header("Cookie"))
	forged.Get("/v1/me").Want(t, http.StatusOK)
	forged.Post("/v1/previews", members{"type": "marriage", "fields": s.Fields(1)}).Problem(t, "header-missing")
	forged.Do(http.MethodDelete, "/v1/sessions", nil).Problem(t, "header-missing")
	s.With("Cookie", clerk.Header("Cookie")+"; "+clerk.Header("Cookie")).Get("/v1/me").Problem(t, "unauthenticated")

	clerk.Do(http.MethodDelete, "/v1/sessions", nil).Want(t, http.StatusNoContent)
	over := clerk.Get("/v1/desk").Problem(t, "unauthenticated")
	if c := (&http.Response{Header: over.Header}).Cookies(); len(c) != 1 || c[0].MaxAge != -1 {
		t.Errorf("the cookie stays: %v", over.Header)
	}
	s.System().Do(http.MethodDelete, "/v1/sessions", nil).Problem(t, "unauthenticated")
}

func TestWhoCalls(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	for name, bad := range map[string]string{
		"another token": "Bearer credledger_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "no scheme": s.Token, "basic": "Basic " + s.Token, "nothing": "Bearer ", "SQL": "Bearer ' OR 1=1 --",
	} {
		if a := s.With("Authorization", bad).Get("/v1/me").Problem(t, "unauthenticated"); a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %v", name, a.Header)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: httpapitest.Certificate}}}
	w := httptest.NewRecorder()
	if s.API.ServeHTTP(w, r); !strings.Contains(w.Body.String(), `"name":"registry"`) {
		t.Errorf("%s", w.Body)
	}
	calls := s.Calls()
	if last := calls[len(calls)-1]; last.Caller != staff.System || last.System != "registry" || last.Route != "/v1/me" {
		t.Errorf("%+v", last)
	}
	reload(t, s, strings.Replace(s.StaffFile(), "rate: {perSecond: 1000000, burst: 1000000}", "addresses: [192.0.2.0/24]\n    rate: {perSecond: 1, burst: 2}", 1))
	s.System().Get("/v1/me").Problem(t, "address-refused")
	inside := s.System().At("192.0.2.7:1")
	inside.Get("/v1/me").Want(t, http.StatusOK)
}

// Guessing is slow: what does not authenticate counts as the public's, and the public's calls are bounded.
func TestPublicIsBounded(t *testing.T) {
	s := httpapitest.New(t, "marriage", func(c *httpapi.Config) { c.Public.PerSecond, c.Public.Burst = 0.001, 3 })
	for range 3 {
		s.Token = "credledger_guess"
		s.System().Get("/v1/desk").Problem(t, "unauthenticated")
	}
	if a := s.System().Get("/v1/desk").Problem(t, "rate-limited"); a.Header.Get("Retry-After") == "" {
		t.Errorf("%v", a.Header)
	}
	s.Get("/v1/me").Problem(t, "rate-limited")
	s.At("198.51.100.1:1").Get("/v1/me").Want(t, http.StatusOK)
}

// rights is what each call that is about a type of licence takes.
func rights(s *httpapitest.Server, id int64) map[staff.Right][]func(resttest.Client) resttest.Answer {
	post := func(path string, body any) func(resttest.Client) resttest.Answer {
		return func(c resttest.Client) resttest.Answer { return c.Post(path, body) }
	}
	fields := members{"type": s.Type.ID, "fields": s.Fields(77)}
	return map[staff.Right][]func(resttest.Client) resttest.Answer{
		staff.Issue:    {post("/v1/licences", fields), post("/v1/previews", fields), post("/v1/drafts", fields)},
		staff.Status:   {post(path(id, "/status"), members{"to": "suspended", "reason": "court"})},
		staff.Restrict: {post(path(id, "/restrictions"), members{"code": "a"}), post(path(id, "/releases"), members{"code": "a"})},
		staff.Open: {
			post(path(id, "/open"), members{"purpose": "a"}), post(path(id, "/credential"), members{"purpose": "a"}),
			post(path(id, "/code"), members{"purpose": "a", "fields": []string{}}), post(path(id, "/attach"), members{"purpose": "a", "file": plainPDF()}),
			func(c resttest.Client) resttest.Answer { return c.Get(path(id, "/history")) },
			func(c resttest.Client) resttest.Answer { return c.Get(path(id, "/accesses")) },
		},
		staff.Grant: {
			func(c resttest.Client) resttest.Answer { return c.Get(fmt.Sprintf("/v1/grants?licence=%d", id)) },
			post("/v1/grants", members{
				"licence": id, "agency": "natural-resources", "matter": "a", "fields": []string{"spouse1Id"}, "uses": 1, "notAfter": "2026-12-01T00:00:00Z", "identified": "a",
			}),
		},
		staff.Search: {
			post("/v1/licences/search", members{"type": s.Type.ID, "number": "1", "purpose": "a"}),
			post("/v1/licences/export", members{"type": s.Type.ID, "from": "2026-01-01", "until": "2026-01-01", "purpose": "a"}),
		},
		staff.Bind: {post(path(id, "/bindings"), members{})},
		staff.Import: {func(c resttest.Client) resttest.Answer {
			return c.With("Content-Type", "text/csv").Post("/v1/imports?type="+s.Type.ID, "a")
		}},
	}
}

// A caller with one right can do what it is for, and nothing else; whoever has none does not learn that there is anything.
func TestRights(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	s.Offer()
	id := s.Issue(1)
	calls := rights(s, id)
	for _, has := range append([]staff.Right{""}, staff.Rights...) {
		given := "TYPE: [" + string(has) + "]"
		if has == "" {
			given = "other: [issue, status, restrict, open, search, approve, grant, audit, objection, bind, import]"
		}
		text := strings.Replace(s.StaffFile(), "{other: [issue, status, restrict, open, search, approve, grant, audit, objection, bind, import]}", "{"+strings.ReplaceAll(given, "TYPE", s.Type.ID)+"}", 1)
		reload(t, s, text)
		c := s.SignIn(httpapitest.Stranger)
		s.Clock.Advance(60e9)
		for needs, all := range calls {
			for i, call := range all {
				a := call(c.Key(fmt.Sprint(has, needs, i)).Client)
				switch code := a.Text("code"); {
				case has == needs && (code == "right-missing" || code == "type-unknown" || code == "not-in-vault"):
					t.Errorf("with %s, %s %d: %s", has, needs, i, a.Body)
				case has == "" && code != "type-unknown" && code != "not-in-vault":
					t.Errorf("without any right, %s %d: %d %s", needs, i, a.Status, a.Body)
				case has != "" && has != needs && code != "right-missing":
					t.Errorf("with %s, %s %d: %d %s", has, needs, i, a.Status, a.Body)
				}
			}
		}
	}
}

// Staff of another department are nobody here, whatever they are there.
func TestAnotherDepartment(t *testing.T) {
	here, there := httpapitest.New(t, "marriage"), httpapitest.New(t, "property")
	id := here.Issue(1)
	there.Client.Handler = here.API
	there.System().Get(path(id, "")).Problem(t, "unauthenticated")
	there.System().Post("/v1/licences/search", members{"holder": here.Fields(1)["spouse1Id"], "purpose": "a"}).Problem(t, "unauthenticated")
	there.Client.Handler = there.API
	session := there.SignIn(httpapitest.Clerk)
	session.Handler = here.API
	session.Get("/v1/desk").Problem(t, "unauthenticated")
	// Nor does another department issue what it is not to.
	there.System().Key("one").Post("/v1/licences", members{"type": "marriage", "fields": here.Fields(2)}).Problem(t, "type-unknown")
}

// Nothing of what a caller sends comes back in a problem, nor goes into what is observed, nor into the spool as it is.
func TestNothingIsEchoed(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	s.Offer()
	id := s.Issue(1)
	const canary = "zq7canary"
	c := s.SignIn(httpapitest.Clerk)
	before := len(s.Calls())
	var answers []resttest.Answer
	for _, p := range []string{"/v1/licences", "/v1/previews", "/v1/drafts", "/v1/licences/search", path(id, "/open"), path(id, "/status"), path(id, "/attach"), path(id, "/bindings"), path(id, "/code"), "/v1/requests", "/v1/grants"} {
		for _, body := range []any{
			`{"` + canary + `":1}`, canary, members{"type": canary + "_"}, members{"type": "marriage", "fields": canary}, members{"purpose": canary + "\n"},
			members{"type": "marriage", "fields": members{canary: 1}}, members{"to": canary, "reason": canary}, members{"file": canary}, members{"holderKey": canary},
			`{"type":"marriage","fields":{"a":[[["` + canary + `"]]]}}`, `{"type":"marriage","fields":{"a":` + canary + `}}`,
		} {
			a := c.Key("canary").Post(p, body)
			if a.Status < 400 && p != "/v1/previews" {
				t.Errorf("%s %v is taken", p, body)
			}
			answers = append(answers, a)
		}
	}
	for _, p := range []string{"/v1/" + canary, "/v1/licences/" + canary, "/v1/jobs/" + canary, "/v1/drafts/" + canary, "/v1/desk?" + canary + "=1", "/v1/jobs/1/rejects?format=" + canary, "/v1/requests?type=" + canary + "_", "/v1/grants?licence=" + canary, "/v1/objections?state=" + canary} {
		answers = append(answers, c.Get(p))
	}
	for _, a := range answers {
		if strings.Contains(string(a.Body)+fmt.Sprint(a.Header), canary) {
			t.Errorf("%d: %v %s", a.Status, a.Header, a.Body)
		}
	}
	for _, seen := range s.Calls()[before:] {
		if text := fmt.Sprintf("%+v", seen); strings.Contains(text, canary) || strings.Contains(text, httpapitest.Clerk) {
			t.Errorf("observed: %s", text)
		}
	}
}

// What a licence says cannot become part of a page, or of a statement to a database: it is kept, found and told as it is.
func TestMarkupAndSQLInEveryField(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	const evil = `'"><script>alert(1)</script>'); DROP TABLE vault_licence; -- &amp; $1 ? %s {{.}}`
	f := s.Fields(1)
	for _, field := range s.Type.Fields {
		switch field.Kind {
		case "string", "text", "name":
			f[field.Key] = field.Key + evil
		}
	}
	number := f[s.Type.NumberField().Key].(string)
	a := s.System().Key("evil").Post("/v1/licences", members{"type": "marriage", "fields": f, "purpose": evil[:60]}).Want(t, http.StatusCreated)
	id := a.Number("licence.id")
	opened := s.System().Post(path(id, "/open"), members{"purpose": evil[:60]}).Want(t, http.StatusOK)
	for _, v := range opened.Get("fields").([]any) {
		key := v.(members)["key"].(string)
		if want, given := f[key].(string); given && key != s.Type.NumberField().Key && v.(members)["value"] != want {
			t.Errorf("%s: %v", key, v)
		}
	}
	found := s.System().Post("/v1/licences/search", members{"type": "marriage", "number": number, "purpose": evil[:60]}).Want(t, http.StatusOK)
	if found.Number("licences.0.licence.id") != id {
		t.Errorf("%s", found.Body)
	}
	history := s.System().Get(path(id, "/history")).Want(t, http.StatusOK)
	for _, a := range []resttest.Answer{a, opened, found, history} {
		if bytes.ContainsAny(a.Body, "<>&") {
			t.Errorf("markup as it is: %s", a.Body)
		}
	}
	s.Issue(2)
}
