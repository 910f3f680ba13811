package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// signIn opens the counter's page and signs the clerk in, with the keyboard alone.
func (b *tab) signIn() {
	b.T.Helper()
	b.Open("/counter")
	b.Until(webpagetest.Seen("#agency"))
	b.Do(chromedp.Focus(chromedp.CSS("#agency")))
	b.Keys(httpapitest.CounterID + kb.Tab + httpapitest.Clerk + kb.Tab + httpapitest.Password + kb.Enter)
	b.Until(webpagetest.Seen("#case"))
}

// transfer begins the case of a second-hand home.
func (b *tab) transfer(number string) {
	b.T.Helper()
	b.Click("#matters input[value=second-hand-home-transfer]")
	b.Do(chromedp.Focus(chromedp.CSS("#number")))
	b.Keys(number + kb.Enter)
	b.Until(`document.activeElement.id === "scan"`)
}

// scan puts codes into the field that has the focus, each at once and ended by Enter.
func (b *tab) scan(codes ...string) {
	b.T.Helper()
	for _, code := range codes {
		webpagetest.Call(b.Tab, input.InsertText, input.InsertTextParams{Text: code})
		b.Keys(kb.Enter)
	}
}

// shown waits for so many licences to be verified, and returns the outcomes.
func (b *tab) shown(n int) string {
	b.T.Helper()
	b.Until(`document.querySelectorAll("#shown > [data-outcome]").length >= ` + string(rune('0'+n)))
	return webpagetest.Evaluate[string](b.Tab, `[...document.querySelectorAll("#shown > li")].map(li => li.dataset.outcome).join(" ")`)
}

// household is a home and the marriage of the two who own it.
func household(w *town) (house, couple *verifiertest.Licence) {
	house = w.Issue("property", 1)[0]
	names, ids := values(w.t, house, "rightHolders"), values(w.t, house, "rightHolderIds")
	couple = w.IssueDocument("marriage", 0, map[string]any{
		"spouse1Name": names[0], "spouse1Id": ids[0], "spouse1BirthDate": ids[0][6:14],
		"spouse2Name": names[1], "spouse2Id": ids[1], "spouse2BirthDate": ids[1][6:14],
	})
	return house, couple
}

