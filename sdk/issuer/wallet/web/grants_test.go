package web_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

const (
	registry     = "natural-resources"
	registryName = "不动产登记机构" // in the matter
)

// terms chooses what a grant says, up to the last question.
func (b *tab) terms() {
	b.T.Helper()
	b.View("give/1", "#view .way")
	b.press(transfer)
	b.next("fields")
	b.agency()
	b.Click("#limits input[name=uses][value='3']")
	b.next("limits")
	b.heading("请核对")
}

// agency chooses the agency, if there is a choice.
func (b *tab) agency() {
	b.T.Helper()
	b.Until(webpagetest.Seen("[data-agency]") + " || " + webpagetest.Seen("#limits"))
	if b.Count("[data-agency]") > 0 {
		b.Click("[data-agency=" + registry + "]")
	}
}

// give gives a grant for the licence, and returns its digest.
func (h *hall) give() string {
	h.Helper()
	terms := map[string]any{"licence": 1, "agency": registry, "matter": transfer, "fields": h.Minimum(), "uses": 3, "days": 30}
	return h.as(h.Holder(0)).Post("/v1/grants", terms).Want(h.t, http.StatusCreated).Text("grant.grant")
}

// state is that of the newest grant.
func (h *hall) state() string {
	h.Helper()
	return h.as(h.Holder(0)).Get("/v1/grants").Text("grants.0.state")
}

// TestGive: a grant is given step by step, each of which can be gone back to, and nothing counts before the last.
func TestGive(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.start(h.Holder(0))
	b.View("grants", "[data-do=give]")
	b.Says("#grants", "还没有授权")
	b.press("give")
	b.Until(webpagetest.Seen("#view .way"))
	if got := b.Count("#view .way"); got != 1 {
		t.Errorf("for %d licences a grant can be given", got)
	}
	b.Click("#view .way")
	b.heading("办什么事")
	if b.Count("[data-way=other]") != 0 {
		t.Error("a grant for no matter is offered")
	}
	b.terms()
	if got := b.Text("#view"); !strings.Contains(got, registryName) || !strings.Contains(got, "二手房过户") || !strings.Contains(got, "最多 3 次") || !strings.Contains(got, "30 天") {
		t.Errorf("to be checked is %s", got)
	}
	b.Run("history.back()")
	b.Until(webpagetest.Seen("#limits"))
	if got := b.checked("uses"); !slices.Equal(got, []string{"3"}) {
		t.Errorf("back, the uses are %v", got)
	}
	b.next("limits")
	if got := h.sent("POST /v1/grants"); len(got) != 0 {
		t.Error("it is given before it was confirmed")
	}
	b.press("yes")
	b.heading("已经授权")
	if got := h.sent("POST /v1/grants"); len(got) != 1 || got[0].Uses != 3 || got[0].Days != 30 || got[0].Agency != registry || got[0].Beyond || !same(got[0].Fields, h.Minimum()) {
		t.Errorf("sent %+v", got)
	}
	b.press("back")
	b.Says("#grants li", "共 3 次，用了 0 次")
	if got := h.state(); got != "given" {
		t.Errorf("it is %s", got)
	}
	kept := h.as(h.Holder(0))
	b.Click("#grants summary")
	b.Says("#grants li", kept.Get("/v1/grants").Text("grants.0.grant")) // which an agency has to name
	b.Says("#grants li", kept.Get("/v1/licences").Text("licences.0.digest"))
	b.Accessible()
}

// TestGivenByAnother: who sees a grant that another holder of the licence gave is not told to have given it.
func TestGivenByAnother(t *testing.T) {
	h := newHall(t)
	h.give()
	b := h.tab(t)
	b.start(h.Spouse(0))
	b.View("grants", "#grants li")
	b.Says("#grants li", "持证人登录后")
	if got := b.Text("#grants li"); strings.Contains(got, "您") {
		t.Errorf("the spouse is told %s", got)
	}
}

// TestWithdraw: one tap leads to the question, the second withdraws for good; whoever says no, or goes back, keeps the grant.
func TestWithdraw(t *testing.T) {
	h := newHall(t)
	grant := h.give()
	b := h.tab(t, webpagetest.Phone)
	b.start(h.Holder(0), "?mode=elder")
	b.View("grants", "#grants li")
	b.press("withdraw")
	b.Says(".asked", "二手房过户")
	b.Says(".asked", "不能恢复")
	b.Keys("\r") // the focus is on the question: Enter does nothing
	b.press("no")
	b.Until(webpagetest.Seen("#grants li"))
	if got := h.state(); got != "given" {
		t.Errorf("without a yes it is %s", got)
	}
	b.press("withdraw")
	b.press("yes")
	b.heading("已经撤回")
	if got := h.state(); got != "withdrawn" {
		t.Errorf("it is %s", got)
	}
	b.Run("history.back()")
	b.Says("#view", "还没有授权")
	b.Click("#view summary")
	b.Says("#view details li", "已撤回")
	b.View("withdraw/"+grant, "[data-do=back]")
	b.heading("已经结束")
	if b.Count("[data-do=yes]") != 0 {
		t.Error("what is withdrawn can be withdrawn again")
	}
}

// TestGrantAnswerLost: if it is not known whether a grant was given, the page says so, and pressing once more gives no second one.
func TestGrantAnswerLost(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.Allowed = []string{"net::"}
	b.start(h.Holder(0))
	b.terms()
	h.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		h.call(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	b.press("yes")
	b.Says("#problem", "可能已经办成")
	h.Answer(nil)
	b.press("yes")
	b.heading("已经授权")
	b.press("back")
	b.Says("#grants li", "共 3 次，用了 0 次")
	if n := b.Count("#view .card"); n != 1 {
		t.Errorf("%d grants were given", n)
	}
}
