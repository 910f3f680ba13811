package policy_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/granttest"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// The whole way: the holder gives a grant for one use, the agency asks, the issuer decides, seals and signs,
// the agency checks what came, and both have the evidence. Then it is tried again: used up, by another
// agency, after the withdrawal.
func TestReleaseUnderAGrant(t *testing.T) {
	v := granttest.NewView()
	credentialOf := credentialtest.Batch(t, "marriage", 2).Credential(0)
	licence := credentialtest.Open(t, credentialOf).Digest
	binding := granttest.Binding(t, func(b *statement.Binding) { b.Digest = licence })
	signedGrant := granttest.Grant(t, func(g *statement.Grant) {
		g.Licence, g.Evidence, g.Uses = licence, granttest.Digest(t, binding), 1
	})

	// The issuer takes the grant, and the ledger has it.
	g, err := grant.ReadGrant(signedGrant, binding, v)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.MayBeGiven(v, now); err != nil {
		t.Fatal(err)
	}
	v.Record(g.Digest, statement.ConsentGive)

	// The agency asks, and the issuer decides.
	signedRequest := granttest.Request(t, func(r *statement.Request) { r.Licence, r.Grant = &licence, &g.Digest })
	r, err := grant.ReadRequest(signedRequest, v)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Current(now + 1); err != nil {
		t.Fatal(err)
	}
	published, err := policy.Read(publish(t, 3, read(t), statementtest.Authority), statementtest.Authority, v)
	if err != nil {
		t.Fatal(err)
	}
	noBases := &policy.Published{Policy: parse(t, head), Digest: published.Digest}
	d := policy.Decide(r, g.Hold(v, 0), noBases.Policy, now+1)
	if d.Outcome != policy.MustAnswer || !d.Grant {
		t.Fatalf("%+v", d)
	}

	// The issuer releases what was decided.
	shown := credentialtest.Disclose(t, credentialOf, d.Fields...).Bytes()
	recipient, err := sm.NewPublicKey(r.Recipient[:])
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := envelope.Seal(recipient, "application/octet-stream", shown)
	if err != nil {
		t.Fatal(err)
	}
	body := d.Answer(r, noBases, now+1)
	hash := sm.Sum(shown)
	body.Use, body.Presentation = 1, &hash
	signedAnswer := statementtest.Sign(t, body, statementtest.Issuer)

	// The agency checks what came; nobody else can open it.
	parsed, err := envelope.Parse(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.Open(statementtest.Key("tax-bureau")); envelope.Code(err) != envelope.CodeOtherKey {
		t.Errorf("another agency opens it: %v", err)
	}
	opened, err := parsed.Open(statementtest.Key(statementtest.Agency))
	if err != nil {
		t.Fatal(err)
	}
	evidence := &grant.Evidence{Request: signedRequest, Answer: signedAnswer, Grant: signedGrant, Binding: binding, Presentation: opened}
	report, err := evidence.Check(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Answer.Released(credentialtest.Open(t, credentialtest.Disclose(t, credentialOf, d.Fields...))); err != nil {
		t.Error(err)
	}

	// Once more.
	again := func(name, agency string, used uint32, want string) {
		t.Helper()
		b := *r.Request
		b.Agency, b.Nonce = agency, [16]byte{9}
		asked, err := grant.ReadRequest(statementtest.Sign(t, &b, agency), v)
		if err != nil {
			t.Fatal(err)
		}
		if d := policy.Decide(asked, g.Hold(v, used), noBases.Policy, now+2); d.Outcome != policy.NeedsGrant || d.Code != want || len(d.Fields) > 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	v.Enrol("tax-bureau", statement.PurposeConsent)
	again("used up", statementtest.Agency, 1, grant.CodeUsedUp)
	again("by another agency", "tax-bureau", 0, grant.CodeOtherAgency)
	w, err := grant.ReadWithdrawal(granttest.Withdrawal(t, g.Digest, nil), nil, g, v)
	if err != nil {
		t.Fatal(err)
	}
	v.Record(w.Grant, statement.ConsentWithdraw)
	again("withdrawn", statementtest.Agency, 0, grant.CodeWithdrawn)
	if err := g.MayBeGiven(v, now+2); grant.Code(err) != grant.CodeWithdrawn {
		t.Errorf("given again: %v", err)
	}
	if report, err := evidence.Check(v); err != nil || !report.Withdrawn {
		t.Errorf("the evidence after the withdrawal: %v", err)
	}

	// What the law gives does not need it.
	if d := policy.Decide(r, nil, published.Policy, now+2); d.Outcome != policy.MustAnswer || d.Code != policy.CodeBasis || d.Grant {
		t.Errorf("by law: %+v", d)
	}
}
