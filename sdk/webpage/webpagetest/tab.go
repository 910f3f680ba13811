// Package webpagetest drives a real browser, Chromium, for the tests of pages that package webpage
// serves, and checks what holds of all of them: their sources, that nothing is wider than a phone,
// that axe finds nothing that keeps people out, and that no text becomes markup.
package webpagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Tab is one page in a browser, with cookies and storage of its own. What its scripts complain
// about fails the test.
type Tab struct {
	T    *testing.T
	Ctx  context.Context
	home string // origin of the pages

	Allowed []string // parts of complaints that are expected
}

// A Setting changes a tab before anything is opened in it.
type Setting func(*Tab)

// NewTab returns a tab of 1000 by 900 pixels.
func NewTab(t *testing.T, in context.Context, home string, settings ...Setting) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(in, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &Tab{T: t, Ctx: ctx, home: home}
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		return chromedp.Listen(ctx, b.heard)
	}))
	Call(b, network.Enable, network.EnableParams{})
	b.Do(chromedp.EmulateViewport(1000, 900))
	for _, set := range settings {
		set(b)
	}
	return b
}

// heard fails the test when a script throws, something is refused by the content security policy,
// anything else is written to the console or the log as an error, or something is asked of elsewhere.
func (b *Tab) heard(event any) {
	complaint := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u := e.Request.URL
		if strings.HasPrefix(u, "data:") {
			return // of the browser's own controls: a page's would be refused by its policy
		}
		if !strings.HasPrefix(u, b.home+"/") && !strings.HasPrefix(u, "blob:"+b.home+"/") && u != "about:blank" {
			complaint = "asks for " + u
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			complaint = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			complaint += fmt.Sprint(" ", e.ExceptionDetails.Exception.Description)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			complaint = fmt.Sprintf("console: %+v", e.Args)
		}
	}
	for _, part := range b.Allowed {
		if strings.Contains(complaint, part) {
			return
		}
	}
	if complaint != "" {
		b.T.Errorf("the page complains: %s", complaint)
	}
}

func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	if len(steps) > 0 && chromedp.FromContext(b.Ctx).Target == nil {
		ctx = b.Ctx // the first step makes the target, which lives as long as its context
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.T.Fatal(err)
	}
}

// Call sends a command of the DevTools protocol.
func Call[P, R any](b *Tab, command cdp.Command[P, R], params P) R {
	b.T.Helper()
	result, err := chromedp.Call(b.Ctx, command, params)
	if err != nil {
		b.T.Fatal(err)
	}
	return result
}

// Evaluate returns the value of an expression, or of the promise that it is.
func Evaluate[T any](b *Tab, expression string) T {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.T.Fatalf("%.200s: %.500s", expression, err)
	}
	return value
}

// Run runs a script in the page.
func (b *Tab) Run(script string) {
	b.T.Helper()
	b.Do(chromedp.Evaluate[chromedp.Void](script))
}

// Open goes to an address of the pages.
func (b *Tab) Open(path string) {
	b.T.Helper()
	b.Do(chromedp.Navigate(b.home + path))
}

// Until waits for an expression to be true.
func (b *Tab) Until(expression string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	for {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && got {
			return
		}
		if ctx.Err() != nil {
			b.Shot("timeout-" + strings.ReplaceAll(b.T.Name(), "/", "-"))
			b.T.Fatalf("in vain waited for %s (%v); the page says:\n%s", expression, err, Evaluate[string](b, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// View goes to a view, which the part of the address after #/ names, and waits for what tells it. What
// #view showed before stays until there is something else, and does not count.
func (b *Tab) View(path, css string) {
	b.T.Helper()
	b.Run(fmt.Sprintf(`
		for (const e of document.querySelector("#view").children) e.dataset.before = "";
		location.hash === %[1]q ? dispatchEvent(new Event("hashchange")) : location.hash = %[1]q`, "#/"+path))
	b.Until(`!document.querySelector("#view > [data-before]") && ` + Seen(css))
}

// Seen is an expression for whether an element is there and visible.
func Seen(css string) string {
	return fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", css)
}

func (b *Tab) Visible(css string) bool {
	b.T.Helper()
	return Evaluate[bool](b, "!!"+Seen(css))
}

// Text returns what an element says, as it is in the page.
func (b *Tab) Text(css string) string {
	b.T.Helper()
	return strings.TrimSpace(Evaluate[string](b, fmt.Sprintf("document.querySelector(%q).textContent", css)))
}

// Says waits until an element says a text, whatever else it says.
func (b *Tab) Says(css, text string) {
	b.T.Helper()
	b.Until(fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%s)`, css, b.quoted(text)))
}

// Count returns how many elements are to be seen.
func (b *Tab) Count(css string) int {
	b.T.Helper()
	return int(Evaluate[float64](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).length`, css)))
}

// Put waits for the field of a question and gives it an answer, as if it was pasted.
func (b *Tab) Put(css, answer string) {
	b.T.Helper()
	b.Until(Seen(css))
	b.Run(fmt.Sprintf(`document.querySelector(%q).value = %s`, css, b.quoted(answer)))
}

// quoted is a text as a script has it.
func (b *Tab) quoted(text string) string {
	b.T.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		b.T.Fatal(err)
	}
	return string(quoted)
}

// Click waits for an element and clicks in its middle.
func (b *Tab) Click(css string) {
	b.T.Helper()
	b.Until(Seen(css))
	b.Do(chromedp.Click(chromedp.CSS(css)))
}

// Keys types into what has the focus.
func (b *Tab) Keys(text string) {
	b.T.Helper()
	b.Do(chromedp.KeyEvent(text))
}

// Shot writes a picture of the whole page, if pictures are wanted.
func (b *Tab) Shot(name string) {
	b.T.Helper()
	if *shots == "" {
		return
	}
	picture, err := chromedp.Run(b.Ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.T.Error(err)
	}
}

// Paper writes the page as it is printed, a PDF, if pictures are wanted.
func (b *Tab) Paper(name string) {
	b.T.Helper()
	if *shots == "" {
		return
	}
	pdf := Call(b, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err := os.WriteFile(filepath.Join(*shots, name+".pdf"), []byte(pdf.Data), 0o600); err != nil {
		b.T.Error(err)
	}
}

// -- settings

func Phone(b *Tab) { b.Do(chromedp.EmulateViewport(320, 640)) }

func Dark(b *Tab) {
	Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
}

// Before runs a script in every page of the tab before the page's own.
func Before(script string) Setting {
	return func(b *Tab) {
		Call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	}
}
