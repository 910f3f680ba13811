package httpapitest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/credledger/credledger/verifier/httpapi"
)

// A contract is openapi.yaml, to hold calls against.
type contract struct {
	document *openapi3.T
	router   routers.Router
}

// loadContract reads it once; it is not changed.
var loadContract = sync.OnceValues(func() (*contract, error) {
	openapi3filter.RegisterBodyDecoder("application/vnd.credledger.snapshot", openapi3filter.FileBodyDecoder)
	document, err := openapi3.NewLoader().LoadFromData(httpapi.Contract)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(document)
	return &contract{document, router}, err
})

// check holds an answer, and the request if that was answered, against the contract.
func (c *contract) check(tb testing.TB, r *http.Request, a *Answer) {
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

func (c *contract) checkProblem(tb testing.TB, a *Answer) {
	tb.Helper()
	var v any
	a.JSON(tb, &v)
	err := c.document.Components.Schemas["Problem"].Value.VisitJSON(v, openapi3.EnableJSONSchema2020())
	if media := a.Header.Get("Content-Type"); err != nil || media != "application/problem+json" || a.Status < 400 {
		tb.Errorf("not a problem: %d, %s, %v: %s", a.Status, media, err, a.Body)
	}
}
