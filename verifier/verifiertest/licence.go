package verifiertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// Host is the host in the codes of the city.
const Host = "verify.example"

// A Licence is one that was issued and anchored.
type Licence struct {
	Type       *licence.Type
	Digest     sm.Hash
	Credential *credential.Presentation // what the holder keeps
	Batch      *ledgertest.Batch        // it was anchored in, with the issuing department
	Index      int                      // in Batch
	Holder     *sm.PrivateKey           // the key that Bind binds

	city        *City
	binding     []byte // the signed binding of Holder; nil before Bind
	status      *statement.Status
	restriction *statement.Restriction // the newest
}

// Issue issues n licences of a type, the samples over and over, and anchors them in one batch.
func (c *City) Issue(typ string, n int) []*Licence {
	c.tb.Helper()
	docs := make([]*licence.Document, n)
	for i := range docs {
		docs[i] = c.Document(typ, i, nil)
	}
	return c.IssueDocuments(docs...)
}

// IssueDocument issues and anchors one licence: sample i of a type with changes, as in Document.
func (c *City) IssueDocument(typ string, i int, changes map[string]any) *Licence {
	c.tb.Helper()
	return c.IssueDocuments(c.Document(typ, i, changes))[0]
}

// IssueDocuments issues licences of one type and anchors them in one batch.
func (c *City) IssueDocuments(docs ...*licence.Document) []*Licence {
	c.tb.Helper()
	b := c.City.IssueDocuments(c.tb, docs, c.Clock.Unix())
	c.Submit(b.Issuer, b.Tx)
	out := make([]*Licence, len(docs))
	for i := range out {
		out[i] = &Licence{
			Type: docs[i].Type(), Digest: b.Digests[i], Credential: b.Licences.Credential(i), Batch: b, Index: i,
			Holder: statementtest.Key("holder of " + b.Digests[i].String()), city: c,
		}
	}
	return out
}

// Document returns sample i of a type, the samples being taken over and over, with some of its
// members, named by key or alias, replaced: by texts, lists of texts, or nil, which leaves them out.
func (c *City) Document(typ string, i int, changes map[string]any) *licence.Document {
	c.tb.Helper()
	t := c.Type(c.tb, typ)
	members := map[string]any{}
	if base, ok := moreSamples[typ]; ok {
		maps.Copy(members, base)
	} else {
		samples := c.Documents(c.tb, typ)
		if err := json.Unmarshal(samples[i%len(samples)].Canonical(), &members); err != nil {
			c.tb.Fatal(err)
		}
	}
	for key, value := range changes {
		if value == nil {
			delete(members, key)
		} else {
			members[key] = value
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		c.tb.Fatal(err)
	}
	return read(c.tb, t, text)
}

func read(tb testing.TB, t *licence.Type, text []byte) *licence.Document {
	tb.Helper()
	r, err := licence.NewReader(bytes.NewReader(text), t)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := r.Next()
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// moreSamples has the one sample of each type that sdk/licence/samples does not have.
var moreSamples = map[string]map[string]any{
	"divorce": {
		"certificateNumber": "L990101-2019-000007", "holder": "司马一", "registrationDate": "2019-11-08",
		"registrationAuthority": "示范市民政局婚姻登记处",
		"formerSpouse1Name":     "司马一", "formerSpouse1Id": "990101196802291232",
		"formerSpouse2Name": "阿依古丽·静", "formerSpouse2Id": "990101197011094042",
	},
	"no-record": {
		"statementNumber": "WH990101-2026-0000031", "subjectName": "欧阳静", "subjectId": "990101197011094042",
		"searchedFrom": "1990-11-09", "searchedUntil": "2026-11-02", "recordsFound": "0",
		"finding":          "在上述期间内未查到该当事人的婚姻登记记录。",
		"issuingAuthority": "示范市民政局婚姻登记处", "issueDate": "2026-11-02",
	},
}

// Keys returns the keys of the licence's fields that have a value.
func (l *Licence) Keys() []string {
	var keys []string
	for _, f := range l.Credential.Fields {
		if !f.Value.IsNull() {
			keys = append(keys, l.Type.Leaves()[f.Index])
		}
	}
	return keys
}

// Show returns a presentation of some fields, without a holder's proof; of its number without keys.
func (l *Licence) Show(keys ...string) *credential.Presentation {
	l.city.tb.Helper()
	if len(keys) == 0 {
		keys = []string{l.Type.NumberField().Key}
	}
	p, err := credential.Disclose(l.Credential, l.Type, keys...)
	if err != nil {
		l.city.tb.Fatal(err)
	}
	return p
}

// Code returns the self-contained code of a presentation of some fields, as Show makes it.
func (l *Licence) Code(keys ...string) string {
	l.city.tb.Helper()
	return Code(l.city.tb, l.Show(keys...))
}

// Code returns the self-contained code of a presentation.
func Code(tb testing.TB, p *credential.Presentation) string {
	tb.Helper()
	text, err := credential.EncodeCode(Host, p)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// Bind returns the issuer's signed binding of the key Holder to the licence, good for thirty days
// from now; made by the first call.
func (l *Licence) Bind() []byte {
	l.city.tb.Helper()
	if l.binding != nil {
		return l.binding
	}
	now := l.city.Clock.Unix()
	body := &statement.Binding{
		Ledger: l.city.ID, Issuer: l.Batch.Issuer, Digest: l.Digest, HolderKey: [64]byte(l.Holder.Public().Bytes()),
		NotBefore: now, NotAfter: now + 30*24*3600,
	}
	var err error
	if l.binding, err = statement.Sign(body, l.Batch.Department.Anchor); err != nil {
		l.city.tb.Fatal(err)
	}
	return l.binding
}

// Rebind lets another holder's key, named by a label, be bound by the next Bind or Prove.
func (l *Licence) Rebind(label string) {
	l.Holder, l.binding = statementtest.Key(label), nil
}

// Prove returns a presentation of some fields, as Show makes it, that a holder proves to make, now
// and for five minutes, for an audience and a nonce.
func (l *Licence) Prove(audience string, nonce []byte, keys ...string) *credential.Presentation {
	l.city.tb.Helper()
	o, err := l.Show(keys...).Open(l.Type)
	if err != nil {
		l.city.tb.Fatal(err)
	}
	now := l.city.Clock.Now()
	proof := statement.Proof{
		Audience: audience, Nonce: nonce, IssuedAt: uint64(now.Unix()), NotAfter: uint64(now.Add(5 * time.Minute).Unix()),
	}
	p, err := credential.Prove(o, l.Bind(), proof, l.Holder)
	if err != nil {
		l.city.tb.Fatal(err)
	}
	return p
}
