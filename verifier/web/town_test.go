package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/web"
)

// A town is a city with its verifier: the API with all that it stands on, and the pages.
type town struct {
	*httpapitest.Server
	*webpagetest.Front
	t    *testing.T
	home string // origin
}

func newTown(t *testing.T) *town {
	t.Helper()
	city := verifiertest.NewAt(t, time.Now()) // as in the browser, whose cookies expire by its clock
	w := &town{t: t, Server: httpapitest.NewOn(t, city, func(c *httpapi.Config) { c.Pages = web.Handler() })}
	w.Front = webpagetest.NewFront(w.API)
	server := httptest.NewServer(w.Front)
	t.Cleanup(server.Close)
	w.home = server.URL
	return w
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
