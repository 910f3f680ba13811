package web_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/issuer/web"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// shared is where the assets are that other services' pages have too.
const shared = "../../webpage/assets"

func TestSourcesKeepTheRules(t *testing.T) { webpagetest.KeepTheRules(t, "pages", "assets") }

func TestEverythingIsThere(t *testing.T) {
	webpagetest.EverythingIsThere(t, []string{"assets", shared}, "pages", "assets")
}

func TestRoutes(t *testing.T) {
	for _, c := range []struct {
		method, target string
		status         int
		kind, caching  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "no-store"},
		{"HEAD", "/?lang=en", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/0123456789abcdef/desk.js", 200, "text/javascript; charset=utf-8", "no-store"}, // of another replica's page
		{"GET", "/assets/0123456789abcdef/base.css", 200, "text/css; charset=utf-8", "no-store"},
		{"GET", "/desk.html", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/licence/1", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/0123456789abcdef/pages/desk.html", 404, "text/html; charset=utf-8", "no-store"},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
	} {
		webpagetest.Leads(t, web.Handler(), false, c.method, c.target, c.status, c.kind, c.caching)
	}
}

// budget is what everything that the desk could ever load may take on the line, in bytes.
const budget = 70_000

func TestBudget(t *testing.T) {
	total := webpagetest.Weight(t, web.Handler(), []string{"/"}, "assets", shared)
	if total > budget || total < budget/4 {
		t.Errorf("the desk with all that it loads takes %d bytes, at most %d are allowed", total, budget)
	}
	t.Logf("the desk with all that it loads takes %d bytes", total)
}
