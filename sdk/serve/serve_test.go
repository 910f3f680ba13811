package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A test is a service that answers with its paths.
type test struct {
	*testing.T
	doors  *Doors
	logged lockedBuffer
	ready  atomic.Bool
	under  chan struct{} // what /slow waits for
	slow   atomic.Int32  // how many requests do
	over   func()        // is called when one of them is answered
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newTest(t *testing.T, change func(*Config)) *test {
	t.Helper()
	s := &test{T: t, under: make(chan struct{}), over: func() {}}
	c := &Config{Web: &Web{Address: "127.0.0.1:0"}, Metrics: "127.0.0.1:0", Connections: 100, Concurrent: 2}
	if change != nil {
		change(c)
	}
	m := NewMetrics("test")
	count := m.Counter("things_total", "Things.", "kind")
	doors, err := Open(c, m, Handler{
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				s.slow.Add(1)
				<-s.under
				defer s.over()
			}
			count("path")
			m.Observe("/{path}", http.StatusOK, "", time.Millisecond)
			_, _ = io.WriteString(w, r.URL.Path)
		}),
		Refuse: func(w http.ResponseWriter, _ *http.Request, code string, retryAfter time.Duration) {
			http.Error(w, code, http.StatusServiceUnavailable)
		},
		Ready: func(context.Context) (bool, any) {
			return s.ready.Load(), map[string]bool{"serving": s.doors.Serving()}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.doors = doors
	t.Cleanup(doors.Close)
	return s
}

func (s *test) url(name string) string {
	s.Helper()
	for _, a := range s.doors.Addresses() {
		if a.Name == name {
			return a.URL
		}
	}
	s.Fatalf("no listener %s", name)
	return ""
}

func (s *test) get(url string) (int, string) {
	s.Helper()
	r, err := http.Get(url)
	if err != nil {
		s.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		s.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// run runs the service; end ends it and returns what Run returned.
func (s *test) run(closing func() error, chores ...Chore) (end func() error, ended <-chan error) {
	ctx, stop := context.WithCancel(context.Background())
	s.Cleanup(stop)
	done := make(chan error, 1)
	go func() { done <- s.doors.Run(ctx, slog.New(slog.NewTextHandler(&s.logged, nil)), chores, closing) }()
	s.until("it serves", s.doors.Serving)
	return func() error { stop(); return <-done }, done
}

// until waits until something is so.
func (s *test) until(what string, is func() bool) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestProbesAndMetrics(t *testing.T) {
	s := newTest(t, nil)
	end, _ := s.run(func() error { return nil })
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/x": http.StatusOK} {
		if status, body := s.get(s.url("web") + path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	s.ready.Store(true)
	if status, body := s.get(s.url("metrics") + "/readyz"); status != http.StatusOK || body != "{\"serving\":true}\n" {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := s.get(s.url("metrics") + "/x"); status != http.StatusNotFound {
		t.Errorf("operators' listener answers callers: %d", status)
	}
	_, text := s.get(s.url("metrics") + "/metrics")
	for _, want := range []string{
		`credledger_test_things_total{kind="path"} 1`, `credledger_test_requests_total{route="/{path}",status="200"} 1`, "credledger_test_connections ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Beyond its places a service refuses at once, and counts it; probes are answered all the same.
func TestSheds(t *testing.T) {
	s := newTest(t, nil)
	end, _ := s.run(func() error { return nil })
	var slow sync.WaitGroup
	for range 2 {
		slow.Go(func() { s.get(s.url("web") + "/slow") })
	}
	s.until("two requests are under way", func() bool { return s.slow.Load() == 2 })
	if status, body := s.get(s.url("web") + "/x"); status != http.StatusServiceUnavailable || strings.TrimSpace(body) != CodeOverloaded {
		t.Fatalf("a third request is worked on: %d %s", status, body)
	}
	if status, _ := s.get(s.url("web") + "/healthz"); status != http.StatusOK {
		t.Errorf("the probe: %d", status)
	}
	close(s.under)
	slow.Wait()
	if status, body := s.get(s.url("web") + "/x"); status != http.StatusOK || body != "/x" {
		t.Errorf("afterwards: %d %s", status, body)
	}
	if _, text := s.get(s.url("metrics") + "/metrics"); !strings.Contains(text, `credledger_test_shed_total{at="requests"} `) {
		t.Error("nothing was counted")
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// It ends in order: requests are finished, chores go on meanwhile, and everything is closed last.
func TestEndsInOrder(t *testing.T) {
	s := newTest(t, nil)
	var order []string
	var mu sync.Mutex
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	end, _ := s.run(func() error { note("closed"); return errors.New("closing failed") }, func(ctx context.Context) error {
		<-ctx.Done()
		note("chore ended")
		return nil
	})
	s.over = func() { note("answered") }
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if status, body := s.get(s.url("web") + "/slow"); status != http.StatusOK || body != "/slow" {
			t.Errorf("%d %s", status, body)
		}
	}()
	s.until("the request is under way", func() bool { return s.slow.Load() == 1 })
	ended := make(chan error)
	go func() { ended <- end() }()
	s.until("it says that it does not serve", func() bool { return !s.doors.Serving() })
	close(s.under)
	<-answered
	if err := <-ended; err == nil || err.Error() != "closing failed" {
		t.Errorf("%v", err)
	}
	if got := strings.Join(order, ", "); got != "answered, chore ended, closed" {
		t.Error(got)
	}
}

// A chore that fails ends the service; one that is done does not.
func TestChoreFails(t *testing.T) {
	s := newTest(t, nil)
	fail := make(chan struct{})
	_, ended := s.run(func() error { return nil },
		func(context.Context) error { return nil },
		func(ctx context.Context) error {
			select {
			case <-fail:
				return &Error{Code: CodeEnded, Message: "a chore failed"}
			case <-ctx.Done():
				return nil
			}
		})
	if status, _ := s.get(s.url("web") + "/x"); status != http.StatusOK {
		t.Errorf("with a chore that is done: %d", status)
	}
	close(fail)
	if err := <-ended; Code(err) != CodeEnded {
		t.Errorf("%v", err)
	}
	if !strings.Contains(s.logged.String(), "a chore failed") {
		t.Errorf("the log:\n%s", s.logged.String())
	}
}

func TestEvery(t *testing.T) {
	var logged lockedBuffer
	ctx, stop := context.WithCancel(t.Context())
	calls := 0
	err := Every(ctx, slog.New(slog.NewTextHandler(&logged, nil)), time.Microsecond, "washing up", func(context.Context) error {
		switch calls++; {
		case calls == 10:
			stop()
			return ctx.Err()
		case calls < 4 || calls == 6:
			return errors.New("no water")
		}
		return nil
	})
	if err != nil || calls != 10 {
		t.Errorf("%v after %d calls", err, calls)
	}
	if text := logged.String(); strings.Count(text, "washing up failed") != 2 || strings.Count(text, "washing up works again") != 2 {
		t.Errorf("the log:\n%s", text)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		code   string
	}{
		"an address of elsewhere": {Config{Web: &Web{Address: "192.0.2.1:0"}}, CodeListen},
		"no certificate":          {Config{Web: &Web{Address: "127.0.0.1:0", Certificate: "nowhere", Key: "nowhere"}}, CodeConfig},
		"no TLCP certificate":     {Config{Web: &Web{Address: "127.0.0.1:0"}, TLCP: DefaultTLCP("127.0.0.1:0", "nowhere")}, CodeConfig},
		"metrics of elsewhere":    {Config{Web: &Web{Address: "127.0.0.1:0"}, Metrics: "192.0.2.1:0"}, CodeListen},
	} {
		if _, err := Open(&c.config, NewMetrics("test"), Handler{}); Code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	good := func() *Config {
		return &Config{Web: &Web{Address: "127.0.0.1:0", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
			TLCP: DefaultTLCP("0.0.0.0:8443", "tlcp"), Metrics: "[::1]:9464", Connections: 1, Concurrent: 1}
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no address":                func(c *Config) { c.Web.Address = "" },
		"no port":                   func(c *Config) { c.Web.Address = "127.0.0.1" },
		"plain on every interface":  func(c *Config) { c.Web.Address = ":80" },
		"a key without certificate": func(c *Config) { c.Web.Key = "a" },
		"plain with a certificate":  func(c *Config) { c.Web.Certificate, c.Web.Key, c.Web.Plain = "a", "b", true },
		"clients without HTTPS":     func(c *Config) { c.Web.ClientAuthorities = "a" },
		"a proxy that is none":      func(c *Config) { c.Web.Proxies = append(c.Web.Proxies, netip.Prefix{}) },
		"TLCP without a port":       func(c *Config) { c.TLCP.Address = "localhost" },
		"TLCP without a key":        func(c *Config) { c.TLCP.SigningKey = "" },
		"metrics for everybody":     func(c *Config) { c.Metrics = "0.0.0.0:1" },
		"metrics of a name":         func(c *Config) { c.Metrics = "example.org:1" },
		"no connections":            func(c *Config) { c.Connections = 0 },
		"too many at a time":        func(c *Config) { c.Concurrent = 1<<16 + 1 },
	} {
		c := good()
		change(c)
		if err := c.Check(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	c := good()
	c.Web.Certificate = "/etc/a.crt"
	Resolve("/srv", c.Paths()...)
	if c.Web.Certificate != "/etc/a.crt" || c.Web.Key != "" || c.TLCP.EncryptionKey != "/srv/tlcp/encryption.key" {
		t.Errorf("%+v, %+v", c.Web, c.TLCP)
	}
}
