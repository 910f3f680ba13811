// Package resttest holds the interfaces of services to their descriptions: every answer to what openapi.yaml
// says of it, and every code of a problem to the table there. The package is for tests alone.
package resttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/credledger/credledger/sdk/rest"
)

// A Contract is an openapi.yaml. It is safe for concurrent use.
type Contract struct {
	Document *openapi3.T
	router   routers.Router
}

// Load reads a contract. Bodies of the media types are taken as they are; JSON, YAML and texts are known.
func Load(yaml []byte, binary ...string) (*Contract, error) {
	for _, media := range binary {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.FileBodyDecoder)
	}
	document, err := openapi3.NewLoader().LoadFromData(yaml)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(document)
	return &Contract{document, router}, err
}

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Check holds an answer, and the request if that was answered, against the contract. The request has its body
// still, or again.
func (c *Contract) Check(tb testing.TB, r *http.Request, a Answer) {
	tb.Helper()
	if r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return
	}
	route, parameters, err := c.router.FindRoute(r)
	if err != nil { // what the contract does not have is a problem all the same
		c.checkProblem(tb, a)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true},
	}
	if a.Status < 400 {
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			tb.Errorf("%s %s was answered, and breaks the contract: %v", r.Method, r.URL.Path, err)
		}
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.Status, Header: a.Header, Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(a.Body)),
	})
	if err != nil {
		tb.Errorf("the answer to %s %s breaks the contract: %v\n%s", r.Method, r.URL.Path, err, a.Body)
	}
}

func (c *Contract) checkProblem(tb testing.TB, a Answer) {
	tb.Helper()
	var value any
	err := json.Unmarshal(a.Body, &value)
	if err == nil {
		err = c.Document.Components.Schemas["Problem"].Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
	}
	if media := a.Header.Get("Content-Type"); err != nil || media != "application/problem+json" || a.Status < 400 {
		tb.Errorf("not a problem: %d, %s, %v: %s", a.Status, media, err, a.Body)
	}
}

var tableRow = regexp.MustCompile(`(?m)^\| ([a-z-]+) \| (\d{3}) \| (.+) \|$`)

// CheckProblems wants the contract to list every problem of a service, with its status and text, and
// nothing else: as the enum of its schema ProblemCode, and in the table of the description there.
func (c *Contract) CheckProblems(tb testing.TB, kinds rest.Kinds) {
	tb.Helper()
	schema := c.Document.Components.Schemas["ProblemCode"].Value
	var enum []string
	for _, code := range schema.Enum {
		enum = append(enum, code.(string))
	}
	slices.Sort(enum)
	if want := slices.Sorted(maps.Keys(kinds)); !slices.Equal(enum, want) {
		tb.Errorf("the contract lists\n%v, there are\n%v", enum, want)
	}
	rows := tableRow.FindAllStringSubmatch(schema.Description, -1)
	if len(rows) != len(kinds) {
		tb.Errorf("the table has %d rows for %d codes", len(rows), len(kinds))
	}
	for _, row := range rows {
		if k := kinds[row[1]]; fmt.Sprint(k.Status) != row[2] || k.Text.En != row[3] || k.Text.Zh == "" {
			tb.Errorf("%s: the table says %s %q, the program %d %q", row[1], row[2], row[3], k.Status, k.Text.En)
		}
	}
}

// CheckRoutes wants the contract and a service to have the same paths, methods and query parameters, and the contract to
// be good OpenAPI.
func (c *Contract) CheckRoutes(tb testing.TB, routes []rest.Route) {
	tb.Helper()
	if err := c.Document.Validate(tb.Context()); err != nil {
		tb.Error(err)
	}
	said := map[string]string{}
	for path, item := range c.Document.Paths.Map() {
		for method, operation := range item.Operations() {
			var query []string
			for _, p := range operation.Parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					query = append(query, p.Value.Name)
				}
			}
			slices.Sort(query)
			said[method+" "+path] = fmt.Sprint(query)
		}
	}
	done := map[string]string{}
	for _, r := range routes {
		for method, e := range r.Methods {
			done[method+" "+r.Path] = fmt.Sprint(slices.Sorted(slices.Values(e.Query)))
		}
	}
	if !maps.Equal(said, done) {
		tb.Errorf("the contract has\n%v, the service\n%v", said, done)
	}
}
