package verify_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// An object is a JSON object whose members stand in an order. Numbers, texts and what implements
// json.Marshaler are as encoding/json has them: it is what AppendJSON is held against.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, _ := json.Marshal(m.name)
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// encodeVerdict is the JSON form of a verdict by way of encoding/json.
func encodeVerdict(t testing.TB, v *verify.Verdict) []byte {
	t.Helper()
	axes := object{}
	for a := verify.AxisContent; a <= verify.AxisFreshness; a++ {
		f := v.Finding(a)
		axes = append(axes, member{a.String(), object{{"result", f.Result}, {"reason", f.Reason}, {"text", f.Reason.Text()}}})
	}
	var described, fields, ledger, anchor, status, restrictions any = nil, []any{}, nil, nil, nil, []any{}
	if v.Opened != nil {
		described, fields, ledger = licenceObject(v), fieldObjects(v), ledgerObject(v)
		if v.Finding(verify.AxisAnchor).Result == verify.Pass {
			anchor, status, restrictions = anchorObject(&v.Known.Anchor), statusObject(v), restrictionObjects(v)
		}
	}
	out := object{
		{"outcome", v.Outcome}, {"text", v.Text()}, {"note", unless(v.Note())}, {"checkedAt", stamp(v.Now)},
		{"day", v.Day.String()}, {"axes", axes}, {"licence", described}, {"fields", fields}, {"ledger", ledger},
		{"anchor", anchor}, {"status", status}, {"restrictions", restrictions},
	}
	if v.Problem != "" {
		out = append(out, member{"problem", v.Problem})
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func licenceObject(v *verify.Verdict) object {
	r := &v.Opened.Record
	var issuerName any
	if v.Issuer != nil {
		issuerName = licence.Text{Zh: v.Issuer.Profile.NameZh, En: v.Issuer.Profile.NameEn}
	}
	date := func(d *licence.Date) any {
		if d == nil {
			return nil
		}
		return d.String()
	}
	return object{
		{"digest", v.Opened.Digest}, {"type", r.Type}, {"typeVersion", r.TypeVersion}, {"typeName", v.Opened.Type.Name},
		{"issuer", r.Issuer}, {"issuerName", issuerName}, {"unit", v.Opened.Signed.Unit}, {"issuedAt", seconds(r.IssuedAt)},
		{"validFrom", date(r.ValidFrom)}, {"validUntil", date(r.ValidUntil)}, {"predecessor", r.Predecessor},
	}
}

func fieldObjects(v *verify.Verdict) []object {
	out := []object{}
	if v.Outcome == verify.Invalid {
		return out
	}
	for _, f := range v.Fields() {
		var value any
		switch {
		case f.Value.IsText():
			value = f.Value.String()
		case f.Value.IsList():
			value = f.Value.Strings()
		}
		out = append(out, object{{"key", f.Key}, {"label", f.Label}, {"classification", f.Classification}, {"value", value}, {"masked", f.Masked}})
	}
	return out
}

func ledgerObject(v *verify.Verdict) object {
	var age any
	if d, known := v.Age(); known {
		age = int64(d / time.Second)
	}
	return object{
		{"id", v.Opened.Signed.Ledger}, {"height", v.Known.Height}, {"heartbeat", heartbeatObject(v.Known.Heartbeat)},
		{"age", age}, {"maxAge", int64(v.MaxAge / time.Second)},
	}
}

func heartbeatObject(h verify.Heartbeat) any {
	if h.Sequence == 0 {
		return nil
	}
	return object{{"sequence", h.Sequence}, {"time", seconds(h.Time)}, {"block", h.Block}}
}

func anchorObject(a *verify.Anchor) object {
	return object{
		{"root", a.Head.Root}, {"size", a.Head.Size}, {"signedAt", seconds(a.Head.SignedAt)}, {"key", a.KeyID}, {"position", a.Position},
		{"transaction", unless(a.TransactionID)}, {"before", heartbeatObject(a.Before)}, {"after", heartbeatObject(a.After)},
	}
}

func statusObject(v *verify.Verdict) object {
	var since any
	if day, known := v.Since(); known {
		since = day.String()
	}
	var successor *sm.Hash
	if v.Change != nil {
		successor = v.Change.Successor
	}
	return object{
		{"state", v.Finding(verify.AxisStatus).Reason}, {"since", since}, {"ofBatch", v.OfBatch},
		{"change", changeObject(v.Change)}, {"pending", changeObject(v.Pending)}, {"successor", successor},
	}
}

func changeObject(c *verify.Change) any {
	if c == nil {
		return nil
	}
	return object{{"state", c.State}, {"effective", c.Effective.String()}, {"position", unless(c.Position)}, {"reason", unless(c.Reason)}}
}

func restrictionObjects(v *verify.Verdict) []object {
	out := []object{}
	for _, open := range v.Known.Restrictions {
		var id any
		if open.ID != ([16]byte{}) {
			id = hex.EncodeToString(open.ID[:])
		}
		out = append(out, object{{"id", id}, {"ground", unless(open.Ground)}, {"effective", open.Effective.String()}, {"inEffect", open.Effective <= v.Day}})
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func seconds(s uint64) string { return stamp(time.Unix(int64(s), 0)) }

// unless is nil for the zero value.
func unless[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// wantJSON wants the JSON form of a verdict to be that of encoding/json, behind what stood there.
func wantJSON(t testing.TB, v *verify.Verdict) {
	t.Helper()
	want := append([]byte("front"), encodeVerdict(t, v)...)
	if got := v.AppendJSON([]byte("front")); !bytes.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzJSON: whatever texts, times and numbers a verdict has, its JSON form is that of encoding/json.
func FuzzJSON(f *testing.F) {
	c := newCity(f, 3, func(r *credential.Record) { r.ValidFrom, r.ValidUntil = dayp("2026-01-01"), dayp("2030-12-31") })
	p := c.two(f, 1)
	for _, s := range []string{"", "plain", `"<&>\`, "甲\u2028乙\x00", "\xff"} {
		f.Add(s, uint64(0), int32(0), uint8(0))
		f.Add(s, uint64(1<<40), int32(20_000), uint8(0xff))
	}
	f.Fuzz(func(t *testing.T, s string, n uint64, day int32, which uint8) {
		v := c.check(p)
		opened, typ, fields := *v.Opened, *v.Opened.Type, append([]credential.Field{}, v.Opened.Fields...)
		shown := *opened.Presentation
		opened.Presentation, opened.Type, shown.Fields = &shown, &typ, fields
		v.Opened, v.Presentation = &opened, &shown
		h := sm.Sum([]byte(s))
		typ.Name = licence.Text{Zh: s, En: s + s}
		fields[0].Value = licence.TextValue(s)
		fields[1].Value = licence.ListValue(s, "", s)
		v.Issuer = &verify.Department{}
		v.Issuer.Profile.NameZh = s
		opened.Signed.Unit, shown.Record.IssuedAt = s, n
		v.Known.Height, v.Known.Heartbeat.Time, v.Known.Anchor.Head.SignedAt = n, n/2, n
		v.Known.Anchor.TransactionID = s
		v.Problem, v.Day, v.MaxAge = s, licence.Date(day), time.Duration(n)
		v.Known.Restrictions = []verify.Restriction{{}, {ID: [16]byte(h[:16]), Ground: h, Effective: licence.Date(day)}}
		if which&1 != 0 {
			v.Change = &verify.Change{State: licence.State(s), Effective: licence.Date(day), Reason: h, Successor: &h}
		}
		if which&2 != 0 {
			v.Pending = &verify.Change{Position: verify.Position{Block: n, Index: uint32(n)}}
		}
		if which&4 != 0 {
			v.Known.Heartbeat, v.Known.Anchor.After = verify.Heartbeat{}, verify.Heartbeat{}
		}
		if which&8 != 0 {
			shown.Record.ValidFrom, shown.Record.ValidUntil, shown.Record.Predecessor = nil, nil, &h
		}
		if which&16 != 0 {
			v.Outcome = verify.Outcome(s)
		}
		if which&32 != 0 {
			v.Issuer, fields[1].Value = nil, licence.Null
		}
		v.OfBatch = which&64 != 0
		if which&128 != 0 {
			v.Withhold(func(key string) bool { return len(key)%2 == 0 })
		}
		wantJSON(t, &v)
	})
}
