package statement_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

func grant(name string, f func(*statement.Grant)) change           { return changed(name, f) }
func withdrawal(name string, f func(*statement.Withdrawal)) change { return changed(name, f) }
func request(name string, f func(*statement.Request)) change       { return changed(name, f) }
func answer(name string, f func(*statement.Answer)) change         { return changed(name, f) }
func policy(name string, f func(*statement.Policy)) change         { return changed(name, f) }

// refuse makes an answer a refusal.
func refuse(a *statement.Answer) {
	a.Outcome, a.Basis, a.Grant, a.Use, a.Fields, a.Presentation = statement.AnswerRefused, nil, nil, 0, nil, nil
}

// manyKeys returns n keys in ascending order, of the greatest length.
func manyKeys(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("a%063d", i)
	}
	return out
}

var grantsOutOfBounds = []change{
	grant("issuer empty", func(g *statement.Grant) { g.Issuer = "" }),
	grant("type in capitals", func(g *statement.Grant) { g.Type = "Marriage" }),
	grant("agency empty", func(g *statement.Grant) { g.Agency = "" }),
	grant("matter of 33 characters", func(g *statement.Grant) { g.Matter = strings.Repeat("a", 33) }),
	grant("no field", func(g *statement.Grant) { g.Fields = nil }),
	grant("field empty", func(g *statement.Grant) { g.Fields = []string{""} }),
	grant("field begins with a digit", func(g *statement.Grant) { g.Fields = []string{"1a"} }),
	grant("field with a hyphen", func(g *statement.Grant) { g.Fields = []string{"a-b"} }),
	grant("field of 65 letters", func(g *statement.Grant) { g.Fields = []string{strings.Repeat("a", 65)} }),
	grant("fields not in order", func(g *statement.Grant) { slices.Reverse(g.Fields) }),
	grant("a field twice", func(g *statement.Grant) { g.Fields = []string{"a", "a"} }),
	grant("203 fields", func(g *statement.Grant) { g.Fields = manyKeys(203) }),
	grant("for no use", func(g *statement.Grant) { g.Uses = 0 }),
	grant("for 1001 uses", func(g *statement.Grant) { g.Uses = 1001 }),
	grant("not-before too late", func(g *statement.Grant) { g.NotBefore, g.NotAfter = tooLate, tooLate }),
	grant("not-after before not-before", func(g *statement.Grant) { g.NotAfter = g.NotBefore - 1 }),
	grant("longer than 400 days", func(g *statement.Grant) { g.NotAfter = g.NotBefore + statement.MaxGrant + 1 }),
	grant("means unknown", func(g *statement.Grant) { g.Means = "telephone" }),
	grant("too late", func(g *statement.Grant) { g.SignedAt = tooLate }),

	withdrawal("issuer empty", func(w *statement.Withdrawal) { w.Issuer = "" }),
	withdrawal("means empty", func(w *statement.Withdrawal) { w.Means = "" }),
	withdrawal("too late", func(w *statement.Withdrawal) { w.SignedAt = tooLate }),

	request("agency empty", func(r *statement.Request) { r.Agency = "" }),
	request("issuer empty", func(r *statement.Request) { r.Issuer = "" }),
	request("type empty", func(r *statement.Request) { r.Type = "" }),
	request("no licence", func(r *statement.Request) { r.Licence, r.Grant = nil, nil }),
	request("licence named twice", func(r *statement.Request) { r.Subject = new(sm.Hash) }),
	request("under a grant, but no digest", func(r *statement.Request) { r.Licence, r.Subject = nil, new(sm.Hash) }),
	request("matter empty", func(r *statement.Request) { r.Matter = "" }),
	request("case of 201 bytes", func(r *statement.Request) { r.Case = strings.Repeat("a", 201) }),
	request("case with a line end", func(r *statement.Request) { r.Case = "a\n" }),
	request("no field", func(r *statement.Request) { r.Fields = nil }),
	request("recipient off the curve", func(r *statement.Request) { r.Recipient = offCurve }),
	request("signed too late", func(r *statement.Request) { r.SignedAt, r.NotAfter = tooLate, tooLate }),
	request("not-after before signed-at", func(r *statement.Request) { r.NotAfter = r.SignedAt - 1 }),
	request("longer than 30 days", func(r *statement.Request) { r.NotAfter = r.SignedAt + statement.MaxRequest + 1 }),

	answer("issuer empty", func(a *statement.Answer) { a.Issuer = "" }),
	answer("outcome unknown", func(a *statement.Answer) { a.Outcome = "silence" }),
	answer("reason empty", func(a *statement.Answer) { a.Reason = "" }),
	answer("basis in capitals", func(a *statement.Answer) { a.Basis = []string{"A"} }),
	answer("bases not in order", func(a *statement.Answer) { a.Basis = []string{"b", "a"} }),
	answer("17 bases", func(a *statement.Answer) { a.Basis = strings.Split("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", ",") }),
	answer("a use of no grant", func(a *statement.Answer) { a.Grant = nil }),
	answer("a grant that is not used", func(a *statement.Answer) { a.Use = 0 }),
	answer("use 1001", func(a *statement.Answer) { a.Use = 1001 }),
	answer("released under nothing", func(a *statement.Answer) { a.Basis, a.Grant, a.Use = nil, nil, 0 }),
	answer("released, but no field", func(a *statement.Answer) { a.Fields = nil }),
	answer("released, but no presentation", func(a *statement.Answer) { a.Presentation = nil }),
	answer("refused with fields", func(a *statement.Answer) { f := a.Fields; refuse(a); a.Fields = f }),
	answer("refused with a presentation", func(a *statement.Answer) { p := a.Presentation; refuse(a); a.Presentation = p }),
	answer("refused under a basis", func(a *statement.Answer) { b := a.Basis; refuse(a); a.Basis = b }),
	answer("refused under a grant", func(a *statement.Answer) { g := a.Grant; refuse(a); a.Grant, a.Use = g, 1 }),
	answer("too late", func(a *statement.Answer) { a.SignedAt = tooLate }),

	policy("version 0", func(p *statement.Policy) { p.Version = 0 }),
	policy("definition empty", func(p *statement.Policy) { p.Definition = nil }),
	policy("definition too long", func(p *statement.Policy) { p.Definition = make([]byte, statement.MaxDefinition+1) }),
	policy("too late", func(p *statement.Policy) { p.SignedAt = tooLate }),
}

