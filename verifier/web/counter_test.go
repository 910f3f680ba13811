package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// signIn opens the counter's page and signs the clerk in, with the keyboard alone.
func (b *tab) signIn() {
	b.t.Helper()
	b.open("/counter")
	b.until(seen("#agency"))
	b.do(chromedp.Focus(chromedp.CSS("#agency")))
	b.keys(httpapitest.CounterID + kb.Tab + httpapitest.Clerk + kb.Tab + httpapitest.Password + kb.Enter)
	b.until(seen("#case"))
}

// transfer begins the case of a second-hand home.
func (b *tab) transfer(number string) {
	b.t.Helper()
	b.click("#matters input[value=second-hand-home-transfer]")
	b.do(chromedp.Focus(chromedp.CSS("#number")))
	b.keys(number + kb.Enter)
	b.until(`document.activeElement.id === "scan"`)
}

// scan puts codes into the field that has the focus, each at once and ended by Enter.
func (b *tab) scan(codes ...string) {
	b.t.Helper()
	for _, code := range codes {
		call(b, input.InsertText, input.InsertTextParams{Text: code})
		b.keys(kb.Enter)
	}
}

// shown waits for so many licences to be verified, and returns the outcomes.
func (b *tab) shown(n int) string {
	b.t.Helper()
	b.until(`document.querySelectorAll("#shown > [data-outcome]").length >= ` + string(rune('0'+n)))
	return evaluate[string](b, `[...document.querySelectorAll("#shown > li")].map(li => li.dataset.outcome).join(" ")`)
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
	b := newTab(t, browserContext, w.home)
	dir := t.TempDir()
	if _, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID}); err != nil {
		t.Fatal(err)
	}
	b.open("/counter")
	b.until(seen("#agency"))
	b.shot("counter-sign-in")
	b.signIn()
	if got := b.text("#who p"); got != "示范市政务服务中心 · 综合窗口3号 · wangfang" {
		t.Errorf("signed in as %s", got)
	}
	b.click("#matters input[value=second-hand-home-transfer]")
	b.shot("counter-case")
	b.transfer("2026-000123")
	b.shot("counter-empty")

	b.scan(house.Code(house.Keys()...))
	if got := b.shown(1); got != "valid" {
		t.Errorf("the home is %s", got)
	}
	if got := evaluate[string](b, `[...document.querySelectorAll("#needed [data-met]")].map(li => li.dataset.role).join()`); got != "title" {
		t.Errorf("met are %s", got)
	}
	b.click("#decide")
	b.until(seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "incomplete" {
		t.Errorf("with the home alone the case is %s", got)
	}
	for _, word := range []string{"材料不齐,请按提示补充", "还缺什么", "婚姻状况证明"} {
		if !strings.Contains(b.text("[data-step=result]"), word) {
			t.Errorf("does not say %q", word)
		}
	}
	b.shot("counter-incomplete")

	b.click("[data-do=more]")
	b.until(`document.activeElement.id === "scan"`)
	b.scan(couple.Code(couple.Keys()...))
	b.shown(2)
	for range 2 {
		b.click("#shown .tick input:not(:checked)")
	}
	b.shot("counter-work")
	b.click("#decide")
	b.until(seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "valid" {
		t.Errorf("with both the case is %s", got)
	}
	if got := b.text("[data-rule=right-holders-covered]"); !strings.HasSuffix(got, "一致") {
		t.Errorf("the rule: %s", got)
	}
	b.shot("counter-valid")
	b.paper("counter-paper")

	w.Anchor()
	b.click("[data-do=save]")
	file := arrived(t, filepath.Join(dir, "case-2026-000123.json"))
	var saved struct {
		Case     string
		Receipts []struct {
			OnBehalf string
			Receipt  struct {
				Receipt string
				Proof   *struct{ Checkpoint string }
			}
		}
	}
	decode(t, file, &saved)
	if saved.Case != "2026-000123" || len(saved.Receipts) != 4 {
		t.Fatalf("saved case %q with %d receipts", saved.Case, len(saved.Receipts))
	}
	for _, r := range saved.Receipts {
		if r.Receipt.Receipt == "" || r.Receipt.Proof == nil {
			t.Errorf("the receipt for %s lacks its proof", r.OnBehalf)
		}
	}
	if strings.Contains(string(file), value(t, couple, "spouse1Id")) {
		t.Error("what is saved has values of a licence")
	}
	b.click("[data-do=next]")
	b.until(seen("#case"))
	if evaluate[float64](b, `document.querySelectorAll("#shown > li").length`) != 0 {
		t.Error("the next case begins with the licences of this one")
	}
	b.allowed = []string{"net::"}
	w.answer(cut)
	b.click("#sign-out")
	b.until(seen("#problem"))
	if b.visible("#agency") {
		t.Error("it looks like signed out, and is not")
	}
	w.answer(nil)
	b.click("#sign-out")
	b.until(seen("#agency"))
	if got := evaluate[string](b, `document.querySelector("#agency").value + document.querySelector("#password").value`); got != httpapitest.CounterID {
		t.Errorf("signed out, the page still knows %q", got)
	}
}

// arrived waits for a download.
func arrived(t *testing.T, file string) []byte {
	t.Helper()
	for range 500 {
		if b, err := os.ReadFile(file); err == nil && json.Valid(b) {
			return b
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s did not come", file)
	return nil
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
	b := newTab(t, browserContext, w.home)
	b.signIn()
	b.transfer("1")

	b.keys(codes[0] + kb.Enter + codes[1] + kb.Tab)
	b.shown(2)
	b.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	b.keys(codes[2])
	b.shown(3)
	if got := evaluate[string](b, `document.activeElement.id + document.querySelector("#scan").value`); got != "scan" {
		t.Errorf("after three codes, focus and field are %q", got)
	}
	b.scan(codes[0])
	b.until(`document.querySelector("#scan-problem").textContent.includes("已经扫过")`)

	// Full-width letters through an input method, which shows them as a composition and swallows the
	// Enter that ends it; two codes in one go.
	both := wide(codes[3] + codes[4])
	for part := range slices.Chunk([]rune(both), 50) {
		call(b, input.ImeSetComposition, input.ImeSetCompositionParams{Text: string(part), SelectionStart: 50, SelectionEnd: 50})
		call(b, input.InsertText, input.InsertTextParams{Text: string(part)})
	}
	if got := b.shown(5); got != "valid valid valid valid valid" {
		t.Errorf("scanned: %s", got)
	}
	b.scan(codes[5][:200])
	b.until(`document.querySelector("#scan-problem").textContent.includes("没有扫完整")`)
	b.scan("https://example.com/")
	b.until(`document.querySelector("#scan-problem").textContent.includes("不是亮证码")`)
	b.scan(codes[5])
	b.shown(6)
	b.until(`document.querySelector("#scan-problem").textContent === ""`)
}

// TestCounterOutcomes: what speaks against a licence speaks against the case.
func TestCounterOutcomes(t *testing.T) {
	w := newTown(t)
	revoked, disowned := w.Issue("property", 1)[0], w.Issue("business", 1)[0]
	revoked.SetStatus(licence.Revoked)
	w.Compromise(disowned.Batch.Head.Issuer, disowned)
	b := newTab(t, browserContext, w.home)
	b.signIn()
	b.transfer("2")
	b.scan(revoked.Code("unitNumber"), disowned.Code("name"))
	if got := b.shown(2); got != "not-current invalid" && got != "invalid not-current" {
		t.Errorf("scanned: %s", got)
	}
	if strings.Contains(b.text("#shown"), "营业执照") {
		t.Error("what an invalid licence claims is repeated")
	}
	b.click("#decide")
	b.until(seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "invalid" {
		t.Errorf("the case is %s", got)
	}
	b.accessible()
	b.shot("counter-invalid")
	b.click("#language")
	if got := b.text("[data-step=result] .verdict h1"); got != "Something shown did not pass: do not proceed on it" {
		t.Errorf("in English: %s", got)
	}
}

// TestReferenceAtCounter: a code that can be taken once is taken when it is scanned, and still serves
// for the case minutes later.
func TestReferenceAtCounter(t *testing.T) {
	w := newTown(t)
	house, _ := household(w)
	b := newTab(t, browserContext, w.home)
	b.signIn()
	b.transfer("3")
	b.scan(w.reference(house.Show(house.Keys()...)))
	b.shown(1)
	w.Pass(5 * time.Minute)
	b.click("#decide")
	b.until(seen("[data-step=result] .verdict"))
	if got := b.verdict(); got != "incomplete" {
		t.Errorf("the case is %s", got)
	}
}

// TestClerkAsPublic: in the browser of a clerk who is signed in, the page for all is still that.
func TestClerkAsPublic(t *testing.T) {
	w := newTown(t)
	house, _ := household(w)
	b := newTab(t, browserContext, w.home)
	b.signIn()
	b.open(fragment(house.Code("unitNumber")))
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
	b := newTab(t, browserContext, w.home)
	b.allowed = []string{"status of 401"}
	b.open("/counter")
	b.until(seen("#agency"))
	b.do(chromedp.Focus(chromedp.CSS("#agency")))
	b.keys(httpapitest.CounterID + kb.Tab + httpapitest.Clerk + kb.Tab + "not the password" + kb.Enter)
	b.until(seen("#problem"))
	if got := evaluate[string](b, `document.querySelector("#password").value`); got != "" || b.visible("#case") {
		t.Errorf("refused, the page keeps %q", got)
	}
	b.accessible()
	b.shot("counter-refused")
	b.signIn()
	b.transfer("4")
	b.scan(house.Code("unitNumber"))
	b.shown(1)
	w.answer(refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in."))
	b.click("#decide")
	b.until(seen("#agency"))
	w.answer(nil)
	if got := b.text("#problem p"); !strings.Contains(got, "登录已过期") {
		t.Errorf("says %q", got)
	}
	b.do(chromedp.Focus(chromedp.CSS("#password")))
	b.keys(httpapitest.Password + kb.Enter)
	b.until(`document.activeElement.id === "scan"`)
	if got := b.shown(1); got != "valid" {
		t.Errorf("what was scanned is %s", got)
	}

	// Somebody else signs in after that session has ended, too.
	w.answer(refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in."))
	b.click("#decide")
	b.until(seen("#agency"))
	w.answer(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/me" {
			return false
		}
		recorded := httptest.NewRecorder()
		w.API.ServeHTTP(recorded, r)
		_, err := strings.NewReplacer(httpapitest.Clerk, "lilei").WriteString(rw, recorded.Body.String())
		return err == nil
	})
	b.do(chromedp.Focus(chromedp.CSS("#password")))
	b.keys(httpapitest.Password + kb.Enter)
	b.until(seen("#case"))
	if got := evaluate[float64](b, `document.querySelectorAll("#shown > *, [data-step=result] > *").length`); got != 0 || !strings.Contains(b.text("#who"), "lilei") {
		t.Errorf("somebody else finds %v things of the case", got)
	}
}
