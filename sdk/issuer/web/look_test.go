package web_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// TestLookUp: what is found is masked; to see it takes a purpose, which stands in the history.
func TestLookUp(t *testing.T) {
	o := newOffice(t, "property")
	said := o.sample(0)
	o.issue(1)
	id := o.issue(0)
	number, holder := said["certificateNumber"].(string), said["rightHolderIds"].([]any)[0].(string)
	name := said["rightHolders"].([]any)[0].(string)
	b := o.tab(t)
	b.signIn(clerk)
	b.View("search", "#search")
	b.Put("#search-text", number)
	b.Put("#search-purpose", "办件 2026-0042")
	b.Click("#search [type=submit]")
	b.Until(webpagetest.Seen("#results li"))
	if got := b.Count("#results li"); got != 1 {
		t.Errorf("%d licences have the number", got)
	}
	if got := b.Text("#results"); strings.Contains(got, holder) || strings.Contains(got, name) || !strings.Contains(got, "*") {
		t.Errorf("not masked: %s", got)
	}
	b.Accessible()
	b.Shot("search")
	b.Click("#search input[value=holder]")
	b.Put("#search-text", holder)
	b.Click("#search [type=submit]")
	b.Says("#results", fmt.Sprintf("#%d", id))
	b.Put("#search-text", "990101190001010018")
	b.Click("#search [type=submit]")
	b.Says("#results", "没有找到")
	b.Click("#language")
	if got := b.Text("label[for=search-text]"); !strings.Contains(got, "holder") {
		t.Errorf("in English, what is asked for is %q", got)
	}
	b.Click("#language")
	if got := b.Text("label[for=search-text]"); got != "持证主体的证件号" {
		t.Errorf("in Chinese again, what is asked for is %q", got)
	}
	if got := webpagetest.Evaluate[string](b.Tab, "location.href"); strings.ContainsAny(got, "0123456789") && strings.Contains(got, holder) {
		t.Errorf("the address is %s", got)
	}

	b.View(fmt.Sprintf("licence/%d", id), "#open")
	if got := b.Text("main"); strings.Contains(got, name) || strings.Contains(got, number) {
		t.Errorf("before it is opened, it says %s", got)
	}
	b.Click("summary:last-of-type")
	b.Put("#open-purpose", "办件 2026-0043")
	b.Click("#open [type=submit]")
	b.Says("#opened", name)
	b.Says("#opened", holder)
	b.Run(`document.querySelector("#history").closest("details").open = true`)
	b.Says("#history", "办件 2026-0043")
	b.Says("#history", clerk)
	b.Accessible()
	b.Shot("licence")
}

// TestSheet: the sheet says what was chosen and no more, its code is readable from the screen, and all
// of it is on one sheet of paper.
func TestSheet(t *testing.T) {
	o := newOffice(t, "property")
	said := o.sample(0)
	o.issue(0)
	b := o.tab(t)
	b.signIn(clerk)
	b.View("sheet/1", "#sheet-open")
	b.Put("#sheet-purpose", "纸质核验件")
	b.Click("#sheet-open [type=submit]")
	b.Until(webpagetest.Seen("#sheet-fields"))
	if got := webpagetest.Evaluate[bool](b.Tab, `document.querySelector("[value=rightHolderIds]").checked || !document.querySelector("[value=rightHolders]").checked`); got {
		t.Error("what is sensitive is chosen from the start, or what is not is not")
	}
	b.Shot("sheet-fields")
	b.Accessible()
	b.Click("#sheet-fields [type=submit]")
	b.Until(webpagetest.Seen(".sheet"))
	if got := b.Text(".sheet"); !strings.Contains(got, said["certificateNumber"].(string)) || strings.Contains(got, said["rightHolderIds"].([]any)[0].(string)) {
		t.Errorf("the sheet says %s", got)
	}
	b.Accessible()
	picture, err := chromedp.Run(b.Ctx, chromedp.Screenshot(chromedp.CSS(".symbol")))
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Decode(bytes.NewReader(picture))
	if err != nil || !strings.Contains(code, "/#") {
		t.Errorf("the code says %q, %v", code, err)
	}
	b.Shot("sheet")
	b.Paper("sheet")
	pdf := b.pdf()
	if pages := onePage.FindAll(pdf, -1); len(pages) != 1 {
		t.Errorf("the sheet has %d pages", len(pages))
	}

	// Printed into a file, it is as good as any to attach the credential to.
	file := filepath.Join(t.TempDir(), "sheet.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	downloads := b.Downloads()
	b.View("licence/1", "#open")
	b.Click("#open [type=submit]")
	b.Until(webpagetest.Seen("[data-do=attach]"))
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#attach"), []string{file}))
	if attached := b.Arrived(downloads, "sheet.pdf"); !bytes.HasPrefix(attached, pdf) || len(attached) < len(pdf)+1000 {
		t.Errorf("%d bytes became %d", len(pdf), len(attached))
	}
	b.Allowed = []string{"status of 422"}
	if err := os.WriteFile(file, []byte("no PDF"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#attach"), []string{file}))
	b.Until(webpagetest.Seen("#problem"))
}

var onePage = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// pdf prints the page on sheets of A4.
func (b *tab) pdf() []byte {
	b.T.Helper()
	return []byte(webpagetest.Call(b.Tab, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)}).Data)
}
