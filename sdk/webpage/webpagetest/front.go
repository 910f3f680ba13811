package webpagetest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// A Front stands before a service, and answers calls of its API (/v1/) instead of it when told to.
type Front struct {
	service http.Handler
	instead atomic.Pointer[Answer]
}

// An Answer answers a call, or returns false and leaves it to the service.
type Answer func(http.ResponseWriter, *http.Request) bool

// NewFront returns a Front that leaves everything to the service.
func NewFront(service http.Handler) *Front { return &Front{service: service} }

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if instead := f.instead.Load(); instead != nil && strings.HasPrefix(r.URL.Path, "/v1/") && (*instead)(w, r) {
		return
	}
	f.service.ServeHTTP(w, r)
}

// Answer puts something in front of the API; nil takes it away.
func (f *Front) Answer(instead Answer) {
	if instead == nil {
		f.instead.Store(nil)
		return
	}
	f.instead.Store(&instead)
}

// Cut breaks every connection of the API off, as if the network was gone.
func Cut(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// Saying answers with a body that need not be any of the API's: a proxy's page, or JSON of another shape.
func Saying(status int, body string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the page may have gone
		return true
	}
}

// Refusal answers with a problem.
func Refusal(status int, code, zh, en string, headers ...string) Answer {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/problem+json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"type": "urn:credledger:problem:%[2]s", "title": "", "status": %[1]d, "detail": "", "instance": "", "code": "%[2]s", "text": {"zh": "%[3]s", "en": "%[4]s"}}`, status, code, zh, en)
		return true
	}
}
