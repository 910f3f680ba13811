package tlcp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// A trap is a listener that answers every connection with what it says, and the failures that it saw.
type trap struct {
	*Listener
	mu       sync.Mutex
	failures map[string]int
}

var trapIdentity = sync.OnceValue(func() *Identity {
	files, _, err := Generate([]string{"localhost"}, time.Now())
	if err != nil {
		panic(err)
	}
	id, err := NewIdentity(files)
	if err != nil {
		panic(err)
	}
	return id
})

func newTrap(t testing.TB, timeout time.Duration, handshakes int) *trap {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trap{failures: map[string]int{}}
	tr.Listener = NewListener(inner, trapIdentity(), Config{HandshakeTimeout: timeout, MaxHandshakes: handshakes, Failed: func(err *Error) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.failures[err.Code]++
	}})
	t.Cleanup(func() { _ = tr.Close() })
	go func() {
		for {
			c, err := tr.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return tr
}

func (tr *trap) failed(code string) int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.failures[code]
}

func (tr *trap) await(t *testing.T, code string, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); tr.failed(code) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d failures with %s, want %d; all: %v", tr.failed(code), code, n, tr.failures)
		}
	}
}

func (tr *trap) dial(t testing.TB) *plainClient {
	t.Helper()
	c, err := net.Dial("tcp", tr.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { _ = c.Close() })
	return &plainClient{Conn: c}
}

// works checks that the listener still serves an honest client.
func (tr *trap) works(t testing.TB) {
	t.Helper()
	c := tr.dial(t)
	chain, err := c.handshake(0xE013)
	if err != nil {
		t.Fatalf("an honest client: %v", err)
	}
	if len(chain) != 2 {
		t.Errorf("%d certificates", len(chain))
	}
	for _, text := range []string{"one", "证照", string(bytes.Repeat([]byte("x"), 1000))} {
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		// The server splits what it sends in two records, against attacks on CBC.
		b := make([]byte, len(text))
		if n, err := io.ReadFull(c, b); err != nil || string(b) != text {
			t.Fatalf("echo of %d bytes: %d bytes, %v", len(text), n, err)
		}
	}
	_ = c.Conn.Close()
}

func TestClientOfAnotherHand(t *testing.T) { newTrap(t, 5*time.Second, 8).works(t) }

func TestOtherSuitesAreRefused(t *testing.T) {
	tr := newTrap(t, 5*time.Second, 8)
	for _, suite := range []uint16{0xE011, 0xE001, 0xE051, 0x1301, 0xC02F, 0} {
		if _, err := tr.dial(t).handshake(suite); err == nil {
			t.Errorf("suite %#x was accepted", suite)
		}
	}
	tr.await(t, CodeHandshakeFailed, 6)
	tr.works(t)
}

// TestSpoiltHandshakes sends what an honest client would, with one message changed, cut or made longer.
func TestSpoiltHandshakes(t *testing.T) {
	tr := newTrap(t, 2*time.Second, 64)
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:min(n, len(b))] } }
	attempts := 0
	for _, typ := range []byte{helloClient, clientKey, finished} {
		for name, change := range map[string]func([]byte) []byte{
			"empty": cut(0), "1 byte": cut(1), "2 bytes": cut(2), "3 bytes": cut(3), "11 bytes": cut(11), "34 bytes": cut(34),
			"longer":   func(b []byte) []byte { return append(bytes.Clone(b), 0) },
			"zeros":    func(b []byte) []byte { return make([]byte, len(b)) },
			"ones":     func(b []byte) []byte { return bytes.Repeat([]byte{0xFF}, len(b)) },
			"one bit":  func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b },
			"60000":    func([]byte) []byte { return make([]byte, 60000) },
			"no point": func(b []byte) []byte { b = bytes.Clone(b); copy(b[min(8, len(b)):], make([]byte, 60)); return b },
		} {
			if typ == finished && name == "34 bytes" {
				continue // it has 12
			}
			attempts++
			c := tr.dial(t)
			c.spoil = func(got byte, body []byte) []byte {
				if got != typ {
					return body
				}
				return change(body)
			}
			if _, err := c.handshake(0xE013); err == nil {
				t.Errorf("message %d, %s: the handshake went through", typ, name)
			}
			_ = c.Conn.Close()
		}
	}
	tr.await(t, CodePanic, 1) // a client key exchange of one byte does that
	deadline := time.Now().Add(time.Minute)
	for tr.failed(CodePanic)+tr.failed(CodeHandshakeFailed)+tr.failed(CodeHandshakeTimeout) < attempts {
		if time.Now().After(deadline) {
			t.Fatalf("%d attempts, failures %v", attempts, tr.failures)
		}
		time.Sleep(5 * time.Millisecond)
	}
	tr.works(t)
}

