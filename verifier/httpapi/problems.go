package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/agency"
)

// Codes of the problems that this package finds itself; the others have the codes of the packages
// that found them. Codes are part of the interface and never change.
const (
	codeBodyMalformed    = "body-malformed"
	codeMemberInvalid    = "member-invalid"
	codeParameterInvalid = "parameter-invalid"
	codeUnauthenticated  = agency.CodeUnauthenticated
	codeHeaderMissing    = "header-missing"
	codeAudienceRefused  = "audience-refused"
	codeOnBehalfRefused  = agency.CodeOnBehalf
	codeHolderNotProven  = "holder-not-proven"
	codeIssuerOnly       = "issuer-only"
	codeNotFound         = "not-found"
	codeMatterUnknown    = "matter-unknown"
	codeTypeUnknown      = "type-unknown"
	codeDepartment       = "department-unknown"
	codeAnchorUnknown    = "anchor-unknown"
	codeReceiptUnknown   = "receipt-unknown"
	codeSnapshotNone     = "snapshot-none"
	codeMethod           = "method-not-allowed"
	codeBodyTooLarge     = "body-too-large"
	codeMediaType        = "media-type-unsupported"
	codeRefused          = "presentation-refused"
	codeSealedUnknown    = "sealed-unknown"
	codeRateLimited      = agency.CodeRateLimited
	codeInternal         = "internal"
	codeLogUnavailable   = "log-unavailable"
	codeOverloaded       = "overloaded"
)

// A problem is an error that is told to the caller (RFC 9457). Neither detail nor member holds a value
// out of the request.
type problem struct {
	code       string
	detail     string
	member     string   // JSON Pointer of a member, or the name of a parameter or header
	fields     []string // keys that are refused
	retryAfter time.Duration
	cause      error // for the operator; never told
}

func (p *problem) Error() string { return p.detail }

func (p *problem) Unwrap() error { return p.cause }

func refuse(code, detail string) *problem { return &problem{code: code, detail: detail} }

// A kind is what all problems with one code have in common.
type kind struct {
	status int
	text   licence.Text
}

// problemJSON is the JSON form of a problem.
type problemJSON struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail"`
	Instance   string       `json:"instance"`
	Code       string       `json:"code"`
	Text       licence.Text `json:"text"`
	Member     string       `json:"member,omitempty"`
	Fields     []string     `json:"fields,omitempty"`
	RetryAfter int64        `json:"retryAfter,omitempty"`
}

// write answers with the problem.
func (p *problem) write(w http.ResponseWriter, requestID string) (status int) {
	k, known := kinds[p.code]
	if !known {
		k, p.code, p.detail = kinds[codeInternal], codeInternal, "something that is no fault of the call went wrong"
	}
	out := problemJSON{
		Type: "urn:credledger:problem:" + p.code, Title: k.text.En, Status: k.status, Detail: p.detail,
		Instance: "urn:credledger:request:" + requestID, Code: p.code, Text: k.text, Member: p.member, Fields: p.fields,
	}
	h := w.Header()
	switch k.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		out.RetryAfter = max(1, int64((p.retryAfter+time.Second-1)/time.Second))
		h.Set("Retry-After", strconv.FormatInt(out.RetryAfter, 10))
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="credledger"`)
	}
	b, err := json.Marshal(out)
	if err != nil { // strings, which are always JSON
		panic(fmt.Sprintf("write a problem: %v", err))
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(k.status)
	_, _ = w.Write(b) // the caller may be gone
	return k.status
}

// asProblem maps an error to what the caller is told. What is not meant for callers becomes "internal".
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if p := fromPackages(err); p != nil {
		return p
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &problem{code: codeOverloaded, detail: "it took longer than the caller, or the server, waited", cause: err}
	}
	return &problem{code: codeInternal, detail: "something that is no fault of the call went wrong; name the instance to the operator", cause: err}
}
