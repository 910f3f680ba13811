package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

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
		{"start", func(b *tab) { b.Open("/"); b.Until(webpagetest.Seen("#scan")) }},
		{"write", func(b *tab) {
			b.Open("/")
			b.Click("#write")
			b.Click("#typing [type=submit]")
			b.Until(webpagetest.Seen("#text"))
		}},
		{"valid", func(b *tab) { b.Open(fragment(house.Code(house.Keys()...))); b.Until(webpagetest.Seen(".verdict")) }},
		{"restricted", func(b *tab) { b.Open(fragment(seized.Code())); b.Until(webpagetest.Seen(".verdict")) }},
		{"not-current", func(b *tab) { b.Open(fragment(revoked.Code())); b.Until(webpagetest.Seen(".verdict")) }},
		{"invalid", func(b *tab) { b.Open(fragment(disowned.Code())); b.Until(webpagetest.Seen(".verdict")) }},
		{"down", func(b *tab) {
			w.Answer(webpagetest.Cut)
			b.Open(fragment(house.Code()))
			b.Until(webpagetest.Seen(".verdict"))
			w.Answer(nil)
		}},
		{"problem", func(b *tab) { b.Open("/"); b.Click("#scan"); b.Until(webpagetest.Seen("#problem")) }},
		{"missing", func(b *tab) { b.Open("/no-such-page"); b.Until("document.title") }},
		{"sign-in", func(b *tab) { b.Open("/counter"); b.Until(webpagetest.Seen("#agency")) }},
		{"case", func(b *tab) { b.signIn(); b.Click("#matters input[value=second-hand-home-transfer]") }},
		{"work", func(b *tab) { b.transfer("2026-000123"); b.scan(house.Code("rightHolders")); b.shown(1) }},
		{"decided", func(b *tab) {
			b.Click("#decide")
			b.Until(webpagetest.Seen("[data-step=result] .verdict"))
			b.Click("details.licence > summary")
		}},
	}
	for _, way := range []struct {
		name     string
		query    string
		settings []webpagetest.Setting
	}{
		{"light", "", nil},
		{"dark", "", []webpagetest.Setting{webpagetest.Dark}},
		{"english-phone", "?lang=en", []webpagetest.Setting{webpagetest.Phone}},
		{"elder", "?mode=elder", nil},
		{"elder-phone", "?mode=elder", []webpagetest.Setting{webpagetest.Phone}},
		{"elder-dark-english", "?mode=elder&lang=en", []webpagetest.Setting{webpagetest.Dark}},
	} {
		t.Run(way.name, func(t *testing.T) {
			w.Pass(time.Minute) // so that signing in again is no attack
			b := newTab(t, webpagetest.Browser, w.home, way.settings...)
			b.Allowed = []string{"Failed to load resource"}
			b.Open("/" + way.query)
			for _, s := range states {
				b.T = t
				s.show(b)
				b.Accessible()
				b.Fits()
				b.Shot(fmt.Sprintf("%s-%s", s.name, way.name))
				if t.Failed() {
					t.Fatalf("in state %s", s.name)
				}
			}
		})
	}
}
