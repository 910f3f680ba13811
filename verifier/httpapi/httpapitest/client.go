package httpapitest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A Client calls the API, without a network, as somebody. Every answer is held against the contract,
// and so is every request that is answered.
type Client struct {
	server  *Server
	header  http.Header
	address string // "" is From
}

// From is the address that clients call from, unless told otherwise.
const From = "203.0.113.9:40000"

// Agency returns a client with an agency's token.
func (c Client) Agency(token string) Client { return c.With("Authorization", "Bearer "+token) }

// With returns a client that sends a header.
func (c Client) With(name, value string) Client {
	header := maps.Clone(c.header)
	if header == nil {
		header = http.Header{}
	}
	header.Add(name, value)
	c.header = header
	return c
}

// At returns a client that calls from another address and port.
func (c Client) At(address string) Client {
	c.address = address
	return c
}

// SignIn signs the clerk in and returns a client in the session.
func (c Client) SignIn() Client {
	tb := c.server.tb
	tb.Helper()
	c = c.With("CredLedger-Counter", "1")
	c.header.Set("CredLedger-Counter", "1")
	a := c.Post("/v1/sessions", map[string]any{"agency": CounterID, "clerk": Clerk, "password": Password})
	a.Want(tb, http.StatusCreated)
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if len(cookies) != 1 {
		tb.Fatalf("%d cookies", len(cookies))
	}
	c = c.With("Cookie", "")
	c.header.Set("Cookie", cookies[0].Name+"="+cookies[0].Value)
	return c
}

// Cookie returns what the client sends as its cookies.
func (c Client) Cookie() string { return c.header.Get("Cookie") }

// Get calls a path.
func (c Client) Get(path string) Answer { return c.Do(http.MethodGet, path, nil) }

// Post calls a path with a body: bytes or a string as they are, anything else as JSON.
func (c Client) Post(path string, body any) Answer { return c.Do(http.MethodPost, path, body) }

// Do calls a path.
func (c Client) Do(method, path string, body any) Answer {
	tb := c.server.tb
	tb.Helper()
	var b []byte
	switch body := body.(type) {
	case nil:
	case []byte:
		b = body
	case string:
		b = []byte(body)
	default:
		var err error
		if b, err = json.Marshal(body); err != nil {
			tb.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(b))
	r.RemoteAddr = From
	if c.address != "" {
		r.RemoteAddr = c.address
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	c.server.API.ServeHTTP(w, r)
	a := Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	r.Body = io.NopCloser(bytes.NewReader(b))
	c.server.contract.check(tb, r, &a)
	return a
}

// An Answer is what the API answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Want ends the test unless the status is the one that is wanted.
func (a Answer) Want(tb testing.TB, status int) Answer {
	tb.Helper()
	if a.Status != status {
		tb.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// Problem ends the test unless the answer is the problem with a code.
func (a Answer) Problem(tb testing.TB, code string) Answer {
	tb.Helper()
	if got := a.Text("code"); a.Status < 400 || got != code {
		tb.Fatalf("status %d, code %q, want %q: %s", a.Status, got, code, a.Body)
	}
	return a
}

// JSON decodes the answer.
func (a Answer) JSON(tb testing.TB, to any) {
	tb.Helper()
	if err := json.Unmarshal(a.Body, to); err != nil {
		tb.Fatalf("%v: %s", err, a.Body)
	}
}

// Get returns what stands under names and positions in the answer, "verdict.fields.0.key"; nil if
// nothing does.
func (a Answer) Get(path string) any {
	var v any
	if json.Unmarshal(a.Body, &v) != nil {
		return nil
	}
	for _, name := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i := 0
			if json.Unmarshal([]byte(name), &i) != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// Text is Get for a text; "" if there is none.
func (a Answer) Text(path string) string {
	s, _ := a.Get(path).(string)
	return s
}
