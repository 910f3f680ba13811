package release_test

import (
	"context"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func init() {
	cases["policies"] = testPolicies
	cases["keys"] = testKeys
}

func testPolicies(t *testing.T, o *office) {
	l := o.issue(1)
	_, err := o.desk.Policy(t.Context())
	hasCode(t, err, release.CodePolicyMissing)
	forged, err := statement.Sign(&statement.Policy{Ledger: o.city.ID, Version: 1, Definition: []byte("version: 1\nfrom: 2026-11-01\nanswerWithin: 1\n"), SignedAt: o.seconds()}, o.issuing.Govern)
	o.must(err)
	hasCode(t, o.desk.SetPolicy(t.Context(), forged), grant.CodeKeyDepartment)
	second := o.policy(2, two, nil)
	o.must(o.desk.SetPolicy(t.Context(), second))
	o.must(o.desk.SetPolicy(t.Context(), second))
	hasCode(t, o.desk.SetPolicy(t.Context(), o.policy(1, nil, nil)), release.CodePolicyOlder)
	hasCode(t, o.desk.SetPolicy(t.Context(), o.policy(2, nil, nil)), release.CodePolicyDiffers)
	o.released(used(o, l, nil))

	// A version that begins later does not count before; another process learns of it from the vault.
	another := o.newDesk(o.config)
	o.must(another.SetPolicy(t.Context(), o.publish(3, "version: 3\nfrom: 2026-11-09\nanswerWithin: 300\n")))
	o.released(used(o, l, nil))
	o.pass(48 * time.Hour)
	o.refused(o.ask(l, nil, nil), policy.CodeNoBasis)
	if p, err := o.desk.Policy(t.Context()); err != nil || p.Version != 3 {
		t.Errorf("version %d, %v", p.Version, err)
	}
	hasCode(t, o.desk.SetPolicy(t.Context(), second), release.CodePolicyOlder)
	o.reopen()
	o.refused(o.ask(l, nil, nil), policy.CodeNoBasis)

	// With a key that was declared compromised the authority has published nothing; a new version is signed with another one.
	authority := o.city.Authority
	fresh, err := sm.GenerateKey(nil)
	o.must(err)
	o.submit(authority.ID, o.city.Enrolment(authority.ID, fresh, statement.PurposeGovern), authority.Govern, fresh)
	o.submit(authority.ID, o.city.EndKey(authority.ID, authority.Govern, statement.KeyCompromise), fresh)
	for range 2 {
		_, err = o.desk.Answer(t.Context(), o.ask(l, nil, nil).signed, nil)
		hasCode(t, err, release.CodePolicyMissing)
		hasCode(t, o.desk.SetPolicy(t.Context(), second), grant.CodeKeyCompromised)
		o.reopen()
	}
	authority.Govern = fresh
	hasCode(t, o.desk.SetPolicy(t.Context(), o.policy(3, two, nil)), release.CodePolicyDiffers)
	o.must(o.desk.SetPolicy(t.Context(), o.policy(4, two, nil)))
	o.released(used(o, l, nil))
}

// testKeys rotates the department's key for consent, and has the one behind a grant declared compromised.
func testKeys(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 9)
	fresh, err := sm.GenerateKey(nil)
	o.must(err)
	old := o.issuing.Consent
	var asked int
	c := o.config
	c.Signers = func(_ context.Context, _ statement.Purposes, refused bool) ([]sm.Signer, error) {
		if !refused {
			return []sm.Signer{old}, nil
		}
		asked++
		return []sm.Signer{old, fresh}, nil
	}
	o.desk = o.newDesk(c)
	o.submit(o.issuing.ID, o.city.Enrolment(o.issuing.ID, fresh, statement.PurposeConsent), o.issuing.Govern, fresh)
	o.submit(o.issuing.ID, o.city.EndKey(o.issuing.ID, old, statement.KeyRetire), o.issuing.Govern)
	o.released(used(o, l, g)) // what was signed with it speaks on
	if second := o.give(l, 1); second.State != vault.GrantGiven || asked == 0 {
		t.Errorf("given with the new key: %+v", second)
	}
	if back, err := o.desk.Withdraw(t.Context(), clerk, o.give(l, 1).Digest, counter); err != nil || !back.Settled {
		t.Errorf("withdrawn with the new key: %+v, %v", back, err)
	}
	o.submit(o.issuing.ID, o.city.EndKey(o.issuing.ID, old, statement.KeyCompromise), o.issuing.Govern)
	o.refused(o.ask(l, g, nil), grant.CodeGrantMissing)
	none := o.config
	none.Signers = func(context.Context, statement.Purposes, bool) ([]sm.Signer, error) { return []sm.Signer{old}, nil }
	_, err = o.newDesk(none).Answer(t.Context(), o.ask(l, nil, nil).signed, nil)
	hasCode(t, err, release.CodeSignerMissing)
}
