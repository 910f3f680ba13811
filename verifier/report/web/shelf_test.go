package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/webpage/webpagetest"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/report/web"
)

// shelf serves a directory with a report of November.
func shelf(t *testing.T) (dir string, server *httptest.Server) {
	t.Helper()
	dir = t.TempDir()
	put(t, dir, "2026-11.json", jsonOf(t, full(t)))
	server = httptest.NewServer(web.NewShelf(dir))
	t.Cleanup(server.Close)
	return dir, server
}

func jsonOf(t *testing.T, r *report.Report) []byte {
	t.Helper()
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func put(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// get returns status and body, and checks what holds of every answer.
func get(t *testing.T, server *httptest.Server, method, path string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequest(method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	h := response.Header
	if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, web.Policy) || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("%s has the policy %q", path, csp)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s may be taken for something else", path)
	}
	return response.StatusCode, string(body), h
}

func TestShelf(t *testing.T) {
	dir, server := shelf(t)
	put(t, dir, "notes.txt", []byte("secret"))
	put(t, dir, "broken.json", []byte(`{"report": 1}`))
	put(t, dir, ".hidden.json", jsonOf(t, full(t)))
	put(t, dir, "a b.json", jsonOf(t, full(t)))
	outside := filepath.Join(t.TempDir(), "outside.json")
	if err := os.WriteFile(outside, jsonOf(t, full(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	var csv bytes.Buffer
	if err := full(t).WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		status     int
		kind, body string // body: "" for any
	}{
		"/reports/2026-11":                    {200, "text/html; charset=utf-8", string(written(t, full(t), report.Chinese))},
		"/reports/2026-11.json":               {200, "application/json", string(jsonOf(t, full(t)))},
		"/reports/2026-11.csv":                {200, "text/csv; charset=utf-8", csv.String()},
		"/reports/":                           {200, "text/html; charset=utf-8", ""},
		"/reports/2026-11.html":               {404, "text/plain; charset=utf-8", ""},
		"/reports/2026-11.":                   {404, "text/plain; charset=utf-8", ""},
		"/reports/2026-11/":                   {404, "text/plain; charset=utf-8", ""},
		"/reports/2026-12":                    {404, "text/plain; charset=utf-8", ""},
		"/reports/broken":                     {404, "text/plain; charset=utf-8", ""},
		"/reports/broken.json":                {404, "text/plain; charset=utf-8", ""},
		"/reports/notes.txt":                  {404, "text/plain; charset=utf-8", ""},
		"/reports/link":                       {404, "text/plain; charset=utf-8", ""},
		"/reports/folder":                     {404, "text/plain; charset=utf-8", ""},
		"/reports/.hidden":                    {404, "text/plain; charset=utf-8", ""},
		"/reports/a%20b":                      {404, "text/plain; charset=utf-8", ""},
		"/reports/..%2foutside":               {404, "text/plain; charset=utf-8", ""},
		"/reports/%2e%2e%2foutside":           {404, "text/plain; charset=utf-8", ""},
		"/reports/2026-11%00":                 {404, "text/plain; charset=utf-8", ""},
		"/reports/" + strings.Repeat("a", 65): {404, "text/plain; charset=utf-8", ""},
	} {
		status, body, h := get(t, server, http.MethodGet, path)
		if status != want.status || h.Get("Content-Type") != want.kind || want.body != "" && body != want.body {
			t.Errorf("%s is %d %s, want %d %s", path, status, h.Get("Content-Type"), want.status, want.kind)
		}
		if strings.Contains(body, "secret") {
			t.Errorf("%s shows what is no report", path)
		}
	}
	if _, body, _ := get(t, server, http.MethodGet, "/reports/"); strings.Count(body, `href="/reports/`) != 3 {
		t.Errorf("the list is\n%s", body)
	}
	if status, body, h := get(t, server, http.MethodHead, "/reports/2026-11"); status != 200 || body != "" || h.Get("Content-Length") == "" {
		t.Errorf("HEAD is %d %q", status, body)
	}
	if status, _, h := get(t, server, http.MethodPost, "/reports/2026-11"); status != 405 || h.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST is %d", status)
	}
}

// Reports come, change and go while they are served, more of them than are kept in memory.
func TestShelfChanges(t *testing.T) {
	dir, server := shelf(t)
	r := full(t)
	for i := range 20 {
		put(t, dir, fmt.Sprintf("copy-%d.json", i), jsonOf(t, r))
	}
	for range 2 {
		if _, body, _ := get(t, server, http.MethodGet, "/reports/"); strings.Count(body, `.json"`) != 21 {
			t.Errorf("the list has %d reports", strings.Count(body, `.json"`))
		}
		for i := range 20 {
			if status, _, _ := get(t, server, http.MethodGet, fmt.Sprintf("/reports/copy-%d", i)); status != 200 {
				t.Errorf("copy %d is %d", i, status)
			}
		}
	}
	r.Logs[0].Behind = 4711
	put(t, dir, "copy-3.json", jsonOf(t, r))
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "copy-3.json"), later, later); err != nil {
		t.Fatal(err)
	}
	if _, body, _ := get(t, server, http.MethodGet, "/reports/copy-3"); !strings.Contains(body, "4711") {
		t.Error("a report that was replaced is shown as it was")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(t, server, http.MethodGet, "/reports/copy-3"); status != 404 {
		t.Errorf("a report that is gone is %d", status)
	}
	if status, body, _ := get(t, server, http.MethodGet, "/reports/"); status != 200 || strings.Contains(body, "copy-") {
		t.Errorf("without its directory the list is %d", status)
	}
}

// From the list to a report, in a browser.
func TestShelfPages(t *testing.T) {
	_, server := shelf(t)
	for name, settings := range map[string][]webpagetest.Setting{"light": nil, "phone dark": {webpagetest.Phone, webpagetest.Dark}} {
		t.Run(name, func(t *testing.T) {
			b := webpagetest.NewTab(t, webpagetest.Browser, server.URL, settings...)
			b.Open("/reports/")
			b.Until(webpagetest.Seen("h1"))
			b.Shot("reports " + name)
			b.Accessible()
			b.Fits()
			b.Click("#language")
			b.Click("#elder")
			b.Accessible()
			b.Fits()
			b.Click(`a[href="/reports/2026-11"]`)
			b.Until(webpagetest.Seen(".tiles"))
			if webpagetest.Evaluate[string](b, `document.documentElement.lang + document.documentElement.dataset.mode`) != "enelder" {
				t.Error("the choice is forgotten from page to page")
			}
			b.Accessible()
		})
	}
}

// An empty shelf says so.
func TestShelfEmpty(t *testing.T) {
	server := httptest.NewServer(web.NewShelf(t.TempDir()))
	defer server.Close()
	b := webpagetest.NewTab(t, webpagetest.Browser, server.URL)
	b.Open("/reports/")
	b.Until(webpagetest.Seen("h1"))
	b.Accessible()
	if text := b.Text("main"); !strings.Contains(text, "还没有报告") {
		t.Errorf("the page says %q", text)
	}
}
