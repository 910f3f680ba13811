package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"
)

// listening records what the page says aloud in the array spoken.
var listening = before(`
	globalThis.spoken = [];
	Object.defineProperty(globalThis, "speechSynthesis", {value: {
		speak: (u) => spoken.push(u.lang + " " + u.text), cancel: () => {},
	}});
`)

// parts returns which parts of a result are visible.
func (b *tab) parts() string {
	b.t.Helper()
	return evaluate[string](b, `[...document.querySelectorAll("[data-part]")].filter(p => p.checkVisibility()).map(p => p.dataset.part).join(" ")`)
}

// TestElder: the mode for older people comes by link, is remembered, shows one step per screen in
// large type, and reads the verdict aloud.
func TestElder(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, browserContext, w.home, listening, phone)
	b.open("/")
	standard := evaluate[float64](b, "parseFloat(getComputedStyle(document.body).fontSize)")
	b.open("/?mode=elder")
	if large := evaluate[float64](b, "parseFloat(getComputedStyle(document.body).fontSize)"); large < 24 || large < 1.3*standard {
		t.Errorf("the type has %v pixels, else %v", large, standard)
	}
	b.open(fragment(house.Code("rightHolders", "unitNumber")))
	b.verdict()
	if got := b.parts(); got != "verdict" {
		t.Errorf("at first it shows %s", got)
	}
	if got := evaluate[[]string](b, "spoken"); len(got) != 1 || !strings.HasPrefix(got[0], "zh-CN 不动产权证书。核验通过,现行有效。可以据此办理。") || !strings.Contains(got[0], "请核对身份证") {
		t.Errorf("says aloud %q", got)
	}
	b.click(".listen")
	if got := evaluate[[]string](b, "spoken"); len(got) != 2 || got[0] != got[1] {
		t.Errorf("asked to, says aloud %q", got)
	}
	for _, part := range []string{"contents", "checks", "receipt"} {
		b.click("[data-part][data-current] .next")
		if got := b.parts(); got != part {
			t.Errorf("then it shows %s, not %s", got, part)
		}
		if !evaluate[bool](b, `document.activeElement.closest("[data-part]")?.dataset.part === "`+part+`"`) {
			t.Errorf("the focus does not follow to %s", part)
		}
		b.accessible()
		b.fits()
		b.shot("elder-" + part)
	}
	b.click("[data-part][data-current] .back")
	if got := b.parts(); got != "checks" {
		t.Errorf("back it shows %s", got)
	}
	b.click("#elder")
	if got := b.parts(); got != "verdict contents checks receipt" {
		t.Errorf("out of the mode it shows %s", got)
	}
	b.open("/counter")
	if got := evaluate[string](b, "document.documentElement.dataset.mode"); got != "standard" {
		t.Errorf("left, the mode comes back as %s", got)
	}
	b.click("#elder")
	b.open("/?lang=en")
	if got := evaluate[string](b, "document.documentElement.dataset.mode + document.documentElement.lang"); got != "elderen" {
		t.Errorf("mode and language are %s", got)
	}
	b.open(fragment(house.Code("rightHolders")))
	b.verdict()
	if got := evaluate[[]string](b, "spoken"); len(got) != 1 || !strings.HasPrefix(got[0], "en-GB Real property certificate. Verified: genuine and in force") {
		t.Errorf("in English says aloud %q", got)
	}
}

// focused describes what has the focus.
const focused = `(document.activeElement.id || document.activeElement.textContent.trim().slice(0, 20))`

// TestKeyboard checks a licence with the keyboard alone.
func TestKeyboard(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, browserContext, w.home)
	b.open("/")
	b.until(seen("#scan"))
	b.keys(kb.Tab)
	b.until(focused + ` === "跳到主要内容"`)
	if evaluate[float64](b, `document.activeElement.getBoundingClientRect().left`) < 0 {
		t.Error("the link to the contents is not in sight")
	}
	b.keys(kb.Enter)
	for _, id := range []string{"scan", "pick", "write"} {
		b.keys(kb.Tab)
		b.until(focused + ` === "` + id + `"`)
		if got := evaluate[string](b, `getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
			t.Errorf("the focus on %s does not show: %s", id, got)
		}
	}
	b.keys(kb.Enter)
	b.until(focused + ` === "text"`)
	b.keys(house.Code("rightHolders") + kb.Enter)
	if got := b.verdict(); got != "valid" {
		t.Errorf("outcome %s", got)
	}
	b.keys(kb.Tab)
	b.until(focused + ` === "核验另一张"`)
	b.keys(kb.Enter)
	b.until(seen("#scan"))
}

// TestPaper prints a result in the mode for older people: all parts and the receipt are on paper,
// black on white, and no button.
func TestPaper(t *testing.T) {
	w := newTown(t)
	house := w.Issue("property", 1)[0]
	b := newTab(t, browserContext, w.home, dark)
	b.open("/?mode=elder")
	b.open(fragment(house.Code(house.Keys()...)))
	b.verdict()
	b.paper("paper")
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if got := b.parts(); got != "verdict contents checks receipt" {
		t.Errorf("on paper are %s", got)
	}
	if got := evaluate[string](b, `getComputedStyle(document.querySelector(".verdict")).backgroundColor + getComputedStyle(document.body).color`); got != "rgb(255, 255, 255)rgb(0, 0, 0)" {
		t.Errorf("colours on paper: %s", got)
	}
	if got := evaluate[float64](b, `[...document.querySelectorAll("button")].filter(e => e.checkVisibility()).length`); got != 0 {
		t.Errorf("%v buttons are on paper", got)
	}
}
