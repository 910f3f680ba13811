package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/sm/tlcp"
)

// Time-outs of connections. What a slow line needs is far less than what keeps a slow attacker's
// connection alive: a body of 64 KiB in readTimeout is 17 kbit/s.
const (
	headerTimeout    = 5 * time.Second  // for the head of a request
	readTimeout      = 30 * time.Second // for a whole request
	writeTimeout     = 60 * time.Second // from the end of the head to the end of the answer
	idleTimeout      = 75 * time.Second // between requests
	handshakeTimeout = 10 * time.Second // of TLCP; that of TLS is headerTimeout
	maxHeader        = 16 << 10         // bytes
	maxHandshakes    = 64               // of TLCP under way at a time
	maxStreams       = 100              // of one HTTP/2 connection
)

// newServer makes a server with every bound set. What net/http has to say of its clients, with their
// addresses, is counted where it matters and not logged.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          log.New(io.Discard, "", 0),
	}
}

// A door is a listener with its server.
type door struct {
	name     string // in the answer of Addresses
	scheme   string
	listener net.Listener
	server   *http.Server
}

func (d *door) url() string { return d.scheme + "://" + d.listener.Addr().String() }

func (d *door) serve() error {
	err := d.server.Serve(d.listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return &Error{Code: CodeEnded, Message: "the listener of " + d.name + " ended", Err: err}
}

func listen(name, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &Error{Code: CodeListen, Message: fmt.Sprintf("listen on %s for %s", address, name), Err: err}
	}
	return l, nil
}

// openWeb opens the listener of browsers and other programs.
func (d *Doors) openWeb(handler http.Handler) (*door, error) {
	w := d.config.Web
	opened := &door{name: cmp.Or(d.config.Name, "web"), scheme: "http", server: newServer(handler)}
	if w.Certificate != "" {
		if err := d.web.load(w); err != nil {
			return nil, err
		}
		opened.scheme = "https"
	}
	l, err := listen(opened.name, w.Address)
	if err != nil {
		return nil, err
	}
	opened.listener = d.connections.listener(l)
	if w.Certificate != "" {
		opened.listener = tls.NewListener(opened.listener, &tls.Config{
			MinVersion:         tls.VersionTLS12,
			NextProtos:         []string{"h2", "http/1.1"},
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return d.web.config.Load(), nil },
		})
	}
	return opened, nil
}

// A webIdentity is what the HTTPS listener shows, which can change while it runs.
type webIdentity struct{ config atomic.Pointer[tls.Config] }

// load reads the certificate and its key, and the authorities of callers.
func (id *webIdentity) load(w *Web) error {
	pair, err := tls.LoadX509KeyPair(w.Certificate, w.Key)
	if err != nil {
		return &Error{Code: CodeConfig, Message: "read web.certificate and web.key", Err: err}
	}
	c := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{pair},
	}
	if w.ClientAuthorities != "" {
		b, err := os.ReadFile(w.ClientAuthorities)
		if err != nil {
			return &Error{Code: CodeConfig, Message: "read web.clientAuthorities", Err: err}
		}
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
		if !c.ClientCAs.AppendCertsFromPEM(b) {
			return &Error{Code: CodeConfig, Message: w.ClientAuthorities + " holds no certificate"}
		}
	}
	id.config.Store(c)
	return nil
}

// openTLCP opens the listener for national cryptography.
func (d *Doors) openTLCP(handler http.Handler) (*door, error) {
	id, err := loadTLCP(d.config.TLCP)
	if err != nil {
		return nil, err
	}
	l, err := listen("tlcp", d.config.TLCP.Address)
	if err != nil {
		return nil, err
	}
	d.tlcp = tlcp.NewListener(d.connections.listener(l), id, tlcp.Config{
		HandshakeTimeout: handshakeTimeout,
		MaxHandshakes:    maxHandshakes,
		Failed:           func(err *tlcp.Error) { d.metrics.tlcp.WithLabelValues(err.Code).Inc() },
	})
	return &door{name: "tlcp", scheme: "https", listener: d.tlcp, server: newServer(handler)}, nil
}

func loadTLCP(t *TLCP) (*tlcp.Identity, error) {
	var files tlcp.Files
	for _, f := range []struct {
		path string
		into *[]byte
	}{
		{t.SigningCertificate, &files.SigningCertificate}, {t.SigningKey, &files.SigningKey},
		{t.EncryptionCertificate, &files.EncryptionCertificate}, {t.EncryptionKey, &files.EncryptionKey},
	} {
		b, err := os.ReadFile(f.path)
		if err != nil {
			return nil, &Error{Code: CodeConfig, Message: "read the certificates and keys of tlcp", Err: err}
		}
		*f.into = b
	}
	id, err := tlcp.NewIdentity(files)
	if err != nil {
		return nil, &Error{Code: CodeConfig, Message: "read the certificates and keys of tlcp", Err: err}
	}
	return id, nil
}

// openMetrics opens the listener of operators.
func (d *Doors) openMetrics(ready func(context.Context) (bool, any)) (*door, error) {
	l, err := listen("metrics", d.config.Metrics)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", d.metrics.handler())
	return &door{name: "metrics", scheme: "http", listener: l, server: newServer(probes(ready, mux))}, nil
}

// shutdown ends a server: no new connections, requests under way are finished until ctx is done.
func (d *door) shutdown(ctx context.Context) {
	if d.server.Shutdown(ctx) != nil {
		_ = d.server.Close()
	}
}
