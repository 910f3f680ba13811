package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/store"
)

// Requests asks issuers for fields of licences: a request.Asker, which see.
type Requests interface {
	Ask(ctx context.Context, ask request.Ask) (*request.Answer, error)
	Fetch(ctx context.Context, agency string, digest sm.Hash, clerk, unit string) (*request.Answer, error)
	Evidence(ctx context.Context, agency string, digest sm.Hash) (*grant.Evidence, error)
	List(ctx context.Context, agency string, state store.RequestState, before int64, n int) ([]*request.Answer, error)
}

// Codes of problems with requests to issuers, beside those of packages request and store.
const codeRequestsNone = "requests-none"

func init() {
	for code, kind := range map[string]rest.Kind{
		request.CodeAgency:       {Status: http.StatusForbidden, Text: licence.Text{Zh: "本部门尚不能在此提出共享请求", En: "Your department cannot make requests here"}},
		codeRequestsNone:         {Status: http.StatusNotFound, Text: licence.Text{Zh: "此核验服务不提供共享请求", En: "This verifier makes no requests to issuers"}},
		store.CodeRequestUnknown: {Status: http.StatusNotFound, Text: licence.Text{Zh: "没有此共享请求", En: "There is no such request"}},
		request.CodeNoEvidence:   {Status: http.StatusNotFound, Text: licence.Text{Zh: "尚无答复,没有可导出的凭据", En: "There is no answer, and so no evidence"}},
		request.CodeIssuer:       {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "不知向何处向该颁发机构请求", En: "It is not known here where that department is asked"}},
		request.CodeIssuerKey:    {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "该颁发机构暂不能按证照编号查找", En: "That department cannot be asked by a licence's number at present"}},
		request.CodeInvalid:      {Status: http.StatusUnprocessableEntity, Text: licence.Text{Zh: "共享请求有误", En: "The request is wrong"}},
	} {
		kinds[code] = kind
	}
}

// fromRequest maps an error of package request.
func fromRequest(err *request.Error) *rest.Problem {
	if err.Code == request.CodeNotRecorded {
		return &rest.Problem{Code: codeLogUnavailable, Detail: "the access log cannot be written, so nothing is answered", RetryAfter: 2 * time.Second, Cause: err.Err}
	}
	detail := err.Message
	if err.Err != nil && grant.Code(err.Err) != "" { // which says what is wrong
		detail += ": " + err.Err.Error()
	}
	return &rest.Problem{Code: err.Code, Detail: detail}
}

// readAsk reads the body of POST /v1/requests.
func readAsk(b []byte) (ask request.Ask, who agency.Context, err error) {
	var within uint64
	hash := func(to **sm.Hash) rest.Value {
		return func(r *rest.Reader) error {
			s, err := r.String()
			if err != nil {
				return err
			}
			h, err := sm.ParseHash(string(s))
			if err != nil {
				return r.Invalid("must be 64 lower-case hexadecimal digits")
			}
			*to = &h
			return nil
		}
	}
	err = rest.ReadBody(b,
		rest.Member{Name: "issuer", Read: rest.ID(&ask.Issuer), Required: true},
		rest.Member{Name: "type", Read: rest.ID(&ask.Type), Required: true},
		rest.Member{Name: "licence", Read: hash(&ask.Licence)},
		rest.Member{Name: "number", Read: rest.Line(&ask.Number, maxNumber, grant.MaxSubjectValue)},
		rest.Member{Name: "fields", Read: rest.FieldKeys(&ask.Fields, access.MaxFields), Required: true},
		rest.Member{Name: "grant", Read: hash(&ask.Grant)},
		rest.Member{Name: "within", Read: rest.Number(&within, 1, statement.MaxRequest)},
		rest.Member{Name: "context", Required: true, Read: func(r *rest.Reader) error {
			return r.Object([]rest.Member{
				{Name: "clerk", Read: rest.Line(&who.Clerk, maxLine, access.MaxText)},
				{Name: "unit", Read: rest.Line(&who.Unit, maxLine, access.MaxText)},
				{Name: "matter", Read: rest.Line(&who.Matter, maxLine, access.MaxText)},
				{Name: "case", Read: rest.Line(&who.Case, maxLine, access.MaxText)},
			})
		}},
	)
	ask.Within = time.Duration(within) * time.Second
	return ask, who, err
}

