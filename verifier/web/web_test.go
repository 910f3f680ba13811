package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/web"
)

// get returns the response to a request without a body, and its body.
func get(t *testing.T, method, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

func TestRoutes(t *testing.T) {
	_, start := get(t, "GET", "/")
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
		response, body := get(t, c.method, c.target)
		h := response.Header
		if response.StatusCode != c.status || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.caching {
			t.Errorf("%s %s: %d %q %q", c.method, c.target, response.StatusCode, h.Get("Content-Type"), h.Get("Cache-Control"))
		}
		if (body == "") != (c.method == "HEAD") {
			t.Errorf("%s %s: %d bytes", c.method, c.target, len(body))
		}
		if c.status == 405 && h.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s %s allows %q", c.method, c.target, h.Get("Allow"))
		}
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s %s: the policy lacks %s", c.method, c.target, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
			t.Errorf("%s %s: the policy is too wide: %s", c.method, c.target, policy)
		}
		for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
			if h.Get(name) != value {
				t.Errorf("%s %s: %s is %q", c.method, c.target, name, h.Get(name))
			}
		}
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
	total := 0
	for _, dir := range []string{"pages", "assets", shared} {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			target := map[string]string{"pages/check.html": "/", "pages/counter.html": "/counter"}[p]
			if _, name, ok := strings.Cut(p, "assets/"); ok {
				target = "/assets/x/" + name
			}
			if err != nil || d.IsDir() || target == "" {
				return err
			}
			response, body := get(t, "GET", target, "Accept-Encoding", "gzip")
			if response.StatusCode == http.StatusOK {
				total += len(body) + 500 // with headers
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
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
