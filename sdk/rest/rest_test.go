package rest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

// server is a service of a few paths.
func server(t testing.TB, change func(*rest.Config)) (*rest.Server, *[]*rest.Call) {
	t.Helper()
	seen := new([]*rest.Call)
	c := rest.Config{
		Kinds: rest.NewKinds(rest.Kinds{"teapot": {Status: http.StatusTeapot, Text: licence.Text{Zh: "茶壶", En: "A teapot"}}}),
		Routes: []rest.Route{
			{Path: "/v1/pots/{pot}", Methods: map[string]rest.Endpoint{
				http.MethodGet: {Query: []string{"lid"}, Serve: func(c *rest.Call) error {
					n, err := c.NumberParameter("pot", 1, 9)
					if err != nil {
						return err
					}
					return c.Answer(http.StatusOK, map[string]any{"pot": n, "page": "<script>"})
				}},
				http.MethodPost: {Serve: func(c *rest.Call) error {
					b, err := c.Body(100 << 10)
					if err != nil {
						return err
					}
					var what []byte
					if err := rest.ReadBody(b, rest.Member{Name: "what", Read: rest.Raw(&what), Required: true}); err != nil {
						return err
					}
					c.Send(http.StatusCreated, "text/plain", what)
					return nil
				}},
			}},
			{Path: "/v1/trouble/{kind}", Methods: map[string]rest.Endpoint{http.MethodGet: {Serve: func(c *rest.Call) error {
				switch kind, _ := c.Parameter("kind"); kind {
				case "panic":
					panic("secret")
				case "nil":
					var m map[string]int
					m["a"] = 1
				case "abort":
					panic(http.ErrAbortHandler)
				case "known":
					return errKnown
				case "late":
					return c.R.Context().Err()
				case "unlisted":
					return rest.Refuse("unlisted", "secret")
				case "more":
					p := rest.Refuse("teapot", "pour")
					p.More = &rest.More{Name: "pots", Value: []string{"<1>"}}
					return p
				}
				return errors.New("secret")
			}}}},
		},
		Problem: func(err error) *rest.Problem {
			if errors.Is(err, errKnown) {
				return &rest.Problem{Code: rest.CodeOverloaded, Detail: "later", RetryAfter: 1500 * time.Millisecond, Cause: err}
			}
			return nil
		},
		Observe: func(c *rest.Call) { *seen = append(*seen, c) },
	}
	if change != nil {
		change(&c)
	}
	return rest.New(c), seen
}

var errKnown = errors.New("known secret")

func call(s http.Handler, method, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	s, seen := server(t, nil)
	w := call(s, http.MethodGet, "/v1/pots/3?lid=1", nil)
	if w.Code != http.StatusOK || w.Body.String() != `{"page":"\u003cscript\u003e","pot":3}` || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if c := (*seen)[0]; c.Route != "/v1/pots/{pot}" || c.Status != http.StatusOK || c.Problem != "" || c.ID != w.Header().Get("X-Request-Id") || c.Duration <= 0 {
		t.Errorf("%+v", c)
	}
	if w := call(s, http.MethodHead, "/v1/pots/3", nil); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := call(s, http.MethodOptions, "/v1/pots/3", nil); w.Code != http.StatusNoContent || w.Header().Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
}

