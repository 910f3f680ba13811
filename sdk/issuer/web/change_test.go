package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// change changes the state of the licence that is shown, for the first reason that the type has.
func (b *tab) change(to licence.State) {
	b.T.Helper()
	b.Click("[data-change=status] summary")
	b.Click(fmt.Sprintf("#status input[value=%s]", to))
	b.Click("#reasons input")
	b.Click("#status [type=submit]")
}

// TestStatus: a licence is suspended, restored and revoked for reasons in the type's own words.
func TestStatus(t *testing.T) {
	o := newOffice(t, "property")
	o.issue(0)
	b := o.tab(t)
	b.signIn(clerk)
	b.View("licence/1", "[data-change=status]")
	b.Click("[data-change=status] summary")
	for _, y := range o.Type.Transitions {
		if y.From != licence.Active {
			continue
		}
		b.Click(fmt.Sprintf("#status input[value=%s]", y.To))
		if !b.Visible("#status-effective") {
			t.Errorf("to make it %s, no date is asked for", y.To)
		}
		for _, r := range y.Reasons {
			if got := b.Text("#reasons"); !strings.Contains(got, r.Label.Zh) {
				t.Errorf("to make it %s, %s is no reason", y.To, r.Label.Zh)
			}
			b.Click(fmt.Sprintf("#reasons input[value=%s]", r.Code))
			if got := b.Visible("#status-effective"); got == (r.Effect == licence.AbInitio) {
				t.Errorf("for %s a date is asked for: %v", r.Code, got)
			}
		}
		if got := b.Count("#reasons input"); got != len(y.Reasons) {
			t.Errorf("to make it %s there are %d reasons", y.To, got)
		}
		if got := b.Visible("#successor"); got != (y.To == licence.Superseded) {
			t.Errorf("to make it %s, a successor is asked for: %v", y.To, got)
		}
	}
	b.Accessible()
	b.Shot("status")
	b.Click("[data-change=status] summary")
	b.change(licence.Suspended)
	b.Says("#view .badge", "暂停")
	b.change(licence.Active)
	b.Says("#view .badge", "有效")
	b.change(licence.Revoked)
	b.Says("#view .badge", "已撤销")
	b.Click("#language")
	b.Says("#view .badge", "Revoked")
}

// TestRestrictions: a licence is seized and released; it stays what it is meanwhile.
func TestRestrictions(t *testing.T) {
	o := newOffice(t, "property")
	o.issue(0)
	b := o.tab(t)
	b.signIn(clerk)
	b.View("licence/1", "[data-change=restrict]")
	b.Click("[data-change=restrict] summary")
	kind := o.Type.Restrictions[0]
	b.Click(fmt.Sprintf("#restrict input[value=%s]", kind.Code))
	b.Put("#restrict-purpose", "法院协助执行通知 7 号")
	b.Click("#restrict [type=submit]")
	b.Says("[data-restriction]", kind.Label.Zh)
	if got := b.Text("#view .badge"); got != "有效" {
		t.Errorf("restricted, it is %s", got)
	}
	b.Shot("restricted")
	b.Click("[data-change=release] summary")
	b.Accessible()
	b.Click("#release input[type=radio]")
	b.Click("#release [type=submit]")
	b.Until(`!document.querySelector("[data-restriction]") && ` + webpagetest.Seen("[data-change=restrict]"))
}

// TestApproval: what takes two people waits for a second one. The first is not offered to approve it,
// and is refused if they try.
func TestApproval(t *testing.T) {
	o := newOffice(t, "property")
	two, _ := o.Type.Transition(licence.Revoked, licence.Active)
	b := o.tab(t)
	b.signIn(clerk)
	for n := range 2 {
		id := o.issue(n)
		o.set(id, licence.Active, licence.Revoked, http.StatusOK)
		b.View(fmt.Sprintf("licence/%d", id), "[data-change=status]")
		b.change(two.To)
		b.Says("#view h1", "等待另一人审批")
	}
	b.View("approvals", "#proposals")
	if got := b.Count("#proposals > li"); got != 2 {
		t.Errorf("%d proposals wait", got)
	}
	if b.Count("[data-do=approve]") != 0 || !strings.Contains(b.Text("#proposals"), "须由他人审批") {
		t.Error("who proposed it is offered to approve it")
	}
	b.Accessible()
	b.Shot("approvals-mine")
	proposal := webpagetest.Evaluate[string](b.Tab, `document.querySelector("[data-proposal]").dataset.proposal`)
	o.clerk().Post("/v1/proposals/"+proposal+"/approve", nil).Want(t, http.StatusForbidden)

	other := o.tab(t)
	other.signIn(second)
	other.Says("[data-card=approvals] .count", "2")
	other.Click("[data-card=approvals] a")
	other.Until(webpagetest.Seen("#proposals"))
	if got := other.Text("#proposals"); !strings.Contains(got, two.Reasons[0].Label.Zh) || !strings.Contains(got, clerk) {
		t.Errorf("the proposals say %s", got)
	}
	other.Accessible()
	other.Shot("approvals")
	approved := other.Text("#proposals li:first-child dd a")
	other.Click("[data-do=approve]")
	other.Until(`document.querySelectorAll("#proposals > li").length === 1`)
	other.Click("#proposals summary")
	other.Put("#proposals input", "材料不足")
	other.Click("#proposals form [type=submit]")
	other.Says("#view", "没有待审批的事项")
	want := map[string][2]string{"#1": {"active", "revoked"}, "#2": {"revoked", "active"}}[approved]
	if got := [2]string{o.state(1), o.state(2)}; got != want {
		t.Errorf("%s approved and the other refused, the licences are %v", approved, got)
	}
}