func TestOtherProtocols(t *testing.T) {
	tr := newTrap(t, time.Second, 64)
	random := make([]byte, 5000)
	rand.Read(random)
	for name, b := range map[string][]byte{
		"nothing":  {},
		"HTTP":     []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"random":   random,
		"zeros":    make([]byte, 70000),
		"SSLv2":    {0x80, 0x2e, 1, 0, 2},
		"TLS 1.3":  {22, 3, 1, 0, 5, 1, 0, 0, 1, 3},
		"alerts":   bytes.Repeat([]byte{21, 1, 1, 0, 2, 1, 0}, 200),
		"data":     {23, 1, 1, 0, 1, 0},
		"too long": {22, 1, 1, 0xFF, 0xFF},
		"great":    {22, 1, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF},
		"empty":    bytes.Repeat([]byte{22, 1, 1, 0, 0}, 2000),
	} {
		c, err := net.Dial("tcp", tr.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		_, _ = c.Write(b)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open", name)
		}
		_ = c.Close()
	}
	tr.works(t)
}

// TestSlowPeersHinderNobody: those who say nothing fill the places, and are gone after the time-out.
func TestSlowPeersHinderNobody(t *testing.T) {
	tr := newTrap(t, 3*time.Second, 4)
	for range 4 {
		c := tr.dial(t)
		_, _ = c.Conn.Write([]byte{22, 1, 1}) // the beginning of a record
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		tr.Listener.mu.Lock()
		n := len(tr.pending)
		tr.Listener.mu.Unlock()
		if n == 4 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d handshakes are under way", n)
		}
	}
	if _, err := tr.dial(t).handshake(0xE013); err == nil {
		t.Error("a fifth handshake was let in")
	}
	tr.await(t, CodeHandshakesFull, 1)
	tr.await(t, CodeHandshakeTimeout, 4)
	tr.works(t)
}

func TestRecordsAreBounded(t *testing.T) {
	tr := newTrap(t, 2*time.Second, 8)
	for name, spoil := range map[string]func(c *plainClient) error{
		"changed MAC key": func(c *plainClient) error { c.out.mac = make([]byte, 32); _, err := c.Write([]byte("x")); return err },
		"not encrypted":   func(c *plainClient) error { c.out = nil; _, err := c.Write([]byte("x")); return err },
		"replayed":        func(c *plainClient) error { c.out.seq--; _, err := c.Write([]byte("x")); return err },
		"renegotiation":   func(c *plainClient) error { return c.send(helloClient, clientHello(make([]byte, 32), 0xE013)) },
		"change again":    func(c *plainClient) error { return c.writeRecord(recordChange, []byte{1}) },
		"strange type":    func(c *plainClient) error { return c.writeRecord(99, []byte{1}) },
	} {
		c := tr.dial(t)
		if _, err := c.handshake(0xE013); err != nil {
			t.Fatal(err)
		}
		if err := spoil(c); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 100)); err == nil {
			t.Errorf("%s: %d bytes came back", name, n)
		} else if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open", name)
		}
	}
	tr.works(t)
}

func TestCloseEndsHandshakes(t *testing.T) {
	tr := newTrap(t, time.Minute, 8)
	c := tr.dial(t)
	_, _ = c.Conn.Write([]byte{22, 1, 1})
	time.Sleep(20 * time.Millisecond)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c.Conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a handshake outlives the listener")
	}
	if _, err := tr.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if err := tr.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestAcceptReportsTheEnd(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(inner, trapIdentity(), Config{HandshakeTimeout: time.Second, MaxHandshakes: 1})
	_ = inner.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

// FuzzServer gives a server bytes: those of a peer that knows no keys.
func FuzzServer(f *testing.F) {
	hello := append([]byte{helloClient, 0, 0, 41}, clientHello(make([]byte, 32), 0xE013)...)
	record := append([]byte{recordHandshake, 1, 1, 0, byte(len(hello))}, hello...)
	f.Add(record)
	f.Add(append(bytes.Clone(record), 22, 1, 1, 0, 5, clientKey, 0, 0, 1, 0))
	f.Add(append(bytes.Clone(record), 22, 1, 1, 0, 9, clientKey, 0, 0, 5, 0, 3, 0x30, 1, 0))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		go func() {
			_, _ = theirs.Write(b)
			_ = theirs.Close()
		}()
		c := newConn(ours, trapIdentity())
		defer c.raw.Close()
		var known *Error
		if err := c.handshake(time.Second); !errors.As(err, &known) {
			t.Fatalf("a handshake without keys: %v", err)
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	tr := newTrap(b, 5*time.Second, 8)
	for b.Loop() {
		c := tr.dial(b)
		if _, err := c.handshake(0xE013); err != nil {
			b.Fatal(err)
		}
		_ = c.Conn.Close()
	}
}
