package verify

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/internal/jsonappend"
)

// The JSON form of a verdict. Member names never change; hashes are in lower-case hex, times as in
// RFC 3339 in UTC, days as in ISO 8601, and what is not known is null.

// MarshalJSON implements json.Marshaler. The result holds the disclosed values.
func (v Verdict) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends what MarshalJSON returns.
func (v *Verdict) AppendJSON(b []byte) []byte {
	b = jsonappend.String(append(b, `{"outcome":`...), v.Outcome)
	b = jsonappend.Text(append(b, `,"text":`...), v.Text())
	b = appendOr(append(b, `,"note":`...), known(v.Note()), jsonappend.Text)
	b = appendTime(append(b, `,"checkedAt":`...), v.Now)
	b = appendDate(append(b, `,"day":`...), v.Day)
	for axis, f := range v.findings {
		b = append(b, axisMembers[axis]...)
		b = jsonappend.String(append(b, `{"result":`...), f.Result.String())
		b = jsonappend.String(append(b, `,"reason":`...), f.Reason)
		b = jsonappend.Text(append(b, `,"text":`...), f.Reason.Text())
		b = append(b, '}')
	}
	b = append(b, '}') // of axes
	if v.Opened != nil {
		b = v.appendLicence(append(b, `,"licence":`...))
		b = v.appendFields(append(b, `,"fields":`...))
		b = v.appendLedger(append(b, `,"ledger":`...))
	} else {
		b = append(b, `,"licence":null,"fields":[],"ledger":null`...)
	}
	if v.Opened != nil && v.findings[AxisAnchor].Result == Pass {
		b = appendAnchor(append(b, `,"anchor":`...), &v.Known.Anchor)
		b = v.appendStatus(append(b, `,"status":`...))
		b = v.appendRestrictions(append(b, `,"restrictions":`...))
	} else {
		b = append(b, `,"anchor":null,"status":null,"restrictions":[]`...)
	}
	if v.Problem != "" {
		b = jsonappend.String(append(b, `,"problem":`...), v.Problem)
	}
	return append(b, '}')
}

const null = "null"

// axisMembers are what stands before the finding of each axis.
var axisMembers = func() (members [numAxes]string) {
	for a := range members {
		members[a] = `,"` + Axis(a).String() + `":`
	}
	members[0] = `,"axes":{` + members[0][1:]
	return members
}()

func (v *Verdict) appendLicence(b []byte) []byte {
	r, head := &v.Opened.Record, &v.Opened.Signed
	b = jsonappend.Hash(append(b, `{"digest":`...), v.Opened.Digest)
	b = jsonappend.String(append(b, `,"type":`...), r.Type)
	b = strconv.AppendUint(append(b, `,"typeVersion":`...), uint64(r.TypeVersion), 10)
	b = jsonappend.Text(append(b, `,"typeName":`...), v.Opened.Type.Name)
	b = jsonappend.String(append(b, `,"issuer":`...), r.Issuer)
	b = append(b, `,"issuerName":`...)
	if v.Issuer != nil {
		b = jsonappend.Text(b, licence.Text{Zh: v.Issuer.Profile.NameZh, En: v.Issuer.Profile.NameEn})
	} else {
		b = append(b, null...)
	}
	b = jsonappend.String(append(b, `,"unit":`...), head.Unit)
	b = jsonappend.Time(append(b, `,"issuedAt":`...), r.IssuedAt)
	b = appendOr(append(b, `,"validFrom":`...), r.ValidFrom, appendDate)
	b = appendOr(append(b, `,"validUntil":`...), r.ValidUntil, appendDate)
	b = appendOr(append(b, `,"predecessor":`...), r.Predecessor, jsonappend.Hash)
	return append(b, '}')
}

func (v *Verdict) appendFields(b []byte) []byte {
	b = append(b, '[')
	if v.Outcome != Invalid { // what an invalid presentation claims is not repeated
		for i, f := range v.Fields() {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsonappend.String(append(b, `{"key":`...), f.Key)
			b = jsonappend.Text(append(b, `,"label":`...), f.Label)
			b = jsonappend.String(append(b, `,"classification":`...), f.Classification)
			b = appendValue(append(b, `,"value":`...), f.Value)
			b = jsonappend.String(append(b, `,"masked":`...), f.Masked)
			b = append(b, '}')
		}
	}
	return append(b, ']')
}

// appendValue appends a text, an array of texts, or null.
func appendValue(b []byte, v licence.Value) []byte {
	switch {
	case v.IsText():
		return jsonappend.String(b, v.String())
	case v.IsList():
		return jsonappend.Strings(b, v.Strings())
	}
	return append(b, null...)
}

