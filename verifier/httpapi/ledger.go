package httpapi

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

type (
	departmentJSON struct {
		ID     string       `json:"id"`
		USCC   string       `json:"uscc"`
		Name   licence.Text `json:"name"`
		Units  []unitJSON   `json:"units"`
		Issues []string     `json:"issues"`
		State  string       `json:"state"`
		Keys   []keyJSON    `json:"keys"`
	}
	unitJSON struct {
		ID           string       `json:"id"`
		DivisionCode string       `json:"divisionCode"`
		Name         licence.Text `json:"name"`
	}
	keyJSON struct {
		ID        sm.Hash         `json:"id"`
		PublicKey string          `json:"publicKey"`
		Purposes  []string        `json:"purposes"`
		NotBefore *string         `json:"notBefore"`
		NotAfter  *string         `json:"notAfter"`
		State     verify.KeyState `json:"state"`
	}
)

func (c *call) getDepartments() error {
	keys := map[string][]keyJSON{}
	for _, k := range c.View.Keys() {
		keys[k.Key.Department] = append(keys[k.Key.Department], keyOf(k))
	}
	list := []departmentJSON{}
	for _, d := range c.View.Departments() {
		p := &d.Profile
		out := departmentJSON{
			ID: p.ID, USCC: p.USCC, Name: licence.Text{Zh: p.NameZh, En: p.NameEn}, Units: make([]unitJSON, len(p.Units)),
			Issues: append([]string{}, p.Issues...), State: d.State, Keys: append([]keyJSON{}, keys[p.ID]...),
		}
		for i, u := range p.Units {
			out.Units[i] = unitJSON{u.ID, u.DivisionCode, licence.Text{Zh: u.NameZh, En: u.NameEn}}
		}
		list = append(list, out)
	}
	return c.Answer(http.StatusOK, struct {
		Departments []departmentJSON `json:"departments"`
		View        viewJSON         `json:"view"`
	}{list, c.view()})
}

func keyOf(k index.KeyRecord) keyJSON {
	return keyJSON{
		ID: k.ID, PublicKey: hex.EncodeToString(k.Key.Public.Bytes()), Purposes: append([]string{}, k.Key.Purposes.Names()...),
		NotBefore: utcOrNull(k.Key.NotBefore), NotAfter: utcOrNull(k.Key.NotAfter), State: k.Key.State,
	}
}

type typeNameJSON struct {
	ID      string       `json:"id"`
	Version int          `json:"version"`
	Name    licence.Text `json:"name"`
}

func (c *call) getTypes() error {
	list := []typeNameJSON{}
	for _, t := range c.View.Types() {
		list = append(list, typeNameJSON{t.ID, t.Version, t.Name})
	}
	return c.Answer(http.StatusOK, struct {
		Types []typeNameJSON `json:"types"`
		View  viewJSON       `json:"view"`
	}{list, c.view()})
}

// getType answers with the newest version of a type.
func (c *call) getType() error {
	id, err := c.IDParameter("type")
	if err != nil {
		return err
	}
	_, newest := c.View.Type(id, 1)
	return c.answerType(newest, newest)
}

func (c *call) getTypeVersion() error {
	id, err := c.IDParameter("type")
	if err != nil {
		return err
	}
	version, err := c.NumberParameter("version", 1, math.MaxInt32)
	if err != nil {
		return err
	}
	return c.answerType(c.View.Type(id, uint32(version)))
}

func (c *call) answerType(t, newest *licence.Type) error {
	if t == nil {
		return rest.Refuse(codeTypeUnknown, "this version of the type is not on the ledger, as far as this verifier has seen it; GET /v1/types lists the newest versions")
	}
	return c.Answer(http.StatusOK, struct {
		Definition json.RawMessage `json:"definition"`
		Newest     int             `json:"newest"`
		View       viewJSON        `json:"view"`
	}{t.Canonical(), newest.Version, c.view()})
}

