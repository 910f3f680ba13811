package rest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/credledger/credledger/sdk/sm"
)

// A Call is one request on its way. Of what is told to whoever observes it, path, query and body are no
// part: they may name people and licences.
type Call struct {
	W http.ResponseWriter
	R *http.Request

	ID    string // names the call
	Route string // its pattern; "" of a path that the interface does not have
	State any    // the service's own

	// Once it is answered:
	Problem  string // code of the problem, if there is one
	Status   int
	Duration time.Duration
	Err      error // the cause of a problem that is no fault of the caller's

	server *Server
	query  url.Values
	began  time.Time
	taken  int64 // of the budget for large bodies
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request, route string) *Call {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	c := &Call{W: &recorder{ResponseWriter: w}, R: r, ID: hex.EncodeToString(id[:]), Route: route, server: s, began: time.Now()}
	w.Header().Set("X-Request-Id", c.ID)
	return c
}

// setHeaders says that an answer is not to be kept, guessed at or shown inside a page.
func (c *Call) setHeaders() {
	h := c.W.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
}

// end answers with the problem that an error is, if there is one, and tells of the call.
func (c *Call) end(err error) {
	w := c.W.(*recorder)
	if err != nil {
		p := c.server.AsProblem(err)
		if !w.written {
			c.server.Kinds.write(w, p, c.ID)
		}
		c.Problem = p.Code
		if w.status >= http.StatusInternalServerError {
			c.Err = p.Cause
		}
	}
	c.server.large.give(c.taken)
	c.taken = 0
	c.Status = w.status
	c.Duration = time.Since(c.began)
	c.server.Observe(c)
}

// Answer answers with JSON. <, > and & are escaped, so that nobody finds a page in it.
func (c *Call) Answer(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.Send(status, "application/json", b)
	return nil
}

// Send answers with a body.
func (c *Call) Send(status int, media string, b []byte) {
	h := c.W.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	c.W.WriteHeader(status)
	_, _ = c.W.Write(b) // the caller may be gone
}

// NoContent answers without a body.
func (c *Call) NoContent() { c.W.WriteHeader(http.StatusNoContent) }

// checkQuery refuses parameters that are not known, or given twice.
func (c *Call) checkQuery(known []string) error {
	values, err := url.ParseQuery(c.R.URL.RawQuery)
	if err != nil {
		return Refuse(CodeParameterInvalid, "the query is malformed")
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			return Refuse(CodeParameterInvalid, "the query has a parameter that this path does not take")
		}
		if len(given) > 1 {
			return c.Wrong(name, "is given twice")
		}
	}
	c.query = values
	return nil
}

// Wrong says what is wrong with a parameter or header.
func (c *Call) Wrong(name, what string) *Problem {
	p := Refuse(CodeParameterInvalid, name+" "+what)
	p.Member = name
	return p
}

// Parameter returns a parameter of the path or the query.
func (c *Call) Parameter(name string) (value string, given bool) {
	if value, given = mux.Vars(c.R)[name]; given {
		return value, true
	}
	if values := c.query[name]; len(values) == 1 {
		return values[0], true
	}
	return "", false
}

// IDParameter reads a parameter that is an id.
func (c *Call) IDParameter(name string) (string, error) {
	s, _ := c.Parameter(name)
	if !IsID(s) {
		return "", c.Wrong(name, "must be an id: 1 to 32 of a-z, 0-9 and -")
	}
	return s, nil
}

// HashParameter reads a parameter that is a hash.
func (c *Call) HashParameter(name string) (sm.Hash, error) {
	s, _ := c.Parameter(name)
	h, err := sm.ParseHash(s)
	if err != nil {
		return h, c.Wrong(name, "must be a hash: 64 lower-case hexadecimal digits")
	}
	return h, nil
}

// NumberParameter reads a parameter that is a whole number from low to high, written in one way.
func (c *Call) NumberParameter(name string, low, high uint64) (uint64, error) {
	s, _ := c.Parameter(name)
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s || n < low || n > high {
		return 0, c.Wrong(name, "must be a whole number from "+strconv.FormatUint(low, 10)+" to "+strconv.FormatUint(high, 10))
	}
	return n, nil
}

// RFC3339 returns a time in UTC, in whole seconds.
func RFC3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// UTC returns the time so many seconds after 1970-01-01T00:00:00Z as RFC3339 does.
func UTC(seconds uint64) string { return RFC3339(time.Unix(int64(seconds), 0)) }

// OrNull returns nil for "".
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
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
