package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestIssue takes a licence from the empty form to the ledger: what is wrong stands at its field, what
// would be issued is shown before it is, and the credential is saved.
func TestIssue(t *testing.T) {
	o := newOffice(t, "property")
	b := o.tab(t)
	downloads := b.Downloads()
	b.signIn(clerk)
	if got := b.Text("#who p"); !strings.Contains(got, clerk) || !strings.Contains(got, "示范市") {
		t.Errorf("signed in as %s", got)
	}
	b.Click("main a[href='#/issue'].button")
	b.Until(webpagetest.Seen("#filling"))
	if got := b.Count("#filling [data-key]"); got != len(o.Type.Fields)+2 {
		t.Errorf("the form asks %d questions for %d fields and two days", got, len(o.Type.Fields))
	}

	said := o.sample(0)
	good := said["registrationDate"]
	said["registrationDate"], said["area"] = "2018-02-31", "large"
	delete(said, "use")
	b.fill(said)
	b.Click("#filling [type=submit]")
	b.Until(webpagetest.Seen("#view .error"))
	if got := b.Count("#view .error li"); got != 3 {
		t.Errorf("%d problems are listed, not three", got)
	}
	for _, key := range []string{"registrationDate", "area", "use"} {
		if !b.Visible("#f-"+key+"[aria-invalid=true]") || b.Text("#f-"+key+"-problem") == "" {
			t.Errorf("nothing is said at %s", key)
		}
	}
	b.Shot("issue-problems")
	b.Accessible()
	b.Click("#view .error li button")
	if got := webpagetest.Evaluate[string](b.Tab, "document.activeElement.id"); got != "f-use" && got != "f-area" {
		t.Errorf("the first of them leads to %q", got)
	}

	b.fill(map[string]any{"registrationDate": "20180220", "use": " 住宅 "})
	b.Click("#filling [type=submit]")
	b.Until(`document.querySelectorAll("#view .error li").length === 1`)
	b.Click("#language")
	if got := b.Text("#f-use-problem") + b.Text("#f-registrationDate-problem"); got != "" || b.Text("#f-area-problem") == "" {
		t.Errorf("in English, %q is said at what was put right", got)
	}
	b.Click("#language")
	b.fill(map[string]any{"area": "208.290"})
	b.Click("#filling [type=submit]")
	b.Until(webpagetest.Seen("[data-do=issue]"))
	if got := b.Text("[data-key=registrationDate]"); got != good {
		t.Errorf("the date is %s", got)
	}
	if got := b.Text("[data-key=use]"); got != "住宅" {
		t.Errorf("the use is %q", got)
	}
	if got := b.Text(".note"); !strings.Contains(got, "还没有上链") {
		t.Errorf("before it is issued, it says %q", got)
	}
	b.Shot("issue-check")
	b.Click("[data-do=change]")
	b.Until(webpagetest.Seen("#filling"))
	if got := webpagetest.Evaluate[string](b.Tab, `document.getElementById("f-rightHolders").value`); !strings.Contains(got, "\n") {
		t.Errorf("back in the form, the right holders are %q", got)
	}
	b.Click("#filling [type=submit]")
	b.Click("[data-do=issue]")
	b.Until(webpagetest.Seen(".done"))
	b.Shot("issue-done")
	b.Accessible()
	if got, want := b.Text("#view .code"), o.clerk().Get("/v1/licences/1").Text("licence.digest"); got != want {
		t.Errorf("the digest is %s, not %s", got, want)
	}
	b.Click("[data-do=save]")
	if _, err := credential.Parse(b.Arrived(downloads, "licence-1.cbor")); err != nil {
		t.Errorf("the credential: %v", err)
	}
	b.View("", "[data-card=issued] li")
	if got := b.Text("[data-card=issued] .count"); got != "1" {
		t.Errorf("today %s licences were issued", got)
	}
}

