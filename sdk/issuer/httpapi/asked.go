package httpapi

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verify"
)

// Release is what the API stands on for the requests of other departments.
type Release struct {
	Desk      *release.Desk
	AccessLog *accesslog.Log
	View      View // of the ledger
	Matters   *matter.Catalog
	Address   callers.Rate // of requests, for each address
}

// A View knows the departments on the ledger; *index.Index is one.
type View interface {
	Department(id string) *verify.Department // nil if there is none
	Departments() []*verify.Department
}

// An AgencyLimiter bounds the requests of each agency, whatever address they come from. It is asked about agencies
// that are on the ledger alone, so there are not many. It is safe for concurrent use.
type AgencyLimiter struct {
	rate callers.Rate
	now  func() time.Time

	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

// NewAgencyLimiter returns one that gives every agency a rate.
func NewAgencyLimiter(r callers.Rate, now func() time.Time) *AgencyLimiter {
	return &AgencyLimiter{rate: r, now: now, limiters: map[string]*rate.Limiter{}}
}

// Take takes one request of an agency: release.Config.Admit. The error is a problem for the agency.
func (l *AgencyLimiter) Take(agency string) error {
	l.mu.Lock()
	limiter := l.limiters[agency]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
		l.limiters[agency] = limiter
	}
	l.mu.Unlock()
	if wait, ok := callers.Take(limiter, l.now()); !ok {
		return &rest.Problem{Code: rest.CodeRateLimited, Detail: "requests of this department come too fast; send the same one again later", RetryAfter: wait}
	}
	return nil
}

// Outdated is the problem that nothing is released because the service does not know the ledger as it is at present.
func Outdated() error {
	return rest.Refuse(codeOutdated, "the department does not see the ledger as it is at present; send the same request again later")
}

// Suspended is the problem that an agency which the authority has suspended is given nothing.
func Suspended() error {
	return rest.Refuse(codeSuspended, "the authority has suspended the department that asks: it is given nothing")
}

// Bounds of a request from another department.
const (
	maxAsked   = 64 << 10 // of the body
	maxSubject = 8 << 10  // of the sealed subject
)

// answerJSON is what became of a request.
type (
	answerJSON struct {
		Outcome  string       `json:"outcome"`
		Answer   []byte       `json:"answer"`
		Sealed   []byte       `json:"sealed,omitempty"`
		Grant    []byte       `json:"grant,omitempty"`
		Binding  []byte       `json:"binding,omitempty"`
		Readable readableJSON `json:"readable"`
	}
	readableJSON struct {
		Ledger       sm.Hash      `json:"ledger"`
		Issuer       string       `json:"issuer"`
		Request      sm.Hash      `json:"request"`
		Outcome      string       `json:"outcome"`
		Reason       string       `json:"reason"`
		Text         licence.Text `json:"text"`
		Policy       sm.Hash      `json:"policy"`
		Bases        []string     `json:"bases"`
		Grant        *sm.Hash     `json:"grant"`
		Use          uint32       `json:"use"`
		Fields       []string     `json:"fields"`
		Presentation *sm.Hash     `json:"presentation"`
		SignedAt     string       `json:"signedAt"`
	}
)

// postRequest answers the request of another department, which its signature tells.
func (c *call) postRequest() error {
	b, err := c.Body(maxAsked)
	if err != nil {
		return err
	}
	var request, subject []byte
	if err := rest.ReadBody(b,
		rest.Member{Name: "request", Read: rest.Encoded(&request, statement.MaxSize), Required: true},
		rest.Member{Name: "subject", Read: rest.Encoded(&subject, maxSubject)},
	); err != nil {
		return err
	}
	answered, err := c.Release.Desk.Answer(c.R.Context(), request, subject)
	if err != nil {
		return malformed(err, codeRequest)
	}
	a := answered.Answer
	out := answerJSON{
		Outcome: a.Outcome, Answer: answered.Evidence.Answer, Sealed: answered.Sealed,
		Readable: readableJSON{
			Ledger: a.Ledger, Issuer: a.Issuer, Request: a.Request, Outcome: a.Outcome, Reason: a.Reason, Text: policy.Text(a.Reason), Policy: a.Policy,
			Bases: append([]string{}, a.Basis...), Grant: a.Grant, Use: a.Use, Fields: append([]string{}, a.Fields...), Presentation: a.Presentation,
			SignedAt: rest.UTC(a.SignedAt),
		},
	}
	if a.Grant != nil { // else whoever names the grant of another agency would get that
		out.Grant, out.Binding = answered.Evidence.Grant, answered.Evidence.Binding
	}
	return c.Answer(http.StatusOK, out)
}

// limitAsked counts a request from an address.
func (c *call) limitAsked() error {
	if c.Release == nil {
		return offersNothing()
	}
	if wait := c.asking.Take(c.address); wait > 0 {
		return &rest.Problem{Code: rest.CodeRateLimited, Detail: "too many requests from this address; send the same one again later", RetryAfter: wait}
	}
	return nil
}

func offersNothing() error {
	return rest.Refuse(codeNoRelease, "this service is not set up to answer the requests of other departments")
}

// released makes sure that requests are answered here.
func (c *call) released() (*Release, error) {
	if c.Release == nil {
		return nil, offersNothing()
	}
	return c.Release, nil
}

// departmentName is the name of a department, nil if the ledger has none with this id.
func (r *Release) departmentName(id string) *licence.Text {
	d := r.View.Department(id)
	if d == nil {
		return nil
	}
	return &licence.Text{Zh: d.Profile.NameZh, En: d.Profile.NameEn}
}
