package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// scanned is what the code on the screen says.
func (b *tab) scanned() string {
	b.T.Helper()
	b.Until(webpagetest.Seen(".symbol"))
	picture, err := chromedp.Run(b.Ctx, chromedp.Screenshot(chromedp.CSS(".symbol")))
	must(b.T, err)
	code, err := qr.Decode(bytes.NewReader(picture))
	if err != nil {
		b.T.Errorf("the code cannot be read: %v", err)
	}
	return code
}

// same reports whether two lists have the same elements.
func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// TestShow: a few taps from a licence to a code that says what the matter needs and no more, that can be read from the screen or
// typed, that says how long it lasts, and is renewed by a tap. What is scanned is scanned once: a picture of the screen is of no use.
func TestShow(t *testing.T) {
	h := newHall(t)
	b := h.tab(t, clock, webpagetest.Phone)
	b.start(h.Holder(0))
	b.Click("#licences a")
	b.press("show")
	b.press(transfer)
	b.Until(webpagetest.Seen("#fields"))
	if got := b.checked("field"); !same(got, h.Minimum()) {
		t.Errorf("chosen are %v, needed %v", got, h.Minimum())
	}
	if b.Visible("#fields .beyond") || b.Visible(".warning") {
		t.Error("more than is needed is offered from the start")
	}
	b.next("fields")
	code := b.scanned()
	if !strings.HasPrefix(strings.ToLower(code), "https://"+wallettest.VerifierHost+"/r/") || len(code) > 120 {
		t.Errorf("the code says %q", code)
	}
	if got := h.sent("POST /v1/codes"); len(got) != 1 || got[0].Beyond || got[0].Matter != transfer || got[0].Kind != "reference" {
		t.Errorf("asked for %+v", got)
	}
	b.Run(`document.querySelectorAll("#view details").forEach(d => d.open = true)`)
	if got := b.Text("#code-text"); got != code {
		t.Errorf("to be typed is %q, to be scanned %q", got, code)
	}
	if got := b.Count(".seen li"); got != len(h.Minimum()) {
		t.Errorf("it says that %d fields are seen", got)
	}
	if got := h.Scan(code).Want(t, http.StatusOK).Text("verdict.outcome"); got != "valid" {
		t.Errorf("at the counter it is %s", got)
	}
	if again := h.Scan(code); again.Status < 400 {
		t.Errorf("scanned a second time it is %s", again.Body)
	}
	b.Says(".count", "秒")
	left := webpagetest.Evaluate[float64](b.Tab, `Number(document.querySelector(".count").textContent.match(/\d+/)[0])`)
	b.pass(int(left)*1000 - 9_000)
	b.Says("#view [role=status]", "快要过期")
	b.pass(12_000)
	b.Says(".count", "已过期")
	b.Until(webpagetest.Seen(".codes.over"))
	b.Accessible()
	b.Shot("code-over")
	b.press("renew")
	b.Until(`!document.querySelector(".codes.over") && document.querySelector(".symbol")`)
	other := b.scanned()
	if other == code {
		t.Error("the new code is the old one")
	}
	h.Scan(other).Want(t, http.StatusOK)
	b.Run("history.back()")
	b.Until(webpagetest.Seen("#fields"))
	b.Run("history.back()")
	b.Until(webpagetest.Seen("[data-way=other]"))
	if got := webpagetest.Evaluate[string](b.Tab, "location.href"); strings.Contains(got, "spouse") || strings.Contains(got, transfer) {
		t.Errorf("the address says %s", got)
	}
}

// clock lets the page's time be moved.
var clock = webpagetest.Before(`
	globalThis.passed = 0;
	const [now, day] = [performance.now.bind(performance), Date.now];
	performance.now = () => now() + passed;
	Date.now = () => day() + passed;
`)

// pass lets milliseconds pass.
func (b *tab) pass(milliseconds int) {
	b.T.Helper()
	webpagetest.Evaluate[float64](b.Tab, fmt.Sprint("passed += ", milliseconds))
}

// TestVerifierAway: without the verifier there is the code that works by itself, and it says that the identity card is compared.
func TestVerifierAway(t *testing.T) {
	h := newHallOf(t, "property")
	h.Away.Store(true)
	b := h.tab(t)
	b.Allowed = []string{"status of 503"}
	b.start(h.Holder(0))
	b.View("show/1", "[data-way=other]")
	b.press(transfer)
	b.next("fields")
	b.heading("现在拿不到一次性码")
	b.press("offline")
	b.heading("离线码")
	code := b.scanned()
	if got := h.Scan(code).Want(t, http.StatusOK); got.Text("verdict.outcome") != "valid" || got.Get("verdict.note") == nil {
		t.Errorf("at the counter it is %s", got.Body)
	}
	b.Says("#view .note", "核对您的身份证")
	b.Says("#view", "要求本人出示")
	if b.Visible(".count") {
		t.Error("a code that does not expire has a countdown")
	}
	h.Away.Store(false)
	b.press("online")
	b.Says(".count", "秒")
}

