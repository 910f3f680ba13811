package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
)

// An endpoint answers one method of a path.
type endpoint struct {
	who     audience // may call
	helpers bool     // may call for somebody else
	serve   func(*call) error
	query   []string // parameters that it takes
}

// An audience is who may call an endpoint.
type audience int

const (
	signedIn audience = iota
	anybody
)

type methods map[string]endpoint

// A route is a path and what it answers.
type route struct {
	path string
	methods
}

// table is the interface, as openapi.yaml has it.
func table() []route {
	return []route{
		{"/v1/me", methods{http.MethodGet: {who: anybody, serve: (*call).getMe}}},
		{"/v1/sessions", methods{http.MethodDelete: {serve: (*call).deleteSession, query: []string{"all"}}}},
		{"/v1/licences", methods{http.MethodGet: {helpers: true, serve: (*call).getLicences}}},
		{"/v1/licences/{licence}", methods{http.MethodGet: {helpers: true, serve: (*call).getLicence}}},
		{"/v1/licences/{licence}/open", methods{http.MethodPost: {helpers: true, serve: (*call).postOpen}}},
		{"/v1/licences/{licence}/accesses", methods{http.MethodGet: {serve: (*call).getAccesses, query: []string{"before"}}}},
		{"/v1/matters", methods{http.MethodGet: {helpers: true, serve: (*call).getMatters}}},
		{"/v1/codes", methods{http.MethodPost: {helpers: true, serve: (*call).postCode}}},
		{"/v1/prints", methods{http.MethodPost: {helpers: true, serve: (*call).postPrint}}},
		{"/v1/prints/{print}", methods{http.MethodGet: {serve: (*call).getPrint}}},
		{"/v1/grants", methods{
			http.MethodGet:  {helpers: true, serve: (*call).getGrants},
			http.MethodPost: {helpers: true, serve: (*call).postGrant},
		}},
		{"/v1/grants/{grant}/withdraw", methods{http.MethodPost: {helpers: true, serve: (*call).postWithdrawal}}},
		{"/v1/delegations", methods{
			http.MethodGet:  {serve: (*call).getDelegations},
			http.MethodPost: {serve: (*call).postDelegation},
		}},
		{"/v1/delegations/{delegation}/withdraw", methods{http.MethodPost: {serve: (*call).postDelegationEnd}}},
		{"/v1/objections", methods{
			http.MethodGet:  {serve: (*call).getObjections},
			http.MethodPost: {serve: (*call).postObjection},
		}},
		{"/v1/ratings", methods{http.MethodPost: {serve: (*call).postRating}}},
		{"/v1/openapi.yaml", methods{http.MethodGet: {who: anybody, serve: (*call).getContract}}},
	}
}

// routes is the table as a server takes it.
func (a *API) routes() []rest.Route {
	var out []rest.Route
	for _, r := range table() {
		to := rest.Route{Path: r.path, Methods: map[string]rest.Endpoint{}}
		for method, e := range r.methods {
			to.Methods[method] = rest.Endpoint{Query: e.query, Serve: func(rc *rest.Call) error { return a.serve(rc, e) }}
		}
		out = append(out, to)
	}
	return out
}

func (c *call) getContract() error {
	c.Send(http.StatusOK, "application/yaml", Contract)
	return nil
}
