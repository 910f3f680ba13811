package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

func (c *call) postSession() error {
	if err := cookie.FromPage(c.R); err != nil {
		return err
	}
	b, err := c.Body(maxTexts)
	if err != nil {
		return err
	}
	var name, password string
	if err := rest.ReadBody(b,
		rest.Member{Name: "name", Read: rest.Line(&name, callers.MaxLine, 4*callers.MaxLine), Required: true},
		rest.Member{Name: "password", Read: rest.Text(&password, 1, callers.MaxPassword), Required: true},
	); err != nil {
		return err
	}
	s, err := c.Staff.SignIn(c.R.Context(), name, password, c.address)
	if err != nil {
		return err
	}
	cookie.Set(c.W, s.Token, s.Expires.Sub(c.Now()))
	return c.Answer(http.StatusCreated, struct {
		Name      string `json:"name"`
		Unit      string `json:"unit"`
		ExpiresAt string `json:"expiresAt"`
	}{s.Person.Name, s.Person.Unit, rest.RFC3339(s.Expires)})
}

func (c *call) deleteSession() error {
	c.Staff.SignOut(c.session)
	cookie.Remove(c.W)
	c.NoContent()
	return nil
}

// callerJSON is the answer of GET /v1/me.
type (
	callerJSON struct {
		Kind   string       `json:"kind"`
		Name   *string      `json:"name"`
		Unit   *string      `json:"unit"`
		Rights []rightsJSON `json:"rights"`
		Issuer issuerJSON   `json:"issuer"`
	}
	rightsJSON struct {
		Type   string        `json:"type"`
		Rights []staff.Right `json:"rights"`
	}
	issuerJSON struct {
		Department string       `json:"department"`
		Name       licence.Text `json:"name"`
		Unit       string       `json:"unit"`
		UnitName   licence.Text `json:"unitName"`
		Ledger     sm.Hash      `json:"ledger"`
	}
)

func (c *call) getMe() error {
	kind, _ := c.seen()
	out := callerJSON{Kind: kind, Rights: []rightsJSON{}, Issuer: issuerJSON{
		Department: c.Department.ID, Name: c.Department.Name, Unit: c.API.Unit, Ledger: c.Vault.Identity().Ledger,
	}}
	for _, u := range c.Department.Units {
		if u.ID == c.API.Unit {
			out.Issuer.UnitName = u.Name
		}
	}
	if c.who != nil {
		out.Name, out.Unit = &c.who.Name, rest.OrNull(c.who.Unit)
		for _, t := range c.sortedTypes(c.who) {
			out.Rights = append(out.Rights, rightsJSON{t.ID, c.who.Rights(t.ID)})
		}
	}
	return c.Answer(http.StatusOK, out)
}

// typeJSON is a type of licences, in its own words.
type (
	typeJSON struct {
		ID           string                `json:"id"`
		Version      int                   `json:"version"`
		Name         licence.Text          `json:"name"`
		Holders      string                `json:"holders"`
		Validity     string                `json:"validity"`
		Number       string                `json:"number"`
		Fields       []fieldJSON           `json:"fields"`
		Transitions  []licence.Transition  `json:"transitions"`
		Restrictions []licence.Restriction `json:"restrictions"`
	}
	fieldJSON struct {
		Key            string       `json:"key"`
		Label          licence.Text `json:"label"`
		Kind           licence.Kind `json:"kind"`
		Classification string       `json:"classification"`
		Required       bool         `json:"required"`
	}
)

func (c *call) getTypes() error {
	out := struct {
		Types []typeJSON `json:"types"`
	}{[]typeJSON{}}
	for _, t := range c.sortedTypes(c.who) {
		j := typeJSON{
			ID: t.ID, Version: t.Version, Name: t.Name, Holders: t.Holders, Validity: t.Validity, Number: t.NumberField().Key,
			Fields: make([]fieldJSON, len(t.Fields)), Transitions: append([]licence.Transition{}, t.Transitions...),
			Restrictions: append([]licence.Restriction{}, t.Restrictions...),
		}
		for i, f := range t.Fields {
			j.Fields[i] = fieldJSON{f.Key, f.Label, f.Kind, f.Classification, f.Required}
		}
		out.Types = append(out.Types, j)
	}
	return c.Answer(http.StatusOK, out)
}
