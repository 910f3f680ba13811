package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestMarkup: whatever is written in a licence, and in an objection or its answer, is shown as it is.
func TestMarkup(t *testing.T) {
	h := newHall(t)
	said, written := h.Fields(samples), []string{}
	for _, f := range h.Type.Fields {
		if f.Key != h.Type.NumberField().Key && (f.Kind == licence.KindString || f.Kind == licence.KindText || f.Kind == licence.KindName) {
			said[f.Key] = f.Key + " " + webpagetest.Markup
			written = append(written, f.Key)
		}
	}
	record, err := json.Marshal(said)
	must(t, err)
	issued, err := h.World.Issuer.Apply(h.Context(), vault.By{Actor: "wangfang", Purpose: "counter"}, &issuer.Application{Type: h.Type.ID, Record: record})
	must(t, err)
	h.CatchUp()
	b := h.tab(t)
	b.start(h.Holder(0))
	b.Harmless()
	b.View(fmt.Sprint("licence/", issued.Licence.ID), "[data-do=open]")
	b.press("open")
	b.Until(webpagetest.Seen("#contents dl"))
	b.Harmless()
	for _, key := range written {
		if got := b.Text("#contents [data-key=" + key + "]"); got != key+" "+webpagetest.Markup {
			t.Errorf("%s: %s", key, got)
		}
	}
	b.View(fmt.Sprint("object/", issued.Licence.ID), "#about")
	b.press("contents")
	b.Put("#text", webpagetest.Markup)
	b.next("writing")
	b.heading("已经提交")
	h.settle(vault.NotUpheld, webpagetest.Markup)
	b.press("back")
	b.Says("#objections .said", webpagetest.Markup)
	b.Says("#objections .answer .said", webpagetest.Markup)
	b.Harmless()
	b.Click("#language")
	b.Harmless()
}

// TestHostileAnswer: even a service whose every text is markup, or whose answers have another shape, makes no view do anything.
func TestHostileAnswer(t *testing.T) {
	h := newHall(t)
	grant, delegation := h.furnish()
	b := h.tab(t)
	b.Allowed = []string{"status of 4", "status of 5"}
	b.start(h.Holder(0))
	views := []string{"", "licence/1", "show/1", "print/1", "looks/1", "grants", "withdraw/" + grant, "give", "give/1", "help", "end/" + delegation, "delegate", "objections", "object/1"}
	h.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		recorded := httptest.NewRecorder()
		h.API.ServeHTTP(recorded, r)
		var answer any
		if json.Unmarshal(recorded.Body.Bytes(), &answer) != nil {
			return false
		}
		w.WriteHeader(recorded.Code)
		return json.NewEncoder(w).Encode(webpagetest.Poisoned(answer, "id", "code", "type", "key", "kind", "state", "fields", "expiresAt", "freshUntil", "grant", "delegation", "path", "may")) == nil
	})
	b.Open("/?poisoned")
	b.Until(webpagetest.Seen("#view h1"))
	for _, view := range views {
		b.View(view, "main")
		b.Until(webpagetest.Seen("#view") + " || " + webpagetest.Seen("#problem"))
		b.Harmless()
		b.Click("#language")
		b.Harmless()
	}
	b.View("show/1", "[data-way]")
	b.press(transfer)
	b.Until(webpagetest.Seen("#fields"))
	b.Harmless()
	b.next("fields")
	b.Until(webpagetest.Seen(".symbol"))
	b.Harmless()
	b.View("print/1", "[data-way]")
	b.press(transfer)
	b.next("fields")
	b.next("size")
	b.Until(webpagetest.Seen("[data-do=open-sheet]"))
	b.Harmless()
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("[data-do=open-sheet]").getAttribute("href")`); got != "#/" {
		t.Errorf("the sheet is opened at %s", got)
	}
	for _, shape := range []string{`null`, `[]`, `{}`, `"text"`, `7`} {
		h.Answer(webpagetest.Saying(http.StatusOK, shape))
		for _, view := range []string{"", "licence/2", "looks/1", "grants", "help", "objections"} {
			b.View(view, "#problem")
			b.Until(`/不能应答|cannot answer/.test(document.querySelector("#problem").textContent)`)
		}
	}
	h.Answer(nil)
	b.View("", "#licences")
}
