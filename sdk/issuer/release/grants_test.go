package release_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func init() {
	cases["given at the counter"] = testGive
	cases["signed by the holder"] = testRecord
	cases["withdrawn"] = testWithdraw
	cases["a ledger that is away"] = testLedgerAway
}

// consentOf returns what the ledger has of a grant.
func (o *office) consentOf(digest sm.Hash) string {
	o.Helper()
	o.see()
	return o.index.Grants().Consent(o.issuing.ID, digest)
}

func testGive(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	terms := o.terms(l, 3)
	terms.Fields = []string{"spouse2Id", "spouse1Name", "spouse2Id"}
	g, err := o.desk.Give(t.Context(), clerk, terms, counter)
	o.must(err)
	if g.State != vault.GrantGiven || !g.Settled || g.ID != l.ID || g.Licence != l.Digest || !slices.Equal(g.Fields, two) || g.Means != statement.MeansCounter || g.By != clerk || g.Uses != 3 || g.Used != 0 {
		t.Errorf("given %+v", g)
	}
	if c := o.consentOf(g.Digest); c != statement.ConsentGive {
		t.Errorf("the ledger has %q", c)
	}
	if read, err := grant.ReadGrant(g.Signed, nil, o.index.Grants()); err != nil || read.Digest != g.Digest {
		t.Errorf("the grant: %v", err)
	}
	record, salt, err := o.desk.Identification(t.Context(), clerk, g.Digest)
	if err != nil || record != counter.Record || g.Evidence != grant.EvidenceCommitment(&salt, record) {
		t.Errorf("identified by %q, %v", record, err)
	}
	events, err := o.vault.History(t.Context(), l.ID)
	o.must(err)
	var actions []string
	for _, e := range events {
		actions = append(actions, e.Action)
	}
	if !slices.Contains(actions, vault.ActionGranted) || actions[len(actions)-1] != vault.ActionOpened {
		t.Errorf("the history is %v", actions)
	}
	second := o.give(l, 1)
	all, err := o.desk.Grants(t.Context(), l.ID)
	if err != nil || len(all) != 2 || second.Digest == g.Digest {
		t.Errorf("%d grants, %v", len(all), err)
	}
	_, opened, err := o.issuer.Credential(t.Context(), clerk, l.ID)
	o.must(err)
	id, _ := opened.Value("spouse1Id")
	if all, err = o.desk.GrantsOfHolder(t.Context(), id.String()); err != nil || len(all) != 2 {
		t.Errorf("the holder has %d grants, %v", len(all), err)
	}
	for what, bad := range map[string]struct {
		code   string
		change func(*release.Terms, *release.Identified)
	}{
		"no such licence": {vault.CodeUnknown, func(t *release.Terms, _ *release.Identified) { t.Licence = 99 }},
		"no such field":   {release.CodeArguments, func(t *release.Terms, _ *release.Identified) { t.Fields = []string{"nothing"} }},
		"no field":        {statement.CodeInvalid, func(t *release.Terms, _ *release.Identified) { t.Fields = nil }},
		"no use":          {statement.CodeInvalid, func(t *release.Terms, _ *release.Identified) { t.Uses = 0 }},
		"too long":        {statement.CodeInvalid, func(t *release.Terms, _ *release.Identified) { t.NotAfter = t.NotBefore.AddDate(2, 0, 0) }},
		"over": {grant.CodeExpired, func(t *release.Terms, _ *release.Identified) {
			t.NotBefore, t.NotAfter = t.NotBefore.Add(-time.Hour), t.NotBefore.Add(-time.Second)
		}},
		"no means":  {release.CodeArguments, func(_ *release.Terms, how *release.Identified) { how.Means = statement.MeansKey }},
		"no record": {vault.CodeArgument, func(_ *release.Terms, how *release.Identified) { how.Record = "" }},
		"a long record": {vault.CodeArgument, func(_ *release.Terms, how *release.Identified) {
			how.Record = strings.Repeat("x", vault.MaxIdentification+1)
		}},
	} {
		t.Run(what, func(t *testing.T) {
			terms, how := o.terms(l, 1), counter
			bad.change(&terms, &how)
			_, err := o.desk.Give(t.Context(), clerk, terms, how)
			hasCode(t, err, bad.code)
		})
	}
	_, err = o.desk.Grant(t.Context(), sm.Sum(nil))
	hasCode(t, err, release.CodeGrantUnknown)
}

