// Package granttest has a ledger's keys and a grant with all that goes with it, for tests: the holder lets
// the agency have two fields of a marriage certificate, twice.
package granttest

import (
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// Time is when everything is signed, in seconds.
const Time = statementtest.Time

// A View is a grant.View that tests change.
type View struct {
	ID       sm.Hash
	Keys     map[sm.Hash]*grant.Key
	Consents map[string]string // by DEPARTMENT/DIGEST
}

// NewView returns a view of the ledger of package statementtest: issuer, agency and authority with a key
// each, labelled as they are named, for all that they need one for. No grant is on it.
func NewView() *View {
	v := &View{ID: statementtest.Ledger(), Keys: map[sm.Hash]*grant.Key{}, Consents: map[string]string{}}
	v.Enrol(statementtest.Issuer, statement.PurposeAnchor|statement.PurposeConsent)
	v.Enrol(statementtest.Agency, statement.PurposeConsent)
	v.Enrol(statementtest.Authority, statement.PurposeGovern)
	return v
}

// Enrol enrols the key of a label for the department of the same name.
func (v *View) Enrol(label string, purposes statement.Purposes) {
	public := statementtest.Key(label).Public()
	v.Keys[public.ID()] = &grant.Key{Department: label, Public: public, Purposes: purposes, State: grant.KeyActive}
}

// KeyOf returns the key of a label, to be changed.
func (v *View) KeyOf(label string) *grant.Key { return v.Keys[statementtest.Key(label).Public().ID()] }

// Record puts a consent of the issuer on the ledger.
func (v *View) Record(digest sm.Hash, action string) {
	v.Consents[statementtest.Issuer+"/"+digest.String()] = action
}

// Ledger implements grant.View.
func (v *View) Ledger() sm.Hash { return v.ID }

// Key implements grant.View.
func (v *View) Key(kid sm.Hash) *grant.Key { return v.Keys[kid] }

// Consent implements grant.View.
func (v *View) Consent(department string, digest sm.Hash) string {
	return v.Consents[department+"/"+digest.String()]
}

// Digest returns SM3 of the payload of a signed statement.
func Digest(t testing.TB, signed []byte) sm.Hash {
	t.Helper()
	s, err := statement.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	return sm.Sum(s.Payload)
}

// body returns the sample of a kind, with a change.
func body[B statement.Body](change func(B)) B {
	for _, b := range statementtest.Bodies() {
		if b, ok := b.(B); ok {
			if change != nil {
				change(b)
			}
			return b
		}
	}
	panic("no sample of this kind")
}

// Binding returns the signed binding of the holder's key to the licence.
func Binding(t testing.TB, change func(*statement.Binding)) []byte {
	t.Helper()
	return statementtest.Sign(t, body(change), statementtest.Issuer)
}

// Grant returns a grant, signed by the holder with the key of Binding.
func Grant(t testing.TB, change func(*statement.Grant)) []byte {
	t.Helper()
	g := body[*statement.Grant](nil)
	g.Evidence = Digest(t, Binding(t, nil))
	if change != nil {
		change(g)
	}
	label := statementtest.Holder
	if g.Means != statement.MeansKey {
		label = statementtest.Issuer
	}
	return statementtest.Sign(t, g, label)
}

// Withdrawal returns the withdrawal of a grant, signed by the issuer on the holder's behalf.
func Withdrawal(t testing.TB, of sm.Hash, change func(*statement.Withdrawal)) []byte {
	t.Helper()
	w := body(change)
	w.Grant = of
	return statementtest.Sign(t, w, statementtest.Issuer)
}

// Request returns a request for both fields of Grant, under that.
func Request(t testing.TB, change func(*statement.Request)) []byte {
	t.Helper()
	r := body[*statement.Request](nil)
	digest := Digest(t, Grant(t, nil))
	r.Grant, r.Fields = &digest, []string{"spouse1Name", "spouse2Id"}
	if change != nil {
		change(r)
	}
	return statementtest.Sign(t, r, statementtest.Agency)
}

// Answer returns the answer that releases all that Request asks for, under Grant.
func Answer(t testing.TB, request []byte, change func(*statement.Answer)) []byte {
	t.Helper()
	a := body[*statement.Answer](nil)
	r, _, err := statement.ParseAs[*statement.Request](request)
	if err != nil {
		t.Fatal(err)
	}
	a.Request, a.Reason, a.Basis, a.Grant, a.Fields = Digest(t, request), "grant", nil, r.Grant, r.Fields
	if change != nil {
		change(a)
	}
	return statementtest.Sign(t, a, statementtest.Issuer)
}