func TestRefusesGrantsOutOfBounds(t *testing.T) {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty
	mode, err := options.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range grantsOutOfBounds {
		body := c.make()
		if _, err := statement.Encode(body); code(err) != statement.CodeInvalid {
			t.Errorf("%s, %s: Encode: got %v, want %s", body.Kind(), c.name, err, statement.CodeInvalid)
		}
		payload, err := mode.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := statement.Decode(body.Kind(), payload); code(err) != statement.CodeInvalid {
			t.Errorf("%s, %s: Decode: got %v, want %s", body.Kind(), c.name, err, statement.CodeInvalid)
		}
	}
}

func TestAcceptsGrantsAtTheBounds(t *testing.T) {
	const last = tooLate - 1
	for _, c := range []change{
		grant("400 days, 1000 uses, 202 fields", func(g *statement.Grant) {
			g.NotAfter, g.Uses, g.Fields = g.NotBefore+statement.MaxGrant, statement.MaxUses, manyKeys(202)
		}),
		grant("for a second", func(g *statement.Grant) { g.NotBefore, g.NotAfter, g.SignedAt = last, last, last }),
		grant("by a delegate", func(g *statement.Grant) { g.Means = statement.MeansDelegate }),
		withdrawal("on the platform", func(w *statement.Withdrawal) { w.Means = statement.MeansPlatform }),
		request("by law, of a licence that it describes", func(r *statement.Request) {
			r.Licence, r.Subject, r.Grant, r.Case = nil, new(sm.Hash), nil, ""
		}),
		request("30 days", func(r *statement.Request) { r.NotAfter = r.SignedAt + statement.MaxRequest }),
		answer("refused", refuse),
		answer("released by law alone", func(a *statement.Answer) { a.Grant, a.Use = nil, 0 }),
		answer("released under a grant alone", func(a *statement.Answer) { a.Basis, a.Use = nil, statement.MaxUses }),
		policy("the longest definition", func(p *statement.Policy) { p.Definition, p.Version = make([]byte, statement.MaxDefinition), 1<<31-1 }),
	} {
		body := c.make()
		signed := statementtest.Sign(t, body, statementtest.Signer(body.Kind()))
		s, err := statement.Parse(signed)
		if err != nil {
			t.Errorf("%s, %s: %v", body.Kind(), c.name, err)
		} else if !bytes.Equal(s.Bytes(), signed) {
			t.Errorf("%s, %s: formats as other bytes", body.Kind(), c.name)
		}
	}
}
