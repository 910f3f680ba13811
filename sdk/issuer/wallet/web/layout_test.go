package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// furnish gives the holder some of everything, and returns a grant and a delegation that are in force.
func (h *hall) furnish() (grant, delegation string) {
	h.Helper()
	h.Issue(samples)
	h.set(h.Issue(2*samples), licence.Suspended)
	h.set(h.Issue(3*samples), licence.Revoked)
	c := h.as(h.Holder(0))
	c.Post("/v1/grants/"+h.give()+"/withdraw", nil).Want(h.t, http.StatusOK)
	h.Clock.Advance(2 * time.Second) // so that the next one is newer
	grant, delegation = h.give(), h.delegate("show", "print", "grant")
	helper := h.as(h.Holder(1)).For(delegation)
	code := map[string]any{"licence": 1, "fields": h.Minimum(), "matter": transfer, "kind": "self-contained"}
	h.Scan(helper.Post("/v1/codes", code).Want(h.t, http.StatusCreated).Text("code")).Want(h.t, http.StatusOK)
	h.Clock.Advance(-40 * 24 * time.Hour)
	late := h.as(h.Holder(0))
	late.Post("/v1/objections", map[string]any{"licence": 2, "about": "contents", "text": "名字写错了。\n请更正。"}).Want(h.t, http.StatusCreated)
	h.settle(vault.Upheld, "您说得对，已经更正，请到窗口换领。")
	late.Post("/v1/objections", map[string]any{"licence": 1, "about": "access", "text": "我没有去过这个单位。"}).Want(h.t, http.StatusCreated)
	h.Clock.Advance(40 * 24 * time.Hour)
	return grant, delegation
}

// twoAgencies has the matters name another agency beside each.
func (h *hall) twoAgencies(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/v1/matters" {
		return false
	}
	recorded := httptest.NewRecorder()
	h.API.ServeHTTP(recorded, r)
	var answer map[string][]map[string]any
	if json.Unmarshal(recorded.Body.Bytes(), &answer) != nil {
		return false
	}
	for _, m := range answer["matters"] {
		m["agencies"] = []any{
			map[string]any{"id": registry, "name": map[string]string{"zh": registryName, "en": "Real property registry"}},
			map[string]any{"id": "tax", "name": map[string]string{"zh": "税务部门", "en": "Tax authority"}},
		}
	}
	return json.NewEncoder(w).Encode(answer) == nil
}

