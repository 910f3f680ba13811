package tlcp_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/sdk/sm/tlcp/tlcptest"
)

// generate makes an identity for loopback.
func generate(t testing.TB) (*tlcp.Identity, []byte) {
	t.Helper()
	files, root, err := tlcp.Generate([]string{"localhost", "127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id, err := tlcp.NewIdentity(files)
	if err != nil {
		t.Fatal(err)
	}
	return id, root
}

// serve serves HTTP over TLCP on loopback.
func serve(t testing.TB, id *tlcp.Identity, failed func(*tlcp.Error)) (*tlcp.Listener, string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := tlcp.NewListener(inner, id, tlcp.Config{HandshakeTimeout: 30 * time.Second, MaxHandshakes: 64, Failed: failed})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l, "https://" + inner.Addr().String()
}

func echo(t testing.TB, c *http.Client, url string, body []byte) error {
	t.Helper()
	r, err := c.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err == nil && !bytes.Equal(got, body) {
		t.Fatalf("%d bytes came back as %d others", len(body), len(got))
	}
	return err
}

func TestHTTPOverTLCP(t *testing.T) {
	id, root := generate(t)
	_, url := serve(t, id, func(err *tlcp.Error) { t.Error(err) })
	c := tlcptest.Client(t, root)
	for _, size := range []int{0, 1, 16, 1000, 16384, 16385, 1 << 20} {
		if err := echo(t, c, url, bytes.Repeat([]byte("证"), size)); err != nil {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestClientsRefuseAnotherServer(t *testing.T) {
	id, root := generate(t)
	other, _ := generate(t)
	_, strange := serve(t, other, nil)
	if err := echo(t, tlcptest.Client(t, root), strange, nil); err == nil {
		t.Error("a server under an authority that is not trusted was accepted")
	}
	_, url := serve(t, id, nil)
	if err := echo(t, tlcptest.Client(t, root), strings.Replace(url, "127.0.0.1", "127.0.0.2", 1), nil); err == nil {
		t.Error("a server was accepted under a name that its certificate does not have")
	}
}

func TestIdentityIsChangedWhileServing(t *testing.T) {
	id, root := generate(t)
	l, url := serve(t, id, nil)
	before := tlcptest.Client(t, root)
	if err := echo(t, before, url, []byte("before")); err != nil {
		t.Fatal(err)
	}
	next, nextRoot := generate(t)
	l.SetIdentity(next)
	if err := echo(t, tlcptest.Client(t, nextRoot), url, []byte("after")); err != nil {
		t.Error(err)
	}
	if err := echo(t, before, url, []byte("a connection that was open stays")); err != nil {
		t.Error(err)
	}
	if err := echo(t, tlcptest.Client(t, root), url, nil); err == nil {
		t.Error("the old identity is still shown")
	}
}

func TestIdentityRefuses(t *testing.T) {
	good, root, err := tlcp.Generate([]string{"localhost"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := tlcp.Generate([]string{"localhost"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if id, err := tlcp.NewIdentity(good); err != nil || time.Until(id.NotAfter()) < tlcp.GeneratedLifetime-2*time.Hour {
		t.Fatalf("the good identity: %v, %v", id, err)
	}
	withChain := good
	withChain.EncryptionCertificate = append(bytes.Clone(good.EncryptionCertificate), root...)
	if _, err := tlcp.NewIdentity(withChain); err != nil {
		t.Errorf("with the authority's certificate: %v", err)
	}
	for name, change := range map[string]func(f *tlcp.Files){
		"nothing": func(f *tlcp.Files) { *f = tlcp.Files{} },
		"exchanged certificates": func(f *tlcp.Files) {
			f.SigningCertificate, f.EncryptionCertificate = f.EncryptionCertificate, f.SigningCertificate
		},
		"exchanged pairs": func(f *tlcp.Files) {
			*f = tlcp.Files{f.EncryptionCertificate, f.EncryptionKey, f.SigningCertificate, f.SigningKey}
		},
		"one pair twice":          func(f *tlcp.Files) { f.EncryptionCertificate, f.EncryptionKey = f.SigningCertificate, f.SigningKey },
		"another's key":           func(f *tlcp.Files) { f.SigningKey = other.SigningKey },
		"another's second key":    func(f *tlcp.Files) { f.EncryptionKey = other.EncryptionKey },
		"a key for a certificate": func(f *tlcp.Files) { f.SigningCertificate = f.SigningKey },
		"a certificate for a key": func(f *tlcp.Files) { f.SigningKey = f.SigningCertificate },
		"text before":             func(f *tlcp.Files) { f.SigningCertificate = append([]byte("x"), f.SigningCertificate...) },
		"text after":              func(f *tlcp.Files) { f.SigningCertificate = append(bytes.Clone(f.SigningCertificate), "x"...) },
		"cut":                     func(f *tlcp.Files) { f.SigningCertificate = f.SigningCertificate[:200] },
		"nine certificates":       func(f *tlcp.Files) { f.SigningCertificate = bytes.Repeat(f.SigningCertificate, 9) },
		"a P-256 certificate":     func(f *tlcp.Files) { f.SigningCertificate = readFile(t, "testdata/p256.pem") },
	} {
		f := good
		change(&f)
		_, err := tlcp.NewIdentity(f)
		if e, ok := err.(*tlcp.Error); !ok || e.Code != tlcp.CodeBadCertificate {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestManyClients(t *testing.T) {
	id, root := generate(t)
	var failures atomic.Int64
	_, url := serve(t, id, func(*tlcp.Error) { failures.Add(1) })
	errs := make(chan error)
	for range 16 {
		go func() {
			c := tlcptest.Client(t, root)
			var err error
			for i := 0; i < 8 && err == nil; i++ {
				err = echo(t, c, url, []byte("hello"))
			}
			errs <- err
		}()
	}
	for range 16 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := failures.Load(); n > 0 {
		t.Errorf("%d handshakes failed", n)
	}
}

func TestQuiet(t *testing.T) {
	out := os.Stdout
	defer func() { os.Stdout = out }()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = write
	if err := tlcp.Quiet(); err != nil {
		t.Fatal(err)
	}
	failed := make(chan *tlcp.Error, 1)
	id, _ := generate(t)
	l, _ := serve(t, id, func(err *tlcp.Error) { failed <- err })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("secret"))
	if err := <-failed; err.Code != tlcp.CodeHandshakeFailed || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	_ = write.Close()
	if b, _ := io.ReadAll(read); len(b) > 0 {
		t.Errorf("printed: %s", b)
	}
}