// bind binds a holder's key to a licence.
func (o *office) bind(l *vault.Licence) (*sm.PrivateKey, int64, []byte) {
	o.Helper()
	key, err := sm.GenerateKey(nil)
	o.must(err)
	s, err := o.issuer.Subject(o.Context(), l.ID)
	o.must(err)
	id, binding, err := o.issuer.Bind(o.Context(), clerk, s, key.Public(), o.time(), o.time().Add(time.Hour))
	o.must(err)
	return key, id, binding
}

// holderGrant is a grant that a holder signs.
func (o *office) holderGrant(l *vault.Licence, key *sm.PrivateKey, binding []byte, change func(*statement.Grant)) []byte {
	o.Helper()
	s, err := statement.Parse(binding)
	o.must(err)
	body := &statement.Grant{
		Ledger: o.city.ID, Issuer: o.issuing.ID, Licence: l.Digest, Type: o.typ.ID, Agency: o.agency.ID, Matter: matter, Fields: two, Uses: 2,
		NotBefore: o.seconds(), NotAfter: o.seconds() + 86400, Means: statement.MeansKey, Evidence: sm.Sum(s.Payload), SignedAt: o.seconds(),
	}
	if change != nil {
		change(body)
	}
	signed, err := statement.Sign(body, key)
	o.must(err)
	return signed
}

func testRecord(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l, another := o.issue(1), o.issue(2)
	key, _, binding := o.bind(l)
	signed := o.holderGrant(l, key, binding, nil)
	g, err := o.desk.Record(t.Context(), clerk, signed, binding)
	o.must(err)
	if g.State != vault.GrantGiven || g.ID != l.ID || !bytes.Equal(g.Binding, binding) || o.consentOf(g.Digest) != statement.ConsentGive {
		t.Errorf("recorded %+v", g)
	}
	if again, err := o.desk.Record(t.Context(), clerk, o.holderGrant(l, key, binding, nil), binding); err != nil || again.Digest != g.Digest {
		t.Errorf("signed twice it is another grant: %v", err)
	}
	a, out := used(o, l, g)
	o.released(a, out)
	if !bytes.Equal(out.Evidence.Binding, binding) {
		t.Error("the binding is not in the evidence")
	}

	thief, err := sm.GenerateKey(nil)
	o.must(err)
	_, withdrawnID, withdrawn := o.bind(l)
	o.must(o.issuer.Unbind(t.Context(), clerk, withdrawnID))
	o.see()
	for _, c := range []struct {
		what, code      string
		signed, binding []byte
	}{
		{"a thief's signature", grant.CodeSignature, o.holderGrant(l, thief, binding, nil), binding},
		{"another licence's binding", grant.CodeBindingDiffers, o.holderGrant(another, key, binding, nil), binding},
		{"no binding", grant.CodeBindingMissing, signed, nil},
		{"another issuer", release.CodeElsewhere, o.foreignGrant(), nil},
		{"signed by the department", release.CodeGrantMeans, o.give(l, 1).Signed, nil},
		{"another type", grant.CodeOtherLicence, o.holderGrant(l, key, binding, func(g *statement.Grant) { g.Type = "property" }), binding},
		{"a binding that was withdrawn", grant.CodeSignature, o.holderGrant(l, thief, withdrawn, nil), withdrawn},
		{"too late", grant.CodeExpired, o.holderGrant(l, key, binding, func(g *statement.Grant) { g.NotBefore, g.NotAfter = g.NotBefore-100, g.NotBefore-50 }), binding},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := o.desk.Record(t.Context(), clerk, c.signed, c.binding)
			hasCode(t, err, c.code)
		})
	}
	lost, id, stolen := o.bind(l)
	o.must(o.issuer.Unbind(t.Context(), clerk, id))
	o.see()
	_, err = o.desk.Record(t.Context(), clerk, o.holderGrant(l, lost, stolen, nil), stolen)
	hasCode(t, err, grant.CodeBindingWithdrawn)

	// The holder takes it back with the same key, or another one that is bound to the licence.
	second, _, new := o.bind(l)
	withdrawal := func(by *sm.PrivateKey, binding []byte, change func(*statement.Withdrawal)) []byte {
		s, err := statement.Parse(binding)
		o.must(err)
		body := &statement.Withdrawal{Ledger: o.city.ID, Issuer: o.issuing.ID, Grant: g.Digest, Means: statement.MeansKey, Evidence: sm.Sum(s.Payload), SignedAt: o.seconds()}
		if change != nil {
			change(body)
		}
		signed, err := statement.Sign(body, by)
		o.must(err)
		return signed
	}
	_, err = o.desk.RecordWithdrawal(t.Context(), clerk, g.Digest, withdrawal(thief, binding, nil), binding)
	hasCode(t, err, grant.CodeSignature)
	_, err = o.desk.RecordWithdrawal(t.Context(), clerk, g.Digest, withdrawal(key, binding, func(w *statement.Withdrawal) { w.Grant = sm.Sum(nil) }), binding)
	hasCode(t, err, grant.CodeGrantDiffers)
	_, err = o.desk.RecordWithdrawal(t.Context(), clerk, sm.Sum(nil), withdrawal(key, binding, nil), binding)
	hasCode(t, err, release.CodeGrantUnknown)
	for range 2 {
		back, err := o.desk.RecordWithdrawal(t.Context(), clerk, g.Digest, withdrawal(second, new, nil), new)
		if err != nil || back.State != vault.GrantWithdrawn || !back.Settled || back.WithdrawnBy == nil || back.WithdrawnAt == nil || back.Withdrawal == nil {
			t.Fatalf("withdrawn: %+v, %v", back, err)
		}
	}
	o.refused(o.ask(l, g, nil), grant.CodeWithdrawn)
	_, err = o.desk.Record(t.Context(), clerk, signed, binding)
	hasCode(t, err, grant.CodeWithdrawn)
}

