package webpagetest

import (
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// Downloads has the tab save what it downloads, and returns the directory for Arrived.
func (b *Tab) Downloads() string {
	b.T.Helper()
	dir := b.T.TempDir()
	params := browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, BrowserContextID: chromedp.FromContext(b.Ctx).BrowserContextID}
	if _, err := chromedp.CallBrowser(b.Ctx, browser.SetDownloadBehavior, params); err != nil {
		b.T.Fatal(err)
	}
	return dir
}

// Arrived waits for a download to be whole, and returns it.
func (b *Tab) Arrived(dir, name string) []byte {
	b.T.Helper()
	for range 500 {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return content // the browser writes under another name until it is
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.T.Fatalf("%s did not come", name)
	return nil
}
