package wallettest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/issuer/wallet/identity"
	"github.com/credledger/credledger/sdk/issuer/wallet/trial"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/issuer/wallet/web"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

func TestMain(m *testing.M) { webpagetest.Main(m) }

// The pages, the interface, the platform for trials and the verifier, with nothing made up between them: a person signs in,
// sees the licence, proves once more who they are, and is back where they were.
func TestInBrowser(t *testing.T) {
	w := wallettest.New(t, "marriage")
	w.Clock.Advance(time.Since(w.Clock.Now())) // to that of the browser, by which cookies expire
	w.Issue(1)
	who := w.Holder(1)
	var platform http.Handler
	away := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { platform.ServeHTTP(rw, r) }))
	t.Cleanup(away.Close)
	home := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.API.ServeHTTP(rw, r) }))
	t.Cleanup(home.Close)
	made, err := trial.New(trial.Config{Issuer: away.URL, Redirect: home.URL + httpapi.CallbackPath, ClientID: "wallet",
		People: []trial.Person{{Number: who.Number, Name: who.Name}, {Number: w.Spouse(1).Number, Name: w.Spouse(1).Name}}, Now: w.Clock.Now})
	w.Must(err)
	platform = made
	provider, err := identity.New(identity.Config{Issuer: away.URL, Client: away.Client(), ClientID: "wallet", Redirect: home.URL + httpapi.CallbackPath,
		Number: trial.NumberClaim, Name: trial.NameClaim, MaxAge: time.Hour, Now: w.Clock.Now})
	w.Must(err)
	w.Rewire(func(_ *wallet.Config, c *httpapi.Config) {
		c.Provider, c.Trial, c.Pages = provider, true, web.Handler()
	})

	b := webpagetest.NewTab(t, webpagetest.Browser, home.URL)
	b.Allowed = []string{away.URL} // the platform is elsewhere
	b.Open("/")
	b.Click("#sign-in")
	choose := func(p wallet.Person) {
		t.Helper()
		b.Until(`location.origin === "` + away.URL + `"`)
		b.Click(`button[value="` + p.Number + `"]`)
		b.Until(`location.origin === "` + home.URL + `"`)
	}
	choose(who)
	b.Until(`document.body.innerText.includes("结婚证")`)
	b.Until(webpagetest.Seen("#sign-out"))
	if text := webpagetest.Evaluate[string](b, "document.body.innerText + location.href + document.cookie"); strings.Contains(text, who.Number) || strings.Contains(text, "credledger-wallet=") {
		t.Errorf("the page has what it must not: %s", text)
	}
	// A quarter of an hour later, what takes a fresh proof leads to the platform and back to where one was.
	w.Clock.Advance(15 * time.Minute)
	b.Open("/v1/sign-in?fresh=1&to=grants")
	choose(who)
	b.Until(`location.hash === "#/grants"`)
	// Somebody else comes: nothing changes, and the page says so.
	b.Open("/v1/sign-in?fresh=1")
	choose(w.Spouse(1))
	b.Until(`document.body.innerText.includes("不是同一个人")`)
	b.Open("/")
	b.Until(`document.body.innerText.includes("结婚证")`)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#sign-in"))
}
