package httpapi

import (
	"errors"
	"net/http"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

// searchPage is how many licences of a holder are found at a time.
const searchPage = 20

// foundJSON is a licence that was found.
type (
	foundJSON struct {
		Licence licenceJSON       `json:"licence"`
		Fields  []maskedValueJSON `json:"fields"` // null: nothing can be said
	}
	maskedValueJSON struct {
		Key    string       `json:"key"`
		Label  licence.Text `json:"label"`
		Masked string       `json:"masked"`
	}
)

// A search is the body of POST /v1/licences/search.
type search struct {
	typ, number, holder string
	before              vault.ID
	purpose             string
}

func (c *call) postSearch() error {
	q := new(search)
	var err error
	if q.purpose, err = c.purposeOf(maxTexts,
		rest.Member{Name: "type", Read: rest.ID(&q.typ)},
		rest.Member{Name: "number", Read: rest.Text(&q.number, 1, maxNumber)},
		rest.Member{Name: "holder", Read: rest.Text(&q.holder, 1, maxNumber)},
		rest.Member{Name: "before", Read: licenceID(&q.before)},
	); err != nil {
		return err
	}
	if (q.number == "") == (q.holder == "") || q.number != "" && (q.typ == "" || q.before != 0) {
		return rest.Refuse(rest.CodeMemberInvalid, "the body must have exactly one of number, with type, and holder")
	}
	if q.typ != "" {
		if _, err := c.may(q.typ, staff.Search); err != nil {
			return err
		}
	}
	if len(c.who.Types(staff.Search)) == 0 {
		return rest.Refuse(codeRight, "this takes the right search for some type of licence, which the caller does not have")
	}
	found, next, err := c.find(q)
	if err != nil {
		return err
	}
	out := struct {
		Licences []foundJSON `json:"licences"`
		Next     *vault.ID   `json:"next"`
	}{make([]foundJSON, len(found)), next}
	described, err := c.licences(found)
	if err != nil {
		return err
	}
	for i, l := range found {
		out.Licences[i].Licence = described[i]
		if out.Licences[i].Fields, err = c.masked(l, "search: "+q.purpose); err != nil {
			return err
		}
	}
	return c.Answer(http.StatusOK, out)
}

// find returns the licences that the caller may see, and where the search goes on.
func (c *call) find(q *search) (found []*vault.Licence, next *vault.ID, err error) {
	if q.number != "" {
		if number, ok := c.types[q.typ].CanonicalNumber(q.number); ok {
			found, err = c.Vault.ByNumber(c.R.Context(), q.typ, number)
		}
		return found, nil, err
	}
	holder, ok := licence.CanonicalHolder(q.holder)
	if !ok {
		return nil, nil, nil
	}
	types := []string{q.typ}
	if q.typ == "" {
		types = slices.DeleteFunc(c.who.Types(staff.Search), func(typ string) bool { return c.types[typ] == nil })
	}
	found, err = c.Vault.ByHolder(c.R.Context(), holder, types, q.before, searchPage)
	if len(found) == searchPage {
		next = &found[searchPage-1].ID
	}
	return found, next, err
}

// masked returns the masked values of a licence; nil if it was erased or lost, or is on its way to the ledger.
func (c *call) masked(l *vault.Licence, purpose string) ([]maskedValueJSON, error) {
	if l.Lost || l.ErasedAt != nil {
		return nil, nil
	}
	_, o, err := c.Issuer.Credential(c.R.Context(), c.by(purpose), l.ID)
	if unreadable(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return maskedValues(o), nil
}

// unreadable reports whether an error says that nothing can be said about one licence, which is no reason to say
// nothing about others.
func unreadable(err error) bool {
	switch issuer.Code(err) {
	case issuer.CodeNotAnchored, vault.CodeErased, vault.CodeNoContent:
		return true
	}
	return false
}

func maskedValues(o *credential.Opened) []maskedValueJSON {
	out := make([]maskedValueJSON, len(o.Type.Fields))
	for i, f := range o.Type.Fields {
		v, _ := o.Value(f.Key)
		out[i] = maskedValueJSON{f.Key, f.Label, f.Masked(v)}
	}
	return out
}

// opened opens a presentation out of the vault with the dictionary of its own time.
func (a *API) opened(p *credential.Presentation) (*credential.Opened, error) {
	t := a.version(p.Record.Type, p.Record.TypeVersion)
	if t == nil {
		return nil, errors.New("the issuer does not know a version of a type that is in its vault")
	}
	return p.Open(t)
}
