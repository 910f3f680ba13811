package web_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
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

func get(t *testing.T, method, target string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	web.Handler().ServeHTTP(w, r)
	return w.Result(), w.Body.String()
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
		response, _ := get(t, c.method, c.target)
		h := response.Header
		if response.StatusCode != c.status || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.caching {
			t.Errorf("%s %s: %d %q %q", c.method, c.target, response.StatusCode, h.Get("Content-Type"), h.Get("Cache-Control"))
		}
		if !strings.Contains(h.Get("Permissions-Policy"), "camera=()") {
			t.Errorf("%s %s may use the camera", c.method, c.target)
		}
	}
}

// budget is what everything that the desk could ever load may take on the line, in bytes.
const budget = 70_000

func TestBudget(t *testing.T) {
	response, page := get(t, "GET", "/")
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	total := len(page) + 500 // with headers
	for _, dir := range []string{"assets", shared} {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			response, body := get(t, "GET", "/assets/x/"+filepath.Base(p))
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", p, response.Status)
			}
			total += len(body) + 500
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if total > budget || total < budget/4 {
		t.Errorf("the desk with all that it loads takes %d bytes, at most %d are allowed", total, budget)
	}
	t.Logf("the desk with all that it loads takes %d bytes", total)
}
