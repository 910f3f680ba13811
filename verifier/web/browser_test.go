package web_test

import (
	"context"
	"flag"
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

var shots = flag.String("shots", "", "write a picture of every page and state to this `directory`")

// chromium is the browser that the tests drive.
const chromium = "/usr/bin/chromium"

// patience is how long a page may take to come to what is waited for.
const patience = 40 * time.Second

// launch starts a browser with a profile of its own and returns the context in which tabs are made.
func launch(flags ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc, error) {
	if _, err := os.Stat(chromium); err != nil {
		return nil, nil, fmt.Errorf("the tests of the pages need Chromium, Debian's package chromium: %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, // the tests may run as root
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "zh-CN"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, flags...)...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		stop()
		return nil, nil, fmt.Errorf("start %s: %w", chromium, err)
	}
	return ctx, func() { cancel(); stop() }, nil
}

// browserContext is that of the one browser that all tests but those of the camera share.
var browserContext context.Context

func TestMain(m *testing.M) {
	flag.Parse()
	ctx, stop, err := launch()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	browserContext = ctx
	code := m.Run()
	stop()
	os.Exit(code)
}

// A tab is one page in a browser, with cookies and storage of its own. What its scripts complain
// about fails the test.
type tab struct {
	t    *testing.T
	ctx  context.Context
	home string // origin of the pages

	allowed []string // parts of complaints that are expected
}

// A setting changes a tab before anything is opened in it.
type setting func(*tab)

// newTab returns a tab of 1000 by 900 pixels.
func newTab(t *testing.T, in context.Context, home string, settings ...setting) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(in, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, home: home}
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		return chromedp.Listen(ctx, b.heard)
	}))
	call(b, network.Enable, network.EnableParams{})
	b.do(chromedp.EmulateViewport(1000, 900))
	for _, set := range settings {
		set(b)
	}
	return b
}

// heard fails the test when a script throws, something is refused by the content security policy,
// anything else is written to the console or the log as an error, or something is asked of elsewhere.
func (b *tab) heard(event any) {
	complaint := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.home+"/") && !strings.HasPrefix(u, "blob:"+b.home+"/") && u != "about:blank" {
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
	for _, part := range b.allowed {
		if strings.Contains(complaint, part) {
			return
		}
	}
	if complaint != "" {
		b.t.Errorf("the page complains: %s", complaint)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if len(steps) > 0 && chromedp.FromContext(b.ctx).Target == nil {
		ctx = b.ctx // the first step makes the target, which lives as long as its context
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// call sends a command of the DevTools protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// evaluate returns the value of an expression, or of the promise that it is.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %.500s", expression, err)
	}
	return value
}

// open goes to an address of the pages.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.home + path))
}

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && got {
			return
		}
		if ctx.Err() != nil {
			b.shot("timeout-" + strings.ReplaceAll(b.t.Name(), "/", "-"))
			b.t.Fatalf("in vain waited for %s (%v); the page says:\n%s", expression, err, evaluate[string](b, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// seen is an expression for whether an element is there and visible.
func seen(css string) string {
	return fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", css)
}

func (b *tab) visible(css string) bool {
	b.t.Helper()
	return evaluate[bool](b, "!!"+seen(css))
}

// text returns what an element says, as it is in the page.
func (b *tab) text(css string) string {
	b.t.Helper()
	return strings.TrimSpace(evaluate[string](b, fmt.Sprintf("document.querySelector(%q).textContent", css)))
}

// click waits for an element and clicks in its middle.
func (b *tab) click(css string) {
	b.t.Helper()
	b.until(seen(css))
	b.do(chromedp.Click(chromedp.CSS(css)))
}

// keys types into what has the focus.
func (b *tab) keys(text string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text))
}

// shot writes a picture of the whole page, if pictures are wanted.
func (b *tab) shot(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// paper writes the page as it is printed, a PDF, if pictures are wanted.
func (b *tab) paper(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	pdf := call(b, page.PrintToPDF, page.PrintToPDFParams{})
	if err := os.WriteFile(filepath.Join(*shots, name+".pdf"), []byte(pdf.Data), 0o600); err != nil {
		b.t.Error(err)
	}
}

// -- settings

func phone(b *tab) { b.do(chromedp.EmulateViewport(320, 640)) }

func dark(b *tab) {
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
}

// before runs a script in every page of the tab before the page's own.
func before(script string) setting {
	return func(b *tab) {
		call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	}
}

// upload chooses files as a person would in the dialogue that the page opens.
func (b *tab) upload(files ...string) {
	b.t.Helper()
	b.until(seen("#pick"))
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#files"), files))
}
