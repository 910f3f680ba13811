package web_test

import (
	"net/http"
	"testing"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestTwoTaps: who taps twice, because nothing seems to come of it, has one code made and not two.
func TestTwoTaps(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.start(h.Holder(0))
	arrived, answer := make(chan struct{}), make(chan struct{})
	slow := func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/codes" {
			arrived <- struct{}{}
			<-answer
		}
		return false
	}
	b.View("show/1", "[data-way=other]")
	b.press(transfer)
	b.Until(webpagetest.Seen("#fields"))
	for n, tap := range []string{`document.querySelector("#fields [type=submit]").click()`, `document.querySelector("[data-do=offline]").click()`} {
		h.Answer(slow)
		b.Run(tap)
		<-arrived
		h.Answer(nil) // what is asked twice is answered at once
		b.Run(tap)
		answer <- struct{}{}
		b.Until([]string{`location.hash === "#/show/1/code"`, `location.hash === "#/show/1/offline"`}[n] + " && " + webpagetest.Seen(".symbol"))
		if n == 1 {
			b.heading("离线码")
		}
		if got := h.sent("POST /v1/codes"); len(got) != n+1 {
			t.Errorf("after %d codes were asked for, each with two taps, %d are made", n+1, len(got))
		}
	}
	b.Click("#language")
	if got := b.Text(".symbol title"); got != "Offline code" {
		t.Errorf("the picture is called %q", got)
	}
}

// TestSleepingPhone: the time for which a code lasts goes on while the phone sleeps and one of its clocks does not.
func TestSleepingPhone(t *testing.T) {
	h := newHall(t)
	b := h.tab(t)
	b.start(h.Holder(0))
	b.View("show/1", "[data-way=other]")
	b.press(transfer)
	b.next("fields")
	b.Says(".count", "秒")
	b.Run(`const awake = Date.now; Date.now = () => awake() + 180_000`)
	b.Says(".count", "已过期")
	b.Until(webpagetest.Seen(".codes.over"))
}

// TestFirstCallHangs: the page does not wait for ever for the first answer, which it asks for before anything else.
func TestFirstCallHangs(t *testing.T) {
	h := newHall(t)
	b := h.tab(t, webpagetest.Before(`
		const later = setTimeout;
		globalThis.setTimeout = (act, wait, ...more) => {
			if (wait !== 30000) return later(act, wait, ...more);
			globalThis.setTimeout = later; // the first time that somebody is patient
			globalThis.over = act;
		};
	`))
	arrived := make(chan struct{})
	h.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		h.Answer(nil)
		close(arrived)
		<-r.Context().Done() // the page has given up
		return true
	})
	b.Open("/")
	<-arrived
	b.Run("over()")
	b.Until(webpagetest.Seen("#sign-in"))
}
