package webpagetest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "write a picture of every page and state to this `directory`")

// chromium is the browser that the tests drive.
const chromium = "/usr/bin/chromium"

// patience is how long a page may take to come to what is waited for.
const patience = 60 * time.Second

// Launch starts a browser with a profile of its own and returns the context in which tabs are made.
func Launch(flags ...chromedp.ExecAllocatorOption) (context.Context, context.CancelFunc, error) {
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

// Browser is that of the one browser that most tests of a package share: see Main.
var Browser context.Context

// Main runs the tests of a package with one browser, and ends the process.
func Main(m *testing.M) {
	flag.Parse()
	ctx, stop, err := Launch()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	Browser = ctx
	code := m.Run()
	stop()
	os.Exit(code)
}
