package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// listening records what the page says aloud in the array spoken.
var listening = webpagetest.Before(`
	globalThis.spoken = [];
	Object.defineProperty(globalThis, "speechSynthesis", {value: {
		speak: (u) => spoken.push(u.lang + " " + u.text), cancel: () => {},
	}});
`)

// parts returns which parts of a result are visible.
func (b *tab) parts() string {
	b.T.Helper()
	return webpagetest.Evaluate[string](b.Tab, `[...document.querySelectorAll("[data-part]")].filter(p => p.checkVisibility()).map(p => p.dataset.part).join(" ")`)
}

// TestElder: the mode for older people comes by link, is remembered, shows one step per screen in
// large type, and reads the verdict aloud.
func TestElder(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, webpagetest.Browser, w.home, listening, webpagetest.Phone)
	b.Open("/")
	standard := webpagetest.Evaluate[float64](b.Tab, "parseFloat(getComputedStyle(document.body).fontSize)")
	b.Open("/?mode=elder")
	if large := webpagetest.Evaluate[float64](b.Tab, "parseFloat(getComputedStyle(document.body).fontSize)"); large < 24 || large < 1.3*standard {
		t.Errorf("the type has %v pixels, else %v", large, standard)
	}
	b.Open(fragment(house.Code("rightHolders", "unitNumber")))
	b.verdict()
	if got := b.parts(); got != "verdict" {
		t.Errorf("at first it shows %s", got)
	}
	if got := webpagetest.Evaluate[[]string](b.Tab, "spoken"); len(got) != 1 || !strings.HasPrefix(got[0], "zh-CN 不动产权证书。核验通过,现行有效。可以据此办理。") || !strings.Contains(got[0], "请核对身份证") {
		t.Errorf("says aloud %q", got)
	}
	b.Click(".listen")
	if got := webpagetest.Evaluate[[]string](b.Tab, "spoken"); len(got) != 2 || got[0] != got[1] {
		t.Errorf("asked to, says aloud %q", got)
	}
	for _, part := range []string{"contents", "checks", "receipt"} {
		b.Click("[data-part][data-current] .next")
		if got := b.parts(); got != part {
			t.Errorf("then it shows %s, not %s", got, part)
		}
		if !webpagetest.Evaluate[bool](b.Tab, `document.activeElement.closest("[data-part]")?.dataset.part === "`+part+`"`) {
			t.Errorf("the focus does not follow to %s", part)
		}
		b.Accessible()
		b.Fits()
		b.Shot("elder-" + part)
	}
	b.Click("[data-part][data-current] .back")
	if got := b.parts(); got != "checks" {
		t.Errorf("back it shows %s", got)
	}
	b.Click("#elder")
	if got := b.parts(); got != "verdict contents checks receipt" {
		t.Errorf("out of the mode it shows %s", got)
	}
	b.Open("/counter")
	if got := webpagetest.Evaluate[string](b.Tab, "document.documentElement.dataset.mode"); got != "standard" {
		t.Errorf("left, the mode comes back as %s", got)
	}
	b.Click("#elder")
	b.Open("/?lang=en")
	if got := webpagetest.Evaluate[string](b.Tab, "document.documentElement.dataset.mode + document.documentElement.lang"); got != "elderen" {
		t.Errorf("mode and language are %s", got)
	}
	b.Open(fragment(house.Code("rightHolders")))
	b.verdict()
	if got := webpagetest.Evaluate[[]string](b.Tab, "spoken"); len(got) != 1 || !strings.HasPrefix(got[0], "en-GB Real property certificate. Verified: genuine and in force") {
		t.Errorf("in English says aloud %q", got)
	}
}

// focused describes what has the focus.
const focused = `(document.activeElement.id || document.activeElement.textContent.trim().slice(0, 20))`

// TestKeyboard checks a licence with the keyboard alone.
func TestKeyboard(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, webpagetest.Browser, w.home)
	b.Open("/")
	b.Until(webpagetest.Seen("#scan"))
	b.Keys(kb.Tab)
	b.Until(focused + ` === "跳到主要内容"`)
	if webpagetest.Evaluate[float64](b.Tab, `document.activeElement.getBoundingClientRect().left`) < 0 {
		t.Error("the link to the contents is not in sight")
	}
	b.Keys(kb.Enter)
	for _, id := range []string{"scan", "pick", "write"} {
		b.Keys(kb.Tab)
		b.Until(focused + ` === "` + id + `"`)
		if got := webpagetest.Evaluate[string](b.Tab, `getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
			t.Errorf("the focus on %s does not show: %s", id, got)
		}
	}
	b.Keys(kb.Enter)
	b.Until(focused + ` === "text"`)
	b.Keys(house.Code("rightHolders") + kb.Enter)
	if got := b.verdict(); got != "valid" {
		t.Errorf("outcome %s", got)
	}
	b.Skips()
	b.Keys(kb.Tab)
	b.Until(focused + ` === "核验另一张"`)
	b.Keys(kb.Enter)
	b.Until(webpagetest.Seen("#scan"))
}

// TestPaper prints a result in the mode for older people: all parts and the receipt are on paper,
// black on white, and no button.
func TestPaper(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, webpagetest.Browser, w.home, webpagetest.Dark)
	b.Open("/?mode=elder")
	b.Open(fragment(house.Code(house.Keys()...)))
	b.verdict()
	b.Paper("paper")
	webpagetest.Call(b.Tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if got := b.parts(); got != "verdict contents checks receipt" {
		t.Errorf("on paper are %s", got)
	}
	if got := webpagetest.Evaluate[string](b.Tab, `getComputedStyle(document.querySelector(".verdict")).backgroundColor + getComputedStyle(document.body).color`); got != "rgb(255, 255, 255)rgb(0, 0, 0)" {
		t.Errorf("colours on paper: %s", got)
	}
	if got := webpagetest.Evaluate[float64](b.Tab, `[...document.querySelectorAll("button")].filter(e => e.checkVisibility()).length`); got != 0 {
		t.Errorf("%v buttons are on paper", got)
	}
}