// foreignGrant is a grant that another department has given for a licence of its own.
func (o *office) foreignGrant() []byte {
	o.Helper()
	d := o.city.Department(o, ledgertest.Businesses)
	signed, err := statement.Sign(&statement.Grant{
		Ledger: o.city.ID, Issuer: d.ID, Licence: sm.Sum(nil), Type: "business", Agency: o.agency.ID, Matter: matter, Fields: []string{"name"}, Uses: 1,
		NotBefore: o.seconds(), NotAfter: o.seconds() + 60, Means: statement.MeansCounter, Evidence: sm.Sum(nil), SignedAt: o.seconds(),
	}, d.Consent)
	o.must(err)
	return signed
}

func testWithdraw(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 5)
	a, out := used(o, l, g)
	o.released(a, out)
	how := release.Identified{Means: statement.MeansPlatform, Record: "signed in as 110101199001011234"}
	for range 2 {
		back, err := o.desk.Withdraw(t.Context(), clerk, g.Digest, how)
		if err != nil || back.State != vault.GrantWithdrawn || !back.Settled || *back.WithdrawnBy != clerk {
			t.Fatalf("withdrawn: %+v, %v", back, err)
		}
	}
	o.refused(o.ask(l, g, nil), grant.CodeWithdrawn)
	if c := o.consentOf(g.Digest); c != statement.ConsentWithdraw {
		t.Errorf("the ledger has %q", c)
	}
	kept, err := o.vault.Grant(t.Context(), g.Digest)
	o.must(err)
	read, err := grant.ReadGrant(kept.Signed, nil, o.index.Grants())
	o.must(err)
	w, err := grant.ReadWithdrawal(kept.Withdrawal.Signed, nil, read, o.index.Grants())
	o.must(err)
	i, err := o.vault.WithdrawalIdentification(t.Context(), clerk, g.Digest)
	if err != nil || i.Record != how.Record || w.Evidence != grant.EvidenceCommitment(&i.Salt, i.Record) {
		t.Errorf("identified by %v, %v", i, err)
	}
	evidence, err := o.desk.Evidence(t.Context(), a.digest)
	o.must(err)
	o.see()
	if report, err := evidence.Check(o.index.Grants()); err != nil || !report.Withdrawn {
		t.Errorf("what was released before: %v", err)
	}
	_, err = o.desk.Withdraw(t.Context(), clerk, sm.Sum(nil), how)
	hasCode(t, err, release.CodeGrantUnknown)
	_, err = o.desk.Withdraw(t.Context(), clerk, o.give(l, 1).Digest, release.Identified{Means: "no", Record: "x"})
	hasCode(t, err, release.CodeArguments)
}

