package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// gone reports whether nothing of who was signed in is left on the page.
func (b *tab) gone(words ...string) bool {
	b.T.Helper()
	left := webpagetest.Evaluate[string](b.Tab, `document.querySelector("main").textContent + location.href`)
	for _, word := range words {
		if strings.Contains(left, word) {
			b.T.Errorf("%q is left on the page", word)
			return false
		}
	}
	return !b.Visible("#view") && !b.Visible("#sections") && !b.Visible("#acting")
}

// TestSignIn: who has not signed in is told whose wallet it is and by whom they are known, and gets there with one tap.
func TestSignIn(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.Open("/#/licence/1")
	b.Until(webpagetest.Seen("#sign-in"))
	b.Says("#issuer", "示范市民政局")
	b.Says("#provider", "统一身份认证")
	if got := h.made(); len(got) != 1 || b.Visible("#view") {
		t.Errorf("before anybody signed in, it called %v", got)
	}
	b.Open("/#problem=sign-in-unavailable")
	b.Run("location.reload()")
	b.Says("#problem", "统一身份认证暂时连不上")
	b.Accessible()
	b.Shot("sign-in-refused")
	if got := webpagetest.Evaluate[string](b.Tab, "location.hash"); got != "" {
		t.Errorf("what went wrong stays in the address: %s", got)
	}
	for _, problem := range []string{"sign-in-refused", "constructor", "identity-missing"} {
		b.Run(`location.hash = "#problem=` + problem + `"; location.reload()`)
		b.Until(webpagetest.Seen("#problem"))
	}
	b.Click("#sign-in")
	b.Until(webpagetest.Seen("#licences"))
	b.Says("#who", "您好")
}

// TestSignOut: signed out, nothing is left; and it does not look so when it is not so.
func TestSignOut(t *testing.T) {
	h := newHall(t)
	name := h.Holder(0).Name
	b := h.tab(t)
	b.Allowed = []string{"net::"}
	b.start(h.Holder(0))
	b.View("licence/1", "[data-do=open]")
	b.press("open")
	b.Says("#contents", name)
	h.Answer(webpagetest.Cut)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#problem"))
	if b.Visible("#sign-in") {
		t.Error("it looks like signed out, and is not")
	}
	h.Answer(nil)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#sign-in"))
	if !b.gone(name, "licence/1", "您好") {
		t.Error("something is left")
	}
	b.Run("history.back()")
	b.Until(webpagetest.Seen("#sign-in"))
	b.gone(name, "您好")
}

// TestSessionEnds: a session that ends, by the service's word or because nobody touched anything, takes everything off the
// screen.
func TestSessionEnds(t *testing.T) {
	h := newHall(t)
	name := h.Holder(0).Name
	b := h.tab(t, clock)
	b.Allowed = []string{"status of 401"}
	see := func() {
		t.Helper()
		b.View("licence/1", "[data-do=open]")
		b.press("open")
		b.Says("#contents", name)
	}
	b.start(h.Holder(0))
	see()
	h.Answer(webpagetest.Refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in."))
	b.View("looks/1", "#sign-in")
	b.Says("#problem", "请重新登录")
	if !b.gone(name, "looks") {
		t.Error("something is left")
	}
	h.Answer(nil)
	b.start(h.Holder(0), "?again")
	see()
	b.pass(19 * 60_000)
	b.Says("#contents", name)
	b.pass(2 * 60_000)
	b.Until(webpagetest.Seen("#sign-in"))
	if !b.gone(name) {
		t.Error("something is left")
	}
	b.Click("#sign-in")
	b.Until(webpagetest.Seen("#licences"))
}

// TestServiceAway: without the service the wallet says so, and is not empty for good.
func TestServiceAway(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.Allowed = []string{"net::", "status of 5", "status of 429"}
	b.start(h.Holder(0))
	h.Answer(webpagetest.Cut)
	b.Open("/?away")
	b.Says("#problem", "连不上证照服务")
	b.Accessible()
	b.Shot("away")
	h.Answer(webpagetest.Saying(http.StatusBadGateway, "<html>"))
	b.press("again")
	b.Says("#problem", "暂时不能应答")
	h.Answer(nil)
	b.press("again")
	b.Until(webpagetest.Seen("#licences"))
	h.Answer(webpagetest.Refusal(http.StatusTooManyRequests, "rate-limited", "请求太多,请稍后。", "Too many requests.", "Retry-After", "7"))
	b.View("grants", "#problem")
	b.Says("#problem", "请等 7 秒")
	h.Answer(nil)
	b.press("again")
	b.Until(webpagetest.Seen("#grants"))
	b.Until(`document.querySelector("#problem").hidden`)
}

// TestAddresses: an address that somebody else sends leads to nothing that is not one's own, and no further than to a view.
func TestAddresses(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.Allowed = []string{"status of 4"}
	b.start(h.Holder(0))
	for _, path := range []string{"licence/99", "licence/..%2f..%2fme", "licence/", "object/99", "give/99", "looks/%ff"} {
		b.View(path, "#problem")
		b.View("", "#licences")
	}
	for _, path := range []string{"constructor", "toString/1", "__proto__", "nothing"} {
		b.View("grants", "#grants")
		b.View(path, "#licences")
	}
	for path, want := range map[string]string{
		"show/1/code": "[data-way=other]", "show/1/sure": "[data-way=other]", "print/1/sheet": "[data-way=other]", "give/1/check": "[data-way]",
		"delegate/check": "[data-way]", "object/1/text": "#about", "withdraw/0123": "[data-do=back]", "end/0123": "[data-do=back]",
	} {
		b.View("", "#licences")
		b.View(path, want)
	}
	if got := h.sent("POST /v1/codes"); len(got) != 0 {
		t.Error("an address alone made a code")
	}
}

// TestOtherSite: what the page sends is marked as its own, and the cookie is out of the scripts' reach.
func TestOtherSite(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.Allowed = []string{"status of 403"}
	b.start(h.Holder(0))
	if got := webpagetest.Evaluate[string](b.Tab, "document.cookie"); got != "" {
		t.Errorf("scripts see %s", got)
	}
	if got := webpagetest.Evaluate[float64](b.Tab, `fetch("/v1/ratings", {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}).then(r => r.status)`); got != http.StatusForbidden {
		t.Errorf("a call without the mark has %v", got)
	}
	if got := webpagetest.Call(b.Tab, network.GetCookies, network.GetCookiesParams{URLs: []string{h.home + "/v1/me"}}).Cookies; len(got) != 1 || !got[0].HTTPOnly || got[0].SameSite != network.CookieSameSiteStrict {
		t.Errorf("the browser keeps %+v", got)
	}
	if got := webpagetest.Evaluate[string](b.Tab, "Object.keys(localStorage).sort().join()"); got != "" {
		t.Errorf("the browser keeps %s", got)
	}
}
