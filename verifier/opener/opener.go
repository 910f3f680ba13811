// Package opener is a local endpoint for systems that have no national cryptography: on the same machine
// they have what is sealed to them opened, what is shown to them verified, and the messages of issuers
// checked, by plain HTTP and JSON as openapi.yaml in it describes it.
//
//	POST /v1/openings    an envelope, a credential, a code, a picture or a file -> verdict, fields, credential
//	POST /v1/webhooks    a message as it came, headers and body                 -> what it says, if it is genuine
//	GET  /v1/view        which ledger verdicts are by, how old that is, and which keys are here
//
// It answers this machine alone. Whoever calls has the token, a file that the operator gives to the calling
// system and to nobody else. A web page that somebody opens on the machine has no way in: a request that
// names another host, as one does after a name was bound to a loopback address, is refused, and so is
// every request of a browser.
//
// Verdicts are by a view of the ledger that is here already, and say as of when. Nothing is kept, and
// nothing that was opened or shown is logged or repeated in an error. What is opened and verified here is
// in no access log, and there is no receipt for it: an office that decides by it verifies with a
// verifier's service.
package opener

import (
	"context"
	_ "embed" // for the contract
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/verify"
)

// Contract is the interface as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var Contract []byte

// Config is what an opener is made of.
type Config struct {
	View    func() verify.View   // the newest, asked for at each call
	Keys    []envelope.Decrypter // to which envelopes are sealed; may be empty
	Secrets []webhook.Secret     // of the messages of issuers; without, none is genuine
	Token   Token
	Now     func() time.Time
	Observe func(*rest.Call) // told of each call, after it was answered
}

// An Opener is the handler of everything that the endpoint answers. It is safe for concurrent use.
type Opener struct {
	Config
	*rest.Server
	intake *intake.Reader
	seen   *webhook.Memory
}

// pictures is how many pictures and files are read at a time.
const pictures = 1

// New makes an opener.
func New(c Config) *Opener {
	o := &Opener{Config: c, intake: intake.NewReader(pictures), seen: webhook.NewMemory(c.Now)}
	o.Server = rest.New(rest.Config{
		Routes: []rest.Route{
			{Path: "/v1/openings", Methods: map[string]rest.Endpoint{http.MethodPost: o.endpoint(o.open)}},
			{Path: "/v1/webhooks", Methods: map[string]rest.Endpoint{http.MethodPost: o.endpoint(o.checkMessage)}},
			{Path: "/v1/view", Methods: map[string]rest.Endpoint{http.MethodGet: o.endpoint(o.getView)}},
			{Path: "/v1/openapi.yaml", Methods: map[string]rest.Endpoint{http.MethodGet: o.endpoint(getContract)}},
		},
		Kinds: kinds(), Problem: asProblem, Observe: c.Observe,
	})
	return o
}

// endpoint is one that answers whom it should.
func (o *Opener) endpoint(serve func(*rest.Call) error) rest.Endpoint {
	return rest.Endpoint{Serve: func(c *rest.Call) error {
		if err := o.guard(c.R); err != nil {
			return err
		}
		return serve(c)
	}}
}

// A view is the answer of GET /v1/view.
type view struct {
	Ledger    sm.Hash   `json:"ledger"`
	Height    uint64    `json:"height"` // number of the newest block
	Heartbeat *string   `json:"heartbeat"`
	Age       *int64    `json:"age"` // seconds since then
	Keys      []sm.Hash `json:"keys"`
	Messages  bool      `json:"messages"`
}

func (o *Opener) getView(c *rest.Call) error {
	now := o.View()
	stands := now.Licence("", sm.Hash{}, sm.Hash{}) // of nobody: it says where the view stands
	out := view{Ledger: now.Ledger(), Height: stands.Height, Keys: []sm.Hash{}, Messages: len(o.Secrets) > 0}
	if beat := stands.Heartbeat; beat.Sequence > 0 {
		at, age := rest.UTC(beat.Time), max(0, o.Now().Unix()-int64(beat.Time))
		out.Heartbeat, out.Age = &at, &age
	}
	for _, key := range o.Keys {
		out.Keys = append(out.Keys, key.Public().ID())
	}
	return c.Answer(http.StatusOK, out)
}

// Ready reports whether the view is of a ledger, for a probe.
func (o *Opener) Ready(context.Context) (bool, any) {
	ready := o.View().Ledger() != (sm.Hash{})
	return ready, map[string]bool{"ready": ready}
}

func getContract(c *rest.Call) error {
	c.Send(http.StatusOK, "application/yaml", Contract)
	return nil
}
