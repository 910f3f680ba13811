package httpapi_test

import (
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// signedBy puts another signature under the head of a presentation.
func signedBy(tb testing.TB, l *verifiertest.Licence, key *sm.PrivateKey) *credential.Presentation {
	tb.Helper()
	p := *l.Show("location")
	o, err := p.Open(l.Type)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := statement.Sign(&o.Signed, key)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := statement.Parse(b)
	if err != nil {
		tb.Fatal(err)
	}
	p.Head.KeyID, p.Head.Signature = s.KeyID, s.Signature
	return &p
}

// For each axis, what somebody could try: none of it is taken for good, none of it is an error of the
// service, and all of it is recorded.
func TestMaliciousPresentations(t *testing.T) {
	s := httpapitest.New(t)
	s.Pass(48 * time.Hour)
	house, other := s.Issue("property", 2)[0], s.IssueDocument("property", 5, nil)
	disowned := s.IssueDocument("marriage", 0, nil)
	s.Compromise(ledgertest.Marriages, disowned)
	neverAnchored := s.City.City.IssueAt(t, "property", 1, s.Clock.Unix()-3600).Licences.Credential(0)
	superseded := s.Issue("property", 2)
	superseded[0].Supersede(superseded[1])
	pending := s.Issue("property", 1)[0]
	pending.SetStatusFrom(licence.Revoked, licence.DateOf(s.Clock.Now())+1)
	s.Pass(time.Hour) // what is not on the ledger by now is not on its way

	changed := *house.Show("location")
	changed.Fields = append([]credential.Field{}, changed.Fields...)
	changed.Fields[0].Value = other.Show("location").Fields[0].Value
	moved := *house.Show("location")
	moved.Index ^= 1
	redated := *house.Show("location")
	redated.Record.IssuedAt++

	nonce := nonceOf(t, s)
	thief := *house
	thief.Rebind("thief")
	stolen := *house.Prove(verifiertest.Host, nonce, "location")
	holder := *stolen.Holder
	holder.ProofSignature = [sm.SignatureSize]byte(signature(t, thief.Holder))
	stolen.Holder = &holder
	elsewhere := house.Prove("elsewhere.example", nonce, "location")
	old := house.Prove(verifiertest.Host, nonce, "location")

	for _, test := range []struct {
		name    string
		shown   []byte
		more    members
		outcome string
		axis    string
		reason  string
	}{
		{"content: another's value", changed.Bytes(), nil, "invalid", "issuer", "signature-invalid"},
		{"content: another place in the batch", moved.Bytes(), nil, "invalid", "issuer", "signature-invalid"},
		{"content: another day of issue", redated.Bytes(), nil, "invalid", "issuer", "signature-invalid"},
		{"content: a byte less", cut(house.Show("location").Bytes()), nil, "invalid", "content", "presentation-malformed"},
		{"issuer: signed by a stranger", signedBy(t, house, statementtest.Key("stranger")).Bytes(), nil, "invalid", "issuer", "key-unknown"},
		{"issuer: signed by another department", signedBy(t, house, s.Department(t, ledgertest.Businesses).Anchor).Bytes(), nil, "invalid", "issuer", "key-department"},
		{"issuer: signed with a key for something else", signedBy(t, house, s.Department(t, ledgertest.Properties).Status).Bytes(), nil, "invalid", "issuer", "key-purpose"},
		{"issuer: disowned", disowned.Show().Bytes(), nil, "invalid", "issuer", "anchor-disowned"},
		{"anchor: never anchored", neverAnchored.Bytes(), nil, "invalid", "anchor", "not-anchored"},
		{"anchor: signed anew", signedBy(t, house, s.Department(t, ledgertest.Properties).Anchor).Bytes(), nil, "invalid", "anchor", "anchor-differs"},
		{"status: superseded", superseded[0].Show().Bytes(), nil, "not-current", "status", "superseded"},
		{"status: as of the day after", pending.Show().Bytes(), members{"asOf": (licence.DateOf(s.Clock.Now()) + 1).String()}, "not-current", "status", "revoked"},
		{"holder: a thief's key", stolen.Bytes(), members{"nonce": hex.EncodeToString(nonce), "holderRequired": true}, "invalid", "holder", "proof-signature-invalid"},
		{"holder: meant for others", elsewhere.Bytes(), members{"nonce": "fresh", "holderRequired": true}, "invalid", "holder", "audience-mismatch"},
		{"holder: answers another challenge", old.Bytes(), members{"nonce": "fresh", "holderRequired": true}, "invalid", "holder", "nonce-mismatch"},
		{"holder: answers none", house.Prove(verifiertest.Host, nil, "location").Bytes(), members{"holderRequired": true}, "undetermined", "holder", "nonce-not-ours"},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := members{"credential": base64Of(test.shown)}
			for k, v := range test.more {
				if v == "fresh" {
					v = hex.EncodeToString(nonceOf(t, s))
				}
				body[k] = v
			}
			size := s.Log.Size()
			a := s.Post("/v1/verifications", body).Want(t, http.StatusOK)
			if a.Text("verdict.outcome") != test.outcome || a.Text("verdict.axes."+test.axis+".reason") != test.reason {
				t.Errorf("%s, %s, want %s, %s: %s", a.Text("verdict.outcome"), a.Text("verdict.axes."+test.axis+".reason"), test.outcome, test.reason, a.Body)
			}
			if fields := fieldKeys(a, "verdict.fields"); test.outcome == "invalid" && (fields != nil || len(receiptOf(t, a, "receipt").Entry.Fields) > 0) {
				t.Errorf("fields of what is invalid: %v", fields)
			}
			if s.Log.Size() != size+1 {
				t.Error("it is not recorded")
			}
		})
	}

	// Freshness: a peer that holds the newest blocks back makes nothing look valid for long.
	s.Disconnect()
	house.SetStatus(licence.Revoked)
	s.Clock.Advance(house.Type.MaxStatusAge + time.Minute)
	if a := s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK); a.Text("verdict.outcome") != "undetermined" {
		t.Errorf("%s", a.Body)
	}
}

// signature is one of a key over something.
func signature(tb testing.TB, key *sm.PrivateKey) []byte {
	tb.Helper()
	b, err := key.Sign([]byte("something"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// cut leaves the last byte out.
func cut(b []byte) []byte { return b[:len(b)-1] }
