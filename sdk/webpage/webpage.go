// Package webpage serves the pages of a service: plain HTML, CSS and ES modules, embedded in the
// program, without a build step. It has what all our pages have in common: the look and the type, two
// languages, the mode for older people, print, elements made from data, and calls of the service's
// own API.
//
//	//go:embed pages assets
//	var files embed.FS
//
//	handler := webpage.Handler(webpage.Site{Files: files, Routes: map[string]string{"/{$}": "start.html"}})
//
// Every response has a Content-Security-Policy without exceptions for inline code, and demands
// Trusted Types, so that no text can become markup even by a mistake in a script. Nothing is fetched
// from elsewhere. The package keeps no state, logs nothing, and knows nothing of any service.
package webpage

import (
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

// policy allows what the pages use, and only from their own origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// How long a browser keeps a response.
const (
	forever = "public, max-age=31536000, immutable" // an asset: its address changes with its contents
	never   = "no-store"                            // a page: it must name the present assets
)

// A Site is the pages of a service.
type Site struct {
	// Files holds the directories pages, pages/parts and assets. In a page, {{name}} stands for
	// pages/parts/name.html, and {{assets}} for the address of the assets; both may use this package's
	// parts: {{base}} (in the head of every page), {{switches}} (language and mode for older people,
	// in its header), {{skip}} (before that, in every page), {{noscript}} and {{missing}} (that there is no
	// such page). The assets are served together with those of this package, and none has the name of
	// one of these.
	Files fs.FS

	// Routes are the patterns (net/http.ServeMux, without a method) that lead to pages. Everything else
	// is the page missing.html, with the status 404.
	Routes map[string]string

	// Camera is whether the pages may ask for the camera.
	Camera bool
}

// Handler returns the handler of the pages and of what they load, /assets/: GET and HEAD alone. It is
// for any number of goroutines. It panics if a page or a part is not there: then the program is
// broken, not its input.
func Handler(site Site) http.Handler {
	f := load(site.Files)
	mux := http.NewServeMux()
	for pattern, name := range site.Routes {
		mux.HandleFunc(pattern, f.page(name))
	}
	mux.HandleFunc("/assets/{version}/{name...}", f.asset)
	mux.HandleFunc("/", f.missing)
	headers := headers(site.Camera)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// headers are those of every response.
func headers(camera bool) map[string]string {
	permissions := "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
	if camera {
		permissions = strings.Replace(permissions, "camera=()", "camera=(self)", 1)
	}
	return map[string]string{
		"Content-Security-Policy":      policy,
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           permissions,
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	}
}

// page serves one of the pages.
func (f *files) page(name string) http.HandlerFunc {
	page := f.pages[name]
	if page == nil {
		panic("webpage: there is no page " + name)
	}
	return func(w http.ResponseWriter, r *http.Request) { page.serve(w, r, http.StatusOK, never) }
}

func (f *files) missing(w http.ResponseWriter, r *http.Request) {
	f.pages["missing.html"].serve(w, r, http.StatusNotFound, never)
}

// asset serves what a page loads. Another version's address, of a page that another replica served
// during an update, gets the present contents, which then are not kept.
func (f *files) asset(w http.ResponseWriter, r *http.Request) {
	asset, ok := f.assets[r.PathValue("name")]
	if !ok {
		f.missing(w, r)
		return
	}
	caching := forever
	if r.PathValue("version") != f.version {
		caching = never
	}
	asset.serve(w, r, http.StatusOK, caching)
}

// serve writes the file, compressed if the client takes that.
func (f *file) serve(w http.ResponseWriter, r *http.Request, status int, caching string) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone: nobody is left to tell
	}
}

// takesGzip reports whether an Accept-Encoding header (RFC 9110, 12.5.3) allows gzip by name.
func takesGzip(values []string) bool {
	for _, value := range values {
		for entry := range strings.SplitSeq(value, ",") {
			coding, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(entry, " ", "")), ";")
			if coding == "gzip" {
				zero := strings.TrimRight(strings.TrimPrefix(weight, "q="), "0")
				return weight == "" || zero != "" && zero != "0."
			}
		}
	}
	return false
}
