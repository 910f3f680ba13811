// Package rest is what the HTTP interfaces of the services have in common: routes and methods, request
// ids, headers, strict bodies and parameters, problems as in RFC 9457, and the telling of each call.
//
//	s := rest.New(rest.Config{Routes: routes, Kinds: rest.NewKinds(own), Problem: asProblem, Observe: observe})
//	...
//	func (c *rest.Call) error {
//		b, err := c.Body(16 << 10)
//		...
//		err = rest.ReadBody(b, rest.Member{Name: "purpose", Read: rest.Line(&purpose, 100, 400), Required: true})
//		...
//		return c.Answer(http.StatusOK, answer)
//	}
//
// Who calls and what they may do is for the services. Nothing of what a caller sends comes back in a
// problem, nor is it told to whoever observes. The package opens no connection and no file, and sets no
// time-outs: those are the server's.
package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// A Route is a path and what it answers to each method.
type Route struct {
	Path    string // pattern, as in "/v1/jobs/{job}"
	Methods map[string]Endpoint
}

// An Endpoint answers one method of a path.
type Endpoint struct {
	Query []string // parameters that it takes
	Serve func(*Call) error
}

// Config is what a Server consists of. Routes are looked at in their order.
type Config struct {
	Routes    []Route
	Kinds     Kinds
	Problem   func(error) *Problem // maps the typed errors of other packages; nil for any other
	Elsewhere http.Handler         // answers what is not below /v1, with headers of its own; nil: nothing does
	Observe   func(*Call)          // told of every call once it is answered
}

// A Server is the handler of everything that a service answers. It is safe for concurrent use.
type Server struct {
	Config
	router *mux.Router
	large  budget // for bodies that are not small
}

// New makes a server.
func New(c Config) *Server {
	s := &Server{Config: c, router: mux.NewRouter().SkipClean(true)}
	s.large.left.Store(largeBodies)
	for _, r := range c.Routes {
		s.router.Path(r.Path).Handler(s.serve(r))
	}
	s.router.NotFoundHandler = http.HandlerFunc(s.elsewhere)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// Refuse answers a call that does not get as far as the API, with the problem that has a code: for
// what stands in front of it. It is observed like every call.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, code string, retryAfter time.Duration) {
	c := s.begin(w, r, "")
	c.setHeaders()
	c.end(&Problem{Code: code, Detail: "the server refuses the call; try again later", RetryAfter: retryAfter})
}

// elsewhere answers a path that the API does not have.
func (s *Server) elsewhere(w http.ResponseWriter, r *http.Request) {
	if s.Elsewhere == nil || r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		c := s.begin(w, r, "")
		c.setHeaders()
		c.end(Refuse(CodeNotFound, "the interface has no such path"))
		return
	}
	c := s.begin(w, r, "/")
	defer c.recovered()
	s.Elsewhere.ServeHTTP(c.W, r)
	c.end(nil)
}

// serve answers a path.
func (s *Server) serve(to Route) http.Handler {
	allowed := []string{http.MethodOptions}
	for method := range to.Methods {
		allowed = append(allowed, method)
	}
	if _, ok := to.Methods[http.MethodGet]; ok {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.begin(w, r, to.Path)
		defer c.recovered()
		c.setHeaders()
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		e, ok := to.Methods[method]
		switch {
		case ok:
			err := c.checkQuery(e.Query)
			if err == nil {
				err = e.Serve(c)
			}
			c.end(err)
		case method == http.MethodOptions:
			w.Header().Set("Allow", allow)
			c.NoContent()
			c.end(nil)
		default:
			w.Header().Set("Allow", allow)
			c.end(Refuse(CodeMethod, "this path answers "+allow))
		}
	})
}

// AsProblem maps an error to what the caller is told. What is not meant for callers becomes
// CodeInternal.
func (s *Server) AsProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if p := s.Problem(err); p != nil {
		return p
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Problem{Code: CodeOverloaded, Detail: "it took longer than the caller, or the server, waited", Cause: err}
	}
	return &Problem{Code: CodeInternal, Detail: "something that is no fault of the call went wrong; name the instance to the operator", Cause: err}
}

// recovered turns a panic into a problem; http.ErrAbortHandler is the server's.
func (c *Call) recovered() {
	switch v := recover(); {
	case v == nil:
	case v == http.ErrAbortHandler:
		c.end(nil)
		panic(v)
	default:
		c.end(&Problem{Code: CodeInternal, Detail: "something that is no fault of the call went wrong; name the instance to the operator",
			Cause: panicked(v)})
	}
}

// panicked tells of a panic without its value, which may hold anything, unless the runtime made it.
func panicked(v any) error {
	if err, ok := v.(runtime.Error); ok {
		return fmt.Errorf("panic: %w\n%s", err, debug.Stack())
	}
	return fmt.Errorf("panic: %T\n%s", v, debug.Stack())
}
