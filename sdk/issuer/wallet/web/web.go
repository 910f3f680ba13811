// Package web is the wallet (我的证照): the pages on which people see the licences that a department issued to them, show
// them by a code or on paper, see who has looked, let agencies use them and take that back, help each other, object, and rate
// the service. They run in a phone's browser and in the web views of other apps.
//
// The pages are plain HTML, CSS and ES modules, embedded, and talk to the wallet's API under /v1/ of the same origin, which
// decides everything: who holds what, what a matter needs, when somebody has to prove again who they are. What was never
// there to be seen is not hidden by the pages; they only ask, explain and warn.
//
// The pages never fetch anything from elsewhere and never write what a licence says into markup, an address, the browser's
// storage or its history. What is on the screen goes when the session ends, touched or not. How they are served and kept from
// harm, package webpage says.
package web

import (
	"embed"
	"net/http"
	"sync"

	"github.com/credledger/credledger/sdk/webpage"
)

//go:embed pages assets
var files embed.FS

// Handler returns the handler of the pages and of what they load: GET and HEAD of / and /assets/. Everything else below / is a
// page that says that there is nothing. It keeps no state, logs nothing and is for any number of goroutines.
func Handler() http.Handler { return handler() }

var handler = sync.OnceValue(func() http.Handler {
	return webpage.Handler(webpage.Site{Files: files, Routes: map[string]string{"/{$}": "wallet.html"}})
})
