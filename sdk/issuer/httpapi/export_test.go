package httpapi

import "github.com/credledger/credledger/sdk/rest"

// Kinds are all problems that callers see.
var Kinds = kinds

// Routes is what the program answers.
func Routes() []rest.Route { return new(API).routes() }

// ForPeople returns the routes that take a session.
func ForPeople() (out []string) {
	for _, r := range table() {
		for method, e := range r.methods {
			if e.who == people {
				out = append(out, method+" "+r.path)
			}
		}
	}
	return out
}
