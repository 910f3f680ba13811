// Package web is the verifier's pages: people check a licence on them, without an account (/), from
// the one-time address that a phone shows (/r/{token}), or at a counter, signed in (/counter). They
// are plain HTML, CSS and ES modules, embedded, and talk to the verifier's API under /v1/ of the
// same origin.
//
// The pages never fetch anything from elsewhere, never write a licence's contents into markup, an
// address, the browser's storage or its history, and decide nothing: the verdict and its words are
// the API's. What a self-contained code says stays in the fragment of its address, which a browser
// does not send; the page hands it to the API in a request's body and takes it off the address bar.
//
// Every response has a Content-Security-Policy without exceptions for inline code, and demands
// Trusted Types, so that no text can become markup even by a mistake in a script.
package web

import (
	"fmt"
	"net/http"
	"strings"
)

// policy allows what the pages use, and only from their own origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// headers are those of every response.
var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// How long a browser keeps a response.
const (
	forever = "public, max-age=31536000, immutable" // an asset: its address changes with its contents
	never   = "no-store"                            // a page: it must name the present assets
)

// Handler returns the handler of the pages and of what they load: GET and HEAD of /, /counter,
// /r/{token} (in capitals too) and /assets/. Everything else below / is a page that says that there is nothing. It
// keeps no state, logs nothing and is for any number of goroutines.
func Handler() http.Handler {
	site := load()
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", site.page("check.html"))
	mux.HandleFunc("/r/{token}", site.page("check.html"))
	mux.HandleFunc("/R/{token}", site.page("check.html")) // as a code in the QR alphanumeric set says it
	mux.HandleFunc("/counter", site.page("counter.html"))
	mux.HandleFunc("/assets/{version}/{name...}", site.asset)
	mux.HandleFunc("/", site.missing)
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

// page serves one of the pages.
func (s *site) page(name string) http.HandlerFunc {
	f := s.pages[name]
	return func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, http.StatusOK, never) }
}

func (s *site) missing(w http.ResponseWriter, r *http.Request) {
	s.pages["missing.html"].serve(w, r, http.StatusNotFound, never)
}

// asset serves what a page loads. Another version's address, of a page that another replica served
// during an update, gets the present contents, which then are not kept.
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	f, ok := s.assets[r.PathValue("name")]
	if !ok {
		s.missing(w, r)
		return
	}
	caching := forever
	if r.PathValue("version") != s.version {
		caching = never
	}
	f.serve(w, r, http.StatusOK, caching)
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
