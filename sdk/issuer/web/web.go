// Package web is the desk (制证窗口): the pages on which the people of an issuing department issue
// licences and look after them. They sign in by name, fill in a licence or bring a list of them, see
// what will be anchored before it is, undo what was not yet, print, look licences up, suspend, revoke
// and restrict them in the type's own words, give and withdraw grants for holders at the counter, answer
// objections, and approve what another has proposed.
//
// The pages are plain HTML, CSS and ES modules, embedded, and talk to the issuing service's API under
// /v1/ of the same origin, which decides everything: who may do what, what a record must be, what a
// change needs. The forms come from the licence type's description; there is no code per type.
//
// The pages never fetch anything from elsewhere and never write what a licence says into markup, an
// address, the browser's storage or its history: addresses hold numbers of rows, and whoever signs in
// after somebody else finds nothing of what the other had on the screen. How they are served and kept
// from harm, package webpage says.
package web

import (
	"embed"
	"net/http"
	"sync"

	"github.com/credledger/credledger/sdk/webpage"
)

//go:embed pages assets
var files embed.FS

// Handler returns the handler of the pages and of what they load: GET and HEAD of / and /assets/.
// Everything else below / is a page that says that there is nothing. It keeps no state, logs nothing
// and is for any number of goroutines.
func Handler() http.Handler { return handler() }

var handler = sync.OnceValue(func() http.Handler {
	return webpage.Handler(webpage.Site{Files: files, Routes: map[string]string{"/{$}": "desk.html"}})
})
