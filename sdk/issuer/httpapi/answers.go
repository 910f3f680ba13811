package httpapi

import (
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// licenceJSON is what holds of a licence, without what it says.
type (
	licenceJSON struct {
		ID          vault.ID      `json:"id"`
		Type        string        `json:"type"`
		Digest      sm.Hash       `json:"digest"`
		Issuer      string        `json:"issuer"`
		Root        sm.Hash       `json:"root"`
		Index       uint32        `json:"index"`
		Anchor      *positionJSON `json:"anchor"`
		IssuedAt    string        `json:"issuedAt"`
		ValidUntil  *string       `json:"validUntil"`
		Predecessor *vault.ID     `json:"predecessor"`
		State       licence.State `json:"state"`
		Sequence    uint32        `json:"sequence"`
		Current     bool          `json:"current"`
		Lost        bool          `json:"lost"`
		ErasedAt    *string       `json:"erasedAt"`
	}
	positionJSON struct {
		Block uint64 `json:"block"`
		Index uint32 `json:"index"`
	}
)

// describe makes the answer about a licence whose batch stands at a position.
func (a *API) describe(l *vault.Licence, at *ledger.Position) licenceJSON {
	out := licenceJSON{
		ID: l.ID, Type: l.Type, Digest: l.Digest, Issuer: a.Department.ID, Root: l.Root, Index: l.Index,
		IssuedAt: rest.UTC(l.IssuedAt), ValidUntil: dayOrNull(l.ValidUntil), State: l.State, Sequence: l.Sequence,
		Current: l.HoldsNumber, Lost: l.Lost, ErasedAt: timeOrNull(l.ErasedAt),
	}
	if l.Predecessor != 0 {
		out.Predecessor = &l.Predecessor
	}
	if at != nil {
		out.Anchor = &positionJSON{at.Block, at.Index}
	}
	return out
}

// licences makes the answers about several licences.
func (c *call) licences(all []*vault.Licence) ([]licenceJSON, error) {
	out := make([]licenceJSON, len(all))
	places := map[int64]*ledger.Position{} // by batch
	for i, l := range all {
		at, known := places[l.Batch]
		if !known {
			b, err := c.Vault.Batch(c.R.Context(), l.Batch)
			if err != nil {
				return nil, err
			}
			at = b.Position
			places[l.Batch] = at
		}
		out[i] = c.describe(l, at)
	}
	return out, nil
}

// one makes the answer about a licence, as it is now.
func (c *call) one(id vault.ID) (licenceJSON, error) {
	l, err := c.Vault.Licence(c.R.Context(), id)
	if err != nil {
		return licenceJSON{}, err
	}
	all, err := c.licences([]*vault.Licence{l})
	if err != nil {
		return licenceJSON{}, err
	}
	return all[0], nil
}

// fieldValueJSON is one field with its value.
type fieldValueJSON struct {
	Key   string       `json:"key"`
	Label licence.Text `json:"label"`
	Value any          `json:"value"` // a text, texts, or null
}

// fieldValues makes the answer about all fields of a type, whose values come by index.
func fieldValues(t *licence.Type, value func(i int) licence.Value) []fieldValueJSON {
	out := make([]fieldValueJSON, len(t.Leaves()))
	for i, key := range t.Leaves() {
		out[i] = fieldValueJSON{Key: key, Label: t.Label(key)}
		switch v := value(i); {
		case v.IsList():
			out[i].Value = append([]string{}, v.Strings()...)
		case v.IsText():
			out[i].Value = v.String()
		}
	}
	return out
}