func (v *Verdict) appendLedger(b []byte) []byte {
	b = jsonappend.Hash(append(b, `{"id":`...), v.Opened.Signed.Ledger)
	b = strconv.AppendUint(append(b, `,"height":`...), v.Known.Height, 10) // number of the newest block
	b = appendHeartbeat(append(b, `,"heartbeat":`...), v.Known.Heartbeat)
	b = appendOr(append(b, `,"age":`...), optional(v.Age()), appendSeconds) // since that heartbeat
	b = appendSeconds(append(b, `,"maxAge":`...), v.MaxAge)                 // see the type
	return append(b, '}')
}

func appendHeartbeat(b []byte, h Heartbeat) []byte {
	if h.Sequence == 0 {
		return append(b, null...)
	}
	b = strconv.AppendUint(append(b, `{"sequence":`...), h.Sequence, 10)
	b = jsonappend.Time(append(b, `,"time":`...), h.Time)
	b = strconv.AppendUint(append(b, `,"block":`...), h.Block, 10)
	return append(b, '}')
}

func appendAnchor(b []byte, a *Anchor) []byte {
	b = jsonappend.Hash(append(b, `{"root":`...), a.Head.Root)
	b = strconv.AppendUint(append(b, `,"size":`...), uint64(a.Head.Size), 10)
	b = jsonappend.Time(append(b, `,"signedAt":`...), a.Head.SignedAt)
	b = jsonappend.Hash(append(b, `,"key":`...), a.KeyID)
	b = appendPosition(append(b, `,"position":`...), a.Position)
	b = appendOr(append(b, `,"transaction":`...), known(a.TransactionID), jsonappend.String)
	b = appendHeartbeat(append(b, `,"before":`...), a.Before) // the newest heartbeat before it
	b = appendHeartbeat(append(b, `,"after":`...), a.After)   // the first heartbeat after it
	return append(b, '}')
}

func appendPosition(b []byte, p Position) []byte {
	b = strconv.AppendUint(append(b, `{"block":`...), p.Block, 10)
	b = strconv.AppendUint(append(b, `,"index":`...), uint64(p.Index), 10)
	return append(b, '}')
}

func (v *Verdict) appendStatus(b []byte) []byte {
	b = jsonappend.String(append(b, `{"state":`...), v.findings[AxisStatus].Reason) // of package licence, or expired or not-yet-valid
	b = appendOr(append(b, `,"since":`...), optional(v.Since()), appendDate)
	b = strconv.AppendBool(append(b, `,"ofBatch":`...), v.OfBatch) // the change was of all licences under the root
	b = appendChange(append(b, `,"change":`...), v.Change)
	b = appendChange(append(b, `,"pending":`...), v.Pending)
	var successor *sm.Hash
	if v.Change != nil {
		successor = v.Change.Successor
	}
	b = appendOr(append(b, `,"successor":`...), successor, jsonappend.Hash)
	return append(b, '}')
}

func appendChange(b []byte, c *Change) []byte {
	if c == nil {
		return append(b, null...)
	}
	b = jsonappend.String(append(b, `{"state":`...), c.State)
	b = appendDate(append(b, `,"effective":`...), c.Effective)
	b = appendOr(append(b, `,"position":`...), known(c.Position), appendPosition)
	b = appendOr(append(b, `,"reason":`...), known(c.Reason), jsonappend.Hash) // commitment
	return append(b, '}')
}

func (v *Verdict) appendRestrictions(b []byte) []byte {
	b = append(b, '[')
	for i := range v.Known.Restrictions {
		if i > 0 {
			b = append(b, ',')
		}
		open := &v.Known.Restrictions[i]
		b = appendOr(append(b, `{"id":`...), known(open.ID), appendID)
		b = appendOr(append(b, `,"ground":`...), known(open.Ground), jsonappend.Hash) // commitment
		b = appendDate(append(b, `,"effective":`...), open.Effective)
		b = strconv.AppendBool(append(b, `,"inEffect":`...), open.Effective <= v.Day) // on the day
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendID(b []byte, id [16]byte) []byte {
	return append(hex.AppendEncode(append(b, '"'), id[:]), '"')
}

// appendTime does not refuse the years after 9999, as time.Time's own JSON form does.
func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339), '"')
}

func appendDate(b []byte, d licence.Date) []byte { return jsonappend.String(b, d.String()) }

func appendSeconds(b []byte, d time.Duration) []byte { return strconv.AppendInt(b, seconds(d), 10) }

// appendOr appends what is there, or null.
func appendOr[T any](b []byte, v *T, write func([]byte, T) []byte) []byte {
	if v == nil {
		return append(b, null...)
	}
	return write(b, *v)
}

// optional is nil for what is not known.
func optional[T any](v T, known bool) *T {
	if !known {
		return nil
	}
	return &v
}

// known is nil for the zero value, which stands for what the view does not keep.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