// TestEveryScreenLooksRight walks through the screens and their states, in every way of showing them: axe finds no violation,
// nothing is wider than the screen or too small to hit.
func TestEveryScreenLooksRight(t *testing.T) {
	h := newHall(t)
	grant, delegation := h.furnish()
	h.Answer(h.twoAgencies)
	use := func() string {
		code := map[string]any{"licence": 1, "fields": h.Minimum(), "matter": transfer, "kind": "self-contained"}
		return h.as(h.Holder(0)).Post("/v1/codes", code).Want(t, http.StatusCreated).Text("use")
	}
	screens := []struct {
		name string
		show func(*tab)
	}{
		{"licences", func(b *tab) { b.View("", "#licences") }},
		{"licence", func(b *tab) { b.View("licence/1", "[data-do=open]") }},
		{"contents", func(b *tab) { b.press("open"); b.Until(webpagetest.Seen("#contents dl")) }},
		{"matter", func(b *tab) { b.View("show/1", "[data-way=other]") }},
		{"fields", func(b *tab) { b.press(transfer); b.Until(webpagetest.Seen("#fields")) }},
		{"beyond", func(b *tab) {
			b.Click("#fields summary")
			b.Click("#fields .beyond input")
			b.Until(webpagetest.Seen(".warning"))
		}},
		{"sure", func(b *tab) { b.next("fields"); b.Until(webpagetest.Seen("[data-do=insist]")) }},
		{"code", func(b *tab) { b.press("lessen"); b.Until(webpagetest.Seen(".symbol")) }},
		{"offline", func(b *tab) { b.press("offline"); b.Until(webpagetest.Seen(".note")); b.Click("#view summary") }},
		{"away", func(b *tab) {
			h.Away.Store(true)
			b.press("online")
			b.Until(webpagetest.Seen("[data-do=again]"))
		}},
		{"looks", func(b *tab) { b.View("looks/1", "#partly") }},
		{"print", func(b *tab) {
			h.Away.Store(false)
			b.View("print/1", "[data-way=other]")
			b.press(transfer)
			b.next("fields")
			b.Until(webpagetest.Seen("#size"))
		}},
		{"sheet", func(b *tab) { b.next("size"); b.Until(webpagetest.Seen("[data-do=open-sheet]")) }},
		{"grants", func(b *tab) { b.View("grants", "#grants"); b.Click("#view summary") }},
		{"withdraw", func(b *tab) { b.View("withdraw/"+grant, "[data-do=yes]") }},
		{"give", func(b *tab) { b.View("give", "#view .way") }},
		{"agency", func(b *tab) {
			b.View("give/1", "#view .way")
			b.press(transfer)
			b.next("fields")
			b.Until(webpagetest.Seen("[data-agency]"))
		}},
		{"limits", func(b *tab) { b.Click("[data-agency]"); b.Until(webpagetest.Seen("#limits")) }},
		{"check", func(b *tab) { b.next("limits"); b.Until(webpagetest.Seen("[data-do=yes]")) }},
		{"help", func(b *tab) { b.View("help", "#given"); b.Click("#given summary") }},
		{"delegate", func(b *tab) { b.View("delegate", "#view .way") }},
		{"delegate-licences", func(b *tab) { b.press(transfer); b.Until(webpagetest.Seen("#licences")) }},
		{"delegate-may", func(b *tab) { b.Click("[name=licence]"); b.next("licences"); b.Until(webpagetest.Seen("#may")) }},
		{"delegate-who", func(b *tab) {
			b.next("may")
			b.Put("#helper", "12")
			b.next("who")
			b.Until(webpagetest.Seen("#helper[aria-invalid]"))
		}},
		{"delegate-check", func(b *tab) {
			b.Put("#helper", h.Holder(1).Number)
			b.next("who")
			b.Until(webpagetest.Seen("[data-do=yes]"))
		}},
		{"end", func(b *tab) { b.View("end/"+delegation, "[data-do=yes]") }},
		{"objections", func(b *tab) { b.View("objections", "#objections") }},
		{"object", func(b *tab) { b.View("object/1", "#about") }},
		{"writing", func(b *tab) { b.press("access"); b.Until(webpagetest.Seen("#writing")) }},
		{"rate", func(b *tab) { b.View("rate/"+use(), "#rating") }},
		{"done", func(b *tab) {
			b.next("rating")
			b.Until(`document.querySelector("#rating [role=alert]").textContent`)
			b.Click("#rating input")
			b.next("rating")
			b.Until(webpagetest.Seen(".done"))
		}},
		{"fresh", func(b *tab) {
			h.stale()
			b.start(h.Holder(0), "?again")
			b.View("print/1", "[data-do=fresh]")
			h.Platform.Proven = 0
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
			b := h.tab(t, way.settings...)
			b.Allowed = []string{"status of 4", "status of 503"}
			b.Open("/" + way.query)
			b.Until(webpagetest.Seen("#sign-in"))
			check := func(name string) {
				t.Helper()
				b.Accessible()
				b.Fits()
				b.Shot(fmt.Sprintf("%s-%s", name, way.name))
				if t.Failed() {
					t.Fatalf("on screen %s", name)
				}
			}
			check("sign-in")
			b.Click("#sign-in")
			b.Until(webpagetest.Seen("#licences"))
			for _, s := range screens {
				s.show(b)
				check(s.name)
			}
		})
	}
}
