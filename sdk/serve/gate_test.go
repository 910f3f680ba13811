package serve

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newGate makes a gate before a handler, and what it refused.
func newGate(places int64, next http.Handler) (*gate, *sync.Map) {
	refused := new(sync.Map)
	return &gate{max: places, next: next, refuse: func(w http.ResponseWriter, _ *http.Request, code string) {
		n, _ := refused.LoadOrStore(code, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}}, refused
}

func count(m *sync.Map, code string) int64 {
	n, ok := m.Load(code)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

func TestGateShedsBeyondItsPlaces(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	g, refused := newGate(2, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-leave }))
	var served sync.WaitGroup
	for range 2 {
		served.Go(func() { g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader("x"))) })
		<-entered
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || count(refused, "overloaded") != 1 {
		t.Errorf("a third request: %d, %d refused", w.Code, count(refused, "overloaded"))
	}
	close(leave)
	served.Wait()
	go func() { <-entered }()
	if w = httptest.NewRecorder(); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d", w.Code)
	}
	g.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if g.working.Load() != 0 {
		t.Errorf("%d places are taken for good", g.working.Load())
	}
}

// Who fetches something and reads slowly takes no place once the answer has begun; what is worked on does.
func TestGateSlowReaders(t *testing.T) {
	begun, leave := make(chan struct{}), make(chan struct{})
	g, refused := newGate(1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/status":
			w.WriteHeader(http.StatusAccepted)
		case "/panic":
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "begun")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		begun <- struct{}{}
		<-leave
	}))
	var served sync.WaitGroup
	do := func(method, path string) {
		served.Go(func() { g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil)) })
		<-begun
	}
	do(http.MethodGet, "/")
	do(http.MethodGet, "/status")
	do(http.MethodHead, "/")
	if n := g.working.Load(); n != 0 {
		t.Errorf("slow readers hold %d places", n)
	}
	do(http.MethodPost, "/")
	if g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)); count(refused, "overloaded") != 1 {
		t.Error("what is worked on holds no place")
	}
	close(leave)
	served.Wait()
	func() {
		defer func() { _ = recover() }()
		g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/panic", nil))
	}()
	if n := g.working.Load(); n != 0 {
		t.Errorf("%d places are taken for good", n)
	}
}

// Who sends slowly, or much, takes no place; what was read ahead comes through whole.
func TestGateBodies(t *testing.T) {
	var working atomic.Int64
	var got atomic.Int64
	var g *gate
	g, refused := newGate(1, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		working.Store(g.working.Load())
		b, _ := io.ReadAll(r.Body)
		got.Store(int64(len(b)))
	}))
	for _, test := range []struct {
		size    int
		chunked bool
		places  int64
	}{{0, false, 1}, {0, true, 1}, {1, false, 1}, {smallBody, false, 1}, {smallBody, true, 1}, {smallBody + 1, false, 0}, {smallBody + 1, true, 0}, {1 << 20, true, 0}} {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(make([]byte, test.size)))
		if test.chunked {
			r.ContentLength = -1
		}
		g.ServeHTTP(httptest.NewRecorder(), r)
		if got.Load() != int64(test.size) || working.Load() != test.places {
			t.Errorf("%+v: %d bytes came through, %d places were taken", test, got.Load(), working.Load())
		}
	}
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("half"), failing{}))
	r.ContentLength = 100
	g.ServeHTTP(httptest.NewRecorder(), r)
	if count(refused, "body-malformed") != 1 || g.working.Load() != 0 {
		t.Errorf("a body that breaks off: %d, %d places", count(refused, "body-malformed"), g.working.Load())
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestConnectionLimit(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var shed atomic.Int64
	limit := &connections{max: 2, shed: func() { shed.Add(1) }}
	l := limit.listener(inner)
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	dial()
	first, _ := <-accepted, <-accepted
	third := dial()
	_ = third.SetDeadline(time.Now().Add(time.Minute))
	if _, err := third.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a third connection: %v", err)
	}
	for deadline := time.Now().Add(time.Minute); shed.Load() == 0 && time.Now().Before(deadline); { // once it is closed
		time.Sleep(time.Millisecond)
	}
	if shed.Load() != 1 || limit.open.Load() != 2 {
		t.Errorf("%d shed, %d open", shed.Load(), limit.open.Load())
	}
	_ = first.Close()
	_ = first.Close() // counts once
	dial()
	select {
	case <-accepted:
	case <-time.After(time.Minute):
		t.Error("no connection after one was closed")
	}
	_ = l.Close()
}

func TestAddressThroughProxies(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		from    string
		headers []string
		want    string
	}{
		{"192.0.2.7:5", nil, "192.0.2.7"},
		{"192.0.2.7:5", []string{"198.51.100.1"}, "192.0.2.7"}, // not through a proxy: its word counts for nothing
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, // what stands first, the client wrote
		{"10.0.0.1:5", []string{"203.0.113.9", "198.51.100.1,10.0.0.2"}, "198.51.100.1"},
		{"[fd00::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		{"[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:5", []string{"unknown"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{"10.0.0.2, 10.0.0.3"}, "10.0.0.2"},
		{"10.0.0.1:5", []string{"198.51.100.1:443"}, "10.0.0.1"},
	} {
		got := ""
		h := throughProxies(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _, _ = net.SplitHostPort(r.RemoteAddr) }))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.from
		r.Header["X-Forwarded-For"] = test.headers
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}
