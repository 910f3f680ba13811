package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

func contract(tb testing.TB) *resttest.Contract {
	tb.Helper()
	c, err := resttest.Load(httpapi.Contract)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestContract(t *testing.T) {
	c := contract(t)
	c.CheckRoutes(t, httpapi.Routes())
	c.CheckProblems(t, httpapi.Kinds)
}

// Nothing but what is meant for everybody is answered to whoever does not say who they are.
func TestClosedToThePublic(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	open := []string{"POST /v1/sessions", "GET /v1/me", "GET /v1/openapi.yaml", "POST /v1/requests"}
	people := httpapi.ForPeople()
	for path, item := range contract(t).Document.Paths.Map() {
		for method, operation := range item.Operations() {
			route := method + " " + path
			concrete := strings.NewReplacer("{licence}", "1", "{job}", "1", "{binding}", "1", "{proposal}", strings.Repeat("0", 32), "{objection}", strings.Repeat("0", 32), "{request}", strings.Repeat("0", 64), "{grant}", strings.Repeat("0", 64)).Replace(path)
			a := s.Do(method, concrete, map[string]any{})
			if slices.Contains(open, route) {
				if a.Text("code") == "unauthenticated" {
					t.Errorf("%s is closed", route)
				}
				continue
			}
			a.Problem(t, "unauthenticated")
			if forPeople := operation.Security != nil && len(*operation.Security) == 1; forPeople != slices.Contains(people, route) {
				t.Errorf("%s: the contract says for people %v", route, forPeople)
			}
			if slices.Contains(people, route) {
				s.System().Do(method, concrete, map[string]any{}).Problem(t, "unauthenticated")
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	ids := map[string]bool{}
	for _, a := range []resttest.Answer{s.Get("/v1/me"), s.Get("/v1/nothing"), s.System().Get("/v1/desk"), s.Get("/v1/openapi.yaml"), s.Do(http.MethodPut, "/v1/me", nil)} {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		id := a.Header.Get("X-Request-Id")
		if len(id) != 16 || ids[id] {
			t.Errorf("request id %q", id)
		}
		ids[id] = true
	}
}

func TestPages(t *testing.T) {
	s := httpapitest.New(t, "marriage", func(c *httpapi.Config) {
		c.Pages = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	})
	s.Get("/v1/").Problem(t, "not-found")
	calls := len(s.Calls())
	w := serve(s, http.MethodGet, "/desk")
	if w.Code != http.StatusOK || w.Body.String() != "page /desk" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if last := s.Calls()[calls]; last.Route != "/" || last.Status != http.StatusOK {
		t.Errorf("%+v", last)
	}
}
