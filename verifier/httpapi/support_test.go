package httpapi_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
)

// raw returns a member of an answer as it stands there.
func raw(tb testing.TB, a httpapitest.Answer, member string) []byte {
	tb.Helper()
	var all map[string]json.RawMessage
	a.JSON(tb, &all)
	return all[member]
}

// newRequest makes a request that the clients of httpapitest do not make.
func newRequest(tb testing.TB, method, path string, body io.Reader) *http.Request {
	tb.Helper()
	r := httptest.NewRequest(method, path, body)
	r.RemoteAddr = httpapitest.From
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func serve(s *httpapitest.Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.API.ServeHTTP(w, r)
	return w
}

func tlsOf(certificate []byte) *tls.ConnectionState {
	return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: certificate}}}
}

type recorded = httptest.ResponseRecorder

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