func TestProblems(t *testing.T) {
	s, seen := server(t, nil)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/v1/nothing", "", 404, "not-found"},
		{"GET", "/elsewhere", "", 404, "not-found"},
		{"PUT", "/v1/pots/3", "", 405, "method-not-allowed"},
		{"GET", "/v1/pots/0", "", 400, "parameter-invalid"},
		{"GET", "/v1/pots/03", "", 400, "parameter-invalid"},
		{"GET", "/v1/pots/3?cup=secret", "", 400, "parameter-invalid"},
		{"GET", "/v1/pots/3?lid=1&lid=2", "", 400, "parameter-invalid"},
		{"GET", "/v1/pots/3?%zz", "", 400, "parameter-invalid"},
		{"POST", "/v1/pots/3", "{", 400, "body-malformed"},
		{"POST", "/v1/pots/3", `{"what":secret}`, 400, "body-malformed"},
		{"POST", "/v1/pots/3", `{"what":[[[]]]}`, 400, "member-invalid"},
		{"POST", "/v1/pots/3", `{"what":1,"secret":2}`, 400, "member-invalid"},
		{"POST", "/v1/pots/3", "{}", 400, "member-invalid"},
		{"POST", "/v1/pots/3", strings.Repeat(" ", 101<<10), 413, "body-too-large"},
		{"GET", "/v1/trouble/panic", "", 500, "internal"},
		{"GET", "/v1/trouble/nil", "", 500, "internal"},
		{"GET", "/v1/trouble/unlisted", "", 500, "internal"},
		{"GET", "/v1/trouble/other", "", 500, "internal"},
		{"GET", "/v1/trouble/known", "", 503, "overloaded"},
		{"GET", "/v1/trouble/more", "", 418, "teapot"},
	} {
		t.Run(c.method+" "+c.path+" "+c.body[:min(len(c.body), 20)], func(t *testing.T) {
			var body io.Reader
			if c.body != "" {
				body = strings.NewReader(c.body)
			}
			w := call(s, c.method, c.path, body)
			var p struct {
				Type, Title, Detail, Instance, Code string
				Status                              int
				Text                                licence.Text
				RetryAfter                          int
				Pots                                []string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			id := w.Header().Get("X-Request-Id")
			if w.Code != c.status || p.Status != c.status || p.Code != c.code || p.Type != "urn:credledger:problem:"+c.code || p.Instance != "urn:credledger:request:"+id ||
				p.Title != p.Text.En || p.Text.Zh == "" || p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("it says too much: %s", w.Body)
			}
			last := (*seen)[len(*seen)-1]
			if last.Problem != c.code || last.Status != c.status || (last.Err != nil) != (c.status >= 500 && !strings.HasSuffix(c.path, "unlisted")) {
				t.Errorf("observed %+v", last)
			}
			if last.Err != nil && strings.HasSuffix(c.path, "panic") && strings.Contains(last.Err.Error(), "secret") {
				t.Error("what a panic holds is told")
			}
			if c.status == 503 && (p.RetryAfter != 2 || w.Header().Get("Retry-After") != "2") {
				t.Errorf("retry after %d", p.RetryAfter)
			}
			if c.code == "teapot" && (len(p.Pots) != 1 || p.Pots[0] != "<1>" || strings.Contains(w.Body.String(), "<")) {
				t.Errorf("%s", w.Body)
			}
		})
	}
	w := httptest.NewRecorder()
	s.Refuse(w, httptest.NewRequest(http.MethodGet, "/", nil), rest.CodeOverloaded, time.Second)
	if w.Code != http.StatusServiceUnavailable || (*seen)[len(*seen)-1].Problem != rest.CodeOverloaded {
		t.Errorf("%d", w.Code)
	}
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("an answer that is cut off is ended")
			}
		}()
		call(s, http.MethodGet, "/v1/trouble/abort", nil)
	}()
}

// Any value comes through as it stands; what is no JSON does not.
func TestRaw(t *testing.T) {
	s, _ := server(t, nil)
	for _, v := range []string{`1`, `-1.5e+3`, `true`, `null`, `"a\"b\\"`, `[]`, `{}`, `{ "a" : [ 1 , "]" ] , "b" : {} }`, `[[],{}]`, `"{"`} {
		if w := call(s, http.MethodPost, "/v1/pots/1", strings.NewReader(`{"what": `+v+` }`)); w.Code != http.StatusCreated || w.Body.String() != v {
			t.Errorf("%s: %d %s", v, w.Code, w.Body)
		}
	}
	for _, v := range []string{``, `01`, `1.`, `+1`, `tru`, `nulll`, `'a'`, `"a`, `[`, `[1`, `[1,]`, `[1 2]`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `"` + "\x01" + `"`, `NaN`, `1 2`} {
		if w := call(s, http.MethodPost, "/v1/pots/1", strings.NewReader(`{"what":`+v+`}`)); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", v, w.Code, w.Body)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	s, _ := server(t, nil)
	for media, want := range map[string]int{
		"application/json": 201, "application/json; charset=UTF-8": 201, "APPLICATION/JSON": 201, "": 415, "text/plain": 415, "application/json; charset=gbk": 415, "application/json; q=1": 415, "a": 415,
	} {
		if w := call(s, http.MethodPost, "/v1/pots/1", strings.NewReader(`{"what":1}`), "Content-Type", media); w.Code != want {
			t.Errorf("%q: %d", media, w.Code)
		}
	}
	if w := call(s, http.MethodPost, "/v1/pots/1", strings.NewReader(`{"what":1}`), "Content-Encoding", "gzip"); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("compressed: %d", w.Code)
	}
}

