package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestEveryViewLooksRight walks through the views and their states, in every way of showing them: axe
// finds no violation, nothing is wider than the screen or too small to hit.
func TestEveryViewLooksRight(t *testing.T) {
	o := newOffice(t, "property")
	for n := range 3 {
		o.issue(n)
	}
	draft := "draft/" + o.keep(3)
	o.set(2, licence.Active, licence.Revoked, http.StatusOK)
	o.set(2, licence.Revoked, licence.Active, http.StatusAccepted)
	o.object(1, "核验结论有误 <b>\n请更正")
	o.object(3, strings.Repeat("很长的异议", 100))
	p := o.clerk().With("Idempotency-Key", "layout-1")
	p.Post("/v1/licences/3/restrictions", map[string]any{"code": o.Type.Restrictions[0].Code}).Want(t, http.StatusCreated)
	p.With("Content-Type", "text/csv").Post("/v1/imports?type=property&dryRun=true", "不动产权证号,权利人\n一,甲\n二,乙\n").Want(t, http.StatusAccepted)
	number := o.sample(0)["certificateNumber"].(string)
	states := []struct {
		name string
		show func(*tab)
	}{
		{"today", func(b *tab) { b.View("", "[data-card=drafts] li a") }},
		{"form", func(b *tab) { b.View("issue", "#filling") }},
		{"problems", func(b *tab) { b.Click("#filling [type=submit]"); b.Until(webpagetest.Seen("#view .error")) }},
		{"draft", func(b *tab) { b.View(draft, "[data-do=issue]") }},
		{"import", func(b *tab) { b.View("import", "#import-file") }},
		{"job", func(b *tab) { b.View("job/1", "#view [role=status]") }},
		{"search", func(b *tab) {
			b.View("search", "#search")
			b.Put("#search-text", number)
			b.Put("#search-purpose", "2026-1")
			b.Click("#search [type=submit]")
			b.Until(webpagetest.Seen("#results li"))
		}},
		{"licence", func(b *tab) {
			b.View("licence/3", "#open")
			b.Put("#open-purpose", "2026-1")
			b.Click("#open [type=submit]")
			b.Until(webpagetest.Seen("#opened dl"))
			b.Run(`document.querySelectorAll("#view details").forEach(d => d.open = true)`)
			b.Click("#status input[value=suspended]")
			b.Until(webpagetest.Seen("#history li"))
		}},
		{"grants", func(b *tab) {
			b.View("licence/3", "[data-part=grants] summary")
			b.Click("[data-part=grants] summary")
			b.Until(webpagetest.Seen("#grants details summary"))
			b.Run(`document.querySelectorAll("#grants details").forEach(d => d.open = true)`)
			b.Until(webpagetest.Seen("#grant-uses"))
		}},
		{"objections", func(b *tab) {
			b.View("objections", "#objections textarea")
			b.Click("[data-part=answered] summary")
			b.Until(webpagetest.Seen("[data-part=answered] p, [data-part=answered] li"))
		}},
		{"sheet-open", func(b *tab) { b.View("sheet/1", "#sheet-open") }},
		{"sheet-fields", func(b *tab) {
			b.Put("#sheet-purpose", "2026-1")
			b.Click("#sheet-open [type=submit]")
			b.Until(webpagetest.Seen("#sheet-fields"))
		}},
		{"sheet", func(b *tab) { b.Click("#sheet-fields [type=submit]"); b.Until(webpagetest.Seen(".sheet")) }},
		{"approvals", func(b *tab) {
			b.View("approvals", "#proposals")
			b.Click("#proposals summary")
		}},
		{"problem", func(b *tab) { b.View("licence/999", "#problem") }},
		{"missing", func(b *tab) { b.Open("/no-such-page"); b.Until("document.title") }},
	}
	for _, way := range []struct {
		name     string
		query    string
		settings []webpagetest.Setting
	}{
		{"light", "", nil},
		{"dark", "", []webpagetest.Setting{webpagetest.Dark}},
		{"english-phone", "?lang=en", []webpagetest.Setting{webpagetest.Phone}},
		{"elder-phone", "?mode=elder", []webpagetest.Setting{webpagetest.Phone}},
		{"elder-dark-english", "?mode=elder&lang=en", []webpagetest.Setting{webpagetest.Dark}},
	} {
		t.Run(way.name, func(t *testing.T) {
			o.Clock.Advance(time.Minute) // so that signing in again is no attack
			b := o.tab(t, way.settings...)
			b.Allowed = []string{"status of 404"}
			b.Open("/" + way.query)
			b.Until(`document.activeElement.id === "name"`)
			b.Accessible()
			b.Fits()
			b.credentials(clerk, httpapitest.Password)
			b.Until(webpagetest.Seen("[data-card=issued]"))
			for _, s := range states {
				s.show(b)
				b.Accessible()
				b.Fits()
				b.Shot(fmt.Sprintf("%s-%s", way.name, s.name))
				if t.Failed() {
					t.Fatalf("in state %s", s.name)
				}
			}
		})
	}
}

// TestKeyboard issues a licence with the keyboard alone; the focus is always on what has just come.
func TestKeyboard(t *testing.T) {
	o := newOffice(t, "property")
	said := o.sample(0)
	b := o.tab(t)
	b.signIn(clerk)
	heading := `document.activeElement.tagName === "H1" && document.activeElement.textContent.includes(%q)`
	b.Until(fmt.Sprintf(heading, "今日"))
	b.Run(`document.querySelector("[data-tab=issue]").focus()`)
	b.Keys(kb.Enter)
	b.Until(fmt.Sprintf(heading, "制发"))
	for _, f := range o.Type.Fields {
		b.Keys(kb.Tab)
		b.Until(fmt.Sprintf("document.activeElement.id === %q", "f-"+f.Key))
		switch v := said[f.Key].(type) {
		case string:
			b.Do(chromedp.KeyEvent(v))
		case []any:
			for _, item := range v {
				b.Do(chromedp.KeyEvent(item.(string) + kb.Enter))
			}
		}
	}
	b.Run(`document.querySelector("#filling [type=submit]").focus()`)
	b.Keys(kb.Enter)
	b.Until(fmt.Sprintf(heading, "请核对"))
	b.Skips()
	b.Run(`document.querySelector("#view h1").focus()`)
	b.Keys(kb.Tab)
	b.Until(`document.activeElement.dataset.do === "issue"`)
	if got := webpagetest.Evaluate[string](b.Tab, `getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
		t.Errorf("the focus does not show: %s", got)
	}
	b.Keys(kb.Enter)
	b.Until(fmt.Sprintf(heading, "已制发"))
}