type (
	changeJSON struct {
		State     licence.State   `json:"state"`
		Effective string          `json:"effective"`
		Position  verify.Position `json:"position"`
		Reason    sm.Hash         `json:"reason"`
	}
	anchorJSON struct {
		Issuer      string          `json:"issuer"`
		Unit        string          `json:"unit"`
		Type        string          `json:"type"`
		TypeVersion uint32          `json:"typeVersion"`
		Root        sm.Hash         `json:"root"`
		Size        uint32          `json:"size"`
		SignedAt    string          `json:"signedAt"`
		Key         sm.Hash         `json:"key"`
		Statement   []byte          `json:"statement"`
		Disowned    bool            `json:"disowned"`
		Position    verify.Position `json:"position"`
		Transaction string          `json:"transaction"`
		Before      *heartbeatJSON  `json:"before"`
		After       *heartbeatJSON  `json:"after"`
		Changes     []changeJSON    `json:"changes"`
		View        viewJSON        `json:"view"`
	}
)

func (c *call) getAnchor() error {
	issuer, root, err := c.named("root")
	if err != nil {
		return err
	}
	l := c.View.Licence(issuer, root, sm.Hash{})
	if !l.Anchored {
		return rest.Refuse(codeAnchorUnknown, "the department has not anchored anything under this root, as far as this verifier has seen the ledger")
	}
	a := &l.Anchor
	payload, err := statement.Encode(&a.Head)
	if err != nil {
		return err
	}
	signed := statement.Statement{Body: &a.Head, KeyID: a.KeyID, Payload: payload, Signature: a.Signature}
	out := anchorJSON{
		Issuer: a.Head.Issuer, Unit: a.Head.Unit, Type: a.Head.Type, TypeVersion: a.Head.TypeVersion,
		Root: a.Head.Root, Size: a.Head.Size, SignedAt: rest.UTC(a.Head.SignedAt), Key: a.KeyID, Statement: signed.Bytes(),
		Disowned: a.Disowned, Position: a.Position, Transaction: a.TransactionID,
		Before: heartbeat(a.Before), After: heartbeat(a.After), Changes: []changeJSON{}, View: c.view(),
	}
	for _, change := range l.RootChanges {
		out.Changes = append(out.Changes, changeOf(change))
	}
	return c.Answer(http.StatusOK, out)
}

func changeOf(c verify.Change) changeJSON {
	return changeJSON{c.State, c.Effective.String(), c.Position, c.Reason}
}

// named returns the department and the hash that a path names.
func (c *call) named(hash string) (issuer string, h sm.Hash, err error) {
	if issuer, err = c.IDParameter("issuer"); err != nil {
		return issuer, h, err
	}
	if h, err = c.HashParameter(hash); err != nil {
		return issuer, h, err
	}
	if c.View.Department(issuer) == nil {
		return issuer, h, rest.Refuse(codeDepartment, "there is no such department on the ledger, as far as this verifier has seen it; GET /v1/departments lists them")
	}
	return issuer, h, nil
}

type (
	statusJSON struct {
		Issuer       string            `json:"issuer"`
		Digest       sm.Hash           `json:"digest"`
		Changes      []typedChangeJSON `json:"changes"`
		Restrictions []restrictionJSON `json:"restrictions"`
		View         viewJSON          `json:"view"`
	}
	typedChangeJSON struct {
		Type string `json:"type"`
		changeJSON
		Successor *sm.Hash `json:"successor"`
	}
	restrictionJSON struct {
		Type      string  `json:"type"`
		ID        string  `json:"id"`
		Ground    sm.Hash `json:"ground"`
		Effective string  `json:"effective"`
	}
)

// getStatus tells what the ledger holds about one licence. It does not say "active": that there is
// nothing looks the same for a digest that nobody issued.
func (c *call) getStatus() error {
	issuer, digest, err := c.named("digest")
	if err != nil {
		return err
	}
	out := statusJSON{Issuer: issuer, Digest: digest, Changes: []typedChangeJSON{}, Restrictions: []restrictionJSON{}, View: c.view()}
	for _, e := range c.View.Exceptions(issuer, digest) {
		for _, change := range e.Changes {
			out.Changes = append(out.Changes, typedChangeJSON{e.Type, changeOf(change), change.Successor})
		}
		for _, r := range e.Restrictions {
			out.Restrictions = append(out.Restrictions, restrictionJSON{e.Type, hex.EncodeToString(r.ID[:]), r.Ground, r.Effective.String()})
		}
	}
	return c.Answer(http.StatusOK, out)
}
