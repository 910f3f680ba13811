package webpage_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/credledger/credledger/sdk/webpage"
	"github.com/credledger/credledger/sdk/webpage/webpagetest"
)

// site is a small one, with files changed or, by an empty content, taken away.
func site(changes ...string) webpage.Site {
	files := fstest.MapFS{
		"pages/start.html":        {Data: []byte("{{head}} {{switches}} {{noscript}} {{skip}}")},
		"pages/missing.html":      {Data: []byte("there is nothing")},
		"pages/parts/head.html":   {Data: []byte(`{{base}}<script src="{{assets}}/start.js"></script>`)},
		"assets/start.js":         {Data: []byte("start();")},
		"assets/vendor/notice.md": {Data: []byte("is not served")},
	}
	for i := 0; i < len(changes); i += 2 {
		files[changes[i]] = &fstest.MapFile{Data: []byte(changes[i+1])}
		if changes[i+1] == "" {
			delete(files, changes[i])
		}
	}
	return webpage.Site{Files: files, Routes: map[string]string{"/{$}": "start.html"}}
}

// TestPage: a page has its parts, and all that it loads is there and kept for good.
func TestPage(t *testing.T) {
	handler := webpage.Handler(site())
	response, page := webpagetest.Get(t, handler, "GET", "/")
	if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %s", response.StatusCode, response.Header.Get("Cache-Control"))
	}
	for _, part := range []string{`<meta charset="utf-8">`, `id="elder"`, `id="language"`, "<noscript>", `class="skip"`, "/start.js"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	if strings.Contains(page, "{{") {
		t.Errorf("something is not filled in: %s", page)
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		response, body := webpagetest.Get(t, handler, "GET", m[1])
		if response.StatusCode != http.StatusOK || body == "" || !strings.HasSuffix(response.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %s", m[1], response.StatusCode, response.Header.Get("Cache-Control"))
		}
	}
	_, other := webpagetest.Get(t, webpage.Handler(site("assets/start.js", "other();")), "GET", "/")
	if version := regexp.MustCompile(`/assets/[0-9a-f]{16}/`); version.FindString(other) == version.FindString(page) {
		t.Error("with other assets the address is the same")
	}
}

func TestMissing(t *testing.T) {
	handler := webpage.Handler(site())
	for _, target := range []string{"/other", "/start.html", "/assets/x/other.js", "/assets/x/vendor/notice.md", "/assets/x/%2e%2e/pages/start.html", "/assets/"} {
		if response, body := webpagetest.Get(t, handler, "GET", target); response.StatusCode != http.StatusNotFound || body != "there is nothing" {
			t.Errorf("%s: %d %s", target, response.StatusCode, body)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
		if response, _ := webpagetest.Get(t, handler, method, "/"); response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, response.StatusCode)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, camera := range []bool{false, true} {
		s := site()
		s.Camera = camera
		handler := webpage.Handler(s)
		webpagetest.Leads(t, handler, camera, "GET", "/", 200, "text/html; charset=utf-8", "no-store")
		webpagetest.Leads(t, handler, camera, "GET", "/other", 404, "text/html; charset=utf-8", "no-store")
		webpagetest.Leads(t, handler, camera, "GET", "/assets/x/start.js", 200, "text/javascript; charset=utf-8", "no-store")
	}
}

// TestBrokenSites: what can only be a mistake in the program is found when it starts.
func TestBrokenSites(t *testing.T) {
	for name, s := range map[string]webpage.Site{
		"no page for what is missing": site("pages/missing.html", ""),
		"no page for a route":         site("pages/start.html", ""),
		"an asset of a common name":   site("assets/dom.js", "other();"),
		"no parts":                    {Files: fstest.MapFS{"pages/missing.html": {Data: []byte("-")}, "assets/a.js": {Data: []byte("-")}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("was taken")
				}
			}()
			webpage.Handler(s)
		})
	}
}

func TestCompression(t *testing.T) {
	handler := webpage.Handler(site())
	_, plain := webpagetest.Get(t, handler, "GET", "/")
	for _, c := range []struct {
		accept string
		gzip   bool
	}{
		{"", false}, {"gzip", true}, {"br, gzip", true}, {"GZIP;q=0.5", true}, {"gzip; q=1.0", true}, {"br, gzip ; q=0.001", true},
		{"gzip;q=0", false}, {"gzip; q=0.000", false}, {"identity", false}, {"*", false}, {"xgzip", false}, {"deflate, br", false},
	} {
		response, body := webpagetest.Get(t, handler, "GET", "/", "Accept-Encoding", c.accept)
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

func TestSourcesKeepTheRules(t *testing.T) {
	webpagetest.KeepTheRules(t, "parts", "assets")
	webpagetest.EverythingIsThere(t, []string{"assets"}, "parts", "assets")
}
