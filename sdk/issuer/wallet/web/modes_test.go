package web_test

import (
	"fmt"
	"strings"
	"testing"

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

// TestElder: for older people the type is large, there is one thing on each screen with a way back to the start, and what is on it
// is read aloud when asked.
func TestElder(t *testing.T) {
	h := newHall(t)
	h.furnish()
	b := h.tab(t, listening, webpagetest.Phone)
	b.start(h.Holder(0))
	size := `parseFloat(getComputedStyle(document.querySelector("#view h1 + *")).fontSize)`
	standard := webpagetest.Evaluate[float64](b.Tab, size)
	b.Click("#elder")
	b.Until(`document.documentElement.dataset.mode === "elder" && document.querySelectorAll(".menu .way").length === 3`)
	if large := webpagetest.Evaluate[float64](b.Tab, size); large < 24 || large < 1.3*standard {
		t.Errorf("the type has %v pixels, else %v", large, standard)
	}
	if b.Visible("#sections") || b.Visible("#home-row") || b.Count(".menu .way") != 3 {
		t.Error("at the start there is no menu, or more than that")
	}
	b.Click("[data-way=grants]")
	b.Until(webpagetest.Seen("#grants li"))
	b.Click("#listen")
	b.Until(`spoken.length === 1`)
	if got := webpagetest.Evaluate[[]string](b.Tab, "spoken"); len(got) != 1 || !strings.HasPrefix(got[0], "zh-CN 我的授权。") || !strings.Contains(got[0], "共 3 次，用了 0 次。") || strings.Contains(got[0], "已撤回") {
		t.Errorf("says aloud %q", got)
	}
	b.press("withdraw")
	b.Until(webpagetest.Seen(".asked"))
	b.Click("#listen")
	b.Until(`spoken.length === 2`)
	if got := webpagetest.Evaluate[[]string](b.Tab, "spoken"); len(got) != 2 || !strings.HasPrefix(got[1], "zh-CN 撤回这项授权？") {
		t.Errorf("says aloud %q", got)
	}
	b.Click("#home-row a")
	b.Until(webpagetest.Seen("#licences"))
	b.Click("#language")
	b.Click("#listen")
	b.Until(`spoken.length === 3`)
	if got := webpagetest.Evaluate[[]string](b.Tab, "spoken"); len(got) != 3 || !strings.HasPrefix(got[2], "en-GB My licences. ") {
		t.Errorf("in English says aloud %q", got)
	}
	b.Open("/")
	b.Until(webpagetest.Seen("#licences"))
	b.Until(`document.documentElement.dataset.mode === "elder"`)
	if got := webpagetest.Evaluate[string](b.Tab, "document.documentElement.dataset.mode + document.documentElement.lang"); got != "elderen" {
		t.Errorf("mode and language come back as %s", got)
	}
}

// TestKeyboard shows a licence with the keyboard alone; the focus is always on what has just come, and shows.
func TestKeyboard(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.start(h.Holder(0))
	heading := func(text string) {
		t.Helper()
		b.Until(fmt.Sprintf(`document.activeElement.tagName === "H1" && document.activeElement.textContent.includes(%q)`, text))
	}
	// tabTo goes on to what has the name, and sees where it is.
	tabTo := func(name string) {
		t.Helper()
		for range 40 {
			b.Keys(kb.Tab)
			if webpagetest.Evaluate[bool](b.Tab, fmt.Sprintf(`document.activeElement.matches(%q)`, name)) {
				if got := webpagetest.Evaluate[string](b.Tab, `(e => getComputedStyle(e).outlineStyle + getComputedStyle(e.closest("label") ?? e).outlineStyle)(document.activeElement)`); !strings.Contains(got, "solid") {
					t.Errorf("the focus on %s does not show: %s", name, got)
				}
				return
			}
		}
		t.Fatalf("Tab does not lead to %s", name)
	}
	heading("我的证照")
	tabTo("#licences a")
	b.Keys(kb.Enter)
	heading("结婚证")
	tabTo("[data-way=show]")
	b.Keys(kb.Enter)
	heading("办什么事")
	tabTo("[data-way=" + transfer + "]")
	b.Keys(kb.Enter)
	heading("出示哪些内容")
	b.Skips()
	tabTo("#fields input")
	b.Keys(" ")
	tabTo("#fields [type=submit]")
	b.Keys(kb.Enter)
	heading("请对方扫这个码")
	if got := h.sent("POST /v1/codes"); len(got) != 1 || len(got[0].Fields) != len(h.Minimum())-1 {
		t.Errorf("asked for %+v", got)
	}
	tabTo("[data-do=renew]")
	b.Keys(kb.Enter)
	b.Until(webpagetest.Seen(".symbol"))
}

// old takes away what browsers learned after 2020.
var old = webpagetest.Before(`
	delete AbortSignal.timeout; delete AbortSignal.any; delete Object.hasOwn; delete Object.groupBy; delete globalThis.structuredClone;
	for (const name of ["at", "findLast", "toSorted", "toReversed", "toSpliced", "with"]) delete Array.prototype[name];
	delete String.prototype.at; delete String.prototype.replaceAll; delete Promise.withResolvers; delete crypto.randomUUID;
	delete Element.prototype.setHTML; delete Element.prototype.showPopover; delete navigator.clipboard; delete globalThis.speechSynthesis;
	delete globalThis.DecompressionStream; delete globalThis.scheduler; delete globalThis.trustedTypes; delete globalThis.Iterator;
`)

// TestOldWebView: inside an app that has a browser of 2020, everything works but reading aloud, which is not offered.
func TestOldWebView(t *testing.T) {
	h := newHall(t)
	h.furnish()
	b := h.tab(t, old, webpagetest.Phone)
	b.start(h.Holder(0), "?mode=elder")
	if webpagetest.Evaluate[bool](b.Tab, "'hasOwn' in Object") || b.Visible("#listen") {
		t.Error("the browser is not old, or offers what it cannot do")
	}
	b.View("show/1", "[data-way=other]")
	b.press(transfer)
	b.next("fields")
	b.scanned()
	for path, want := range map[string]string{
		"looks/1": "#looks", "grants": "#grants", "help": "#given", "objections": "#objections", "object/1": "#about", "rate/0": "#rating", "print/1": "#view .way", "delegate": "#view .way", "give": "#view .way",
	} {
		b.View(path, want)
	}
	b.terms()
	b.press("yes")
	b.heading("已经授权")
}
