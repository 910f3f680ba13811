// Package httpapi is the verifier's HTTP interface, as openapi.yaml in it describes it: verdicts and
// receipts, challenges and reference codes, matters, snapshots, what the ledger holds, and the access
// log.
//
// It reads requests strictly, finds out who is calling and what that caller may see, and leaves the
// rest to the packages that know: what was shown to intake, the verdict to verify, agencies and their
// limits to agency, cases to matter, the record of it to accesslog, the receipt to receipt, and what
// replicas share to store. A verification is recorded before it is answered; one that cannot be
// recorded is not answered. Errors are problems as in RFC 9457, made in one place from typed errors.
//
// No peer is asked while a call is answered. No value of a licence goes anywhere but into the answer:
// not into the log, nor into an error. The package opens no connection and no file, and sets no
// time-outs: those are the server's.
package httpapi

import (
	"crypto/rand"
	_ "embed" // for the contract
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// Contract is the interface as an OpenAPI 3.1 document in YAML.
//
//go:embed openapi.yaml
var Contract []byte

// An API is the handler of everything that a verifier's server answers. It is safe for concurrent use.
type API struct {
	Config
	router *mux.Router
	public *limiter
	large  budget // for bodies that are not small
}

// New makes the API of a verifier.
func New(c Config) (*API, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	a := &API{Config: c, router: mux.NewRouter().SkipClean(true), public: newLimiter(c.Public, c.Now)}
	a.large.left.Store(largeBodies)
	for _, r := range routes() {
		a.router.Path(r.path).Handler(a.serve(r))
	}
	a.router.NotFoundHandler = http.HandlerFunc(a.elsewhere)
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// Refuse answers a call that does not get as far as the API, with the problem that has a code: for
// what stands in front of it. It is observed like every call.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, code string, retryAfter time.Duration) {
	c := a.begin(w, r, "")
	c.setHeaders()
	c.end(&problem{code: code, detail: "the server refuses the call; try again later", retryAfter: retryAfter})
}

// elsewhere answers a path that the API does not have.
func (a *API) elsewhere(w http.ResponseWriter, r *http.Request) {
	if a.Pages == nil || r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		c := a.begin(w, r, "")
		c.setHeaders()
		c.end(refuse(codeNotFound, "the interface has no such path"))
		return
	}
	c := a.begin(w, r, "/")
	defer c.recovered()
	a.Pages.ServeHTTP(c.w, r) // with headers of their own
	c.end(nil)
}

// serve answers a path.
func (a *API) serve(to route) http.Handler {
	allowed := []string{http.MethodOptions}
	for method := range to.methods {
		allowed = append(allowed, method)
	}
	if _, ok := to.methods[http.MethodGet]; ok {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := a.begin(w, r, to.path)
		defer c.recovered()
		c.setHeaders()
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		e, ok := to.methods[method]
		switch {
		case ok:
			c.end(c.serve(e))
		case method == http.MethodOptions:
			w.Header().Set("Allow", allow)
			c.w.WriteHeader(http.StatusNoContent)
			c.end(nil)
		default:
			w.Header().Set("Allow", allow)
			c.end(refuse(codeMethod, "this path answers "+allow))
		}
	})
}

// A call is one request on its way.
type call struct {
	*API
	w      *recorder
	r      *http.Request
	caller caller
	query  url.Values
	seen   Call
	began  time.Time
	taken  int64 // of the budget for large bodies
}

func (a *API) begin(w http.ResponseWriter, r *http.Request, route string) *call {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	c := &call{API: a, w: &recorder{ResponseWriter: w}, r: r, began: time.Now()}
	c.seen = Call{RequestID: hex.EncodeToString(id[:]), Method: r.Method, Route: route}
	w.Header().Set("X-Request-Id", c.seen.RequestID)
	return c
}

// setHeaders says that an answer is not to be kept, guessed at or shown inside a page.
func (c *call) setHeaders() {
	h := c.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
}

// serve finds out who is calling and answers.
func (c *call) serve(e endpoint) error {
	if err := c.checkQuery(e.query); err != nil {
		return err
	}
	if err := c.identify(e.who); err != nil {
		return err
	}
	if err := c.admit(e.who); err != nil {
		return err
	}
	return e.serve(c)
}

// end answers with the problem that an error is, if there is one, and tells of the call.
func (c *call) end(err error) {
	if err != nil {
		p := asProblem(err)
		if !c.w.written {
			p.write(c.w, c.seen.RequestID)
		}
		c.seen.Problem = p.code
		if c.w.status >= http.StatusInternalServerError {
			c.seen.Err = p.cause
		}
	}
	c.large.give(c.taken)
	c.taken = 0
	c.seen.Status = c.w.status
	c.seen.Duration = time.Since(c.began)
	c.Observe(c.seen)
}

// recovered turns a panic into a problem; http.ErrAbortHandler is the server's.
func (c *call) recovered() {
	switch v := recover(); {
	case v == nil:
	case v == http.ErrAbortHandler:
		panic(v)
	default:
		c.end(&problem{code: codeInternal, detail: "something that is no fault of the call went wrong; name the instance to the operator",
			cause: panicked(v)})
	}
}

// panicked tells of a panic without its value, which may hold anything, unless the runtime made it.
func panicked(v any) error {
	if err, ok := v.(runtime.Error); ok {
		return fmt.Errorf("panic: %w\n%s", err, debug.Stack())
	}
	return fmt.Errorf("panic: %T\n%s", v, debug.Stack())
}

// A recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *recorder) WriteHeader(status int) {
	if !w.written && status >= http.StatusOK {
		w.status, w.written = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if !w.written {
		w.status, w.written = http.StatusOK, true
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
