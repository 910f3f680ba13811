package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestMarkupInLicence: whatever is written into any field of any type is shown as it is: in the form,
// before and after it is issued, when it is found, opened and printed.
func TestMarkupInLicence(t *testing.T) {
	for _, typ := range []string{"marriage", "property", "business"} {
		t.Run(typ, func(t *testing.T) {
			o := newOffice(t, typ)
			b := o.tab(t)
			b.signIn(clerk)
			said, written := o.sample(0), []string{}
			number := o.Type.NumberField()
			for _, f := range o.Type.Fields {
				if f.Key != number.Key && (f.Kind == licence.KindString || f.Kind == licence.KindText || f.Kind == licence.KindName) {
					said[f.Key] = f.Key + " " + webpagetest.Markup
					written = append(written, f.Key)
				}
			}
			b.check(said)
			shown := func(in string) {
				t.Helper()
				b.Harmless()
				for _, key := range written {
					if got := b.Text(in + "[data-key=" + key + "]"); got != key+" "+webpagetest.Markup {
						t.Errorf("%s: %s", key, got)
					}
				}
			}
			shown("#view ")
			b.Click("[data-do=issue]")
			b.Until(webpagetest.Seen(".done"))
			b.View("search", "#search")
			b.Put("#search-text", said[number.Key].(string))
			b.Put("#search-purpose", webpagetest.Markup[:100])
			b.Click("#search [type=submit]")
			b.Until(webpagetest.Seen("#results li"))
			b.Harmless()
			b.View("licence/1", "#open")
			b.Click("#open [type=submit]")
			b.Until(webpagetest.Seen("#opened dl"))
			shown("#opened ")
			b.Run(`document.querySelector("#history").closest("details").open = true`)
			b.Says("#history", "onerror")
			b.Harmless()
		})
	}
}

// TestHostileAnswer: even an API whose every text is markup, or whose answers have another shape, makes
// no view do anything.
func TestHostileAnswer(t *testing.T) {
	o := newOffice(t, "property")
	o.issue(0)
	draft := o.keep(1)
	b := o.tab(t)
	b.Allowed = []string{"status of 4", "status of 5"}
	b.signIn(clerk)
	views := []string{"", "issue", "import", "search", "licence/1", "approvals", "draft/" + draft, "sheet/1"}
	o.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		recorded := httptest.NewRecorder()
		o.API.ServeHTTP(recorded, r)
		var answer any
		if json.Unmarshal(recorded.Body.Bytes(), &answer) != nil {
			return false
		}
		w.WriteHeader(recorded.Code)
		return json.NewEncoder(w).Encode(webpagetest.Poisoned(answer, "kind", "rights", "type", "state", "key", "code", "from", "to", "approvals", "validity", "id")) == nil
	})
	b.Open("/")
	b.Until(webpagetest.Seen("#view"))
	b.Harmless()
	for _, view := range views {
		b.View(view, "main")
		b.Until(webpagetest.Seen("#view") + " || " + webpagetest.Seen("#problem"))
		b.Harmless()
		b.Click("#language")
		b.Harmless()
	}
	for _, shape := range []string{`null`, `[]`, `{}`, `"text"`, `7`} {
		o.Answer(webpagetest.Saying(http.StatusOK, shape))
		for _, view := range views[:1] {
			b.View(view, "#problem")
			b.Says("#problem", "不能应答")
		}
	}
	o.Answer(nil)
	b.View("", "[data-card=issued]")
}
