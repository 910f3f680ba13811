package service_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// dial opens a connection to the listener of the web.
func (w *world) dial() net.Conn {
	w.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url("web"), "http://"))
	w.must(err)
	w.Cleanup(func() { _ = c.Close() })
	return c
}

// Many who send the head, or the body, of a request and stop there keep nobody from an answer; who does
// not finish a head is gone soon.
func TestSlowSenders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := w.city.Issue("property", 1)[0].Code()
	w.start()
	for range 2 * w.config.Limits.Concurrent {
		_, err := fmt.Fprintf(w.dial(), "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"code\":")
		w.must(err)
	}
	slow := w.dial()
	_, err := slow.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nX-"))
	w.must(err)
	for range 5 {
		if got := w.outcome(code); got != "valid" {
			t.Errorf("%s", got)
		}
	}
	_ = slow.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.Copy(io.Discard, slow); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a head that is never finished keeps its connection")
	}
}

// What HTTP allows to be read in two ways is refused.
func TestSmuggling(t *testing.T) {
	w := newWorld(t)
	w.start()
	for name, head := range map[string]string{
		"two lengths":          "Content-Length: 2\r\nContent-Length: 20\r\n",
		"length and chunks":    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
		"chunks in disguise":   "Transfer-Encoding: xchunked\r\n",
		"a negative length":    "Content-Length: -1\r\n",
		"a length with a sign": "Content-Length: +2\r\n",
		"a space in a name":    "Content-Length : 2\r\n",
		"a NUL":                "X: \x00\r\nContent-Length: 2\r\n",
		"a great header":       "X: " + strings.Repeat("x", 1<<20) + "\r\n",
		"two hosts":            "Host: y\r\nContent-Length: 2\r\n",
	} {
		c := w.dial()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = fmt.Fprintf(c, "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n{}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", head)
		b, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open after %q", name, b)
		}
		answers := strings.Count(string(b), "HTTP/1.1 ")
		if answers != 1 || !strings.HasPrefix(string(b), "HTTP/1.1 4") && !strings.HasPrefix(string(b), "HTTP/1.1 501") {
			t.Errorf("%s: %.300q", name, b)
		}
	}
	if status, _ := w.get(w.url("web") + "/healthz"); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
}

// Requests under way are finished when the service is told to end, and none is begun.
func TestShutdownFinishes(t *testing.T) {
	w := newWorld(t)
	code := w.city.Issue("property", 1)[0].Code()
	w.start()
	body := fmt.Sprintf(`{"code":%q}`, code)
	c := w.dial()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, err := fmt.Fprintf(c, "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	w.must(err)
	answer := bufio.NewReader(c)
	if line, err := answer.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") { // the body is read: it is under way
		t.Fatalf("%q, %v", line, err)
	}
	w.stop()
	time.Sleep(50 * time.Millisecond)
	_, err = io.WriteString(c, body)
	w.must(err)
	b, err := io.ReadAll(answer)
	w.must(err)
	if !strings.HasPrefix(string(b), "\r\nHTTP/1.1 200") || !strings.Contains(string(b), `"outcome":"valid"`) {
		t.Errorf("%.300q", b)
	}
	w.must(<-w.ended)
	w.stop = nil
	if _, err := net.Dial("tcp", strings.TrimPrefix(w.url("web"), "http://")); err == nil {
		t.Error("the listener is still open")
	}
}
