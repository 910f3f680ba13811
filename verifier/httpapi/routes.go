package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
)

// A route is a path and what it answers to each method.
type route struct {
	path    string
	methods map[string]endpoint
}

// An endpoint answers one method of a path.
type endpoint struct {
	who   audience // may call
	query []string // parameters that it takes
	serve func(*call) error
}

// An audience is who may call an endpoint.
type audience int

const (
	anybody  audience = iota
	agencies          // by token, certificate or a clerk's session
	systems           // agencies, but no clerk
	clerks            // by session
	nobody            // anybody, and what they send to say who they are is not looked at
)

func get(who audience, serve func(*call) error, query ...string) map[string]endpoint {
	return map[string]endpoint{http.MethodGet: {who: who, query: query, serve: serve}}
}

func post(who audience, serve func(*call) error) map[string]endpoint {
	return map[string]endpoint{http.MethodPost: {who: who, serve: serve}}
}

// table is the interface, as openapi.yaml has it; what is called most comes first, because it is
// looked at first.
func table() []route {
	return []route{
		{"/v1/verifications", post(anybody, (*call).postVerification)},
		{"/v1/matters/{matter}/verifications", post(agencies, (*call).postMatterVerification)},
		{"/v1/challenges", post(anybody, (*call).postChallenge)},
		{"/v1/references", post(anybody, (*call).postReference)},
		{"/v1/requests", map[string]endpoint{
			http.MethodPost: {who: agencies, serve: (*call).postRequest},
			http.MethodGet:  {who: agencies, query: []string{"state", "before", "limit"}, serve: (*call).getRequests},
		}},
		{"/v1/requests/{request}", get(agencies, (*call).getRequest)},
		{"/v1/requests/{request}/evidence", get(agencies, (*call).getEvidence)},
		{"/v1/receipts/{index}", get(anybody, (*call).getReceipt, "leaf")},
		{"/v1/matters", get(anybody, (*call).getMatters)},
		{"/v1/matters/{matter}", get(anybody, (*call).getMatter)},
		{"/v1/snapshots/latest", get(anybody, (*call).getSnapshot)},
		{"/v1/snapshots/latest/description", get(anybody, (*call).getSnapshotDescription)},
		{"/v1/departments", get(anybody, (*call).getDepartments)},
		{"/v1/types", get(anybody, (*call).getTypes)},
		{"/v1/types/{type}", get(anybody, (*call).getType)},
		{"/v1/types/{type}/versions/{version}", get(anybody, (*call).getTypeVersion)},
		{"/v1/anchors/{issuer}/{root}", get(agencies, (*call).getAnchor)},
		{"/v1/statuses/{issuer}/{digest}", get(agencies, (*call).getStatus)},
		{"/v1/accesses", post(anybody, (*call).postAccesses)},
		{"/v1/accesses/{issuer}/{digest}", get(systems, (*call).getAccesses, "before", "limit")},
		{"/v1/log", get(anybody, (*call).getLog)},
		{"/v1/log/checkpoints", get(anybody, (*call).getCheckpoints, "after", "limit")},
		{"/v1/log/consistency", get(anybody, (*call).getConsistency, "first", "second")},
		{"/v1/log/inclusion", get(anybody, (*call).getInclusion, "index", "leaf", "size")},
		{"/v1/sessions", map[string]endpoint{
			http.MethodPost:   {who: nobody, serve: (*call).postSession},
			http.MethodDelete: {who: clerks, serve: (*call).deleteSession},
		}},
		{"/v1/me", get(anybody, (*call).getMe)},
		{"/v1/openapi.yaml", get(anybody, (*call).getContract)},
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
