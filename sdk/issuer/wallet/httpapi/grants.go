package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// grantJSON is a grant for one's licence.
type grantJSON struct {
	Grant       sm.Hash       `json:"grant"`
	Licence     vault.ID      `json:"licence"`
	Agency      string        `json:"agency"`
	AgencyName  *licence.Text `json:"agencyName"`
	Matter      string        `json:"matter"`
	MatterName  *licence.Text `json:"matterName"`
	Fields      []fieldJSON   `json:"fields"`
	Uses        uint32        `json:"uses"`
	Used        uint32        `json:"used"`
	NotBefore   string        `json:"notBefore"`
	NotAfter    string        `json:"notAfter"`
	SignedAt    string        `json:"signedAt"`
	State       string        `json:"state"`
	Means       string        `json:"means"`
	WithdrawnAt *string       `json:"withdrawnAt"`
}

// grant describes a grant.
func (c *call) grant(g *wallet.Grant) grantJSON {
	out := grantJSON{
		Grant: g.Digest, Licence: g.ID, Agency: g.Agency, AgencyName: c.Wallet.AgencyText(g.Agency), Matter: g.Matter, MatterName: c.Wallet.MatterText(g.Matter),
		Uses: g.Uses, Used: g.Used, NotBefore: rest.UTC(g.NotBefore), NotAfter: rest.UTC(g.NotAfter), SignedAt: rest.UTC(g.SignedAt), State: g.Is,
		Means: g.Means, WithdrawnAt: timeOrNull(g.WithdrawnAt),
	}
	out.Fields = fields(c.Wallet.Type(g.Type), g.Fields)
	return out
}

func (c *call) getGrants() error {
	all, err := c.Wallet.ListGrants(c.R.Context(), c.who)
	if err != nil {
		return err
	}
	out := struct {
		Grants []grantJSON `json:"grants"`
	}{make([]grantJSON, len(all))}
	for i, g := range all {
		out.Grants[i] = c.grant(g)
	}
	return c.Answer(http.StatusOK, out)
}

func (c *call) postGrant() error {
	var g wallet.Granting
	var uses, days uint64
	once, err := c.readOnce(append(showing(&g.Showing, true),
		rest.Member{Name: "agency", Read: rest.ID(&g.Agency), Required: true},
		rest.Member{Name: "uses", Read: rest.Number(&uses, 1, wallet.MaxUses), Required: true},
		rest.Member{Name: "days", Read: rest.Number(&days, 1, wallet.MaxDays), Required: true},
	)...)
	if err != nil {
		return err
	}
	g.Uses, g.Days, g.Once = uint32(uses), int(days), once
	given, use, err := c.Wallet.Give(c.R.Context(), c.who, g)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, struct {
		Grant grantJSON    `json:"grant"`
		Use   vault.ItemID `json:"use"`
	}{c.grant(given), use})
}

func (c *call) postWithdrawal() error {
	digest, err := c.HashParameter("grant")
	if err != nil {
		return err
	}
	g, err := c.Wallet.Withdraw(c.R.Context(), c.who, digest)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, c.grant(g))
}
