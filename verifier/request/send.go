package request

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/store"
)

// How an issuer is called.
const (
	path           = "/v1/requests" // behind the URL of the issuer
	attemptTimeout = 10 * time.Second
	maxMessage     = 256 << 10 // bytes of an answer
	maxRetryAfter  = time.Hour
)

// A message is what an issuer answers with: as JSON, byte strings in base64.
type message struct {
	Answer  []byte `json:"answer"`  // signed
	Sealed  []byte `json:"sealed"`  // what was released
	Grant   []byte `json:"grant"`   // that the answer is under, signed
	Binding []byte `json:"binding"` // of the grant, signed
}

// An attempt is why there is no answer yet.
type attempt struct {
	problem string        // a code
	after   time.Duration // before which the issuer wants no other attempt; 0: it did not say
}

func (f *attempt) Error() string { return "no answer: " + f.problem }

// send sends a request once. An error is an *attempt.
func (c *client) send(ctx context.Context, r *store.Request) (*message, error) {
	body, err := json.Marshal(struct {
		Request []byte `json:"request"`
		Subject []byte `json:"subject,omitempty"`
	}{r.Signed, r.Subject})
	if err != nil {
		return nil, err
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, &attempt{problem: CodeUnreachable}
	}
	call.Header.Set("Content-Type", "application/json")
	call.Header.Set("User-Agent", "CredLedger")
	answer, err := c.http.Do(call)
	if err != nil {
		return nil, &attempt{problem: CodeUnreachable}
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxMessage+1))
	switch {
	case err != nil:
		return nil, &attempt{problem: CodeUnreachable}
	case answer.StatusCode != http.StatusOK:
		return nil, &attempt{problem: problemCode(b), after: retryAfter(answer.Header)}
	case len(b) > maxMessage:
		return nil, &attempt{problem: CodeNotAnAnswer}
	}
	m := new(message)
	if err := json.Unmarshal(b, m); err != nil || len(m.Answer) == 0 {
		return nil, &attempt{problem: CodeNotAnAnswer}
	}
	return m, nil
}

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// problemCode returns the code of a problem (RFC 9457) that an issuer answered with.
func problemCode(body []byte) string {
	var p struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &p) != nil || !codePattern.MatchString(p.Code) {
		return CodeIssuerFailed
	}
	return p.Code
}

// retryAfter reads the header of that name, in seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}

// accept looks whether a message answers a request, and returns how that ends it, and what was released. An error is an
// *attempt: the message is no answer, or will be one when the view of the ledger has come further.
func (a *Asker) accept(r *store.Request, m *message) (store.End, *credential.Opened, error) {
	e := &grant.Evidence{Request: r.Signed, Answer: m.Answer, Grant: filled(m.Grant), Binding: filled(m.Binding)}
	report, err := e.Check(a.Grants)
	if err != nil {
		return store.End{}, nil, notAnAnswer(err)
	}
	end := store.End{State: store.RequestRefused, Answer: e.Answer, Grant: e.Grant, Binding: e.Binding}
	if report.Answer.Outcome != statement.AnswerReleased {
		return end, nil, nil
	}
	released, err := a.open(r, report.Answer, m.Sealed)
	if err != nil {
		return store.End{}, nil, notAnAnswer(err)
	}
	end.State, end.Released = store.RequestReleased, m.Sealed
	return end, released, nil
}

// filled is a part of an evidence file: nil if it is not there.
func filled(part []byte) []byte {
	if len(part) == 0 {
		return nil
	}
	return part
}

// open opens what was released, and checks that it is what the answer says.
func (a *Asker) open(r *store.Request, answer *grant.Answer, sealed []byte) (*credential.Opened, error) {
	key, err := a.unseal(r)
	if err != nil {
		return nil, err
	}
	e, err := envelope.Parse(sealed)
	if err != nil {
		return nil, err
	}
	b, err := e.Open(key)
	if err != nil {
		return nil, err
	}
	p, err := credential.Parse(b)
	if err != nil {
		return nil, err
	}
	typ, _ := a.View.Type(p.Record.Type, p.Record.TypeVersion)
	if typ == nil {
		return nil, errorf(CodeType, nil, "the ledger does not have the version of the type, as far as it is known here")
	}
	o, err := p.Open(typ)
	if err == nil {
		err = answer.Released(o)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// notAnAnswer is an attempt that failed for what came.
func notAnAnswer(err error) error {
	problem := CodeNotAnAnswer
	var opened *credential.Error
	var asker *Error
	switch {
	case grant.Code(err) != "":
		problem = grant.Code(err)
	case envelope.Code(err) != "":
		problem = envelope.Code(err)
	case errors.As(err, &opened):
		problem = opened.Code
	case errors.As(err, &asker):
		problem = asker.Code
	}
	return &attempt{problem: problem}
}
