package web_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/web"
)

// A town is a city with its verifier: the API with all that it stands on, and the pages.
type town struct {
	*httpapitest.Server
	t    *testing.T
	home string // origin

	// front, if not nil, answers calls of the API instead, unless it returns false.
	front atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

func newTown(t *testing.T) *town {
	t.Helper()
	city := verifiertest.NewAt(t, time.Now()) // as in the browser, whose cookies expire by its clock
	w := &town{t: t, Server: httpapitest.NewOn(t, city, func(c *httpapi.Config) { c.Pages = web.Handler() })}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	w.home = server.URL
	return w
}

func (w *town) serve(rw http.ResponseWriter, r *http.Request) {
	if front := w.front.Load(); front != nil && strings.HasPrefix(r.URL.Path, "/v1/") && (*front)(rw, r) {
		return
	}
	w.API.ServeHTTP(rw, r)
}

// answer puts something in front of the API; nil takes it away.
func (w *town) answer(front func(http.ResponseWriter, *http.Request) bool) {
	if front == nil {
		w.front.Store(nil)
		return
	}
	w.front.Store(&front)
}

// cut breaks every connection of the API off, as if the network was gone.
func cut(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// refusal answers with a problem.
func refusal(status int, code, zh, en string, headers ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("Content-Type", "application/problem+json")
		for i := 0; i < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		rw.WriteHeader(status)
		fmt.Fprintf(rw, `{"type": "urn:credledger:problem:%[2]s", "title": "", "status": %[1]d, "detail": "", "instance": "", "code": "%[2]s", "text": {"zh": "%[3]s", "en": "%[4]s"}}`, status, code, zh, en)
		return true
	}
}

// reference leaves a presentation as a holder's phone does, and returns the address that its
// reference code shows.
func (w *town) reference(p *credential.Presentation) string {
	w.t.Helper()
	presentation := base64.StdEncoding.EncodeToString(p.Bytes())
	return w.Post("/v1/references", map[string]string{"presentation": presentation}).Want(w.t, http.StatusCreated).Text("url")
}

func decode(t *testing.T, b []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
}
