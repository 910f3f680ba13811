package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/rest"
)

// objectionJSON is an objection of the caller's.
type (
	objectionJSON struct {
		Objection vault.ItemID  `json:"objection"`
		Licence   vault.ID      `json:"licence"`
		About     string        `json:"about"`
		Text      string        `json:"text"`
		MadeAt    string        `json:"madeAt"`
		Due       string        `json:"due"`
		Overdue   bool          `json:"overdue"`
		State     string        `json:"state"`
		Answer    *answerJSON   `json:"answer"`
		Use       *vault.ItemID `json:"use"`
	}
	answerJSON struct {
		At      string `json:"at"`
		Outcome string `json:"outcome"`
		Text    string `json:"text"`
	}
)

func (c *call) objection(o *vault.Objection) objectionJSON {
	out := objectionJSON{
		Objection: o.ID, Licence: o.Licence, About: o.About, Text: o.Text, MadeAt: rest.RFC3339(o.Made), Due: o.Due.String(), Overdue: o.Late(c.Now()), State: vault.ObjectionOpen,
	}
	if s := o.Settled; s != nil {
		out.State, out.Answer = vault.ObjectionAnswered, &answerJSON{rest.RFC3339(s.At), s.Outcome, s.Text}
		if !o.Rated {
			out.Use = &o.ID
		}
	}
	return out
}

func (c *call) getObjections() error {
	all, err := c.Wallet.Objections(c.R.Context(), c.who)
	if err != nil {
		return err
	}
	out := struct {
		Objections []objectionJSON `json:"objections"`
	}{make([]objectionJSON, len(all))}
	for i, o := range all {
		out.Objections[i] = c.objection(o)
	}
	return c.Answer(http.StatusOK, out)
}

func (c *call) postObjection() error {
	var id vault.ID
	var about, text string
	once, err := c.readOnce(
		rest.Member{Name: "licence", Read: rowID(&id), Required: true},
		rest.Member{Name: "about", Read: oneOf(&about, vault.AboutVerdict, vault.AboutState, vault.AboutContents, vault.AboutAccess), Required: true},
		rest.Member{Name: "text", Read: rest.Text(&text, 1, wallet.MaxText), Required: true},
	)
	if err != nil {
		return err
	}
	o, err := c.Wallet.Object(c.R.Context(), c.who, id, about, text, once)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, c.objection(o))
}

func (c *call) postRating() error {
	var use vault.ItemID
	var stars uint64
	var text string
	if err := c.read(
		rest.Member{Name: "use", Required: true, Read: func(r *rest.Reader) error {
			b, err := r.String()
			if err != nil {
				return err
			}
			if use, err = vault.ParseItemID(string(b)); err != nil {
				return r.Invalid("must be 32 lower-case hexadecimal digits")
			}
			return nil
		}},
		rest.Member{Name: "stars", Read: rest.Number(&stars, 1, 5), Required: true},
		rest.Member{Name: "text", Read: rest.Text(&text, 1, wallet.MaxComment)},
	); err != nil {
		return err
	}
	if err := c.Wallet.Rate(c.R.Context(), c.who, use, int(stars), text); err != nil {
		return err
	}
	c.NoContent()
	return nil
}
