// Package request asks departments that issued a licence for fields of it (数据共享请求), for a department
// that would else collect them from the holder again. SPEC, section 22, has what goes over the wire.
//
//	asker, err := request.New(request.Config{...})
//	go serve.Every(ctx, log, request.SettleEvery, "requests to issuers", asker.Settle)
//	r, err := asker.Ask(ctx, request.Ask{Agency: "natural-resources", Issuer: "civil-affairs", ...})
//	if r.State == store.RequestReleased {
//		answer, err := asker.Fetch(ctx, r.Agency, r.Digest, clerk, unit)
//	}
//
// A request goes through these steps, each of which is taken again after a crash at any moment:
//
//	make     a key of its own for the answer, a nonce, signed with the department's key for consent
//	keep     in the store, durably, with that key sealed to the department's; only then it is sent
//	send     the same bytes, again and again with growing pauses, until there is an answer or it is due
//	accept   the answer is the issuer's, to this request, under a grant that the ledger has; what was released
//	         opens with the request's key, and is what the answer says: anything else is no answer
//	end      released, refused, or, when it is due, unanswered: final, and kept with the evidence
//	record   the end is in the access log; at least once: entries of one request are known by their call
//	fetch    the verdict on what was released, and a record of that; then it is given out
//	destroy  the request's key, a while after it was fetched first or a day after the answer came: then what was
//	         released can be read by nobody, whatever is kept of it
//
// That an issuer says no, or nothing, is so recorded, and listed. A problem that it answers with is no answer,
// as it is not signed. An answer that is handed on to another agency is of no use there: it names this
// request, and is sealed to a key that nobody else has.
//
// Issuers are called where the configuration says, and nowhere else (package outbound). The package sees values of
// licences while it opens what was released, and puts none into an error or a log.
package request

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// Config is what an Asker works with. All of it is needed but where it says otherwise, and safe for concurrent use.
type Config struct {
	View   View       // of the ledger
	Grants grant.View // the same ledger
	Store  Store
	Log    Log

	Keys    map[string]Key             // of departments that ask, by id: for consent
	Issuers map[string]*outbound.Place // where those are that are asked, by id; checked
	Policy  func() *policy.Published   // says when an answer is due, and that it must be given; may return nil

	Now   func() time.Time
	Ended func(state store.RequestState) // told of every request that has ended; once, or again after a crash
}

// A View is the verifier's view of the ledger: an index.Index.
type View interface {
	verify.View
	// Keys returns every key that was ever enrolled.
	Keys() []index.KeyRecord
}

// A Key is a department's key for consent, which signs its requests and seals their keys: an sm.PrivateKey.
type Key interface {
	sm.Signer
	envelope.Decrypter
}

// A Log records ends and verifications: an accesslog.Log.
type Log interface {
	// Append records something durably, under a signed checkpoint.
	Append(ctx context.Context, d *accesslog.Draft) (accesslog.Place, error)
}

// A Store keeps requests: a store.Store, which see.
type Store interface {
	AddRequest(ctx context.Context, r *store.Request, lease time.Duration) error
	TakeRequests(ctx context.Context, lease time.Duration, n int) ([]*store.Request, error)
	RetryRequest(ctx context.Context, digest sm.Hash, at time.Time, problem string) error
	EndRequest(ctx context.Context, digest sm.Hash, e store.End) (*store.Request, error)
	RecordedRequest(ctx context.Context, digest sm.Hash, look time.Time) error
	FetchedRequest(ctx context.Context, digest sm.Hash, destroy time.Time) error
	DestroyRecipient(ctx context.Context, digest sm.Hash) error
	Request(ctx context.Context, agency string, digest sm.Hash) (*store.Request, error)
	Requests(ctx context.Context, agency string, state store.RequestState, before int64, n int) ([]*store.Request, error)
}

// How requests are looked after.
const (
	// SettleEvery is how often Settle is to be called.
	SettleEvery = time.Second

	lease        = time.Minute // for which whoever looks after a request has it
	atATime      = 32          // requests that are sent at a time
	firstPause   = 2 * time.Second
	longestPause = time.Minute
	keepUnread   = 24 * time.Hour   // the key of a released answer that nobody fetches
	keepRead     = 10 * time.Minute // that of one that was fetched, since the first time: an answer may be lost on the way
)

// An Asker makes requests. It is safe for concurrent use; several, in several processes, may share a store.
type Asker struct {
	Config
	clients map[string]*client // by issuer
	sending chan struct{}      // has one for each that is being sent
}

// New makes an asker.
func New(c Config) (*Asker, error) {
	if c.View == nil || c.Grants == nil || c.Store == nil || c.Log == nil || c.Policy == nil || c.Now == nil || c.Ended == nil {
		return nil, errors.New("requests to issuers: something that they stand on is missing")
	}
	a := &Asker{Config: c, clients: map[string]*client{}, sending: make(chan struct{}, atATime)}
	for id, place := range c.Issuers {
		a.clients[id] = &client{http: place.Client(attemptTimeout), url: strings.TrimRight(place.URL.String(), "/") + path}
	}
	return a, nil
}

// Close ends connections to issuers that are kept for later.
func (a *Asker) Close() {
	for _, c := range a.clients {
		c.http.CloseIdleConnections()
	}
}

// A client calls one issuer.
type client struct {
	http *http.Client
	url  string
}
