package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestLicences: one sees what one holds, what holds of it, and what to see to; what it says only when asked, by who has just
// proved who they are.
func TestLicences(t *testing.T) {
	h := newHallOf(t, "property")
	h.set(h.Issue(samples), licence.Suspended)
	h.set(h.Issue(2*samples), licence.Revoked)
	h.Issue(1) // somebody else's
	mortgaged, err := h.World.Issuer.Subject(h.Context(), 1)
	must(t, err)
	_, err = h.World.Issuer.Restrict(h.Context(), vault.By{Actor: "wangfang", Purpose: "counter"}, mortgaged, "mortgage", nil)
	must(t, err)
	h.CatchUp()
	h.stale()
	name := h.Holder(0).Name
	b := h.tab(t)
	b.start(h.Holder(0))
	if got := b.Count("#licences li"); got != 3 {
		t.Errorf("%d licences", got)
	}
	b.Says("#licences [href='#/licence/1']", "有限制")
	b.Until(webpagetest.Seen("#licences [data-state=suspended][href='#/licence/2']"))
	b.Until(webpagetest.Seen("#licences [data-state=revoked][href='#/licence/3']"))
	b.Click("#reminders [data-reminder=licence-suspended] a")
	b.Until(webpagetest.Seen("[data-way=object]") + ` && location.hash === "#/licence/2"`)
	b.View("licence/3", "#view .ways")
	b.Says("#view .badge", "已作废")
	b.Shot("licence-revoked")
	b.View("licence/1", "[data-do=open]")
	b.Says("#view .note", "抵押")
	if got := b.Text("#view"); strings.Contains(got, name) {
		t.Errorf("without being asked it says %s", got)
	}
	b.press("open")
	b.press("fresh")
	b.press("open")
	b.Says("#contents [data-key=rightHolders]", name)
	b.Click("#language")
	b.Says("#contents", "Right holders")
}

// TestNobodyElses: another's licence is not found, whatever view is asked for it; who holds nothing is told so.
func TestNobodyElses(t *testing.T) {
	h := newHall(t)
	other := h.Issue(1)
	b := h.tab(t)
	b.Allowed = []string{"status of 404"}
	b.start(h.Holder(0))
	for _, view := range []string{"licence", "show", "print", "looks", "give", "object"} {
		b.View("", "#licences")
		b.View(fmt.Sprint(view, "/", other), "#problem")
	}
	b.start(h.Holder(2))
	b.Says("#view", "没有给您制发过证照")
}

// TestLooks: one sees who has looked, when and what for, page by page, and is told when that may not be all.
func TestLooks(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.start(h.Holder(0))
	b.View("looks/1", "[data-do=object]")
	b.Says("#view", "还没有谁看过")
	code := h.as(h.Holder(0)).Post("/v1/codes", map[string]any{"licence": 1, "fields": h.Minimum(), "matter": transfer, "kind": "self-contained"}).Want(t, http.StatusCreated).Text("code")
	public := resttest.Client{TB: t, Handler: h.Verifier, Contract: h.Counter.Contract}
	public.Post("/v1/verifications", map[string]any{"code": code}).Want(t, http.StatusOK)
	for range 50 {
		h.Scan(code).Want(t, http.StatusOK)
	}
	b.press("back")
	b.press("looks")
	b.Until(webpagetest.Seen("#looks li"))
	if got := b.Text("#looks li"); !strings.Contains(got, "综合窗口3号") || !strings.Contains(got, "二手房过户") || !strings.Contains(got, "登记日期") || strings.Contains(got, "wangfang") {
		t.Errorf("the first look is %s", got)
	}
	if b.Visible("#partly") || b.Count("#looks li") != 50 {
		t.Errorf("%d looks, or it says that some are missing", b.Count("#looks li"))
	}
	b.press("more")
	b.Says("#looks li:nth-child(51)", "公众查验")
	if b.Count("[data-do=more]") != 0 {
		t.Error("there is more after the last page")
	}
	h.Away.Store(true)
	b.View("looks/1", "#partly")
	b.press("object")
	b.heading("哪里不对")
}

// TestObjection: what is wrong is chosen with one tap and told in one's own words; the day of the answer is said, and the answer;
// that can be rated.
func TestObjection(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.start(h.Holder(0))
	b.View("object/1", "#about")
	b.press("access")
	b.next("writing")
	b.Says("#text-problem", "请写一点")
	b.Put("#text", "  我没有去过那里。\n请查。 ")
	b.next("writing")
	b.heading("已经提交")
	b.Says("#view .done", "答复您")
	if got := h.sent("POST /v1/objections"); len(got) != 1 || got[0].About != "access" || got[0].Text != "我没有去过那里。\n请查。" || got[0].Licence != 1 {
		t.Errorf("sent %+v", got)
	}
	b.press("back")
	b.Says("#objections li", "最迟答复")
	h.settle(vault.PartlyUpheld, "已经查明。")
	b.View("", "#reminders")
	b.Click("#reminders [data-reminder=objection-answered] a")
	b.Says("#objections .answer", "部分成立")
	b.Says("#objections .answer", "已经查明")
	b.press("rate")
	b.Click("#rating input")
	b.next("rating")
	b.heading("谢谢")
}

// TestRating: nothing is chosen from the start, one rates once, and is thanked.
func TestRating(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.Allowed = []string{"status of 409"}
	b.start(h.Holder(0))
	use := h.as(h.Holder(0)).Post("/v1/codes", map[string]any{"licence": 1, "fields": h.Minimum(), "matter": transfer, "kind": "reference"}).Want(t, http.StatusCreated).Text("use")
	b.View("rate/"+use, "#rating")
	if got := b.checked("stars"); len(got) != 0 {
		t.Errorf("%v is chosen from the start", got)
	}
	b.next("rating")
	b.Says("#rating [role=alert]", "请选一项")
	b.Click("#rating input[value='2']")
	b.Put("#text", "排队太久")
	b.next("rating")
	b.heading("谢谢")
	if got := h.sent("POST /v1/ratings"); len(got) != 1 || got[0].Use != use || got[0].Stars != 2 || got[0].Text != "排队太久" {
		t.Errorf("sent %+v", got)
	}
	b.View("rate/"+use, "#rating")
	b.Click("#rating input")
	b.next("rating")
	b.heading("已经评价过了")
}
