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
// How they are served and kept from harm, package webpage says.
package web

import (
	"embed"
	"net/http"
	"sync"

	"github.com/credledger/credledger/sdk/webpage"
)

//go:embed pages assets
var files embed.FS

// Handler returns the handler of the pages and of what they load: GET and HEAD of /, /counter,
// /r/{token} (in capitals too) and /assets/. Everything else below / is a page that says that there
// is nothing. It keeps no state, logs nothing and is for any number of goroutines.
func Handler() http.Handler { return handler() }

var handler = sync.OnceValue(func() http.Handler {
	return webpage.Handler(webpage.Site{
		Files: files,
		Routes: map[string]string{
			"/{$}":       "check.html",
			"/r/{token}": "check.html",
			"/R/{token}": "check.html", // as a code in the QR alphanumeric set says it
			"/counter":   "counter.html",
		},
		Camera: true,
	})
})
