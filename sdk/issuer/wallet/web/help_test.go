package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// delegate has the holder name Holder(1) as helper, and returns the id of that.
func (h *hall) delegate(may ...string) string {
	h.Helper()
	named := map[string]any{"helper": h.Holder(1).Number, "licences": []int{1}, "matter": transfer, "may": may, "days": 7}
	return h.as(h.Holder(0)).Post("/v1/delegations", named).Want(h.t, http.StatusCreated).Text("delegation")
}

// TestDelegate: a helper is named for one matter, by number, after having proved who one is; and is told off again.
func TestDelegate(t *testing.T) {
	h := newHall(t)
	h.stale()
	number := h.Holder(1).Number
	b := h.tab(t)
	b.Allowed = []string{"status of 422"}
	b.start(h.Holder(0))
	b.View("help", "[data-do=delegate]")
	b.press("delegate")
	b.press("fresh")
	b.press(transfer)
	b.Until(webpagetest.Seen("#licences"))
	b.Click("#licences input[value='1']") // which the only one is from the start
	b.next("licences")
	b.Says("#licences [role=alert]", "至少选一项")
	b.Click("#licences input[value='1']")
	b.next("licences")
	b.Click("#may input[value=grant]")
	b.next("may")
	b.Put("#helper", "12")
	b.next("who")
	b.Says("#helper-problem", "18 位")
	b.Put("#helper", h.Holder(0).Number)
	b.next("who")
	b.press("yes")
	b.Until(webpagetest.Seen("#problem"))
	b.Run("history.back()")
	b.Put("#helper", " "+number[:6]+" "+strings.ToLower(number[6:])+" ")
	b.next("who")
	b.heading("请核对")
	b.Says("#view dl", number)
	b.press("yes")
	b.heading("已经办好")
	sent := h.sent("POST /v1/delegations")
	if got := sent[len(sent)-1]; got.Helper != number || !slices.Equal(got.May, []string{"show", "grant"}) || !slices.Equal(got.Licences, []vault.ID{1}) || got.Matter != transfer || got.Days != 7 {
		t.Errorf("sent %+v", got)
	}
	b.press("back")
	b.Says("#given li", number[14:])
	b.press("end")
	b.Says(".asked", "不再让这个人")
	b.press("no")
	b.press("end")
	b.press("yes")
	b.heading("已经停止")
	b.press("back")
	b.Says("#given li", "已停止")
}

// TestActing: a helper acts under a banner that says for whom, is offered what they may do and no more than is needed, and every call
// says so, which the holder sees; once the holder ends it, it is over at once.
func TestActing(t *testing.T) {
	h := newHall(t)
	id := h.delegate("show")
	b := h.tab(t)
	b.Allowed = []string{"status of 403"}
	b.start(h.Holder(1))
	b.Says("#view", "没有给您制发过证照")
	b.View("help", "#received li")
	b.press("begin")
	b.Says("#acting", "您正在为")
	b.Until(webpagetest.Seen("#licences li"))
	for _, section := range []string{"help", "objections", "grants"} {
		if b.Visible("[data-section=" + section + "]") {
			t.Errorf("a helper is offered %s", section)
		}
	}
	b.Accessible()
	b.Shot("acting")
	b.Click("#licences a")
	b.Until(webpagetest.Seen("[data-way=show]"))
	for _, way := range []string{"print", "give", "looks", "object"} {
		if b.Count("[data-way="+way+"]") != 0 {
			t.Errorf("a helper is offered to %s", way)
		}
	}
	b.press("show")
	b.Until(webpagetest.Seen("[data-way=" + transfer + "]"))
	if got := b.Count("#view [data-way]"); got != 1 {
		t.Errorf("a helper is offered %d matters", got)
	}
	b.press(transfer)
	b.Until(webpagetest.Seen("#fields"))
	if b.Count("#fields details, #fields .beyond") != 0 {
		t.Error("a helper is offered more than is needed")
	}
	b.next("fields")
	h.Scan(b.scanned()).Want(t, http.StatusOK)
	made := h.made()
	for _, call := range made {
		own := strings.Contains(call, "/v1/me") || strings.Contains(call, "/v1/delegations")
		if own && strings.HasSuffix(call, id) {
			t.Errorf("%s is made for the holder", call)
		}
	}
	if !slices.Contains(made, "POST /v1/codes "+id) {
		t.Errorf("the code was not asked for as a helper: %v", made)
	}

	holder := h.tab(t)
	holder.start(h.Holder(0))
	holder.View("help", "#given li")
	holder.Run(`document.querySelector("#given details").open = true`)
	holder.Says("#given li", "出示了码")
	holder.press("end")
	holder.press("yes")
	holder.heading("已经停止")

	b.press("renew")
	b.Until(webpagetest.Seen("#received"))
	b.Says("#problem", "不能再替这个人办事")
	b.Until("!" + webpagetest.Seen("#acting") + " && !" + webpagetest.Seen(".symbol")) // it is over, and looks so
	h.delegate("show", "grant", "print")
	b.View("", "#view h1")
	b.View("help", "#received li")
	b.press("begin")
	b.Until(webpagetest.Seen("#licences li"))
	if !b.Visible("[data-section=grants]") {
		t.Error("a helper who may give grants is not offered to")
	}
	b.Click("#end-acting")
	b.Until(webpagetest.Seen("#received li"))
	b.View("", "#view h1")
	b.Says("#view", "没有给您制发过证照")
}
