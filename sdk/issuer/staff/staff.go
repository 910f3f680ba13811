// Package staff says which systems and people of an issuing department may do what.
//
// It is a file of YAML, which never holds a secret itself:
//
//	systems:
//	  - id: marriage-registry           # [a-z0-9-]{1,32}
//	    tokens:                         # SM3 of bearer tokens, in hex
//	      - 3f0c...
//	    certificates:                   # SM3 of client certificates in DER, in hex
//	      - 9a41...
//	    addresses: [10.20.0.0/16]       # calls come from here; without it from anywhere
//	    rate: {perSecond: 200, burst: 400}
//	    rights:                         # by type of licence
//	      marriage: [issue, status, import]
//	people:
//	  - name: wangfang                  # to sign in with
//	    unit: 婚姻登记窗口1号
//	    password: $2a$12$...            # bcrypt
//	    addresses: [10.20.3.0/24]
//	    rights:
//	      marriage: [issue, search, open, status]
//
// A Gate stands before the service: Admit for every call of a system, SignIn for a person, and Resume for
// every call in a session. What the caller may do is then asked of the Caller, by type of licence and Right. Each
// refusal is a *Refusal with a stable code.
//
// A person signs in alone, and no right is had by being nobody in particular: two who must approve
// something are two names in this file. Only people have the right Approve. Sessions are in the memory of the
// process, bounded, and end with it. A session ends at once when its person is taken out of the file or gets another password.
//
// Tokens, passwords and rates are those of package callers. The package keeps no token and no password,
// and neither is ever in an error.
package staff

import (
	"maps"
	"slices"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/sm"
)

// A Right is something that a caller may do with licences of a type.
type Right string

// The rights.
const (
	Issue    Right = "issue"    // issue one licence, with drafts and previews
	Status   Right = "status"   // change the status of a licence, or propose to
	Restrict Right = "restrict" // lay and lift restrictions
	Open     Right = "open"     // see what a licence says, get its credential, and see who did what with it
	Search   Right = "search"   // find licences by number or holder, and list them; masked
	Approve  Right = "approve"  // be the second person
	Bind     Right = "bind"     // bind holders' keys to licences, and revoke that
	Import   Right = "import"   // issue many licences from a file, and get their credentials

	Grant     Right = "grant"     // give and withdraw grants on behalf of holders who were identified, and see them
	Audit     Right = "audit"     // see which requests of other departments were answered and how, with the evidence
	Objection Right = "objection" // see and answer holders' objections
)

// Rights are all of them.
var Rights = []Right{Issue, Status, Restrict, Open, Search, Approve, Bind, Import, Grant, Audit, Objection}

// The kinds of callers.
const (
	System = "system"
	Person = "person"
)

// A Caller is a system or a person of the department. It comes from Parse and is not changed afterwards;
// it can be used from several goroutines.
type Caller struct {
	Kind string // System or Person
	Name string // id of the system, or name of the person: no two callers have the same
	Unit string // of a person
	Rate callers.Rate

	rights       map[string][]Right // by type of licence
	tokens       []sm.Hash
	certificates []sm.Hash
	addresses    callers.Networks
	password     callers.Password
}

// personRate is as fast as a page of the desk calls, and a person clicks.
var personRate = callers.Rate{PerSecond: 20, Burst: 60}

// May reports whether the caller has a right for a type of licence.
func (c *Caller) May(typ string, right Right) bool { return slices.Contains(c.rights[typ], right) }

// Types returns the ids of the types for which the caller has a right, or any if none is named, in
// their order.
func (c *Caller) Types(rights ...Right) []string {
	var out []string
	for _, typ := range slices.Sorted(maps.Keys(c.rights)) {
		if len(rights) == 0 || slices.ContainsFunc(rights, func(r Right) bool { return c.May(typ, r) }) {
			out = append(out, typ)
		}
	}
	return out
}

// Rights returns what the caller may do with licences of a type, in the order of Rights.
func (c *Caller) Rights(typ string) []Right {
	return slices.DeleteFunc(slices.Clone(Rights), func(r Right) bool { return !c.May(typ, r) })
}