// Bounds of requests to issuers, in characters and bytes.
const (
	maxNumber = 128
	maxAsk    = 64 << 10
)

// requests is what makes requests, if this verifier does.
func (c *call) requests() (Requests, error) {
	if c.Requests == nil {
		return nil, rest.Refuse(codeRequestsNone, "the configuration of this verifier does not say where issuers are asked")
	}
	return c.Requests, nil
}

// postRequest makes a request to an issuer, for what the agency may ask for, and sends it once.
func (c *call) postRequest() error {
	requests, err := c.requests()
	if err != nil {
		return err
	}
	b, err := c.Body(maxAsk)
	if err != nil {
		return err
	}
	ask, who, err := readAsk(b)
	if err != nil {
		return err
	}
	if who, err = c.context(who); err != nil {
		return err
	}
	c.asks(who.Matter)
	a := c.caller.agency
	if len(a.OnBehalf) > 0 {
		return rest.Refuse(request.CodeAgency, "a shared counter makes no requests: the department that needs the fields asks in its own name")
	}
	if err := c.Gate.Permit(c.R.Context(), a, who, []agency.Ask{{Type: ask.Type, Fields: ask.Fields}}); err != nil {
		return err
	}
	ask.Agency, ask.Clerk, ask.Unit, ask.Matter, ask.Case = a.ID, who.Clerk, who.Unit, who.Matter, who.Case
	made, err := requests.Ask(c.R.Context(), ask)
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if made.Kept.State != store.RequestPending {
		status = http.StatusOK
	}
	c.W.Header().Set("Location", "/v1/requests/"+made.Kept.Digest.String())
	return c.answerRequest(status, made)
}

// answerRequest answers with a request and, if it can be opened, what was released.
func (c *call) answerRequest(status int, a *request.Answer) error {
	if a.Verdict != nil {
		c.outcome = string(a.Verdict.Outcome)
	}
	return c.Answer(status, a)
}

// getRequest gives out what became of a request.
func (c *call) getRequest() error {
	requests, err := c.requests()
	if err != nil {
		return err
	}
	digest, err := c.HashParameter("request")
	if err != nil {
		return err
	}
	clerk, unit := "", ""
	if c.caller.clerk != nil {
		clerk, unit = c.caller.clerk.Name, c.caller.clerk.Unit
	}
	a, err := requests.Fetch(c.R.Context(), c.caller.agency.ID, digest, clerk, unit)
	if err != nil {
		return err
	}
	return c.answerRequest(http.StatusOK, a)
}

// getRequests lists the agency's requests.
func (c *call) getRequests() error {
	requests, err := c.requests()
	if err != nil {
		return err
	}
	before, limit, err := c.pageParameters("before")
	if err != nil {
		return err
	}
	text, given := c.Parameter("state")
	state := store.RequestState(text)
	if given && state.Text() == (licence.Text{}) {
		return c.Wrong("state", "must be pending, released, refused or unanswered")
	}
	found, err := requests.List(c.R.Context(), c.caller.agency.ID, state, int64(before), int(limit))
	if err != nil {
		return err
	}
	out := struct {
		Requests []*request.Answer `json:"requests"`
		Next     *int64            `json:"next"`
	}{Requests: append([]*request.Answer{}, found...)}
	if n := len(found); n == int(limit) {
		out.Next = &found[n-1].Kept.Number
	}
	return c.Answer(http.StatusOK, out)
}

// getEvidence gives out the evidence file of a request.
func (c *call) getEvidence() error {
	requests, err := c.requests()
	if err != nil {
		return err
	}
	digest, err := c.HashParameter("request")
	if err != nil {
		return err
	}
	e, err := requests.Evidence(c.R.Context(), c.caller.agency.ID, digest)
	if err != nil {
		return err
	}
	c.Send(http.StatusOK, "application/cbor", e.Bytes())
	return nil
}
