package httpapi

import (
	"net/http"
	"slices"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/store"
)

// asked is who asks in a call, and what for, once that is known: what the department's reports need of
// a call that the access log has no entry of.
type asked struct {
	known    bool
	matter   string
	onBehalf []string // nil: the agency itself
}

// asks notes who an agency asks for in a call.
func (c *call) asks(matter string, onBehalf ...string) {
	c.asked = asked{true, matter, onBehalf}
}

// count counts a call of an agency that was refused for over-asking, or that should have been answered and
// was not. What is shed before anybody knows whose it is does not come here.
func (c *call) count(rc *rest.Call) {
	if c.caller.agency == nil || !c.asked.known {
		return
	}
	var kind store.CountKind
	switch {
	case rc.Problem == agency.CodeOverAsking || rc.Problem == agency.CodeType:
		kind = store.OverAsking
	case rc.Status >= http.StatusInternalServerError:
		kind = store.Unanswered
	default:
		return
	}
	a := c.caller.agency
	matter := c.asked.matter
	if !slices.Contains(a.Matters, matter) {
		matter = ""
	}
	departments := slices.DeleteFunc(slices.Clone(c.asked.onBehalf), func(id string) bool { return !slices.Contains(a.OnBehalf, id) })
	if len(departments) == 0 {
		departments = []string{a.ID}
	}
	for _, department := range departments {
		c.Store.Count(kind, department, matter)
	}
}
