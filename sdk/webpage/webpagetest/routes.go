package webpagetest

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// Get returns the response to a request without a body, and its body. header is names, each with its
// value after it.
func Get(t testing.TB, handler http.Handler, method, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// Leads fails the test unless a request without a body has an answer with this status, Content-Type and
// Cache-Control, and with the headers that keep the pages from harm. camera is whether the pages may ask
// for the camera.
func Leads(t *testing.T, handler http.Handler, camera bool, method, target string, status int, kind, caching string) {
	t.Helper()
	response, body := Get(t, handler, method, target)
	h := response.Header
	if response.StatusCode != status || h.Get("Content-Type") != kind || h.Get("Cache-Control") != caching {
		t.Errorf("%s %s: %d %q %q", method, target, response.StatusCode, h.Get("Content-Type"), h.Get("Cache-Control"))
	}
	if (body == "") != (method == http.MethodHead) {
		t.Errorf("%s %s: %d bytes", method, target, len(body))
	}
	if status == http.StatusMethodNotAllowed && h.Get("Allow") != "GET, HEAD" {
		t.Errorf("%s %s allows %q", method, target, h.Get("Allow"))
	}
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s %s: the policy lacks %s", method, target, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
		t.Errorf("%s %s: the policy is too wide: %s", method, target, policy)
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
		if h.Get(name) != value {
			t.Errorf("%s %s: %s is %q", method, target, name, h.Get(name))
		}
	}
	if got := strings.Contains(h.Get("Permissions-Policy"), "camera=(self)"); got != camera {
		t.Errorf("%s %s may use the camera: %v", method, target, got)
	}
}

// Weight is how many bytes the pages and all the files in directories of assets take on the line,
// compressed, with headers.
func Weight(t *testing.T, handler http.Handler, pages []string, assets ...string) (total int) {
	t.Helper()
	const headers = 500
	add := func(target string) {
		response, body := Get(t, handler, http.MethodGet, target, "Accept-Encoding", "gzip")
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", target, response.Status)
		}
		total += len(body) + headers
	}
	for _, page := range pages {
		add(page)
	}
	for _, dir := range assets {
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(p) == ".md" {
				return err
			}
			below, err := filepath.Rel(dir, p)
			add("/assets/x/" + filepath.ToSlash(below))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return total
}
