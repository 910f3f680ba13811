package web_test

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

//go:embed testdata/axe/axe.min.js.gz
var packedAxe []byte

var axe = sync.OnceValue(func() string {
	r, err := gzip.NewReader(bytes.NewReader(packedAxe))
	if err != nil {
		panic(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(b)
})

// accessible runs axe-core on what the page shows now; every violation of WCAG 2.2 AA or of its best
// practices fails the test.
func (b *tab) accessible() {
	b.t.Helper()
	if !evaluate[bool](b, "'axe' in globalThis") {
		evaluate[bool](b, axe()+"; true")
	}
	report := evaluate[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var violations []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	if err := json.Unmarshal([]byte(report), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		for _, n := range v.Nodes {
			b.t.Errorf("%s: %s: %s\n%s", v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}

// fits fails the test if anything is wider than the screen, or a control is too small for a finger.
func (b *tab) fits() {
	b.t.Helper()
	wide := evaluate[string](b, `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return "";
		return [...document.querySelectorAll("main *, header *")].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1 && !e.closest(".unseen, .pause")).map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join("\n") || "something";
	})()`)
	if wide != "" {
		b.t.Errorf("wider than the screen: %s", wide)
	}
	small := evaluate[string](b, `[...document.querySelectorAll("button, select, summary, input:not(.unseen)")].filter(e => {
		const r = (e.closest("label") ?? e).getBoundingClientRect();
		return e.checkVisibility() && (r.height < 24 || r.width < 24);
	}).map(e => e.outerHTML.slice(0, 120)).join("\n")`)
	if small != "" {
		b.t.Errorf("too small to hit: %s", small)
	}
}

// TestEveryStateLooksRight walks through the pages and their states, in every way of showing them: axe
// finds no violation, nothing is wider than the screen or too small to hit.
func TestEveryStateLooksRight(t *testing.T) {
	w := newTown(t)
	house, seized, revoked := w.Issue("property", 1)[0], w.Issue("property", 2)[1], w.Issue("marriage", 1)[0]
	seized.Restrict()
	revoked.SetStatus(licence.Revoked)
	disowned := w.Issue("business", 1)[0]
	w.Compromise(disowned.Batch.Head.Issuer, disowned)
	states := []struct {
		name string
		show func(*tab)
	}{
		{"start", func(b *tab) { b.open("/"); b.until(seen("#scan")) }},
		{"write", func(b *tab) { b.open("/"); b.click("#write"); b.click("#typing [type=submit]"); b.until(seen("#text")) }},
		{"valid", func(b *tab) { b.open(fragment(house.Code(house.Keys()...))); b.until(seen(".verdict")) }},
		{"restricted", func(b *tab) { b.open(fragment(seized.Code())); b.until(seen(".verdict")) }},
		{"not-current", func(b *tab) { b.open(fragment(revoked.Code())); b.until(seen(".verdict")) }},
		{"invalid", func(b *tab) { b.open(fragment(disowned.Code())); b.until(seen(".verdict")) }},
		{"down", func(b *tab) {
			w.answer(cut)
			b.open(fragment(house.Code()))
			b.until(seen(".verdict"))
			w.answer(nil)
		}},
		{"problem", func(b *tab) { b.open("/"); b.click("#scan"); b.until(seen("#problem")) }},
		{"missing", func(b *tab) { b.open("/no-such-page"); b.until("document.title") }},
		{"sign-in", func(b *tab) { b.open("/counter"); b.until(seen("#agency")) }},
		{"case", func(b *tab) { b.signIn(); b.click("#matters input[value=second-hand-home-transfer]") }},
		{"work", func(b *tab) { b.transfer("2026-000123"); b.scan(house.Code("rightHolders")); b.shown(1) }},
		{"decided", func(b *tab) {
			b.click("#decide")
			b.until(seen("[data-step=result] .verdict"))
			b.click("details.licence > summary")
		}},
	}
	for _, way := range []struct {
		name     string
		query    string
		settings []setting
	}{
		{"light", "", nil},
		{"dark", "", []setting{dark}},
		{"english-phone", "?lang=en", []setting{phone}},
		{"elder", "?mode=elder", nil},
		{"elder-phone", "?mode=elder", []setting{phone}},
		{"elder-dark-english", "?mode=elder&lang=en", []setting{dark}},
	} {
		t.Run(way.name, func(t *testing.T) {
			w.Pass(time.Minute) // so that signing in again is no attack
			b := newTab(t, browserContext, w.home, way.settings...)
			b.allowed = []string{"Failed to load resource"}
			b.open("/" + way.query)
			for _, s := range states {
				b.t = t
				s.show(b)
				b.accessible()
				b.fits()
				b.shot(fmt.Sprintf("%s-%s", s.name, way.name))
				if t.Failed() {
					t.Fatalf("in state %s", s.name)
				}
			}
		})
	}
}