// fail has the ledger fail before, or after, what is submitted from now on.
func (s *shaky) fail(before, after error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

func (s *shaky) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		return ledger.Receipt{}, before
	}
	receipt, err := s.Ledger.Submit(ctx, tx)
	if err == nil {
		err = after
	}
	return receipt, err
}

// testLedgerAway gives and withdraws grants while the ledger cannot be reached, or does not say what became of it.
func testLedgerAway(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	line := &shaky{Ledger: o.config.Ledger}
	c := o.config
	c.Ledger = line
	o.desk = o.newDesk(c)
	down := &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "the test wants it"}
	unclear := &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "the test wants it"}

	given := o.give(l, 5)
	line.fail(down, nil)
	kept := o.give(l, 5)
	if kept.State != vault.GrantKept || kept.Settled {
		t.Fatalf("given without a ledger: %+v", kept)
	}
	o.refused(o.ask(l, kept, nil), grant.CodeNotGiven)
	back, err := o.desk.Withdraw(t.Context(), clerk, given.Digest, counter)
	if err != nil || back.State != vault.GrantWithdrawn || back.Settled {
		t.Fatalf("withdrawn without a ledger: %+v, %v", back, err)
	}
	o.refused(o.ask(l, given, nil), grant.CodeWithdrawn) // at once
	if o.consentOf(given.Digest) != statement.ConsentGive {
		t.Error("the ledger was reached")
	}
	never := o.give(l, 5) // given and withdrawn while it is away
	_, err = o.desk.Withdraw(t.Context(), clerk, never.Digest, counter)
	o.must(err)
	hasCode(t, o.desk.Settle(t.Context()), ledger.CodeNotSubmitted)

	line.fail(nil, unclear)
	maybe := o.give(l, 5)
	o.see()
	o.released(used(o, l, maybe)) // the view has it, so it is given
	line.fail(nil, nil)
	for range 2 {
		o.must(o.desk.Settle(t.Context()))
	}
	for digest, want := range map[sm.Hash]string{given.Digest: statement.ConsentWithdraw, kept.Digest: statement.ConsentGive, never.Digest: statement.ConsentWithdraw, maybe.Digest: statement.ConsentGive} {
		g, err := o.desk.Grant(t.Context(), digest)
		if err != nil || !g.Settled || o.consentOf(digest) != want {
			t.Errorf("settled: %v, the ledger has %q, want %q, %v", g.Settled, o.consentOf(digest), want, err)
		}
	}
	o.released(used(o, l, kept))

	// What the ledger refuses by its rules was not given, and can be given again under the same idempotency key.
	line.fail(&chaincode.Error{Code: chaincode.CodeDepartmentSuspended, Message: "the test wants it"}, nil)
	before, err := o.desk.Grants(t.Context(), l.ID)
	o.must(err)
	terms := o.terms(l, 1)
	terms.Claim = &vault.ClaimKey{Caller: "the test", Key: "one", Request: sm.Sum([]byte("a grant"))}
	_, err = o.desk.Give(t.Context(), clerk, terms, counter)
	hasCode(t, err, chaincode.CodeDepartmentSuspended)
	if after, err := o.desk.Grants(t.Context(), l.ID); err != nil || len(after) != len(before) {
		t.Errorf("%d grants, %d before, %v", len(after), len(before), err)
	}
	line.fail(down, nil)
	first, err := o.desk.Give(t.Context(), clerk, terms, counter)
	o.must(err)
	line.fail(nil, nil)
	o.must(o.desk.Settle(t.Context()))
	again, err := o.desk.Give(t.Context(), clerk, terms, counter)
	if err != nil || first.State != vault.GrantKept || again.Digest != first.Digest || again.State != vault.GrantGiven {
		t.Errorf("under one key, first %+v, then %+v, %v", first, again, err)
	}
	terms.Claim.Request = sm.Sum(nil)
	_, err = o.desk.Give(t.Context(), clerk, terms, counter)
	hasCode(t, err, vault.CodeClaimReused)
	if after, err := o.desk.Grants(t.Context(), l.ID); err != nil || len(after) != len(before)+1 {
		t.Errorf("%d grants, %d before, %v", len(after), len(before), err)
	}
}
