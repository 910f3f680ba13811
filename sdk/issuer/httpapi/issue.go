package httpapi

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// issuedJSON is the answer to who had a licence issued.
type issuedJSON struct {
	Licence    licenceJSON `json:"licence"`
	Credential []byte      `json:"credential"`
	Sealed     []byte      `json:"sealed"`
	Earlier    bool        `json:"earlier"`
}

const idempotencyHeader = "Idempotency-Key"

// idempotencyKey returns what the caller has chosen to tell a call that is sent again.
func (c *call) idempotencyKey() (string, error) {
	given := c.R.Header.Values(idempotencyHeader)
	if len(given) != 1 || len(given[0]) < 8 || len(given[0]) > 128 || strings.ContainsFunc(given[0], func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:-", r)
	}) {
		return "", c.Wrong(idempotencyHeader, "is to be given once: 8 to 128 letters, digits and ._:-, other ones for each thing to be done, the same when a call is sent again")
	}
	return given[0], nil
}

func (c *call) postLicence() error {
	key, err := c.idempotencyKey()
	if err != nil {
		return err
	}
	b, err := c.Body(maxApplication)
	if err != nil {
		return err
	}
	q, err := readApplication(b, true)
	if err != nil {
		return err
	}
	if _, err := c.may(q.Type, staff.Issue); err != nil {
		return err
	}
	if err := c.checkPredecessor(q); err != nil {
		return err
	}
	claim := &vault.ClaimKey{Caller: c.who.Name, Key: key, Request: requestHash("issue", b)}
	if prefersAsync(c.R.Header) {
		if q.recipient != nil {
			p := rest.Refuse(rest.CodeMemberInvalid, "/recipient must be left out of what is not waited for")
			p.Member = "/recipient"
			return p
		}
		claim.Request = requestHash("begin", b)
		return c.beginSingle(q, claim)
	}
	q.Claim = claim
	return c.issue(q)
}

// prefersAsync reports whether the caller does not want to wait (RFC 7240, section 4.1).
func prefersAsync(h http.Header) bool {
	for _, line := range h.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(preference), "respond-async") {
				return true
			}
		}
	}
	return false
}

// checkPredecessor makes sure that the licence whose place the new one takes is one that the caller may know.
func (c *call) checkPredecessor(q *application) error {
	if q.Predecessor == 0 {
		return nil
	}
	l, err := c.known(q.Predecessor)
	if vault.Code(err) == vault.CodeUnknown || err == nil && l.Type != q.Type || rest.ProblemCode(err) == codeUnknown {
		p := rest.Refuse(codeSuccessor, "the predecessor must be a licence of the same type")
		p.Member = "/predecessor"
		return p
	}
	return err
}

// issue has a licence issued and answers with it.
func (c *call) issue(q *application) error {
	issued, err := c.Issuer.Apply(c.R.Context(), c.by(q.purpose), &q.Application)
	if err != nil {
		return c.refused(q.Type, err)
	}
	return c.answerIssued(issued, q.recipient)
}

// answerIssued answers with a licence that was issued.
func (c *call) answerIssued(issued *issuer.Issued, recipient *sm.PublicKey) (err error) {
	out := issuedJSON{Licence: c.describe(issued.Licence, &issued.Position), Earlier: issued.Earlier}
	if out.Credential, out.Sealed, err = seal(recipient, issued.Credential); err != nil {
		return err
	}
	c.W.Header().Set("Location", "/v1/licences/"+strconv.FormatInt(int64(issued.Licence.ID), 10))
	return c.Answer(http.StatusCreated, out)
}

// seal puts a credential into an envelope for a recipient, if there is one.
func seal(recipient *sm.PublicKey, credential []byte) (plain, sealed []byte, err error) {
	if recipient == nil {
		return credential, nil, nil
	}
	sealed, err = envelope.Seal(recipient, envelope.Credential, credential)
	return nil, sealed, err
}

// problemJSON is one thing wrong with a record.
type problemJSON struct {
	Code    string       `json:"code"`
	Field   *string      `json:"field"`
	Message string       `json:"message"`
	Text    licence.Text `json:"text"`
}

// problems makes the answer about what is wrong with a record. The name of a field that the type does not have is
// the caller's, and is not repeated.
func (a *API) problems(typ string, all []licence.Problem) []problemJSON {
	out := make([]problemJSON, len(all))
	for i, p := range all {
		out[i] = problemJSON{Code: p.Code, Message: p.Message, Text: recordTexts[p.Code]}
		if t := a.types[typ]; p.Field != "" && p.Code != licence.UnknownField && t != nil {
			if _, ok := t.Field(p.Field); ok || p.Field == licence.IdentifierKey || p.Field == licence.ValidFromAlias || p.Field == licence.ValidUntilAlias {
				out[i].Field = &p.Field
			}
		}
	}
	return out
}

// refused tells what is wrong with a record; any other error stays what it is.
func (c *call) refused(typ string, err error) error {
	var wrong *issuer.Refusal
	if !errors.As(err, &wrong) {
		return err
	}
	p := rest.Refuse(codeRecord, "the record is not right; problems has all that is wrong")
	p.More = &rest.More{Name: "problems", Value: c.problems(typ, wrong.Problems)}
	return p
}

// previewJSON says what would be issued.
type (
	previewJSON struct {
		Problems []problemJSON  `json:"problems"`
		Licence  *previewedJSON `json:"licence"`
	}
	previewedJSON struct {
		Type        string           `json:"type"`
		Version     int              `json:"version"`
		Fields      []fieldValueJSON `json:"fields"`
		ValidFrom   *string          `json:"validFrom"`
		ValidUntil  *string          `json:"validUntil"`
		Predecessor *vault.ID        `json:"predecessor"`
	}
)

func (c *call) postPreview() error {
	q, _, err := c.draft()
	if err != nil {
		return err
	}
	out, err := c.preview(q)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}

// draft reads the body of a preview or of a draft.
func (c *call) draft() (*application, []byte, error) {
	b, err := c.Body(maxApplication)
	if err != nil {
		return nil, nil, err
	}
	q, err := readApplication(b, false)
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.may(q.Type, staff.Issue); err != nil {
		return nil, nil, err
	}
	return q, b, c.checkPredecessor(q)
}

// preview says what would be issued of an application.
func (c *call) preview(q *application) (*previewJSON, error) {
	p, err := c.Issuer.Check(c.R.Context(), c.by(q.purpose), &q.Application)
	var wrong *issuer.Refusal
	if errors.As(err, &wrong) {
		return &previewJSON{Problems: c.problems(q.Type, wrong.Problems)}, nil
	} else if err != nil {
		return nil, err
	}
	out := &previewedJSON{
		Type: p.Type.ID, Version: p.Type.Version, Fields: fieldValues(p.Type, func(i int) licence.Value { return p.Values[i] }),
		ValidFrom: dayOrNull(p.Record.ValidFrom), ValidUntil: dayOrNull(p.Record.ValidUntil),
	}
	if q.Predecessor != 0 {
		out.Predecessor = &q.Predecessor
	}
	return &previewJSON{Problems: []problemJSON{}, Licence: out}, nil
}
