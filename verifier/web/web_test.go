package web_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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

func TestCompression(t *testing.T) {
	_, plain := get(t, "GET", "/")
	for _, c := range []struct {
		accept string
		gzip   bool
	}{
		{"", false}, {"gzip", true}, {"br, gzip", true}, {"GZIP;q=0.5", true}, {"gzip; q=1.0", true}, {"br, gzip ; q=0.001", true},
		{"gzip;q=0", false}, {"gzip; q=0.000", false}, {"identity", false}, {"*", false}, {"xgzip", false}, {"deflate, br", false},
	} {
		response, body := get(t, "GET", "/", "Accept-Encoding", c.accept)
		if got := response.Header.Get("Content-Encoding") == "gzip"; got != c.gzip {
			t.Errorf("%q: gzip %v", c.accept, got)
			continue
		}
		if response.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary is %q", c.accept, response.Header.Get("Vary"))
		}
		if c.gzip {
			r, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		if body != plain {
			t.Errorf("%q: another page", c.accept)
		}
	}
}

// sources returns our own files of an extension in the pages and the assets, by path.
func sources(t *testing.T, extension string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range []string{"pages", "assets"} {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(p) != extension || strings.Contains(p, "vendor") {
				return err
			}
			b, err := os.ReadFile(p)
			out[p] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no %s files", extension)
	}
	return out
}

// TestSourcesKeepTheRules: nothing inline, nothing from elsewhere, no way to turn text into markup or
// code, and every text in both languages.
func TestSourcesKeepTheRules(t *testing.T) {
	forbidden := map[string][]string{
		".html": {`<script>`, `<style`, `style="`, `javascript:`, ` on[a-z]+="`, `https?://`, `placeholder=`, `target=`},
		".css":  {`@import`, `url\(`, `https?:`},
		".js":   {`innerHTML`, `outerHTML`, `insertAdjacentHTML`, `document\.write`, `\beval\(`, `new Function`, `createContextualFragment`, `DOMParser`, `sessionStorage`, `indexedDB`, `document\.cookie`, `console\.`, `https?://[a-z]`},
	}
	for extension, patterns := range forbidden {
		for name, source := range sources(t, extension) {
			source = strings.ReplaceAll(source, "http://www.w3.org/2000/svg", "")
			for _, pattern := range patterns {
				if found := regexp.MustCompile(pattern).FindString(source); found != "" {
					t.Errorf("%s has %q", name, found)
				}
			}
			if lines := strings.Count(source, "\n"); lines >= 400 {
				t.Errorf("%s has %d lines", name, lines)
			}
		}
	}
	translated := regexp.MustCompile(`data-en="([^"]*)"[^>]*>([^<]*)<(.)`)
	for name, source := range sources(t, ".html") {
		found := translated.FindAllStringSubmatch(source, -1)
		if len(found) != strings.Count(source, "data-en=") {
			t.Errorf("%s: some texts are not understood", name)
		}
		for _, text := range found {
			if text[1] == "" || text[2] == "" || text[3] != "/" {
				t.Errorf("%s: %q and %q: a text in both languages, and nothing else in its element", name, text[1], text[2])
			}
		}
	}
	for name, source := range sources(t, ".js") {
		zh, en := regexp.MustCompile(`\bzh:`).FindAllString(source, -1), regexp.MustCompile(`\ben:`).FindAllString(source, -1)
		if len(zh) != len(en) {
			t.Errorf("%s: %d texts in Chinese and %d in English", name, len(zh), len(en))
		}
	}
}

// TestEverythingIsThere: what the pages and modules name exists.
func TestEverythingIsThere(t *testing.T) {
	for name, source := range sources(t, ".html") {
		for _, m := range regexp.MustCompile(`{{assets}}/([^"]+)"`).FindAllStringSubmatch(source, -1) {
			if _, err := os.Stat("assets/" + m[1]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, source := range sources(t, ".js") {
		for _, m := range regexp.MustCompile(`(?:from|import|import\()\s*"(\./[^"]+)"`).FindAllStringSubmatch(source, -1) {
			if _, err := os.Stat(path.Join(path.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// budget is what everything that any page could ever load may take on the line, in bytes.
const budget = 300_000

func TestBudget(t *testing.T) {
	total := 0
	for _, dir := range []string{"pages", "assets"} {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			target := map[string]string{"pages/check.html": "/", "pages/counter.html": "/counter"}[p]
			if strings.HasPrefix(p, "assets/") {
				target = "/assets/x/" + strings.TrimPrefix(p, "assets/")
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
