// Package httpapi is the verifier's HTTP interface, as openapi.yaml in it describes it: verdicts and
// receipts, challenges and reference codes, matters, snapshots, what the ledger holds, and the access
// log.
//
// It reads requests strictly, finds out who is calling and what that caller may see, and leaves the
// rest to the packages that know: what was shown to intake, the verdict to verify, agencies and their
// limits to agency, cases to matter, the record of it to accesslog, the receipt to receipt, and what
// replicas share to store, and requests to issuers to request. A verification is recorded before it is answered; one that cannot be
// recorded is not answered. Errors are problems as in RFC 9457, made in one place from typed errors.
//
// No peer is asked while a call is answered, and nobody else but an issuer of whom fields are requested. No value of a licence goes anywhere but into the answer:
// not into the log, nor into an error. The package opens no connection and no file, and sets no
// time-outs: those are the server's.
package httpapi

import (
	_ "embed" // for the contract

	"github.com/credledger/credledger/sdk/rest"
)

// Contract is the interface as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var Contract []byte

// An API is the handler of everything that a verifier's server answers. It is safe for concurrent use.
type API struct {
	Config
	*rest.Server
	public *rest.AddressLimiter
}

// New makes the API of a verifier.
func New(c Config) (*API, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	a := &API{Config: c, public: rest.NewAddressLimiter(c.Public, c.Now)}
	a.Server = rest.New(rest.Config{Routes: a.routes(), Kinds: kinds, Problem: fromPackages, Elsewhere: c.Pages, Observe: a.observe})
	return a, nil
}

// A call is one request on its way.
type call struct {
	*API
	*rest.Call
	caller  caller
	asked   asked
	outcome string // of the verdict or of the case, if there is one
}

// serve finds out who is calling and answers.
func (a *API) serve(rc *rest.Call, e endpoint) error {
	c := &call{API: a, Call: rc}
	if err := c.identify(e.who); err != nil {
		return err
	}
	rc.State = c
	if err := c.admit(e.who); err != nil {
		return err
	}
	return e.serve(c)
}

// observe tells of a call once it is answered.
func (a *API) observe(rc *rest.Call) {
	seen := Call{RequestID: rc.ID, Method: rc.R.Method, Route: rc.Route, Problem: rc.Problem, Status: rc.Status, Duration: rc.Duration, Err: rc.Err}
	if c, ok := rc.State.(*call); ok {
		c.count(rc)
		seen.Caller, seen.Outcome = c.caller.kind, c.outcome
		if c.caller.agency != nil {
			seen.Agency = c.caller.agency.ID
		}
	}
	a.Config.Observe(seen)
}
