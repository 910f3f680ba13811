package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/attach"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// detailJSON is the answer of GET /v1/licences/{licence}.
type (
	detailJSON struct {
		Licence      licenceJSON       `json:"licence"`
		Restrictions []restrictionJSON `json:"restrictions"`
		Bindings     []bindingJSON     `json:"bindings"`
	}
	restrictionJSON struct {
		ID        string        `json:"id"`
		Code      *string       `json:"code"`
		Label     *licence.Text `json:"label"`
		Effective string        `json:"effective"`
	}
)

func (c *call) getLicence() error {
	l, err := c.licence()
	if err != nil {
		return err
	}
	out := detailJSON{Restrictions: []restrictionJSON{}, Bindings: []bindingJSON{}}
	if out.Licence, err = c.one(l.ID); err != nil {
		return err
	}
	if out.Restrictions, err = c.restrictions(l); err != nil {
		return err
	}
	if l.ErasedAt == nil {
		kept, err := c.Vault.Bindings(c.R.Context(), l.ID)
		if err != nil {
			return err
		}
		for i := range kept {
			out.Bindings = append(out.Bindings, describeBinding(&kept[i]))
		}
	}
	return c.Answer(http.StatusOK, out)
}

func (c *call) restrictions(l *vault.Licence) ([]restrictionJSON, error) {
	s, err := c.Issuer.Subject(c.R.Context(), l.ID)
	if err != nil {
		return nil, err
	}
	lie, err := c.Issuer.Restrictions(c.R.Context(), s)
	if err != nil && issuer.Code(err) != issuer.CodeNotAnchored { // nothing lies on what is on its way to the ledger
		return nil, err
	}
	out := make([]restrictionJSON, len(lie))
	for i := range lie {
		out[i] = restrictionJSON{ID: lie[i].ID.String(), Code: rest.OrNull(lie[i].Code), Effective: lie[i].Effective.String()}
		if kind, ok := c.types[l.Type].Restriction(lie[i].Code); ok {
			out[i].Label = &kind.Label
		}
	}
	return out, nil
}

// eventJSON is one line of a licence's history.
type eventJSON struct {
	At      string       `json:"at"`
	Action  string       `json:"action"`
	Text    licence.Text `json:"text"`
	By      string       `json:"by"`
	Purpose string       `json:"purpose"`
}

func (c *call) getHistory() error {
	l, err := c.permitted(staff.Open)
	if err != nil {
		return err
	}
	events, err := c.Vault.History(c.R.Context(), l.ID)
	if err != nil {
		return err
	}
	out := struct {
		Events []eventJSON `json:"events"`
	}{make([]eventJSON, len(events))}
	for i, e := range events {
		out.Events[i] = eventJSON{rest.RFC3339(e.At), e.Action, actionTexts[e.Action], e.Actor, e.Purpose}
	}
	return c.Answer(http.StatusOK, out)
}

// open opens the licence that the path names, for a caller who has the right and says what for.
func (c *call) open(limit int64, others ...rest.Member) (*vault.Licence, []byte, *credential.Opened, error) {
	l, err := c.permitted(staff.Open)
	if err != nil {
		return nil, nil, nil, err
	}
	why, err := c.purposeOf(limit, others...)
	if err != nil {
		return nil, nil, nil, err
	}
	b, o, err := c.Issuer.Credential(c.R.Context(), c.by(why), l.ID)
	return l, b, o, err
}

func (c *call) postOpen() error {
	l, _, o, err := c.open(maxTexts)
	if err != nil {
		return err
	}
	described, err := c.one(l.ID)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		Licence   licenceJSON      `json:"licence"`
		Version   int              `json:"version"`
		Fields    []fieldValueJSON `json:"fields"`
		ValidFrom *string          `json:"validFrom"`
	}{described, o.Type.Version, fieldValues(o.Type, func(i int) licence.Value {
		v, _ := o.Value(o.Type.Leaves()[i])
		return v
	}), dayOrNull(o.Record.ValidFrom)})
}

func (c *call) postCredential() error {
	var recipient *sm.PublicKey
	_, b, _, err := c.open(maxTexts, rest.Member{Name: "recipient", Read: publicKey(&recipient)})
	if err != nil {
		return err
	}
	var out struct {
		Credential []byte `json:"credential"`
		Sealed     []byte `json:"sealed"`
	}
	if out.Credential, out.Sealed, err = seal(recipient, b); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}

// codeJSON is a code for paper.
type (
	codeJSON struct {
		Code   string     `json:"code"`
		Symbol symbolJSON `json:"symbol"`
	}
	symbolJSON struct {
		Size int    `json:"size"`
		Path string `json:"path"`
	}
)

func (c *call) postCode() error {
	var keys []string
	_, _, o, err := c.open(maxTexts, rest.Member{Name: "fields", Read: rest.FieldKeys(&keys, licence.MaxFields), Required: true})
	if err != nil {
		return err
	}
	shown, err := credential.Disclose(o.Presentation, o.Type, keys...)
	if err != nil {
		return err
	}
	text, err := credential.EncodeCode(c.Host, shown)
	if err != nil {
		return err
	}
	symbol, err := qr.Encode(text, qr.DefaultLevel(text))
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, codeJSON{text, symbolJSON{symbol.Size() + 2*qr.QuietZone, symbol.Path()}})
}

func (c *call) postAttach() error {
	var file []byte
	_, b, _, err := c.open(encodedLength(attach.MaxFile)+maxTexts, rest.Member{Name: "file", Read: rest.Encoded(&file, attach.MaxFile), Required: true})
	if err != nil {
		return err
	}
	attached, err := attach.Attach(file, b)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		File       []byte        `json:"file"`
		Format     attach.Format `json:"format"`
		Name       *string       `json:"name"`
		Signatures int           `json:"signatures"`
	}{attached.File, attached.Format, rest.OrNull(attached.Name), attached.Signatures})
}
