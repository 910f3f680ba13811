package web_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestImport: a trial run says what would be rejected and issues nothing; then the good ones are
// issued, once.
func TestImport(t *testing.T) {
	o := newOffice(t, "property")
	list, err := fs.ReadFile(samples.Files, "property.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	lines[3] = strings.Replace(lines[3], lines[3][:9], "=cmd()", 1)
	lines[5] += ",one column too many"
	file := filepath.Join(t.TempDir(), "不动产 2018.csv")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := len(lines) - 1 - 1
	b := o.tab(t)
	downloads := b.Downloads()
	b.signIn(clerk)
	b.View("import", "#import-file")
	b.Click("[data-do=trial]")
	b.Says("#import-problem", "请选择文件")
	b.Accessible()
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#import-file"), []string{file}))
	b.Shot("import")
	b.Click("[data-do=trial]")
	b.Until(webpagetest.Seen("#rejects"))
	b.Says("#view [role=status]", fmt.Sprintf("可制发 %d 件，退回 1 件", good))
	if got := b.Text("#rejects tbody"); got == "" || b.Count("#rejects tbody tr") < 1 {
		t.Errorf("the rejects say %s", got)
	}
	b.Accessible()
	b.Shot("import-trial")
	b.Run(`document.querySelector("a[href*='format=csv']").click()`)
	if csv := string(b.Arrived(downloads, "rejects-1.csv")); !strings.Contains(csv, ",6,") && !strings.Contains(csv, "6") {
		t.Errorf("the rejects are %s", csv)
	}
	b.Click("[data-do=import]")
	b.Until(`location.hash === "#/job/2"`)
	b.Says("#view [role=status]", fmt.Sprintf("已制发 %d 件", good))
	b.Shot("import-done")
	b.View("", "[data-card=issued] li")
	if got := b.Text("[data-card=issued] .count"); got != fmt.Sprint(good) {
		t.Errorf("today %s licences were issued", got)
	}
	b.View("import", "#import-file")
	if got := b.Count("a[href^='#/job/']"); got != 2 {
		t.Errorf("%d imports are listed", got)
	}
}

// TestJobProgress: the page follows a job until it is done, through an outage, and leaves it when
// another view is shown.
func TestJobProgress(t *testing.T) {
	o := newOffice(t, "property")
	p := o.clerk().With("Idempotency-Key", "progress-1").With("Content-Type", "text/csv")
	list, err := fs.ReadFile(samples.Files, "property.csv")
	if err != nil {
		t.Fatal(err)
	}
	p.Post("/v1/imports?type=property", list).Want(t, http.StatusAccepted)
	half := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/jobs/1" {
			return false
		}
		_, err := io.WriteString(w, `{"id": 1, "type": "property", "dryRun": false, "state": "running", "records": 25, "accepted": 24, "rejected": 1, "bytes": 1000, "bytesRead": 630, "by": "wangfang", "startedAt": "2026-11-22T00:00:00Z", "changedAt": "2026-11-22T00:00:01Z", "problem": null}`)
		return err == nil
	}
	o.Answer(half)
	b := o.tab(t, webpagetest.Before(`
		globalThis.asked = 0;
		const fetched = globalThis.fetch;
		globalThis.fetch = (path, init) => { asked += path === "/v1/jobs/1"; return fetched(path, init); };
	`))
	b.Allowed = []string{"net::", "status of 401"}
	b.signIn(clerk)
	b.View("job/1", "progress")
	b.Says("#view [role=status]", "进行中，已制发 24 件，退回 1 件")
	if got := webpagetest.Evaluate[float64](b.Tab, `document.querySelector("progress").value`); got != 63 {
		t.Errorf("the bar is at %v %%", got)
	}
	b.Shot("import-running")
	o.Answer(webpagetest.Cut)
	b.Says("#problem", "连不上制证服务")
	o.Answer(half)
	b.Until(`document.querySelector("#problem").hidden`)
	o.Answer(webpagetest.Refusal(http.StatusUnauthorized, "unauthenticated", "请登录。", "Sign in."))
	b.Until(`document.activeElement.id === "password"`)
	o.Answer(nil)
	b.Keys(httpapitest.Password + kb.Enter) // signed in again, the page goes on following
	b.Says("#view [role=status]", "已完成，已制发 40 件")
	b.Until(webpagetest.Seen("a[href$='/credentials']"))

	o.Answer(half)
	b.View("job/1", "#view [role=status] progress")
	b.View("search", "#search")
	left := webpagetest.Evaluate[float64](b.Tab, "asked")
	if later := webpagetest.Evaluate[float64](b.Tab, "new Promise(done => setTimeout(() => done(asked), 1000))"); later > left {
		t.Errorf("left, the page asked %v times more", later-left)
	}
}
