package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/web"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

func TestMain(m *testing.M) { webpagetest.Main(m) }

// The people of the office: a clerk who does everything but approve, and who approves.
const (
	clerk  = httpapitest.Clerk
	second = httpapitest.Second
)

// An office is the desk of a department that issues licences of one type, with the API and all that it
// stands on.
type office struct {
	*httpapitest.Server
	*webpagetest.Front
	home string // origin

	session httpapitest.Client // of the clerk, beside the pages
}

func newOffice(t *testing.T, typ string) *office {
	t.Helper()
	s := httpapitest.New(t, typ, func(c *httpapi.Config) {
		c.Pages = web.Handler()
		c.Department.Name = licence.Text{Zh: "示范市自然资源和规划局", En: "Bureau of Natural Resources and Planning"}
	})
	s.Clock.Advance(time.Since(s.Clock.Now())) // to that of the browser, by which cookies expire
	s.Offer()
	o := &office{Server: s, Front: webpagetest.NewFront(s.API)}
	server := httptest.NewServer(o.Front)
	o.home = server.URL
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		s.API.Run(ctx, func(err error) {
			if ctx.Err() == nil {
				t.Errorf("work: %v", err)
			}
		})
	})
	t.Cleanup(func() {
		server.Close()
		stop()
		work.Wait()
	})
	return o
}

// sample returns what the nth of the licences that come as samples says, by key.
func (o *office) sample(n int) map[string]any {
	o.TB.Helper()
	f, err := samples.Files.Open(o.Type.ID + ".jsonl")
	if err != nil {
		o.TB.Fatal(err)
	}
	defer f.Close()
	r, err := licence.NewReader(f, o.Type)
	if err != nil {
		o.TB.Fatal(err)
	}
	var d *licence.Document
	for range n + 1 {
		if d, err = r.Next(); err != nil {
			o.TB.Fatal(err)
		}
	}
	said := map[string]any{}
	decode(o.TB, d.Canonical(), &said)
	return said
}

func decode(t testing.TB, b []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
}

// clerk returns the clerk as a client without pages.
func (o *office) clerk() httpapitest.Client {
	o.TB.Helper()
	if o.session.TB == nil {
		o.session = o.SignIn(clerk)
	}
	return o.session
}

// keep has the nth of the licences that come as samples put aside.
func (o *office) keep(n int) string {
	o.TB.Helper()
	return o.clerk().Post("/v1/drafts", map[string]any{"type": o.Type.ID, "fields": o.sample(n)}).Want(o.TB, http.StatusCreated).Text("id")
}

// issue has the nth of the licences that come as samples issued, and returns its id.
func (o *office) issue(n int) int64 {
	o.TB.Helper()
	return o.clerk().Post("/v1/drafts/"+o.keep(n)+"/issue", nil).Want(o.TB, http.StatusCreated).Number("licence.id")
}

// state is that of a licence.
func (o *office) state(id int64) string {
	o.TB.Helper()
	return o.clerk().Get(fmt.Sprintf("/v1/licences/%d", id)).Want(o.TB, http.StatusOK).Text("licence.state")
}

// set asks for a state, for the first reason that the type has, and wants to be answered so.
func (o *office) set(id int64, from, to licence.State, want int) {
	o.TB.Helper()
	t, _ := o.Type.Transition(from, to)
	o.clerk().Post(fmt.Sprintf("/v1/licences/%d/status", id), map[string]any{"to": to, "reason": t.Reasons[0].Code}).Want(o.TB, want)
}

// object has a holder object to something about a licence, as the wallet does.
func (o *office) object(id int64, text string) {
	o.TB.Helper()
	made := &vault.Objection{Licence: vault.ID(id), About: vault.AboutVerdict, Text: text, Due: licence.DateOf(o.Clock.Now()) + 15}
	o.Must(o.Vault.Write(o.Context(), vault.By{Actor: "holder", Purpose: "wallet"}, func(tx *vault.Tx) error { return tx.Object("990101196811176439", made) }))
}

// A tab is a browser's tab with the desk in it.
type tab struct{ *webpagetest.Tab }

func (o *office) tab(t *testing.T, settings ...webpagetest.Setting) *tab {
	t.Helper()
	return &tab{webpagetest.NewTab(t, webpagetest.Browser, o.home, settings...)}
}

// signIn opens the desk and signs somebody in, with the keyboard alone.
func (b *tab) signIn(name string) {
	b.T.Helper()
	b.Open("/")
	b.Until(`document.activeElement.id === "name"`)
	b.credentials(name, httpapitest.Password)
	b.Until(webpagetest.Seen("[data-card=issued]"))
}

// credentials types who signs in, and presses Enter. A name is typed as by an input method.
func (b *tab) credentials(name, password string) {
	b.T.Helper()
	webpagetest.Call(b.Tab, input.InsertText, input.InsertTextParams{Text: name})
	b.Keys(kb.Tab + password + kb.Enter)
}

// fill answers the form.
func (b *tab) fill(said map[string]any) {
	b.T.Helper()
	for key, value := range said {
		switch v := value.(type) {
		case string:
			b.Put("#f-"+key, v)
		case []any:
			b.Put("#f-"+key, strings.Trim(strings.ReplaceAll(fmt.Sprintf("%q", v), `" "`, "\n"), `"[]`))
		}
	}
}
