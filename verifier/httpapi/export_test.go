package httpapi

import "github.com/credledger/credledger/sdk/rest"

// Kinds are all problems that callers see.
var Kinds = kinds

// Routes is what the program answers.
func Routes() []rest.Route { return new(API).routes() }

// ClosedToPublic says of each method and path whether it asks for credentials.
func ClosedToPublic() map[string]bool {
	out := map[string]bool{}
	for _, r := range table() {
		for method, e := range r.methods {
			out[method+" "+r.path] = e.who != anybody && e.who != nobody
		}
	}
	return out
}
