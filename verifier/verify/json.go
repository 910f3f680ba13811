package verify

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// The JSON form of a verdict. Member names never change; hashes are in lower-case hex, times as in
// RFC 3339 in UTC, days as in ISO 8601, and what is not known is null.
type (
	verdictJSON struct {
		Outcome   Outcome       `json:"outcome"`
		Text      licence.Text  `json:"text"`
		Note      *licence.Text `json:"note"`
		CheckedAt string        `json:"checkedAt"`
		Day       string        `json:"day"`
		Axes      axesJSON      `json:"axes"`
		Licence   *licenceJSON  `json:"licence"`
		Fields    []fieldJSON   `json:"fields"`
		Ledger    *ledgerJSON   `json:"ledger"`
		Anchor    *anchorJSON   `json:"anchor"`
		Status    *statusJSON   `json:"status"`
		Open      []openJSON    `json:"restrictions"`
		Problem   string        `json:"problem,omitempty"`
	}
	axesJSON struct {
		Content      findingJSON `json:"content"`
		Issuer       findingJSON `json:"issuer"`
		Anchor       findingJSON `json:"anchor"`
		Status       findingJSON `json:"status"`
		Restrictions findingJSON `json:"restrictions"`
		Holder       findingJSON `json:"holder"`
		Freshness    findingJSON `json:"freshness"`
	}
	findingJSON struct {
		Result Result       `json:"result"`
		Reason Reason       `json:"reason"`
		Text   licence.Text `json:"text"`
	}
	licenceJSON struct {
		Digest      sm.Hash       `json:"digest"`
		Type        string        `json:"type"`
		TypeVersion uint32        `json:"typeVersion"`
		TypeName    licence.Text  `json:"typeName"`
		Issuer      string        `json:"issuer"`
		IssuerName  *licence.Text `json:"issuerName"`
		Unit        string        `json:"unit"`
		IssuedAt    string        `json:"issuedAt"`
		ValidFrom   *string       `json:"validFrom"`
		ValidUntil  *string       `json:"validUntil"`
		Predecessor *sm.Hash      `json:"predecessor"`
	}
	fieldJSON struct {
		Key            string       `json:"key"`
		Label          licence.Text `json:"label"`
		Classification string       `json:"classification"`
		Value          any          `json:"value"` // text, array of texts, or null
		Masked         string       `json:"masked"`
	}
	ledgerJSON struct {
		ID        sm.Hash        `json:"id"`
		Height    uint64         `json:"height"` // number of the newest block
		Heartbeat *heartbeatJSON `json:"heartbeat"`
		Age       *int64         `json:"age"`    // seconds since that heartbeat
		MaxAge    int64          `json:"maxAge"` // seconds, see the type
	}
	heartbeatJSON struct {
		Sequence uint64 `json:"sequence"`
		Time     string `json:"time"`
		Block    uint64 `json:"block"`
	}
	anchorJSON struct {
		Root        sm.Hash        `json:"root"`
		Size        uint32         `json:"size"`
		SignedAt    string         `json:"signedAt"`
		Key         sm.Hash        `json:"key"`
		Position    Position       `json:"position"`
		Transaction *string        `json:"transaction"`
		Before      *heartbeatJSON `json:"before"` // the newest heartbeat before it
		After       *heartbeatJSON `json:"after"`  // the first heartbeat after it
	}
	statusJSON struct {
		State     Reason      `json:"state"` // of package licence, or expired or not-yet-valid
		Since     *string     `json:"since"`
		OfBatch   bool        `json:"ofBatch"` // the change was of all licences under the root
		Change    *changeJSON `json:"change"`
		Pending   *changeJSON `json:"pending"`
		Successor *sm.Hash    `json:"successor"`
	}
	changeJSON struct {
		State     licence.State `json:"state"`
		Effective string        `json:"effective"`
		Position  *Position     `json:"position"`
		Reason    *sm.Hash      `json:"reason"` // commitment
	}
	openJSON struct {
		ID        *string  `json:"id"`
		Ground    *sm.Hash `json:"ground"` // commitment
		Effective string   `json:"effective"`
		InEffect  bool     `json:"inEffect"` // on the day
	}
)

