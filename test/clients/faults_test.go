package clients_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A scripted service answers one call after the other as it was told, the last way for good.
type scripted struct {
	*httptest.Server
	mu     sync.Mutex
	script []http.HandlerFunc
	calls  []*http.Request
	bodies []string
}

func newScripted(t *testing.T, script ...http.HandlerFunc) *scripted {
	s := &scripted{script: script}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		step := s.script[0]
		if len(s.script) > 1 {
			s.script = s.script[1:]
		}
		s.calls, s.bodies = append(s.calls, r), append(s.bodies, string(body))
		s.mu.Unlock()
		step(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *scripted) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func problem(status int, code, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "detail": "what to do", "text": map[string]string{"zh": "稍后再试", "en": "later"}, "member": "/x", "instance": "urn:x"})
	}
}

func answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

// gone breaks the connection off before there is an answer.
func gone(w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.Close()
	}
}

const valid = `{"verdict":{"outcome":"valid"},"withheld":[],"receipt":{"a":1}}`

// What can be sent again is, with the same bytes, until there is an answer.
func TestRetries(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	s := newScripted(t, problem(503, "overloaded", "1"), gone, problem(429, "rate-limited", "1"), gone, answering(valid))
	began := time.Now()
	got := want[verification](d, "verify", members{"url": s.URL, "token": "credledger_x", "code": "X"})
	if got.Verdict.Outcome != "valid" || s.count() != 5 {
		t.Errorf("%s after %d calls", got.Verdict.Outcome, s.count())
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("it took %v, and was told to wait for two seconds", took)
	}
	for i, r := range s.calls {
		if r.Header.Get("Authorization") != "Bearer credledger_x" || r.Header.Get("Content-Type") != "application/json" || s.bodies[i] != `{"code":"X"}` {
			t.Errorf("call %d: %v %s", i, r.Header, s.bodies[i])
		}
	}

	issued := `{"licence":{"id":7,"digest":"d"},"credential":"AA==","sealed":null,"earlier":true}`
	s = newScripted(t, gone, problem(503, "ledger-unavailable", ""), answering(issued))
	licence := want[struct {
		ID         int
		Earlier    bool
		Credential []byte
	}](d, "issue", members{"url": s.URL, "type": "marriage", "fields": members{"a": []string{"b"}, "c": nil, "n": 1}, "key": "key-0001"})
	if licence.ID != 7 || !licence.Earlier || len(licence.Credential) != 1 || s.count() != 3 {
		t.Errorf("%+v after %d calls", licence, s.count())
	}
	for i, r := range s.calls {
		if r.Header.Get("Idempotency-Key") != "key-0001" || s.bodies[i] != `{"type":"marriage","fields":{"a":["b"],"c":null,"n":1}}` {
			t.Errorf("call %d: %v %s", i, r.Header, s.bodies[i])
		}
	}
}

// What must not be sent again is not: a challenge is redeemed by the first call, a status changed by it.
func TestNoRetries(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	s := newScripted(t, gone, answering(valid))
	d.failed("SocketException", "verify", members{"url": s.URL, "code": "X", "audience": "a", "nonce": strings.Repeat("00", 16)})
	if s.count() != 1 {
		t.Errorf("a challenge was sent %d times", s.count())
	}
	s = newScripted(t, problem(503, "ledger-unavailable", "1"), answering(`{}`))
	d.refused("ledger-unavailable", "status", members{"url": s.URL, "licence": 7, "to": "revoked", "reason": "x", "purpose": "y"})
	if s.count() != 1 || s.bodies[0] != `{"to":"revoked","reason":"x","purpose":"y"}` {
		t.Errorf("a status was sent %d times: %s", s.count(), s.bodies)
	}
	for _, status := range []int{400, 403, 404, 409, 422, 500} {
		s := newScripted(t, problem(status, "some-code", ""))
		a := d.refused("some-code", "issue", members{"url": s.URL, "type": "x", "fields": members{}, "key": "key-0001"})
		if s.count() != 1 || a.Status != status || a.Member != "/x" || a.Text != "稍后再试" || a.Instance != "urn:x" || !strings.Contains(a.Message, "what to do") {
			t.Errorf("%d: %d calls, %+v", status, s.count(), a)
		}
	}
}

// Patience has an end.
func TestPatience(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	s := newScripted(t, problem(503, "overloaded", "30"))
	began := time.Now()
	d.refused("overloaded", "verify", members{"url": s.URL, "code": "X", "patience": 3000})
	if s.count() != 1 || time.Since(began) > 25*time.Second { // and not after half a minute, as it was told
		t.Errorf("%d calls in %v", s.count(), time.Since(began))
	}
	s = newScripted(t, gone)
	d.failed("SocketException", "verify", members{"url": s.URL, "code": "X", "patience": 4000})
	if n := s.count(); n < 2 || n > 12 {
		t.Errorf("%d calls", n)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	d.failed("ConnectException", "verify", members{"url": nobody, "code": "X", "audience": "a", "nonce": strings.Repeat("00", 16), "patience": 500})
	slow := newScripted(t, func(http.ResponseWriter, *http.Request) { time.Sleep(2500 * time.Millisecond) })
	d.failed("SocketTimeoutException", "status", members{"url": slow.URL, "licence": 7, "to": "x", "reason": "x", "patience": 0})
}

// An answer that is not a service's is no verdict.
func TestStrangeAnswers(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	q := func(s *scripted) members {
		return members{"url": s.URL, "token": "credledger_x", "code": "X", "patience": 0}
	}
	other := newScripted(t, answering(valid))
	redirect := newScripted(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	d.refused("http-307", "verify", q(redirect))
	if other.count() != 0 {
		t.Error("the token went elsewhere")
	}
	proxy := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>Bad gateway", http.StatusBadGateway)
	}
	d.refused("http-502", "verify", q(newScripted(t, proxy)))
	d.refused("http-500", "verify", q(newScripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(500)
		_, _ = io.WriteString(w, "{")
	})))
	d.refused("unauthenticated", "verify", q(newScripted(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })))
	for _, body := range []string{"<html>Sign in to the network", `{"verdict":`, `{"verdict":{},"verdict":{}}`} {
		d.failed("IOException", "verify", q(newScripted(t, answering(body))))
	}
	for body, outcome := range map[string]string{`{}`: "undetermined", `{"verdict":{"outcome":"splendid"}}`: "undetermined", `{"verdict":[]}`: "undetermined", valid: "valid"} {
		got := want[verification](d, "verify", q(newScripted(t, answering(body))))
		if got.Verdict.Outcome != outcome {
			t.Errorf("%s: %s, want %s", body, got.Verdict.Outcome, outcome)
		}
	}
	cut := newScripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, valid)
	})
	d.failed("EOFException", "verify", q(cut))
}
