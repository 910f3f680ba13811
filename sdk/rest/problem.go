package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// Codes of the problems that this package finds; they are part of the interface and never change.
const (
	CodeBodyMalformed    = "body-malformed"
	CodeMemberInvalid    = "member-invalid"
	CodeParameterInvalid = "parameter-invalid"
	CodeUnauthenticated  = "unauthenticated"
	CodeHeaderMissing    = "header-missing"
	CodeNotFound         = "not-found"
	CodeMethod           = "method-not-allowed"
	CodeBodyTooLarge     = "body-too-large"
	CodeMediaType        = "media-type-unsupported"
	CodeRateLimited      = "rate-limited"
	CodeInternal         = "internal"
	CodeOverloaded       = "overloaded"
)

// A Problem is an error that is told to the caller (RFC 9457). Neither Detail nor Member holds a value
// out of the request.
type Problem struct {
	Code       string
	Detail     string
	Member     string // JSON Pointer of a member, or the name of a parameter or header
	RetryAfter time.Duration
	More       *More
	Cause      error // for the operator; never told
}

// More is one more member of a problem.
type More struct {
	Name  string
	Value any
}

func (p *Problem) Error() string { return p.Detail }

func (p *Problem) Unwrap() error { return p.Cause }

// Refuse makes a problem.
func Refuse(code, detail string) *Problem { return &Problem{Code: code, Detail: detail} }

// A Kind is what all problems with one code have in common.
type Kind struct {
	Status int
	Text   licence.Text
}

// Kinds are those of a service, by code: those of this package, and its own.
type Kinds map[string]Kind

// NewKinds adds a service's own kinds to those of this package.
func NewKinds(own Kinds) Kinds {
	all := Kinds{
		CodeBodyMalformed:    {http.StatusBadRequest, licence.Text{Zh: "请求正文格式有误", En: "The body is malformed"}},
		CodeMemberInvalid:    {http.StatusBadRequest, licence.Text{Zh: "请求内容有误", En: "A member of the body is wrong"}},
		CodeParameterInvalid: {http.StatusBadRequest, licence.Text{Zh: "请求参数有误", En: "A parameter is wrong"}},
		CodeUnauthenticated:  {http.StatusUnauthorized, licence.Text{Zh: "未登录或登录已失效,请重新登录", En: "Not signed in, or no longer: sign in again"}},
		CodeHeaderMissing:    {http.StatusForbidden, licence.Text{Zh: "请求缺少必要的标头", En: "A header is missing"}},
		CodeNotFound:         {http.StatusNotFound, licence.Text{Zh: "没有此页面或接口", En: "There is nothing at this path"}},
		CodeMethod:           {http.StatusMethodNotAllowed, licence.Text{Zh: "不支持此请求方法", En: "The method is not allowed"}},
		CodeBodyTooLarge:     {http.StatusRequestEntityTooLarge, licence.Text{Zh: "上传内容过大", En: "The body is too large"}},
		CodeMediaType:        {http.StatusUnsupportedMediaType, licence.Text{Zh: "不支持此内容类型", En: "The media type is not supported"}},
		CodeRateLimited:      {http.StatusTooManyRequests, licence.Text{Zh: "请求过于频繁,请稍后再试", En: "Too many requests: try again in a moment"}},
		CodeInternal:         {http.StatusInternalServerError, licence.Text{Zh: "系统出错", En: "Something went wrong"}},
		CodeOverloaded:       {http.StatusServiceUnavailable, licence.Text{Zh: "系统繁忙,请稍后再试", En: "Busy: try again soon"}},
	}
	maps.Copy(all, own)
	return all
}

// problemJSON is the JSON form of a problem, but for More.
type problemJSON struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail"`
	Instance   string       `json:"instance"`
	Code       string       `json:"code"`
	Text       licence.Text `json:"text"`
	Member     string       `json:"member,omitempty"`
	RetryAfter int64        `json:"retryAfter,omitempty"`
}

// write answers with a problem. One whose code is not known becomes CodeInternal.
func (k Kinds) write(w http.ResponseWriter, p *Problem, requestID string) {
	kind, known := k[p.Code]
	if !known {
		p.Code, p.Detail, p.More = CodeInternal, "something that is no fault of the call went wrong", nil
		kind = k[CodeInternal]
	}
	out := problemJSON{
		Type: "urn:credledger:problem:" + p.Code, Title: kind.Text.En, Status: kind.Status, Detail: p.Detail,
		Instance: "urn:credledger:request:" + requestID, Code: p.Code, Text: kind.Text, Member: p.Member,
	}
	h := w.Header()
	switch kind.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		out.RetryAfter = max(1, int64((p.RetryAfter+time.Second-1)/time.Second))
		h.Set("Retry-After", strconv.FormatInt(out.RetryAfter, 10))
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="credledger"`)
	}
	b := encode(out)
	if p.More != nil {
		b = append(append(append(b[:len(b)-1], ',', '"'), p.More.Name...), '"', ':')
		b = append(append(b, encode(p.More.Value)...), '}')
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(kind.Status)
	_, _ = w.Write(b) // the caller may be gone
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // strings and numbers, which are always JSON
		panic(fmt.Sprintf("write a problem: %v", err))
	}
	return b
}

// ProblemCode returns the code of the *Problem in err's chain, "" if there is none.
func ProblemCode(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}
