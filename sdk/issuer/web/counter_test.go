package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestGrants: a holder at the counter gives a grant, of the least that the matter takes, and takes it back; the
// record of who was identified is not shown. An answer that was lost is asked for again, and gives no second grant.
func TestGrants(t *testing.T) {
	o := newOffice(t, "marriage")
	id := o.issue(0)
	b := o.tab(t)
	b.Allowed = []string{"net::"}
	b.signIn(clerk)
	b.View(fmt.Sprintf("licence/%d", id), "[data-part=grants] summary")
	b.Click("[data-part=grants] summary")
	b.Says("#grants", "没有授权")
	b.Click("#grants > details > summary")
	b.Until(webpagetest.Seen("#give"))
	b.Run(`var m = document.querySelector("#grant-matter"); m.value = "second-hand-home-transfer"; m.dispatchEvent(new Event("change"))`)
	if got := webpagetest.Evaluate[bool](b.Tab, `document.querySelector("#give [value=spouse1Id]").checked && !document.querySelector("#give [value=remarks]").checked`); !got {
		t.Error("the least that the matter takes is not chosen, or more is")
	}
	b.Run(`document.querySelector("#grant-agency").value = "natural-resources"`)
	b.Put("#grant-uses", "2")
	b.Put("#grant-until", o.Clock.Now().AddDate(0, 1, 0).Format("2006-01-02"))
	b.Put("#give-identified", "身份证,窗口1号核对")
	o.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		o.API.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	b.Click("#give [type=submit]")
	b.Says("#problem", "连不上制证服务")
	o.Answer(nil)
	b.Click("#give [type=submit]")
	b.Until(webpagetest.Seen("[data-grant=given]"))
	b.Says("[data-grant=given]", "0 / 2")
	b.Says("[data-grant=given]", "窗口代签")
	b.Accessible()
	b.Shot("grants")
	if got := b.Text("#grants"); strings.Contains(got, "身份证,窗口1号核对") {
		t.Errorf("it shows who was identified: %s", got)
	}
	list := o.clerk().Get(fmt.Sprintf("/v1/grants?licence=%d", id)).Want(t, http.StatusOK)
	if len(list.Get("grants").([]any)) != 1 || list.Number("grants.0.uses") != 2 || list.Text("grants.0.agency") != "natural-resources" || len(list.Get("grants.0.fields").([]any)) != 5 {
		t.Errorf("%s", list.Body)
	}
	b.Says("[data-grant=given] .code", list.Text("grants.0.grant"))
	b.Click("[data-grant=given] summary")
	b.Put("[data-grant=given] input", "身份证,窗口1号核对")
	b.Click("[data-grant=given] [type=submit]")
	b.Until(webpagetest.Seen("[data-grant=withdrawn]"))
	if o.clerk().Get(fmt.Sprintf("/v1/grants?licence=%d", id)).Text("grants.0.state") != "withdrawn" {
		t.Error("the grant stays")
	}

	// What cannot be given is said, and the page stays.
	b.Allowed = []string{"status of 422"}
	b.Click("#grants > details > summary")
	b.Run(`var m = document.querySelector("#grant-matter"); m.value = "second-hand-home-transfer"; m.dispatchEvent(new Event("change")); document.querySelector("#grant-agency").value = "natural-resources"`)
	b.Put("#grant-until", o.Clock.Now().AddDate(3, 0, 0).Format("2006-01-02"))
	b.Put("#give-identified", "身份证")
	b.Click("#give [type=submit]")
	b.Until(webpagetest.Seen("#problem"))
}

// TestObjections: an objection is answered at the desk, in words that are nobody's markup.
func TestObjections(t *testing.T) {
	o := newOffice(t, "marriage")
	const said = `核验结论有误 <img src=x onerror=alert(1)>`
	o.object(o.issue(0), said)
	b := o.tab(t)
	b.signIn(clerk)
	b.Click("[data-tab=objections]")
	b.Until(webpagetest.Seen("#objections li"))
	b.Says("#objections", said)
	if b.Count("#objections img") != 0 {
		t.Error("what the holder wrote became markup")
	}
	b.Accessible()
	b.Shot("objections")
	b.Click("#objections input[value=partly-upheld]")
	b.Put("#objections textarea", "已核对 <b>并更正</b>")
	b.Click("#objections [type=submit]")
	b.Says("main", "没有待答复的异议")
	b.Click("[data-part=answered] summary")
	b.Says("[data-part=answered]", "已核对 <b>并更正</b>")
	b.Says("[data-part=answered]", "部分成立")
	if a := o.clerk().Get("/v1/objections?state=answered").Want(t, http.StatusOK); a.Text("objections.0.settled.by") != clerk {
		t.Errorf("%s", a.Body)
	}
}
