package resttest

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

// From is the address that clients call from, unless told otherwise.
const From = "203.0.113.9:40000"

// A Client calls a handler, without a network, as somebody. Every answer is held against the contract, and so is
// every request that is answered.
type Client struct {
	TB       testing.TB
	Handler  http.Handler
	Contract *Contract
	header   http.Header
	address  string // "" is From
}

// Token returns a client that calls with a bearer token.
func (c Client) Token(token string) Client { return c.With("Authorization", "Bearer "+token) }

// With returns a client that sends a header, in the place of one of the same name.
func (c Client) With(name, value string) Client {
	header := maps.Clone(c.header)
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	c.header = header
	return c
}

// Also returns a client that sends a header, beside one of the same name.
func (c Client) Also(name, value string) Client {
	first := c.header[name]
	c = c.With(name, value)
	c.header[name] = append(first[:len(first):len(first)], value)
	return c
}

// At returns a client that calls from another address and port.
func (c Client) At(address string) Client {
	c.address = address
	return c
}

// Header returns what the client sends under a name.
func (c Client) Header(name string) string { return c.header.Get(name) }

// Get calls a path.
func (c Client) Get(path string) Answer { c.TB.Helper(); return c.Do(http.MethodGet, path, nil) }

// Post calls a path with a body: bytes or a string as they are, anything else as JSON.
func (c Client) Post(path string, body any) Answer {
	c.TB.Helper()
	return c.Do(http.MethodPost, path, body)
}

// Do calls a path.
func (c Client) Do(method, path string, body any) Answer {
	c.TB.Helper()
	b, err := encode(body)
	if err != nil {
		c.TB.Fatal(err)
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
	c.Handler.ServeHTTP(w, r)
	a := Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	r.Body = io.NopCloser(bytes.NewReader(b))
	c.Contract.Check(c.TB, r, a)
	return a
}

func encode(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	case string:
		return []byte(body), nil
	}
	return json.Marshal(body)
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

// Number is Get for a whole number; 0 if there is none.
func (a Answer) Number(path string) int64 {
	n, _ := a.Get(path).(float64)
	return int64(n)
}
