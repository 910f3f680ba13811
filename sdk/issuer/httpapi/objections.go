package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/rest"
)

// Bounds of objections.
const (
	maxObjections = 500  // that are listed
	maxAnswered   = 2000 // characters of an answer
)

// objectionJSON is what a holder objects to.
type (
	objectionJSON struct {
		ID      string          `json:"id"`
		Licence vault.ID        `json:"licence"`
		Type    string          `json:"type"`
		About   string          `json:"about"`
		Text    string          `json:"text"`
		MadeAt  string          `json:"madeAt"`
		Due     string          `json:"due"`
		Settled *settlementJSON `json:"settled"`
	}
	settlementJSON struct {
		At      string `json:"at"`
		Outcome string `json:"outcome"`
		Text    string `json:"text"`
		By      string `json:"by"`
	}
)

func describeObjection(o *vault.Objection, typ string) objectionJSON {
	out := objectionJSON{
		ID: o.ID.String(), Licence: o.Licence, Type: typ, About: o.About, Text: o.Text, MadeAt: rest.RFC3339(o.Made), Due: o.Due.String(),
	}
	if s := o.Settled; s != nil {
		out.Settled = &settlementJSON{rest.RFC3339(s.At), s.Outcome, s.Text, s.By.Actor}
	}
	return out
}

// getObjections lists objections to licences of the types whose objections the caller answers, those due first.
func (c *call) getObjections() error {
	state := vault.ObjectionOpen
	if s, given := c.Parameter("state"); given {
		if s != vault.ObjectionOpen && s != vault.ObjectionAnswered {
			return c.Wrong("state", "must be open or answered")
		}
		state = s
	}
	if len(c.who.Types(staff.Objection)) == 0 {
		return rest.Refuse(codeRight, "this takes the right objection for some type of licence, which the caller does not have")
	}
	found, err := c.Vault.Objections(c.R.Context(), state, maxObjections)
	if err != nil {
		return err
	}
	out := struct {
		Objections []objectionJSON `json:"objections"`
	}{[]objectionJSON{}}
	for _, o := range found {
		l, err := c.Vault.Licence(c.R.Context(), o.Licence)
		if err != nil {
			return err
		}
		if c.types[l.Type] != nil && c.who.May(l.Type, staff.Objection) {
			out.Objections = append(out.Objections, describeObjection(o, l.Type))
		}
	}
	return c.Answer(http.StatusOK, out)
}

// postSettlement answers an objection, for good.
func (c *call) postSettlement() error {
	s, _ := c.Parameter("objection")
	id, err := vault.ParseItemID(s)
	if err != nil {
		return c.Wrong("objection", "must be an id of GET /v1/objections")
	}
	o, err := c.Vault.Objection(c.R.Context(), id)
	if err != nil {
		return err
	}
	l, err := c.known(o.Licence)
	if err != nil {
		return err
	}
	if !c.who.May(l.Type, staff.Objection) {
		return missing(l.Type, staff.Objection)
	}
	b, err := c.Body(maxTexts)
	if err != nil {
		return err
	}
	var settled vault.Settlement
	if err := rest.ReadBody(b,
		rest.Member{Name: "outcome", Read: rest.ID(&settled.Outcome), Required: true},
		rest.Member{Name: "answer", Read: rest.Text(&settled.Text, 1, maxAnswered), Required: true},
	); err != nil {
		return err
	}
	if err := c.Vault.Write(c.R.Context(), c.by("objection "+id.String()), func(tx *vault.Tx) error { return tx.SettleObjection(id, &settled) }); err != nil {
		return err
	}
	if o, err = c.Vault.Objection(c.R.Context(), id); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, describeObjection(o, l.Type))
}
