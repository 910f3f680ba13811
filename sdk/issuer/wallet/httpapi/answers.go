package httpapi

import (
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// meJSON is the answer of GET /v1/me.
type (
	meJSON struct {
		Person   *personJSON  `json:"person"`
		Issuer   issuerJSON   `json:"issuer"`
		Provider providerJSON `json:"provider"`
	}
	personJSON struct {
		Name        *string `json:"name"`
		Number      string  `json:"number"`
		ExpiresAt   string  `json:"expiresAt"`
		IdleSeconds int     `json:"idleSeconds"`
		FreshUntil  string  `json:"freshUntil"`
		Helping     int     `json:"helping"`
	}
	issuerJSON struct {
		Department string       `json:"department"`
		Name       licence.Text `json:"name"`
		Ledger     sm.Hash      `json:"ledger"`
	}
	providerJSON struct {
		Name  licence.Text `json:"name"`
		Trial bool         `json:"trial"`
	}
)

func (c *call) getMe() error {
	of := c.Wallet.Department
	out := meJSON{Issuer: issuerJSON{of.ID, of.Name, c.Wallet.Vault.Identity().Ledger}, Provider: providerJSON{c.Platform, c.Trial}}
	if c.who != nil {
		helping, err := c.Wallet.Helping(c.R.Context(), c.who)
		if err != nil {
			return err
		}
		out.Person = &personJSON{
			Name: rest.OrNull(wallet.MaskedName(c.who.Name)), Number: wallet.Masked(c.who.Number), ExpiresAt: rest.RFC3339(c.who.Session.Expires),
			IdleSeconds: int(c.Wallet.Sessions.Idle / time.Second), FreshUntil: rest.RFC3339(c.Wallet.FreshUntil(c.who.Session)), Helping: helping,
		}
	}
	return c.Answer(http.StatusOK, out)
}

func (c *call) deleteSession() error {
	all, given := c.Parameter("all")
	if given && all != "1" {
		return c.Wrong("all", "must be 1, or left out")
	}
	if err := c.Wallet.SignOut(c.R.Context(), c.who, given); err != nil {
		return err
	}
	cookie.Remove(c.W)
	c.NoContent()
	return nil
}

// licenceJSON is what holds of a licence, without what it says.
type licenceJSON struct {
	ID         vault.ID      `json:"id"`
	Digest     sm.Hash       `json:"digest"`
	Type       string        `json:"type"`
	TypeName   licence.Text  `json:"typeName"`
	IssuedAt   string        `json:"issuedAt"`
	ValidUntil *string       `json:"validUntil"`
	State      verify.Reason `json:"state"`
	StateText  licence.Text  `json:"stateText"`
	Restricted bool          `json:"restricted"`
	Showable   bool          `json:"showable"`
}

func describe(l *wallet.Licence) licenceJSON {
	out := licenceJSON{
		ID: l.ID, Digest: l.Digest, Type: l.Type.ID, TypeName: l.Type.Name, IssuedAt: rest.UTC(l.IssuedAt),
		State: l.State, StateText: l.StateText, Restricted: l.Restricted, Showable: l.Showable,
	}
	if l.ValidUntil != nil {
		out.ValidUntil = new(l.ValidUntil.String())
	}
	return out
}

// timeOrNull writes a time that may not be there.
func timeOrNull(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(rest.RFC3339(*t))
}

// fieldJSON is one field, without its value.
type fieldJSON struct {
	Key            string       `json:"key"`
	Label          licence.Text `json:"label"`
	Classification string       `json:"classification"`
}

// fields describes fields of a type.
func fields(t *licence.Type, keys []string) []fieldJSON {
	out := make([]fieldJSON, len(keys))
	for i, key := range keys {
		out[i] = fieldJSON{key, t.Label(key), licence.Internal}
		if f, ok := t.Field(key); ok {
			out[i].Classification = f.Classification
		}
	}
	return out
}

// reminderJSON is something to see to.
type reminderJSON struct {
	Kind       string        `json:"kind"`
	Licence    *vault.ID     `json:"licence"`
	Grant      *sm.Hash      `json:"grant"`
	Delegation *vault.ItemID `json:"delegation"`
	On         string        `json:"on"`
	Days       int           `json:"days"`
	Text       licence.Text  `json:"text"`
}

// reminderTexts say what to see to.
var reminderTexts = map[string]licence.Text{
	wallet.RemindExpires:    {Zh: "证照即将到期,请及时办理换领或延续", En: "The licence expires soon: have it renewed"},
	wallet.RemindExpired:    {Zh: "证照已到期", En: "The licence has expired"},
	wallet.RemindSuspended:  {Zh: "证照已暂停使用,请向颁发机构了解原因", En: "The licence is suspended: ask the issuer why"},
	wallet.RemindGrant:      {Zh: "一项授权即将到期", En: "A grant expires soon"},
	wallet.RemindDelegation: {Zh: "一项代办委托即将到期", En: "A helper's time is over soon"},
	wallet.RemindObjection:  {Zh: "您的异议已答复", En: "Your objection has been answered"},
}

func remind(r *wallet.Reminder) reminderJSON {
	out := reminderJSON{Kind: r.Kind, On: r.On.String(), Days: r.Days, Text: reminderTexts[r.Kind]}
	if r.Licence != 0 {
		out.Licence = &r.Licence
	}
	if r.Grant != nil {
		out.Grant = &r.Grant.Digest
	}
	if r.Delegation != nil {
		out.Delegation = &r.Delegation.ID
	}
	return out
}

// outcomeTexts say to people what came of a look at a licence.
var outcomeTexts = map[string]licence.Text{
	"released":   {Zh: "已向该机构提供", En: "Given to the agency"},
	"refused":    {Zh: "未提供", En: "Refused"},
	"unanswered": {Zh: "逾期未答复", En: "Not answered in time"},
}

func outcomeText(outcome string) licence.Text {
	if t, ok := outcomeTexts[outcome]; ok {
		return t
	}
	return verify.Outcome(outcome).Text()
}