func TestCookies(t *testing.T) {
	c := rest.SessionCookie{Name: "session", Header: "From-Page"}
	w := httptest.NewRecorder()
	c.Set(w, "token", time.Hour)
	set := w.Result().Cookies()[0]
	if set.MaxAge != 3600 || !set.Expires.IsZero() || !set.HttpOnly || !set.Secure || set.SameSite != http.SameSiteStrictMode || set.Path != "/v1" {
		t.Errorf("%+v", set)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if token, err := c.Of(r); token != "" || err != nil {
		t.Errorf("%q, %v", token, err)
	}
	r.AddCookie(set)
	if token, err := c.Of(r); token != "token" || err != nil {
		t.Errorf("%q, %v", token, err)
	}
	r.AddCookie(set)
	if _, err := c.Of(r); rest.ProblemCode(err) != rest.CodeUnauthenticated {
		t.Errorf("two: %v", err)
	}
	if rest.ProblemCode(c.FromPage(r)) != rest.CodeHeaderMissing {
		t.Error("a form is taken for the page")
	}
	r.Header.Set("From-Page", "1")
	if err := c.FromPage(r); err != nil {
		t.Error(err)
	}
	r.Header.Add("From-Page", "1")
	if c.FromPage(r) == nil {
		t.Error("two headers are taken")
	}
}

// What the strict reader takes is JSON that encoding/json reads in the same way; nothing makes it panic, and no error
// holds anything out of the body.
func FuzzReadBody(f *testing.F) {
	for _, s := range []string{
		`{"text":"李雷","line":"a","n":7,"flag":true,"raw":{"a":[1,"b",null]},"keys":["a","b1"]}`, `{"text":"\ud83d\ude00\n\""}`, `{"raw":[[]]}`, `{"raw":-1e5}`,
		`{"text":"a","text":"b"}`, `{"x":[[[[`, `{"text":"\u`, "{\"text\":\"\xff\"}", `{"b":"AAAA","id":"a-1","at":"2026-01-31T08:00:00Z","day":"2026-01-31"}`,
	} {
		f.Add([]byte(s))
	}
	kinds := rest.NewKinds(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		var text, line, id string
		var n uint64
		var flag bool
		var raw, encoded []byte
		var keys []string
		var at *time.Time
		var day *licence.Date
		err := rest.ReadBody(b,
			rest.Member{Name: "text", Read: rest.Text(&text, 0, 100)}, rest.Member{Name: "line", Read: rest.Line(&line, 10, 40)}, rest.Member{Name: "n", Read: rest.Number(&n, 0, 1<<60)},
			rest.Member{Name: "flag", Read: rest.Flag(&flag)}, rest.Member{Name: "raw", Read: rest.Raw(&raw)}, rest.Member{Name: "keys", Read: rest.FieldKeys(&keys, 5)},
			rest.Member{Name: "b", Read: rest.Encoded(&encoded, 50)}, rest.Member{Name: "id", Read: rest.ID(&id)}, rest.Member{Name: "at", Read: rest.Time(&at)}, rest.Member{Name: "day", Read: rest.Day(&day)})
		if err != nil {
			var p *rest.Problem
			if !errors.As(err, &p) || kinds[p.Code].Status != http.StatusBadRequest || len(b) > 40 && strings.Contains(p.Detail, string(b)) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		var same struct {
			Text, Line, ID string
			N              uint64
			Flag           bool
			Raw            json.RawMessage
			Keys           []string
			B              []byte
		}
		if err := json.Unmarshal(b, &same); err != nil {
			t.Fatalf("taken, and not JSON: %v", err)
		}
		if same.Text != text || same.Line != line || same.ID != id || same.N != n || same.Flag != flag || !bytes.Equal(same.B, encoded) || len(same.Keys) != len(keys) ||
			raw != nil && !bytes.Equal(bytes.TrimSpace(same.Raw), raw) {
			t.Fatalf("read in two ways: %+v", same)
		}
	})
}
