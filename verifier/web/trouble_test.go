package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestProblemIsOver: what went wrong is not said any more once somebody has gone on and come back.
func TestProblemIsOver(t *testing.T) {
	w := newTown(t)
	b := newTab(t, webpagetest.Browser, w.home)
	b.Open("/")
	b.upload(written(t, "photo.jpg", []byte("no picture")))
	b.Until(webpagetest.Seen("#problem"))
	b.Click("#write")
	b.Until(webpagetest.Seen("#text"))
	b.Run("history.back()")
	b.Until(webpagetest.Seen("#scan"))
	if b.Visible("#problem") {
		t.Errorf("it still says %q", b.Text("#problem"))
	}
}

// TestCounterIsTold: at the counter, whoever has to wait is told how long, and what was said before is not said any more.
func TestCounterIsTold(t *testing.T) {
	w := newTown(t)
	house, _ := household(w)
	b := newTab(t, webpagetest.Browser, w.home)
	b.Allowed = []string{"status of 503"}
	b.signIn()
	b.transfer("6")
	b.Click("#decide")
	b.Says("#scan-problem", "请先扫码")
	b.Do(chromedp.Focus(chromedp.CSS("#scan")))
	b.scan(house.Code("unitNumber"), house.Code("unitNumber"))
	b.shown(1)
	b.Says("#scan-problem", "已经扫过")
	w.Answer(webpagetest.Refusal(http.StatusServiceUnavailable, "ledger-unavailable", "账本暂时连不上,请稍后再试。", "Try again soon.", "Retry-After", "7"))
	b.Click("#decide")
	b.Until(webpagetest.Seen("#problem"))
	if got := b.Text("#problem"); !strings.Contains(got, "请等 7 秒") {
		t.Errorf("says %q", got)
	}
	if got := b.Text("#scan-problem"); got != "" {
		t.Errorf("it still says %q", got)
	}
}

// TestCameraSeesWhatCannotBeChecked: a code that lies before the counter's camera and cannot be checked is asked about once, and
// not with every picture of it.
func TestCameraSeesWhatCannotBeChecked(t *testing.T) {
	w := newTown(t)
	code := w.Issue("property", 1)[0].Code("rightHolders")
	b := newTab(t, withCamera(t, code, true), w.home)
	b.Allowed = []string{"status of 503"}
	b.signIn()
	b.transfer("7")
	var asked atomic.Int32
	refuse := webpagetest.Refusal(http.StatusServiceUnavailable, "ledger-unavailable", "账本暂时连不上,请稍后再试。", "Try again soon.")
	w.Answer(func(rw http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		return refuse(rw, r)
	})
	b.Click("#camera")
	b.Until(`document.querySelector("#shown > [data-outcome=none]")`)
	read := webpagetest.Evaluate[float64](b.Tab, `document.querySelector("#video").currentTime`)
	b.Until(`document.querySelector("#video").currentTime > 1 + ` + fmt.Sprint(read)) // meanwhile it was read again
	if n, listed := asked.Load(), webpagetest.Evaluate[float64](b.Tab, `document.querySelectorAll("#shown > li").length`); n != 1 || listed != 1 {
		t.Errorf("it was asked about %d times and is listed %v times", n, listed)
	}
	w.Answer(nil)
	b.Click("#camera")
	b.Click("#camera")
	b.Until(`document.querySelector("#shown > [data-outcome=valid]")`) // looked at anew, it is tried again
}