// MarshalJSON implements json.Marshaler. The result holds the disclosed values.
func (v Verdict) MarshalJSON() ([]byte, error) {
	finding := func(a Axis) findingJSON {
		f := v.findings[a]
		return findingJSON{f.Result, f.Reason, f.Reason.Text()}
	}
	out := verdictJSON{
		Outcome: v.Outcome, Text: v.Text(), CheckedAt: rfc3339(v.Now), Day: v.Day.String(),
		Axes: axesJSON{
			Content: finding(AxisContent), Issuer: finding(AxisIssuer), Anchor: finding(AxisAnchor),
			Status: finding(AxisStatus), Restrictions: finding(AxisRestrictions),
			Holder: finding(AxisHolder), Freshness: finding(AxisFreshness),
		},
		Fields: []fieldJSON{}, Open: []openJSON{}, Problem: v.Problem,
	}
	if note := v.Note(); note != (licence.Text{}) {
		out.Note = &note
	}
	if v.Opened != nil {
		v.describe(&out)
	}
	return json.Marshal(out)
}

// describe fills in what is known of a presentation that could be opened.
func (v *Verdict) describe(out *verdictJSON) {
	r, head := &v.Opened.Record, &v.Opened.Signed
	out.Licence = &licenceJSON{
		Digest: v.Opened.Digest, Type: r.Type, TypeVersion: r.TypeVersion, TypeName: v.Opened.Type.Name,
		Issuer: r.Issuer, Unit: head.Unit, IssuedAt: utc(r.IssuedAt),
		ValidFrom: date(r.ValidFrom), ValidUntil: date(r.ValidUntil), Predecessor: r.Predecessor,
	}
	if v.Issuer != nil {
		out.Licence.IssuerName = &licence.Text{Zh: v.Issuer.Profile.NameZh, En: v.Issuer.Profile.NameEn}
	}
	var fields []DisclosedField
	if v.Outcome != Invalid { // what an invalid presentation claims is not repeated
		fields = v.Fields()
	}
	for _, f := range fields {
		var value any
		switch {
		case f.Value.IsText():
			value = f.Value.String()
		case f.Value.IsList():
			value = f.Value.Strings()
		}
		out.Fields = append(out.Fields, fieldJSON{f.Key, f.Label, f.Classification, value, f.Masked})
	}
	out.Ledger = &ledgerJSON{ID: head.Ledger, Height: v.Known.Height, Heartbeat: beat(v.Known.Heartbeat), MaxAge: seconds(v.MaxAge)}
	if age, known := v.Age(); known {
		s := seconds(age)
		out.Ledger.Age = &s
	}
	if v.findings[AxisAnchor].Result != Pass {
		return
	}
	a := &v.Known.Anchor
	out.Anchor = &anchorJSON{
		Root: a.Head.Root, Size: a.Head.Size, SignedAt: utc(a.Head.SignedAt), Key: a.KeyID,
		Position: a.Position, Transaction: known(a.TransactionID), Before: beat(a.Before), After: beat(a.After),
	}
	out.Status = &statusJSON{
		State: v.findings[AxisStatus].Reason, OfBatch: v.OfBatch, Change: change(v.Change), Pending: change(v.Pending),
	}
	if since, known := v.Since(); known {
		out.Status.Since = date(&since)
	}
	if v.Change != nil {
		out.Status.Successor = v.Change.Successor
	}
	for i := range v.Known.Restrictions {
		open := &v.Known.Restrictions[i]
		var id string
		if open.ID != ([16]byte{}) {
			id = hex.EncodeToString(open.ID[:])
		}
		out.Open = append(out.Open, openJSON{known(id), known(open.Ground), open.Effective.String(), open.Effective <= v.Day})
	}
}

// rfc3339 does not refuse the years after 9999, as time.Time's own JSON form does.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func utc(seconds uint64) string { return rfc3339(unix(seconds)) }

func date(d *licence.Date) *string {
	if d == nil {
		return nil
	}
	s := d.String()
	return &s
}

func beat(h Heartbeat) *heartbeatJSON {
	if h.Sequence == 0 {
		return nil
	}
	return &heartbeatJSON{h.Sequence, utc(h.Time), h.Block}
}

func change(c *Change) *changeJSON {
	if c == nil {
		return nil
	}
	return &changeJSON{c.State, c.Effective.String(), known(c.Position), known(c.Reason)}
}

// known is nil for the zero value, which stands for what the view does not keep.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
