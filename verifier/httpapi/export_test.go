package httpapi

import "github.com/credledger/credledger/sdk/licence"

// Kinds returns the status and the words of every problem, by code.
func Kinds() map[string]Kind {
	out := map[string]Kind{}
	for code, k := range kinds {
		out[code] = Kind{k.status, k.text}
	}
	return out
}

// A Kind is what all problems with one code have in common.
type Kind struct {
	Status int
	Text   licence.Text
}

// A Route is a method of a path.
type Route struct {
	Method, Path   string
	Query          []string
	ClosedToPublic bool
}

// Routes returns what the program answers.
func Routes() []Route {
	var out []Route
	for _, r := range routes() {
		for method, e := range r.methods {
			out = append(out, Route{method, r.path, append([]string{}, e.query...), e.who != anybody && e.who != nobody})
		}
	}
	return out
}
