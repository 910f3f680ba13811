package httpapi

import (
	"net/http"
	"slices"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

// delegationJSON is that somebody may act for somebody else.
type (
	delegationJSON struct {
		Delegation vault.ItemID  `json:"delegation"`
		Helper     string        `json:"helper"`
		Holder     string        `json:"holder"`
		HolderName *string       `json:"holderName"`
		Licences   []vault.ID    `json:"licences"`
		Matter     string        `json:"matter"`
		MatterName *licence.Text `json:"matterName"`
		May        []string      `json:"may"`
		GivenAt    string        `json:"givenAt"`
		Until      string        `json:"until"`
		State      string        `json:"state"`
		EndedAt    *string       `json:"endedAt"`
		Acts       []actJSON     `json:"acts"`
	}
	actJSON struct {
		At      string   `json:"at"`
		Act     string   `json:"act"`
		Licence vault.ID `json:"licence"`
	}
)

// delegation describes a delegation, with what was done under it.
func (c *call) delegation(d *vault.Delegation) (delegationJSON, error) {
	out := delegationJSON{
		Delegation: d.ID, Helper: wallet.Masked(d.Helper), Holder: wallet.Masked(d.Holder), HolderName: rest.OrNull(wallet.MaskedName(d.HolderName)),
		Licences: d.Licences, Matter: d.Matter, MatterName: c.Wallet.MatterText(d.Matter), May: d.Ways, GivenAt: rest.RFC3339(d.Given), Until: d.Until.String(),
		State: "open", EndedAt: timeOrNull(d.Ended), Acts: []actJSON{},
	}
	switch {
	case d.Ended != nil:
		out.State = "withdrawn"
	case !d.Open(licence.DateOf(c.Now())):
		out.State = "expired"
	}
	acts, err := c.Wallet.Acts(c.R.Context(), d)
	for _, a := range acts {
		out.Acts = append(out.Acts, actJSON{rest.RFC3339(a.At), a.Act, a.Licence})
	}
	return out, err
}

func (c *call) getDelegations() error {
	given, received, err := c.Wallet.Delegations(c.R.Context(), c.who)
	if err != nil {
		return err
	}
	out := struct {
		Given    []delegationJSON `json:"given"`
		Received []delegationJSON `json:"received"`
	}{[]delegationJSON{}, []delegationJSON{}}
	for _, side := range []struct {
		all []*vault.Delegation
		to  *[]delegationJSON
	}{{given, &out.Given}, {received, &out.Received}} {
		for _, d := range side.all {
			j, err := c.delegation(d)
			if err != nil {
				return err
			}
			*side.to = append(*side.to, j)
		}
	}
	return c.Answer(http.StatusOK, out)
}

// maxHelper is how many characters an identity number is typed in.
const maxHelper = 32

func (c *call) postDelegation() error {
	var h wallet.Helping
	var days uint64
	once, err := c.readOnce(
		rest.Member{Name: "helper", Read: rest.Text(&h.Helper, 1, maxHelper), Required: true},
		rest.Member{Name: "licences", Required: true, Read: func(r *rest.Reader) error {
			return r.List(vault.MaxDelegated, func(r *rest.Reader) error {
				var id vault.ID
				err := rowID(&id)(r)
				if err == nil && slices.Contains(h.Licences, id) {
					err = r.Invalid("is given twice")
				}
				h.Licences = append(h.Licences, id)
				return err
			})
		}},
		rest.Member{Name: "matter", Read: rest.ID(&h.Matter), Required: true},
		rest.Member{Name: "may", Required: true, Read: func(r *rest.Reader) error {
			return r.List(len(wallet.Ways), func(r *rest.Reader) error {
				var way string
				err := oneOf(&way, wallet.Ways...)(r)
				if err == nil && slices.Contains(h.Ways, way) {
					err = r.Invalid("is given twice")
				}
				h.Ways = append(h.Ways, way)
				return err
			})
		}},
		rest.Member{Name: "days", Read: rest.Number(&days, 1, wallet.MaxHelpDays), Required: true},
	)
	if err != nil {
		return err
	}
	h.Days, h.Once = int(days), once
	d, err := c.Wallet.Delegate(c.R.Context(), c.who, h)
	if err != nil {
		return err
	}
	return c.answerDelegation(http.StatusCreated, d)
}

func (c *call) answerDelegation(status int, d *vault.Delegation) error {
	out, err := c.delegation(d)
	if err != nil {
		return err
	}
	return c.Answer(status, out)
}

func (c *call) postDelegationEnd() error {
	id, err := c.itemParameter("delegation")
	if err != nil {
		return err
	}
	d, err := c.Wallet.EndDelegation(c.R.Context(), c.who, id)
	if err != nil {
		return err
	}
	return c.answerDelegation(http.StatusOK, d)
}