// TestBeyond: who wants to show more than is needed is warned, asked, and has to prove who they are; who thinks better of it shows
// what is needed.
func TestBeyond(t *testing.T) {
	h := newHall(t)
	h.stale()
	b := h.tab(t)
	b.start(h.Holder(0))
	choose := func() {
		t.Helper()
		b.View("show/1", "[data-way=other]")
		b.press(transfer)
		b.Click("#fields summary")
		b.Click("#fields input[value=spouse1BirthDate]")
		b.Says(".warning", "出生日期")
	}
	choose()
	b.Says(".warning", "再登录一次")
	b.next("fields")
	b.Says(".asked", "出生日期")
	b.press("lessen")
	b.scanned()
	if got := h.sent("POST /v1/codes"); len(got) != 1 || got[0].Beyond || !same(got[0].Fields, h.Minimum()) {
		t.Errorf("asked for %+v", got)
	}
	b.View("licence/1", "[data-way=show]")
	choose()
	b.next("fields")
	b.press("insist")
	b.press("fresh")
	b.Until(webpagetest.Seen("[data-way=other]") + ` && location.hash === "#/show/1"`)
	choose()
	if strings.Contains(b.Text(".warning"), "再登录") {
		t.Error("who has just signed in is to do so again")
	}
	b.next("fields")
	b.press("insist")
	b.scanned()
	if got := h.sent("POST /v1/codes"); len(got) != 2 || !got[1].Beyond || !slices.Contains(got[1].Fields, "spouse1BirthDate") {
		t.Errorf("asked for %+v", got)
	}

	b.View("licence/1", "[data-way=show]")
	b.View("show/1", "[data-way=other]")
	b.press("other")
	b.Until(webpagetest.Seen("#fields"))
	if got := b.checked("field"); len(got) != 0 {
		t.Errorf("for no matter, %v are chosen", got)
	}
	b.next("fields")
	b.Says("#fields [role=alert]", "至少选一项")
	b.Click("#fields input")
	b.Says(".warning", "没有选事项")
	b.next("fields")
	b.Says(".asked", "您自己把握")
	b.press("lessen")
	b.Until(webpagetest.Seen("#fields"))
}

// TestWrongClock: a phone whose clock is a day off asks nobody to prove who they are who has just done so; and whatever the page
// believes, the service says when it is time.
func TestWrongClock(t *testing.T) {
	h := newHall(t)
	b := h.tab(t, webpagetest.Before(`const day = Date.now; Date.now = () => day() + 86400000;`))
	b.Allowed = []string{"status of 403"}
	b.start(h.Holder(0))
	b.View("print/1", "[data-way=other]")
	b.View("licence/1", "[data-do=open]")
	b.press("open")
	b.Until(webpagetest.Seen("#contents dl"))
	h.Clock.Advance(11 * time.Minute)
	b.View("licence/1", "[data-do=open]")
	b.press("open")
	b.Until(webpagetest.Seen("[data-do=fresh]"))
	b.View("print/1", "[data-way=other]")
	b.press(transfer)
	b.next("fields")
	b.next("size")
	b.Until(webpagetest.Seen("[data-do=fresh]"))
}

// TestPrint: what is printed is chosen like a code, in large type for older people from the start, and opened by a plain link.
func TestPrint(t *testing.T) {
	h := newHall(t)
	for _, way := range []struct {
		query, language string
		large           bool
	}{{"", "zh", false}, {"?mode=elder&lang=en", "en", true}} {
		b := h.tab(t)
		b.start(h.Holder(0), way.query)
		b.View("print/1", "[data-way=other]")
		b.press(transfer)
		b.next("fields")
		b.next("size")
		b.Until(webpagetest.Seen("[data-do=open-sheet]"))
		sent := h.sent("POST /v1/prints")
		if got := sent[len(sent)-1]; got.Large != way.large || got.Licence != 1 || got.Matter != transfer || got.Language != way.language || !same(got.Fields, h.Minimum()) {
			t.Errorf("asked for %+v", got)
		}
		if got := webpagetest.Evaluate[string](b.Tab, `fetch(document.querySelector("[data-do=open-sheet]").href).then(r => r.blob()).then(b => b.slice(0, 5).text().then(t => b.type + t))`); got != "application/pdf%PDF-" {
			t.Errorf("the link leads to %s", got)
		}
	}
	h.stale()
	b := h.tab(t)
	b.start(h.Holder(0))
	b.View("print/1", "[data-do=fresh]")
	b.press("fresh")
	b.Until(webpagetest.Seen("[data-way=other]") + ` && location.hash === "#/print/1"`)
}
