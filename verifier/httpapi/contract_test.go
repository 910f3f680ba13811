package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
)

// The contract and the program have the same paths, methods, query parameters and problems, and the same calls for
// whoever says who they are.
func TestContract(t *testing.T) {
	c, err := resttest.Load(httpapi.Contract)
	if err != nil {
		t.Fatal(err)
	}
	c.CheckRoutes(t, httpapi.Routes())
	c.CheckProblems(t, httpapi.Kinds)
	closed := httpapi.ClosedToPublic()
	for path, item := range c.Document.Paths.Map() {
		for method, o := range item.Operations() {
			said := o.Security != nil && !slices.ContainsFunc(*o.Security, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })
			if said != closed[method+" "+path] {
				t.Errorf("%s %s: the contract says that it asks for credentials: %v", method, path, said)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	s := httpapitest.New(t)
	for path, allow := range map[string]string{
		"/v1/verifications": "OPTIONS, POST",
		"/v1/types":         "GET, HEAD, OPTIONS",
		"/v1/sessions":      "DELETE, OPTIONS, POST",
	} {
		a := s.Do(http.MethodOptions, path, nil).Want(t, http.StatusNoContent)
		if a.Header.Get("Allow") != allow {
			t.Errorf("%s: %v", path, a.Header)
		}
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s lets other sites in: %s", path, name)
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodTrace, http.MethodConnect, "BREW"} {
			if a := s.Do(method, path, nil).Problem(t, "method-not-allowed"); a.Header.Get("Allow") != allow {
				t.Errorf("%s %s: %v", method, path, a.Header)
			}
		}
	}
	if a := s.Do(http.MethodHead, "/v1/types", nil).Want(t, http.StatusOK); a.Header.Get("Content-Length") == "" {
		t.Errorf("%v", a.Header)
	}
}

// Every answer says that it is not to be kept, guessed at or shown inside another page.
func TestHeaders(t *testing.T) {
	s := httpapitest.New(t)
	ids := map[string]bool{}
	for _, a := range []httpapitest.Answer{s.Get("/v1/types"), s.Get("/v1/nothing"), s.Post("/v1/verifications", "{"), s.Get("/v1/openapi.yaml")} {
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
		if a.Status >= 400 && a.Text("instance") != "urn:credledger:request:"+id {
			t.Errorf("instance %q of request %q", a.Text("instance"), id)
		}
	}
	if a := s.With("X-Request-Id", "forged\tid").Get("/v1/types"); strings.Contains(a.Header.Get("X-Request-Id"), "forged") {
		t.Error("the caller chooses the request id")
	}
}

func TestPages(t *testing.T) {
	s := httpapitest.New(t, func(c *httpapi.Config) {
		c.Pages = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(w.Header()) != 1 || w.Header().Get("X-Request-Id") == "" {
				t.Errorf("the pages' headers are not their own: %v", w.Header())
			}
			fmt.Fprint(w, "page ", r.URL.Path)
		})
	})
	for _, path := range []string{"/", "/counter", "/r/" + strings.Repeat("A", 32), "/v1beta", "/assets/../counter"} {
		w := serve(s, newRequest(t, http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.String() != "page "+path {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	calls := s.Calls()
	if last := calls[len(calls)-1]; last.Route != "/" || last.Status != http.StatusOK {
		t.Errorf("%+v", last)
	}
	s.Get("/v1/").Problem(t, "not-found")
	s.Get("/v1").Problem(t, "not-found")
}