// TestDrafts: what was put aside can be undone, and issued by the keyboard; nothing was anchored until
// then.
func TestDrafts(t *testing.T) {
	o := newOffice(t, "property")
	b := o.tab(t)
	b.signIn(clerk)
	for n := range 2 {
		b.View("issue", "#filling")
		b.fill(o.sample(n))
		b.Click("#filling [type=submit]")
		b.Click("[data-do=keep]")
		b.Says("[data-card=drafts] .count", string(rune('1'+n)))
	}
	if got := b.Text("[data-card=issued] .count"); got != "0" {
		t.Errorf("%s licences were issued", got)
	}
	b.Shot("today-drafts")
	undone := webpagetest.Evaluate[string](b.Tab, `document.querySelector("[data-card=drafts] li a").hash.slice("#/draft/".length)`)
	b.Click("[data-card=drafts] [data-do=undo]")
	b.Says("[data-card=drafts] .count", "1")
	b.Click("[data-card=drafts] li a")
	b.Until(webpagetest.Seen("[data-do=issue]"))
	o.clerk().Get("/v1/drafts/"+undone).Want(t, http.StatusConflict)
	b.Accessible()
	b.Run(`document.querySelector("[data-do=issue]").focus()`)
	b.Keys(kb.Enter)
	b.Until(webpagetest.Seen(".done"))
	b.View("", "[data-card=issued] li")
	if got := b.Text("[data-card=drafts] .count") + b.Text("[data-card=issued] .count"); got != "01" {
		t.Errorf("drafts and issued: %s", got)
	}
}

// TestReissue: a new licence begins with what the old one says, and takes its place.
func TestReissue(t *testing.T) {
	o := newOffice(t, "property")
	old := o.issue(0)
	b := o.tab(t)
	b.signIn(clerk)
	b.View("licence/1", "#open")
	b.Put("#open-purpose", "转移登记 2026-7")
	b.Click("#open [type=submit]")
	b.Click("[data-do=renew]")
	b.Until(webpagetest.Seen("#filling"))
	b.Put("#f-rightHolders", "赵敏")
	b.Put("#f-rightHolderIds", o.sample(1)["rightHolderIds"].([]any)[0].(string))
	b.Click("#filling [type=submit]")
	b.Click("[data-do=issue]")
	b.Until(webpagetest.Seen(".done"))
	b.Shot("reissued")
	b.Click("a[href='#/licence/1/superseded/2']")
	b.Until(webpagetest.Seen("#reasons input"))
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("#successor").value + document.querySelector("#status [name=to]:checked").value`); got != "#2superseded" {
		t.Errorf("the change begins with %s", got)
	}
	b.Click("#reasons input")
	b.Click("#status [type=submit]")
	b.Says("#view .badge", "已被取代")
	a := o.clerk().Get("/v1/licences/2").Want(t, http.StatusOK)
	if a.Number("licence.predecessor") != old || a.Text("licence.state") != "active" {
		t.Errorf("the new licence: %s", a.Body)
	}
}

// TestExpiring: a licence for a term is on the desk's list in its last month.
func TestExpiring(t *testing.T) {
	o := newOffice(t, "property")
	b := o.tab(t)
	b.signIn(clerk)
	b.View("issue", "#filling")
	b.fill(o.sample(0))
	until := licence.DateOf(o.Clock.Now().Add(20 * 24 * time.Hour)).String()
	b.Put("#f-validUntil", until)
	b.Click("#filling [type=submit]")
	b.Click("[data-do=issue]")
	b.Until(webpagetest.Seen(".done"))
	o.issue(1)
	b.View("", "[data-card=expiring] li")
	if got := b.Text("[data-card=expiring]"); !strings.Contains(got, until) || b.Count("[data-card=expiring] li") != 1 {
		t.Errorf("expiring are %s", got)
	}
	b.Click("[data-card=expiring] a")
	b.Until(webpagetest.Seen("#open"))
	if got := b.Text("#view dl"); !strings.Contains(got, until) {
		t.Errorf("the licence is valid: %s", got)
	}
}
