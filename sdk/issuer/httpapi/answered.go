package httpapi

import (
	"net/http"
	"slices"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

// Bounds of a page of a list.
const (
	maxPage   = 1000
	usualPage = 100
)

// requestJSON is a request that was answered.
type requestJSON struct {
	Request    sm.Hash       `json:"request"`
	At         string        `json:"at"`
	Agency     string        `json:"agency"`
	AgencyName *licence.Text `json:"agencyName"`
	Matter     string        `json:"matter"`
	Case       *string       `json:"case"`
	Type       string        `json:"type"`
	Licence    *vault.ID     `json:"licence"`
	Fields     []string      `json:"fields"`
	Outcome    string        `json:"outcome"`
	Reason     string        `json:"reason"`
	Text       licence.Text  `json:"text"`
	Bases      []string      `json:"bases"`
	Grant      *sm.Hash      `json:"grant"`
	Use        uint32        `json:"use"`
}

func (r *Release) describeRequest(a *release.Answered) requestJSON {
	q, answer := a.Request, a.Answer
	out := requestJSON{
		Request: a.Digest, At: rest.RFC3339(a.At), Agency: q.Agency, AgencyName: r.departmentName(q.Agency), Matter: q.Matter, Case: rest.OrNull(q.Case),
		Type: q.Type, Fields: q.Fields, Outcome: answer.Outcome, Reason: answer.Reason, Text: policy.Text(answer.Reason),
		Bases: append([]string{}, answer.Basis...), Grant: answer.Grant, Use: answer.Use,
	}
	if a.Licence != 0 {
		out.Licence = &a.Licence
	}
	return out
}

// pageParameters reads where a page of a list begins and how long it is.
func (c *call) pageParameters() (before uint64, limit int, err error) {
	length := uint64(usualPage)
	if _, given := c.Parameter("before"); given {
		if before, err = c.NumberParameter("before", 1, maxID); err != nil {
			return
		}
	}
	if _, given := c.Parameter("limit"); given {
		length, err = c.NumberParameter("limit", 1, maxPage)
	}
	return before, int(length), err
}

// getRequests lists the requests that were answered, of the types that the caller audits.
func (c *call) getRequests() error {
	r, err := c.released()
	if err != nil {
		return err
	}
	before, limit, err := c.pageParameters()
	if err != nil {
		return err
	}
	types := slices.DeleteFunc(c.who.Types(staff.Audit), func(typ string) bool { return c.types[typ] == nil })
	if _, given := c.Parameter("type"); given {
		typ, err := c.IDParameter("type")
		if err != nil {
			return err
		}
		if _, err := c.may(typ, staff.Audit); err != nil {
			return err
		}
		types = []string{typ}
	}
	if len(types) == 0 {
		return rest.Refuse(codeRight, "this takes the right audit for some type of licence, which the caller does not have")
	}
	found, err := r.Desk.Answers(c.R.Context(), types, int64(before), limit)
	if err != nil {
		return err
	}
	out := struct {
		Requests []requestJSON `json:"requests"`
		Next     *int64        `json:"next"`
	}{Requests: make([]requestJSON, len(found))}
	for i, a := range found {
		out.Requests[i] = r.describeRequest(a)
	}
	if n := len(found); n == limit {
		out.Next = &found[n-1].ID
	}
	return c.Answer(http.StatusOK, out)
}

// mediaEvidence is the media type of an evidence file: CBOR (RFC 8949).
const mediaEvidence = "application/cbor"

// getEvidence gives the file that shows to anybody what became of a request.
func (c *call) getEvidence() error {
	r, err := c.released()
	if err != nil {
		return err
	}
	digest, err := c.HashParameter("request")
	if err != nil {
		return err
	}
	e, err := r.Desk.Evidence(c.R.Context(), digest)
	if err != nil {
		return err
	}
	asked, _, err := statement.ParseAs[*statement.Request](e.Request)
	if err != nil {
		return err
	}
	if _, err := c.may(asked.Type, staff.Audit); rest.ProblemCode(err) == codeTypeUnknown {
		return notFound()
	} else if err != nil {
		return err
	}
	c.Send(http.StatusOK, mediaEvidence, e.Bytes())
	return nil
}

// accessJSON is an entry of the department's own access log.
type accessJSON struct {
	Index      uint64        `json:"index"`
	Leaf       sm.Hash       `json:"leaf"`
	Time       string        `json:"time"`
	Agency     string        `json:"agency"`
	AgencyName *licence.Text `json:"agencyName"`
	Matter     *string       `json:"matter"`
	Case       *string       `json:"case"`
	Fields     []string      `json:"fields"`
	Outcome    string        `json:"outcome"`
	Reasons    []string      `json:"reasons"`
}

// getAccesses lists who asked the department for fields of a licence, by its access log.
func (c *call) getAccesses() error {
	r, err := c.released()
	if err != nil {
		return err
	}
	l, err := c.permitted(staff.Open)
	if err != nil {
		return err
	}
	before, limit, err := c.pageParameters()
	if err != nil {
		return err
	}
	found, err := r.AccessLog.Accesses(c.Department.ID, l.Digest, before, limit)
	if err != nil {
		return err
	}
	out := struct {
		Accesses []accessJSON `json:"accesses"`
		Next     *uint64      `json:"next"`
	}{Accesses: make([]accessJSON, len(found))}
	for i := range found {
		e, err := access.ParseEntry(found[i].Entry)
		if err != nil {
			return err
		}
		out.Accesses[i] = accessJSON{
			Index: found[i].Index, Leaf: access.Leaf(found[i].Entry), Time: rest.UTC(e.Time), Agency: e.Agency, AgencyName: r.departmentName(e.Agency),
			Matter: rest.OrNull(e.Matter), Case: rest.OrNull(e.Case), Fields: append([]string{}, e.Fields...), Outcome: e.Outcome, Reasons: append([]string{}, e.Reasons...),
		}
	}
	if n := len(found); n == limit && found[n-1].Index > 0 {
		out.Next = &found[n-1].Index
	}
	return c.Answer(http.StatusOK, out)
}
