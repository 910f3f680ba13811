// Package tlcptest has a client of TLCP for tests, by the engine's own half for clients.
package tlcptest

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/tjfoc/gmsm/gmtls"
	"github.com/tjfoc/gmsm/x509"
)

// Client returns a client of HTTP over TLCP that trusts the authority whose certificate is root, PEM.
func Client(t testing.TB, root []byte) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatal("the root certificate cannot be read")
	}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			host, _, _ := net.SplitHostPort(address)
			c := gmtls.Client(raw, &gmtls.Config{GMSupport: gmtls.NewGMSupport(), RootCAs: roots, ServerName: host})
			if err := c.Handshake(); err != nil {
				_ = raw.Close()
				return nil, err
			}
			return c, nil
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
