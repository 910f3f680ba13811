package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"testing"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/web"
)

func TestRoutes(t *testing.T) {
	_, start := webpagetest.Get(t, web.Handler(), "GET", "/")
	version := regexp.MustCompile(`/assets/([0-9a-f]{16})/`).FindStringSubmatch(start)[1]
	for _, c := range []struct {
		method, target string
		status         int
		kind, caching  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "no-store"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/?mode=elder&lang=en", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/r/ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/R/ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/counter", 200, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/" + version + "/check.js", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", "/assets/" + version + "/base.css", 200, "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", "/assets/" + version + "/icon.svg", 200, "image/svg+xml", "public, max-age=31536000, immutable"},
		{"GET", "/assets/" + version + "/vendor/qr/decode.js", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", "/assets/0123456789abcdef/check.js", 200, "text/javascript; charset=utf-8", "no-store"}, // of another replica's page
		{"GET", "/assets/" + version + "/vendor/qr/LICENSE-MIT.txt", 200, "text/plain; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", "/assets/" + version + "/vendor/qr/README.md", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/" + version + "/", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/assets/" + version + "/%2e%2e/pages/check.html", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/check.html", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/r/", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/r/a/b", 404, "text/html; charset=utf-8", "no-store"},
		{"GET", "/no/such/page", 404, "text/html; charset=utf-8", "no-store"},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
		{"DELETE", "/counter", 405, "text/plain; charset=utf-8", ""},
	} {
		webpagetest.Leads(t, web.Handler(), true, c.method, c.target, c.status, c.kind, c.caching)
	}
}

// shared is where the assets are that other services' pages have too.
const shared = "../../sdk/webpage/assets"

func TestSourcesKeepTheRules(t *testing.T) { webpagetest.KeepTheRules(t, "pages", "assets") }

func TestEverythingIsThere(t *testing.T) {
	webpagetest.EverythingIsThere(t, []string{"assets", shared}, "pages", "assets")
}

// budget is what everything that any page could ever load may take on the line, in bytes.
const budget = 300_000

func TestBudget(t *testing.T) {
	total := webpagetest.Weight(t, web.Handler(), []string{"/", "/counter"}, "assets", shared)
	if total > budget || total < budget/20 {
		t.Errorf("all pages with all that they load take %d bytes, at most %d are allowed", total, budget)
	}
	t.Logf("all pages with all that they load take %d bytes", total)
}

// TestVendoredDecoderIsUnchanged: the bundled reader of codes is that of the package that it says.
func TestVendoredDecoderIsUnchanged(t *testing.T) {
	for name, want := range map[string]string{
		"decode.js": "00e209820dcb11d624e9a03d6383e580766792b57d1651318f0a29e4e1ff0fe8",
		"index.js":  "a0de370051f94bd74f218f74401fdf197585e3f9ef0143164f87ea941a3fdd6f",
	} {
		b, err := os.ReadFile("assets/vendor/qr/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not that of qr 0.7.0", name)
		}
	}
}
