package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/serve/servetest"
)

// holdings gives a world a wallet for a trial, in which the holders of record n can sign in.
func (w *world) holdings(n int) (owner string) {
	w.Helper()
	var record struct {
		Names []string `json:"rightHolders"`
		IDs   []string `json:"rightHolderIds"`
	}
	w.Must(json.Unmarshal(w.Record(n), &record))
	people := "people:\n"
	for i := range record.IDs {
		people += fmt.Sprintf("  - {number: %q, name: %q}\n", record.IDs[i], record.Names[i])
	}
	w.write("people.yaml", []byte(people))
	w.config.Wallet = service.TrialWallet("http://" + free(w))
	w.config.Wallet.Web.Address, w.config.Wallet.Trial.Address = free(w), free(w)
	w.config.Wallet.Origin = "http://" + w.config.Wallet.Web.Address
	return record.IDs[0]
}

// free is an address at which nobody listens.
func free(w *world) string {
	w.Helper()
	address, err := servetest.FreeAddress()
	w.Must(err)
	return address
}

// A citizen is a browser.
type citizen struct {
	w      *world
	client *http.Client
}

// signIn goes the way of a browser: to the wallet, to the platform, choosing somebody, and back.
func (w *world) signIn(number string) *citizen {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.Must(err)
	client := &http.Client{Jar: insecureJar{jar}}
	page, err := client.Get(w.url("wallet") + "/v1/sign-in")
	w.Must(err)
	page.Body.Close()
	if page.StatusCode != http.StatusOK || page.Request.URL.Path != "/authorize" {
		w.Fatalf("at the platform: %d, %s", page.StatusCode, page.Request.URL)
	}
	back, err := client.PostForm(w.url("trial")+"/authorize", url.Values{"query": {page.Request.URL.RawQuery}, "person": {number}})
	w.Must(err)
	b, err := io.ReadAll(back.Body)
	w.Must(err)
	back.Body.Close()
	if string(b) != "my licences" || back.Request.URL.Fragment != "" {
		w.Fatalf("back at %s: %s", back.Request.URL, b)
	}
	return &citizen{w, client}
}

// An insecureJar sends cookies that are for HTTPS to this machine too, as browsers do.
type insecureJar struct{ http.CookieJar }

func (j insecureJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	j.CookieJar.SetCookies(u, cookies)
}

// ask calls the wallet.
func (c *citizen) ask(method, path, body string, status int, answer any) {
	c.w.Helper()
	r, err := http.NewRequest(method, c.w.url("wallet")+path, strings.NewReader(body))
	c.w.Must(err)
	r.Header.Set("CredLedger-Wallet", "1")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := c.client.Do(r)
	c.w.Must(err)
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	c.w.Must(err)
	if got.StatusCode != status {
		c.w.Fatalf("%s %s: status %d: %s", method, path, got.StatusCode, b)
	}
	if answer != nil {
		c.w.Must(json.Unmarshal(b, answer))
	}
}

// The whole of a trial: signing in, one's licences, a code without a verifier, a grant, and the same session after a restart.
func TestWallet(t *testing.T) {
	w := newWorld(t, "")
	owner := w.holdings(1)
	w.begin()
	w.mustIssue()
	c := w.signIn(owner)
	var mine struct {
		Licences []struct {
			ID       int64
			Showable bool
		}
	}
	w.await("the licence in the view", func() bool {
		c.ask("GET", "/v1/licences", "", 200, &mine)
		return len(mine.Licences) == 1 && mine.Licences[0].Showable
	})
	var made struct {
		Code  string
		Grant struct{ Grant, State, Means string }
	}
	fields := `["certificateNumber","rightHolders","rightHolderIds","coOwnership","location","unitNumber","use","area","registrationDate"]`
	show := fmt.Sprintf(`{"licence":%d,"matter":"second-hand-home-transfer","fields":%s`, mine.Licences[0].ID, fields)
	c.ask("POST", "/v1/codes", show+`,"kind":"reference"}`, 503, &made)
	if made.Code != "verifier-unavailable" {
		t.Errorf("without a verifier: %s", made.Code)
	}
	c.ask("POST", "/v1/codes", show+`,"kind":"self-contained"}`, 201, nil)
	c.ask("POST", "/v1/grants", fmt.Sprintf(`{"licence":%d,"matter":"second-hand-home-transfer","fields":["location"],"agency":%q,"uses":1,"days":1,"beyond":true}`,
		mine.Licences[0].ID, w.office.Agency.ID), 201, &made)
	if made.Grant.Means != "platform" {
		t.Errorf("the grant: %+v", made.Grant)
	}
	w.await("the grant on the ledger", func() bool {
		var list struct{ Grants []struct{ State string } }
		c.ask("GET", "/v1/grants", "", 200, &list)
		return len(list.Grants) == 1 && list.Grants[0].State == "given"
	})
	if status, body := w.get(w.url("metrics") + "/metrics"); status != 200 || !strings.Contains(body, `credledger_issuer_wallet_requests_total{problem="verifier-unavailable",route="/v1/codes",status="503"} 1`) {
		t.Error("the metrics know nothing of the wallet")
	}

	w.Must(w.end())
	w.begin()
	c.ask("GET", "/v1/licences", "", 200, &mine) // the session is in the vault
	c.ask("DELETE", "/v1/sessions", "", 204, nil)
	c.ask("GET", "/v1/licences", "", 401, nil)
	if log := w.logged.String(); strings.Contains(log, owner) || !strings.Contains(log, "request of the wallet") {
		t.Error("the log says who signed in, or nothing of the wallet")
	}
	for _, door := range []string{"web", "wallet", "trial"} {
		if !w.hasLogged(fmt.Sprintf(`"msg":"listening","for":%q,"at":%q`, door, w.url(door))) {
			t.Errorf("the log does not say where %s listens", door)
		}
	}
	// The desk answers nothing of the wallet, nor the other way round.
	for _, at := range []string{w.url("web") + "/v1/sign-in", w.url("wallet") + "/v1/desk", w.url("wallet") + "/v1/jobs"} {
		if status, _ := w.get(at); status != http.StatusNotFound {
			t.Errorf("%s: status %d", at, status)
		}
	}
}

// Without what the wallet names it does not start.
func TestWalletStart(t *testing.T) {
	w := newWorld(t, "")
	w.holdings(1)
	for name, spoil := range map[string]func(){
		"no people":            func() { w.Must(os.Remove(w.Path("people.yaml"))) },
		"people who can exist": func() { w.write("people.yaml", []byte("people:\n  - {number: \"110101199003077571\", name: x}\n")) },
		"no token":             func() { w.holdings(1); w.config.Wallet.Verifier.Token = "nowhere" },
	} {
		spoil()
		s, err := w.new(context.Background())
		if serve.Code(err) != serve.CodeConfig {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
