package httpapi

import (
	"maps"
	"net/http"
	"slices"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

// Bounds of what a desk is told.
const (
	deskLicences = 50
	deskDays     = 30 // ahead
)

// deskJSON is what a desk needs to know of today.
type (
	deskJSON struct {
		Today     string         `json:"today"`
		Issued    []countJSON    `json:"issued"`
		Recent    []licenceJSON  `json:"recent"`
		Rejected  int64          `json:"rejected"`
		Jobs      []jobJSON      `json:"jobs"`
		Drafts    []draftJSON    `json:"drafts"`
		Proposals []proposalJSON `json:"proposals"`
		Expiring  []licenceJSON  `json:"expiring"`
	}
	countJSON struct {
		Type  string `json:"type"`
		Count int64  `json:"count"`
	}
)

func (c *call) getDesk() error {
	ctx := c.R.Context()
	var types []string
	for _, t := range c.sortedTypes(c.who) {
		types = append(types, t.ID)
	}
	day, from, until := c.today()
	out := deskJSON{Today: day.String(), Issued: []countJSON{}}
	counts, err := c.Vault.CountIssued(ctx, from, until)
	if err != nil {
		return err
	}
	for _, typ := range slices.Sorted(maps.Keys(counts)) {
		if slices.Contains(types, typ) {
			out.Issued = append(out.Issued, countJSON{typ, counts[typ]})
		}
	}
	recent, err := c.Vault.Issued(ctx, types, from, until, 0, deskLicences)
	if err != nil {
		return err
	}
	var expiring []*vault.Licence
	for _, typ := range types {
		found, err := c.Vault.Expiring(ctx, typ, day, day+deskDays, 0, deskLicences)
		if err != nil {
			return err
		}
		expiring = append(expiring, found...)
	}
	slices.SortStableFunc(expiring, func(a, b *vault.Licence) int { return int(*a.ValidUntil - *b.ValidUntil) })
	if out.Recent, err = c.licences(recent); err != nil {
		return err
	}
	if out.Expiring, err = c.licences(expiring); err != nil {
		return err
	}
	if out.Jobs, err = c.jobs(from); err != nil {
		return err
	}
	for _, j := range out.Jobs {
		if !j.DryRun {
			out.Rejected += j.Rejected
		}
	}
	if out.Drafts, err = c.drafts(); err != nil {
		return err
	}
	if out.Proposals, err = c.proposals(); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}
