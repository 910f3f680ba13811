package web_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

func TestMain(m *testing.M) { webpagetest.Main(m) }

// A tab is a browser's tab with what these pages have in it.
type tab struct{ *webpagetest.Tab }

func newTab(t *testing.T, in context.Context, home string, settings ...webpagetest.Setting) *tab {
	t.Helper()
	return &tab{webpagetest.NewTab(t, in, home, settings...)}
}

// upload chooses files as a person would in the dialogue that the page opens.
func (b *tab) upload(files ...string) {
	b.T.Helper()
	b.Until(webpagetest.Seen("#pick"))
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#files"), files))
}
