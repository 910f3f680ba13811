package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// check fills the form in and goes on to where a licence is checked before it is issued.
func (b *tab) check(said map[string]any) {
	b.T.Helper()
	b.View("issue", "#filling")
	b.fill(said)
	b.Click("#filling [type=submit]")
	b.Until(webpagetest.Seen("[data-do=issue]"))
}

// TestAnswerLost: the licence was issued and the answer never came. Pressed again, the button issues
// no second one, and the person learns that.
func TestAnswerLost(t *testing.T) {
	o := newOffice(t, "property")
	b := o.tab(t)
	b.Allowed = []string{"net::", "status of 503"}
	b.signIn(clerk)
	b.check(o.sample(0))
	o.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/licences" {
			return false
		}
		o.API.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	b.Click("[data-do=issue]")
	b.Says("#problem", "连不上制证服务")
	b.Accessible()
	b.Shot("trouble-unreachable")
	o.Answer(webpagetest.Refusal(http.StatusServiceUnavailable, "ledger-unavailable", "账本暂时连不上,请稍后再试。", "Try again soon.", "Retry-After", "7"))
	b.Click("[data-do=issue]")
	b.Says("#problem", "账本暂时连不上")
	b.Says("#problem", "7 秒")
	o.Answer(nil)
	b.Click("[data-do=issue]")
	b.Until(webpagetest.Seen(".done"))
	if got := b.Text("main"); !strings.Contains(got, "没有重复制发") || b.Visible("#problem") {
		t.Errorf("says %s", got)
	}
	b.View("", "[data-card=issued] li")
	if got := b.Text("[data-card=issued] .count"); got != "1" {
		t.Errorf("%s licences were issued", got)
	}
}

// TestServiceAway: without the service the desk says so and is not empty for good.
func TestServiceAway(t *testing.T) {
	o := newOffice(t, "property")
	b := o.tab(t)
	b.Allowed = []string{"net::", "status of 5"}
	o.Answer(webpagetest.Cut)
	b.Open("/")
	b.Says("#problem", "连不上制证服务")
	o.Answer(webpagetest.Saying(http.StatusBadGateway, "<html>"))
	b.Open("/")
	b.Says("#problem", "暂时不能应答")
	o.Answer(nil)
	b.signIn(clerk)
	o.Answer(webpagetest.Cut)
	b.View("search", "#search")
	b.View("import", "#problem")
	o.Answer(nil)
	b.View("", "[data-card=issued]")
	b.Until(`document.querySelector("#problem").hidden`)
}

// TestSession: a wrong password is refused; a session that ends while a form is filled in costs
// nothing but signing in again; and somebody else finds nothing.
func TestSession(t *testing.T) {
	o := newOffice(t, "property")
	b := o.tab(t)
	b.Allowed = []string{"status of 401"}
	b.Open("/")
	b.Until(`document.activeElement.id === "name"`)
	b.credentials(clerk, "not the password")
	b.Until(webpagetest.Seen("#problem"))
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("#password").value`); got != "" || b.Visible("#tabs") {
		t.Errorf("refused, the page keeps %q", got)
	}
	b.Accessible()
	b.Shot("sign-in-refused")
	b.signIn(clerk)
	b.check(o.sample(0))
	over := webpagetest.Refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in.")
	o.Answer(over)
	b.Click("[data-do=issue]")
	b.Until(webpagetest.Seen("#password"))
	b.Says("#problem", "登录已过期")
	if b.Visible("#view") || b.Visible("#tabs") {
		t.Error("signed out, the page still shows what was done")
	}
	o.Answer(nil)
	b.Until(`document.activeElement.id === "password"`)
	b.Keys(httpapitest.Password + kb.Enter)
	b.Until(webpagetest.Seen("[data-do=issue]"))
	b.Until(`document.activeElement === document.querySelector("#view h1")`)
	if got := b.Text("[data-key=certificateNumber]"); got != o.sample(0)["certificateNumber"] {
		t.Errorf("signed in again, the licence is %s", got)
	}

	o.Answer(over)
	b.Click("[data-do=issue]")
	b.Until(webpagetest.Seen("#password"))
	o.Answer(nil)
	b.Put("#name", second)
	b.Run(`document.querySelector("#password").focus()`)
	b.Keys(httpapitest.Password + kb.Enter)
	b.Says("#who p", second)
	b.Until(webpagetest.Seen("[data-card=issued]"))
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("#view").textContent + location.hash`); strings.Contains(got, "许娟") || strings.Contains(got, "issue") {
		t.Errorf("somebody else finds %s", got)
	}
	if b.Visible("[data-tab=issue]") || b.Visible("[data-tab=import]") || !b.Visible("[data-tab=approvals]") {
		t.Error("who may only approve is offered other things, or not that")
	}

	b.Allowed = append(b.Allowed, "net::")
	o.Answer(webpagetest.Cut)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#problem"))
	if b.Visible("#name") {
		t.Error("it looks like signed out, and is not")
	}
	o.Answer(nil)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#name"))
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("#name").value + document.querySelector("#view").textContent`); got != "" {
		t.Errorf("signed out, the page still knows %q", got)
	}
}

// TestNobodyInParticular: an address that somebody sends leads to signing in, and then to what it names.
func TestNobodyInParticular(t *testing.T) {
	o := newOffice(t, "property")
	o.issue(0)
	b := o.tab(t)
	b.Allowed = []string{"status of 40"}
	b.Open("/#/licence/1")
	b.Until(`document.activeElement.id === "name"`)
	b.credentials(clerk, httpapitest.Password)
	b.Until(webpagetest.Seen("#open"))
	b.View("licence/99", "#problem")
	b.View("licence/..%2f..%2fme", "#problem")
	b.View("constructor", "[data-card=issued]")
}
