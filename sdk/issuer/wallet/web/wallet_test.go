package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/issuer/wallet/web"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

func TestMain(m *testing.M) { webpagetest.Main(m) }

// transfer is the matter that needs marriage certificates.
const transfer = wallettest.Matter

// samples is how many records there are of different people; record n and record n + samples are of the same.
const samples = 40

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld is a department whose wallet has the pages, at the time of the browser, by which cookies expire.
func newWorld(t testing.TB, typ string) *wallettest.World {
	t.Helper()
	w := wallettest.New(t, typ)
	w.Rewire(func(_ *wallet.Config, c *httpapi.Config) { c.Pages = web.Handler() })
	w.Clock.Advance(time.Since(w.Clock.Now()))
	w.Beat()
	return w
}

// A hall is a wallet as browsers see it: the pages, the API behind them, which holds every answer against the contract, and an
// identity platform that knows who comes.
type hall struct {
	*wallettest.World
	*webpagetest.Front
	t    *testing.T
	home string // origin

	mu     sync.Mutex
	comes  wallet.Person // who signs in next
	bodies map[string][]request
	under  []string // each call, and the delegation that it was made under
}

// A request is what bodies say, whatever the call.
type request struct {
	Licence  vault.ID   `json:"licence"`
	Licences []vault.ID `json:"licences"`
	Fields   []string   `json:"fields"`
	Kind     string     `json:"kind"`
	Matter   string     `json:"matter"`
	Beyond   bool       `json:"beyond"`
	Large    bool       `json:"large"`
	Language string     `json:"language"`
	Agency   string     `json:"agency"`
	Uses     int        `json:"uses"`
	Days     int        `json:"days"`
	Helper   string     `json:"helper"`
	May      []string   `json:"may"`
	About    string     `json:"about"`
	Text     string     `json:"text"`
	Use      string     `json:"use"`
	Stars    int        `json:"stars"`
}

// newHall is that of a department of marriages, of which Holder(0) has one licence, 1.
func newHall(t *testing.T) *hall { t.Helper(); return newHallOf(t, "marriage") }

func newHallOf(t *testing.T, typ string) *hall {
	t.Helper()
	h := &hall{t: t, World: newWorld(t, typ), bodies: map[string][]request{}}
	h.comes = h.Holder(0)
	h.Front = webpagetest.NewFront(http.HandlerFunc(h.serve))
	server := httptest.NewServer(h.Front)
	t.Cleanup(server.Close)
	h.home = server.URL
	h.Issue(0)
	return h
}

// serve answers a browser.
func (h *hall) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/v1/sign-in":
		h.signIn(w, r)
	case strings.HasPrefix(r.URL.Path, "/v1/") && !strings.HasPrefix(r.URL.Path, "/v1/sign-in"):
		h.call(w, r)
	default:
		h.API.ServeHTTP(w, r)
	}
}

// signIn is the way to the platform and back, with nobody there having to do anything.
func (h *hall) signIn(w http.ResponseWriter, r *http.Request) {
	recorded := httptest.NewRecorder()
	h.API.ServeHTTP(recorded, r)
	to, err := url.Parse(recorded.Header().Get("Location"))
	if err == nil && to.IsAbs() {
		if r.URL.Query().Get("fresh") == "1" {
			h.Platform.Proven = 0
		}
		h.mu.Lock()
		recorded.Header().Set("Location", h.Platform.Choose(to, h.comes))
		h.mu.Unlock()
	}
	copyTo(w, recorded)
}

// call has the API answer, holds the answer against the contract, and remembers what was asked.
func (h *hall) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the page has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	recorded := httptest.NewRecorder()
	h.API.ServeHTTP(recorded, r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	h.Client.Contract.Check(h.t, r, resttest.Answer{Status: recorded.Code, Header: recorded.Header(), Body: recorded.Body.Bytes()})
	h.remember(r, body)
	copyTo(w, recorded)
}

func (h *hall) remember(r *http.Request, body []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	call := r.Method + " " + r.URL.Path
	h.under = append(h.under, call+" "+r.Header.Get("CredLedger-For"))
	var said request
	if len(body) > 0 && json.Unmarshal(body, &said) == nil {
		h.bodies[call] = append(h.bodies[call], said)
	}
}

func copyTo(w http.ResponseWriter, recorded *httptest.ResponseRecorder) {
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(recorded.Body.Bytes()) // the page may have gone
}

// sent are the bodies of a call, newest last.
func (h *hall) sent(call string) []request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.bodies[call])
}

// calls are those so far, each with the delegation that it was made under.
func (h *hall) made() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.under)
}

// stale has whoever signs in have proven who they are too long ago for what could do harm.
func (h *hall) stale() { h.Platform.Proven = time.Hour }

// as is somebody as a client without pages.
func (h *hall) as(who wallet.Person) wallettest.Client { h.Helper(); return h.SignIn(who) }

// set changes the state of a licence, for the first reason that the type has.
func (h *hall) set(id vault.ID, to licence.State) {
	h.t.Helper()
	l, err := h.World.Issuer.Subject(h.Context(), id)
	must(h.t, err)
	change, _ := h.Type.Transition(licence.Active, to)
	_, err = h.World.Issuer.SetStatus(h.Context(), vault.By{Actor: "wangfang", Purpose: "counter"}, []issuer.StatusChange{{Licence: l, To: to, Reason: change.Reasons[0].Code}}, nil)
	must(h.t, err)
	h.CatchUp()
}

// settle answers every objection that has no answer.
func (h *hall) settle(outcome, text string) {
	h.t.Helper()
	open, err := h.Vault.Objections(h.Context(), vault.ObjectionOpen, 100)
	must(h.t, err)
	must(h.t, h.Vault.Write(h.Context(), vault.By{Actor: "李雷", Purpose: "objections"}, func(t *vault.Tx) error {
		for _, o := range open {
			if err := t.SettleObjection(o.ID, &vault.Settlement{Outcome: outcome, Text: text}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// A tab is a browser's tab with the wallet in it.
type tab struct {
	*webpagetest.Tab
	h *hall
}

// tab opens one in which nobody has signed in.
func (h *hall) tab(t *testing.T, settings ...webpagetest.Setting) *tab {
	t.Helper()
	return &tab{webpagetest.NewTab(t, webpagetest.Browser, h.home, settings...), h}
}

// start signs somebody in and opens their wallet.
func (b *tab) start(who wallet.Person, query ...string) {
	b.T.Helper()
	b.h.mu.Lock()
	b.h.comes = who
	b.h.mu.Unlock()
	b.Open("/v1/sign-in")
	if len(query) > 0 {
		b.Open("/" + query[0])
	}
	b.Until(webpagetest.Seen("#view h1"))
}

// heading waits for a view by its heading.
func (b *tab) heading(text string) {
	b.T.Helper()
	b.Says("#view h1", text)
}

// press clicks what is called so in the page.
func (b *tab) press(name string) {
	b.T.Helper()
	b.Click(fmt.Sprintf("#view [data-do=%[1]q], #view [data-way=%[1]q]", name))
}

// next goes on in the form that is shown, which has the id.
func (b *tab) next(form string) {
	b.T.Helper()
	b.Click("#" + form + " [type=submit]")
}

// checked are the answers that are chosen.
func (b *tab) checked(name string) []string {
	b.T.Helper()
	return webpagetest.Evaluate[[]string](b.Tab, fmt.Sprintf(`[...document.querySelectorAll("[name=%s]:checked")].map(e => e.value)`, name))
}
