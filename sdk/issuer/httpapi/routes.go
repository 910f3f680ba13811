package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
)

// An endpoint answers one method of a path.
type endpoint struct {
	who   audience // may call
	serve func(*call) error
	query []string // parameters that it takes
}

// An audience is who may call an endpoint. What callers may do with licences of which type is asked where
// the type is known.
type audience int

const (
	staffOnly audience = iota // systems and people
	people                    // by session
	anybody
	nobody // anybody, and what they send to say who they are is not looked at

	departments // likewise: what they send is signed
)

type methods map[string]endpoint

func get(serve func(*call) error, query ...string) methods {
	return methods{http.MethodGet: {serve: serve, query: query}}
}

func post(serve func(*call) error, query ...string) methods {
	return methods{http.MethodPost: {serve: serve, query: query}}
}

// A route is a path and what it answers.
type route struct {
	path string
	methods
}

// table is the interface, as openapi.yaml has it. Paths with a fixed name come before those with a
// parameter in its place.
func table() []route {
	return []route{
		{"/v1/licences", post((*call).postLicence)},
		{"/v1/licences/search", post((*call).postSearch)},
		{"/v1/licences/export", post((*call).postExport)},
		{"/v1/licences/{licence}", get((*call).getLicence)},
		{"/v1/licences/{licence}/history", get((*call).getHistory)},
		{"/v1/licences/{licence}/open", post((*call).postOpen)},
		{"/v1/licences/{licence}/credential", post((*call).postCredential)},
		{"/v1/licences/{licence}/code", post((*call).postCode)},
		{"/v1/licences/{licence}/attach", post((*call).postAttach)},
		{"/v1/licences/{licence}/status", post((*call).postStatus)},
		{"/v1/licences/{licence}/restrictions", post((*call).postRestriction)},
		{"/v1/licences/{licence}/releases", post((*call).postRelease)},
		{"/v1/licences/{licence}/bindings", post((*call).postBinding)},
		{"/v1/licences/{licence}/accesses", get((*call).getAccesses, "before", "limit")},
		{"/v1/bindings/{binding}/revoke", post((*call).postRevocation)},
		{"/v1/previews", post((*call).postPreview)},
		{"/v1/drafts", methods{http.MethodGet: {serve: (*call).getDrafts}, http.MethodPost: {serve: (*call).postDraft}}},
		{"/v1/drafts/{proposal}", methods{http.MethodGet: {serve: (*call).getDraft}, http.MethodDelete: {serve: (*call).deleteDraft}}},
		{"/v1/drafts/{proposal}/issue", post((*call).postIssue)},
		{"/v1/proposals", get((*call).getProposals)},
		{"/v1/proposals/{proposal}/approve", methods{http.MethodPost: {who: people, serve: (*call).postApproval}}},
		{"/v1/proposals/{proposal}/refuse", post((*call).postRefusal)},
		{"/v1/imports", post((*call).postImport, "type", "dryRun")},
		{"/v1/jobs", get((*call).getJobs)},
		{"/v1/jobs/{job}", get((*call).getJob)},
		{"/v1/jobs/{job}/rejects", get((*call).getRejects, "format")},
		{"/v1/jobs/{job}/credentials", get((*call).getJobCredentials)},
		{"/v1/requests", methods{
			http.MethodGet:  {serve: (*call).getRequests, query: []string{"type", "before", "limit"}},
			http.MethodPost: {who: departments, serve: (*call).postRequest},
		}},
		{"/v1/requests/{request}/evidence", get((*call).getEvidence)},
		{"/v1/grants", methods{
			http.MethodGet:  {serve: (*call).getGrants, query: []string{"licence"}},
			http.MethodPost: {serve: (*call).postGrant},
		}},
		{"/v1/grants/{grant}/withdraw", post((*call).postWithdrawal)},
		{"/v1/objections", get((*call).getObjections, "state")},
		{"/v1/objections/{objection}/settle", post((*call).postSettlement)},
		{"/v1/desk", get((*call).getDesk)},
		{"/v1/types", get((*call).getTypes)},
		{"/v1/sessions", methods{
			http.MethodPost:   {who: nobody, serve: (*call).postSession},
			http.MethodDelete: {who: people, serve: (*call).deleteSession},
		}},
		{"/v1/me", methods{http.MethodGet: {who: anybody, serve: (*call).getMe}}},
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
