package request

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/credledger/credledger/sdk/grant/granttest"
	"github.com/credledger/credledger/verifier/store"
)

// AcceptForTest returns what looks whether the body of a response answers a request, which is of a ledger of its own.
func AcceptForTest(tb testing.TB) func(body []byte) bool {
	tb.Helper()
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
	tb.Cleanup(server.Close)
	c := &client{http: server.Client(), url: server.URL}
	a := &Asker{Config: Config{Grants: granttest.NewView()}}
	r := &store.Request{Signed: request(tb)}
	return func(b []byte) bool {
		body = b
		m, err := c.send(context.Background(), r)
		if err == nil {
			_, _, err = a.accept(r, m)
		}
		return err == nil
	}
}

func request(tb testing.TB) []byte { return granttest.Request(tb, nil) }