// TestCounter takes a case from signing in to the archive: first something is missing, then it is
// complete; the receipts are saved with the proofs that they are anchored.
func TestCounter(t *testing.T) {
	w := newTown(t)
	house, couple := household(w)
	b := newTab(t, webpagetest.Browser, w.home)
	dir := b.Downloads()
	b.Open("/counter")
	b.Until(webpagetest.Seen("#agency"))
	b.Shot("counter-sign-in")
	b.signIn()
	if got := b.Text("#who p"); got != "示范市政务服务中心 · 综合窗口3号 · wangfang" {
		t.Errorf("signed in as %s", got)
	}
	b.Click("#matters input[value=second-hand-home-transfer]")
	b.Shot("counter-case")
	b.transfer("2026-000123")
	b.Shot("counter-empty")

	b.scan(house.Code(house.Keys()...))
	if got := b.shown(1); got != "valid" {
		t.Errorf("the home is %s", got)
	}
	if got := webpagetest.Evaluate[string](b.Tab, `[...document.querySelectorAll("#needed [data-met]")].map(li => li.dataset.role).join()`); got != "title" {
		t.Errorf("met are %s", got)
	}
	b.Click("#decide")
	b.Until(webpagetest.Seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "incomplete" {
		t.Errorf("with the home alone the case is %s", got)
	}
	for _, word := range []string{"材料不齐,请按提示补充", "还缺什么", "婚姻状况证明"} {
		if !strings.Contains(b.Text("[data-step=result]"), word) {
			t.Errorf("does not say %q", word)
		}
	}
	b.Shot("counter-incomplete")

	b.Click("[data-do=more]")
	b.Until(`document.activeElement.id === "scan"`)
	b.scan(couple.Code(couple.Keys()...))
	b.shown(2)
	for range 2 {
		b.Click("#shown .tick input:not(:checked)")
	}
	b.Shot("counter-work")
	b.Click("#decide")
	b.Until(webpagetest.Seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "valid" {
		t.Errorf("with both the case is %s", got)
	}
	if got := b.Text("[data-rule=right-holders-covered]"); !strings.HasSuffix(got, "一致") {
		t.Errorf("the rule: %s", got)
	}
	b.Shot("counter-valid")
	b.Paper("counter-paper")

	w.Anchor()
	b.Click("[data-do=save]")
	file := b.Arrived(dir, "case-2026-000123.json")
	var saved struct {
		Case     string
		Receipts []struct {
			OnBehalf string
			Receipt  json.RawMessage
		}
	}
	decode(t, file, &saved)
	if saved.Case != "2026-000123" || len(saved.Receipts) != 4 {
		t.Fatalf("saved case %q with %d receipts", saved.Case, len(saved.Receipts))
	}
	for _, r := range saved.Receipts {
		f, err := receipt.Parse(r.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		if worth, err := receipt.Verify(f, nil, w.Index); err != nil || worth.Outcome != receipt.Anchored {
			t.Errorf("the receipt for %s is %s, %v", r.OnBehalf, worth.Outcome, err)
		}
	}
	if strings.Contains(string(file), value(t, couple, "spouse1Id")) {
		t.Error("what is saved has values of a licence")
	}
	b.Click("[data-do=next]")
	b.Until(webpagetest.Seen("#case"))
	if webpagetest.Evaluate[float64](b.Tab, `document.querySelectorAll("#shown > li").length`) != 0 {
		t.Error("the next case begins with the licences of this one")
	}
	b.Allowed = []string{"net::"}
	w.Answer(webpagetest.Cut)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#problem"))
	if b.Visible("#agency") {
		t.Error("it looks like signed out, and is not")
	}
	w.Answer(nil)
	b.Click("#sign-out")
	b.Until(webpagetest.Seen("#agency"))
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("#agency").value + document.querySelector("#password").value`); got != httpapitest.CounterID {
		t.Errorf("signed out, the page still knows %q", got)
	}
}

// TestScanner types codes as scanners do: ended by Enter, by Tab or by nothing, one right after the
// other, through an input method, misread, twice, or while the focus is elsewhere.
func TestScanner(t *testing.T) {
	w := newTown(t)
	houses := w.Issue("property", 6)
	codes := make([]string, len(houses))
	for i, h := range houses {
		codes[i] = h.Code("unitNumber")
	}
	b := newTab(t, webpagetest.Browser, w.home)
	b.signIn()
	b.transfer("1")

	b.Keys(codes[0] + kb.Enter + codes[1] + kb.Tab)
	b.shown(2)
	b.Run(`document.activeElement.blur()`)
	b.Keys(codes[2])
	b.shown(3)
	if got := webpagetest.Evaluate[string](b.Tab, `document.activeElement.id + document.querySelector("#scan").value`); got != "scan" {
		t.Errorf("after three codes, focus and field are %q", got)
	}
	b.scan(codes[0])
	b.Says("#scan-problem", "已经扫过")

	// Full-width letters through an input method, which shows them as a composition and swallows the
	// Enter that ends it; two codes in one go.
	both := wide(codes[3] + codes[4])
	for part := range slices.Chunk([]rune(both), 50) {
		webpagetest.Call(b.Tab, input.ImeSetComposition, input.ImeSetCompositionParams{Text: string(part), SelectionStart: 50, SelectionEnd: 50})
		webpagetest.Call(b.Tab, input.InsertText, input.InsertTextParams{Text: string(part)})
	}
	if got := b.shown(5); got != "valid valid valid valid valid" {
		t.Errorf("scanned: %s", got)
	}
	b.scan(codes[5][:200])
	b.Says("#scan-problem", "没有扫完整")
	b.scan("https://example.com/")
	b.Says("#scan-problem", "不是亮证码")
	b.scan(codes[5])
	b.shown(6)
	b.Until(`document.querySelector("#scan-problem").textContent === ""`)
}

// TestCounterOutcomes: what speaks against a licence speaks against the case.
func TestCounterOutcomes(t *testing.T) {
	w := newTown(t)
	revoked, disowned := w.Issue("property", 1)[0], w.Issue("business", 1)[0]
	revoked.SetStatus(licence.Revoked)
	w.Compromise(disowned.Batch.Head.Issuer, disowned)
	b := newTab(t, webpagetest.Browser, w.home)
	b.signIn()
	b.transfer("2")
	b.scan(revoked.Code("unitNumber"), disowned.Code("name"))
	if got := b.shown(2); got != "not-current invalid" && got != "invalid not-current" {
		t.Errorf("scanned: %s", got)
	}
	if strings.Contains(b.Text("#shown"), "营业执照") {
		t.Error("what an invalid licence claims is repeated")
	}
	b.Click("#decide")
	b.Until(webpagetest.Seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "invalid" {
		t.Errorf("the case is %s", got)
	}
	b.Accessible()
	b.Shot("counter-invalid")
	b.Click("#language")
	if got := b.Text("[data-step=result] .verdict h1"); got != "Something shown did not pass: do not proceed on it" {
		t.Errorf("in English: %s", got)
	}
}

// TestReferenceAtCounter: a code that can be taken once is taken when it is scanned, and still serves
// for the case minutes later.
func TestReferenceAtCounter(t *testing.T) {
	w := newTown(t)
	house, _ := household(w)
	b := newTab(t, webpagetest.Browser, w.home)
	b.signIn()
	b.transfer("3")
	b.scan(w.reference(house.Show(house.Keys()...)))
	b.shown(1)
	w.Pass(5 * time.Minute)
	b.Click("#decide")
	b.Until(webpagetest.Seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "incomplete" {
		t.Errorf("the case is %s", got)
	}
}

// TestClerkAsPublic: in the browser of a clerk who is signed in, the page for all is still that.
func TestClerkAsPublic(t *testing.T) {
	w := newTown(t)
	house, _ := household(w)
	b := newTab(t, webpagetest.Browser, w.home)
	b.signIn()
	b.Open(fragment(house.Code("unitNumber")))
	if got := b.verdict(); got != "valid" {
		t.Errorf("outcome %s", got)
	}
	if calls := w.Calls(); calls[len(calls)-1].Caller != httpapi.CallerPublic {
		t.Errorf("the caller is the %s", calls[len(calls)-1].Caller)
	}
}

// TestSession: a wrong password is refused; a session that ends in the middle of a case costs
// nothing but signing in again.
func TestSession(t *testing.T) {
	w := newTown(t)
	house, _ := household(w)
	b := newTab(t, webpagetest.Browser, w.home)
	b.Allowed = []string{"status of 401"}
	b.Open("/counter")
	b.Until(webpagetest.Seen("#agency"))
	b.Do(chromedp.Focus(chromedp.CSS("#agency")))
	b.Keys(httpapitest.CounterID + kb.Tab + httpapitest.Clerk + kb.Tab + "not the password" + kb.Enter)
	b.Until(webpagetest.Seen("#problem"))
	b.Until(`document.activeElement.id === "password"`)
	if got := webpagetest.Evaluate[string](b.Tab, `document.querySelector("#password").value`); got != "" || b.Visible("#case") {
		t.Errorf("refused, the page keeps %q", got)
	}
	b.Accessible()
	b.Shot("counter-refused")
	b.signIn()
	b.transfer("4")
	b.scan(house.Code("unitNumber"))
	b.shown(1)
	w.Answer(webpagetest.Refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in."))
	b.Click("#decide")
	b.Until(webpagetest.Seen("#agency"))
	w.Answer(nil)
	if got := b.Text("#problem p"); !strings.Contains(got, "登录已过期") {
		t.Errorf("says %q", got)
	}
	b.Do(chromedp.Focus(chromedp.CSS("#password")))
	b.Keys(httpapitest.Password + kb.Enter)
	b.Until(`document.activeElement.id === "scan"`)
	if got := b.shown(1); got != "valid" {
		t.Errorf("what was scanned is %s", got)
	}

	// Somebody else signs in after that session has ended, too.
	w.Answer(webpagetest.Refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in."))
	b.Click("#decide")
	b.Until(webpagetest.Seen("#agency"))
	w.Answer(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/me" {
			return false
		}
		recorded := httptest.NewRecorder()
		w.API.ServeHTTP(recorded, r)
		_, err := strings.NewReplacer(httpapitest.Clerk, "lilei").WriteString(rw, recorded.Body.String())
		return err == nil
	})
	b.Do(chromedp.Focus(chromedp.CSS("#password")))
	b.Keys(httpapitest.Password + kb.Enter)
	b.Until(webpagetest.Seen("#case"))
	if got := webpagetest.Evaluate[float64](b.Tab, `document.querySelectorAll("#shown > *, [data-step=result] > *").length`); got != 0 || !strings.Contains(b.Text("#who"), "lilei") {
		t.Errorf("somebody else finds %v things of the case", got)
	}
}
