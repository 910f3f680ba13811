package release_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

func init() {
	cases["by law"] = testByLaw
	cases["under a grant"] = testUnderGrant
	cases["found by its number"] = testByNumber
	cases["refusals"] = testRefusals
	cases["the same request"] = testSameRequest
	cases["no licence"] = testNoLicence
	cases["messages that are no requests"] = testNoRequests
}

func testByLaw(t *testing.T, o *office) {
	o.byLaw(two...)
	l := o.issue(1)
	a := o.ask(l, nil, nil)
	out := o.answer(a)
	shown := o.released(a, out)
	if shown.Digest != l.Digest || out.Licence != l.ID || out.Answer.Reason != policy.CodeBasis || !slices.Equal(out.Answer.Basis, []string{"registration-16"}) || out.Answer.Use != 0 || out.Earlier {
		t.Errorf("answered %+v", out.Answer)
	}
	if n := o.opened(l); n != 1 {
		t.Errorf("it was opened %d times", n)
	}
	e := o.logged(a, access.Released)
	if !slices.Equal(e.Reasons, []string{policy.CodeBasis, "registration-16"}) || e.Height == 0 || e.Overall != "" || e.Day != int32(licence.DateOf(o.time())) {
		t.Errorf("the entry is %+v", e)
	}
	if found, err := o.log.Accesses(o.issuing.ID, l.Digest, 0, 10); err != nil || len(found) != 1 {
		t.Errorf("the log finds %d entries about the licence, %v", len(found), err)
	} else if e.Presentation != access.PresentationCommitment(found[0].Salt, *out.Answer.Presentation) {
		t.Error("the entry is about another presentation")
	}
}

func testUnderGrant(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 3)
	a := o.ask(l, g, nil)
	out := o.answer(a)
	o.released(a, out)
	if out.Answer.Reason != policy.CodeGrant || out.Answer.Use != 1 || *out.Answer.Grant != g.Digest || !bytes.Equal(out.Evidence.Grant, g.Signed) {
		t.Errorf("answered %+v", out.Answer)
	}
	both := o.ask(l, g, func(r *statement.Request) { r.Fields = []string{"registrationDate", "spouse1Name"} })
	out = o.answer(both)
	o.released(both, out)
	if out.Answer.Reason != policy.CodeBasisAndGrant || out.Answer.Use != 2 {
		t.Errorf("answered %+v", out.Answer)
	}
	law := o.ask(l, g, func(r *statement.Request) { r.Fields = []string{"registrationDate"} }) // what the law gives uses none up
	out = o.answer(law)
	o.released(law, out)
	if out.Answer.Grant != nil || out.Answer.Use != 0 {
		t.Errorf("answered %+v", out.Answer)
	}
	kept, err := o.desk.Grant(t.Context(), g.Digest)
	if err != nil || kept.Used != 2 {
		t.Errorf("it was used %d times, %v", kept.Used, err)
	}
	list, err := o.desk.Answers(t.Context(), nil, 0, 2)
	if err != nil || len(list) != 2 || list[0].Digest != law.digest || list[1].Digest != both.digest {
		t.Fatalf("%d answers, %v", len(list), err)
	}
	if list, err = o.desk.Answers(t.Context(), []string{"marriage"}, list[1].ID, 10); err != nil || len(list) != 1 || list[0].Digest != a.digest || list[0].Licence != l.ID {
		t.Errorf("%d answers before, %v", len(list), err)
	}
	if list, err = o.desk.Answers(t.Context(), []string{"property"}, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("%d answers of another type, %v", len(list), err)
	}
}

func testByNumber(t *testing.T, o *office) {
	o.byLaw(two...)
	first, second := o.issue(1), o.issue(2)
	a := o.askByNumber(o.typ.NumberField().Key, number(2))
	out := o.answer(a)
	if shown := o.released(a, out); shown.Digest != second.Digest {
		t.Error("another licence was released")
	}
	for what, b := range map[string]*asked{
		"no such number": o.askByNumber(o.typ.NumberField().Key, number(3)),
		"not a number":   o.askByNumber(o.typ.NumberField().Key, "x"),
	} {
		t.Run(what, func(t *testing.T) { o.refused(b, policy.CodeLicenceUnknown) })
	}
	_, err := o.desk.Answer(t.Context(), o.askByNumber("spouse1Name", "x").signed, nil)
	hasCode(t, err, release.CodeSubjectMissing)
	wrong := o.askByNumber("spouse1Name", "x")
	_, err = o.desk.Answer(t.Context(), wrong.signed, wrong.subject)
	hasCode(t, err, release.CodeSubjectKey)
	_, err = o.desk.Answer(t.Context(), o.askByNumber(o.typ.NumberField().Key, number(1)).signed, a.subject)
	hasCode(t, err, grant.CodeSubjectDiffers)
	elsewhere, err := envelope.Seal(o.agency.Consent.Public(), envelope.Subject, []byte("x"))
	o.must(err)
	_, err = o.desk.Answer(t.Context(), o.askByNumber(o.typ.NumberField().Key, number(1)).signed, elsewhere)
	hasCode(t, err, envelope.CodeOtherKey)
	if o.opened(first) != 0 || o.opened(second) != 1 {
		t.Error("a licence was opened that nobody got")
	}
}

// testRefusals asks for what is not given.
func testRefusals(t *testing.T, o *office) {
	_, err := o.desk.Answer(t.Context(), o.ask(o.issue(9), nil, nil).signed, nil)
	hasCode(t, err, release.CodePolicyMissing)
	o.must(o.desk.SetPolicy(t.Context(), o.policy(1, nil, []string{"remarks"})))
	l, another := o.issue(1), o.issue(2)
	g, once := o.give(l, 9), o.give(l, 1)
	o.released(used(o, l, once))
	later, err := o.desk.Give(t.Context(), clerk, func() release.Terms {
		terms := o.terms(l, 1)
		terms.NotBefore = terms.NotBefore.Add(time.Hour)
		return terms
	}(), counter)
	o.must(err)
	taken := o.give(l, 9)
	_, err = o.desk.Withdraw(t.Context(), clerk, taken.Digest, counter)
	o.must(err)
	for _, c := range []struct {
		what, reason string
		ask          *asked
	}{
		{"without a grant", policy.CodeNoBasis, o.ask(l, nil, nil)},
		{"a grant that is not here", grant.CodeGrantMissing, o.ask(l, &release.Grant{Digest: sm.Sum([]byte("none"))}, nil)},
		{"used up", grant.CodeUsedUp, o.ask(l, once, nil)},
		{"withdrawn", grant.CodeWithdrawn, o.ask(l, taken, nil)},
		{"not yet", grant.CodeNotYetValid, o.ask(l, later, nil)},
		{"another agency", grant.CodeOtherAgency, o.ask(l, g, func(r *statement.Request) { r.Agency = other })},
		{"another licence", grant.CodeOtherLicence, o.ask(another, g, nil)},
		{"another matter", grant.CodeOtherMatter, o.ask(l, g, func(r *statement.Request) { r.Matter = "company-opening" })},
		{"fields beyond the grant", grant.CodeBeyond, o.ask(l, g, func(r *statement.Request) { r.Fields = []string{"registrationDate", "spouse1Name", "spouse2Id"} })},
		{"fields that nobody gets", policy.CodeExcluded, o.ask(l, g, func(r *statement.Request) { r.Fields = []string{"remarks", "spouse1Name"} })},
	} {
		t.Run(c.what, func(t *testing.T) {
			out := o.refused(c.ask, c.reason)
			if c.ask.body.Agency == other && out.Evidence.Grant != nil {
				t.Error("another agency gets the grant")
			}
		})
	}
	before := o.opened(l)
	o.pass(40 * 24 * time.Hour)
	o.refused(o.ask(l, g, nil), grant.CodeExpired)
	if o.opened(l) != before || before != 1 {
		t.Errorf("it was opened %d times", o.opened(l))
	}
	kept, err := o.desk.Grant(t.Context(), g.Digest)
	if err != nil || kept.Used != 0 {
		t.Errorf("what was refused has used the grant %d times, %v", kept.Used, err)
	}
	refusal := o.refused(o.ask(l, taken, nil), grant.CodeWithdrawn)
	o.see()
	if report, err := refusal.Evidence.Check(o.index.Grants()); err != nil || !report.Withdrawn {
		t.Errorf("the evidence of a refusal: %v", err)
	}
}

// used asks under a grant.
func used(o *office, l *vault.Licence, g *release.Grant) (*asked, *release.Answered) {
	o.Helper()
	a := o.ask(l, g, nil)
	return a, o.answer(a)
}

func testSameRequest(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 2)
	a, first := used(o, l, g)
	o.released(a, first)
	again := o.answer(a)
	o.released(a, again) // and one entry in the log
	if !again.Earlier || !bytes.Equal(again.Evidence.Answer, first.Evidence.Answer) || !bytes.Equal(again.Sealed, first.Sealed) {
		t.Error("the same request got another answer")
	}
	o.reopen()
	again = o.answer(a)
	if !again.Earlier || !bytes.Equal(again.Evidence.Answer, first.Evidence.Answer) || !bytes.Equal(again.Sealed, first.Sealed) {
		t.Error("another process gives another answer")
	}
	kept, err := o.desk.Grant(t.Context(), g.Digest)
	if err != nil || kept.Used != 1 {
		t.Errorf("the grant was used %d times, %v", kept.Used, err)
	}
	evidence, err := o.desk.Evidence(t.Context(), a.digest)
	o.must(err)
	o.see()
	if _, err := evidence.Check(o.index.Grants()); err != nil {
		t.Errorf("the evidence: %v", err)
	}
	_, err = o.desk.Evidence(t.Context(), sm.Sum(nil))
	hasCode(t, err, release.CodeRequestUnknown)

	// After the withdrawal nobody gets what was released once more; that it was, stays.
	_, err = o.desk.Withdraw(t.Context(), clerk, g.Digest, counter)
	o.must(err)
	again = o.answer(a)
	if again.Sealed != nil || !bytes.Equal(again.Evidence.Answer, first.Evidence.Answer) {
		t.Error("it was given again after the withdrawal")
	}

	// A refusal stays one, though there is a grant by now.
	b := o.ask(l, nil, nil)
	refusal := o.refused(b, policy.CodeNoBasis)
	o.must(o.desk.SetPolicy(t.Context(), o.policy(2, two, nil)))
	if again := o.refused(b, policy.CodeNoBasis); !bytes.Equal(again.Evidence.Answer, refusal.Evidence.Answer) {
		t.Error("the same request got another refusal")
	}
	c := o.ask(l, nil, nil)
	released := o.answer(c)
	o.released(c, released)

	// What was released is kept as long as the request holds.
	o.must(o.vault.Purge(t.Context()))
	if again := o.answer(c); !bytes.Equal(again.Sealed, released.Sealed) {
		t.Error("it was dropped too early")
	}
	o.pass(601*time.Second + grant.Skew*time.Second)
	if again := o.answer(c); again.Sealed != nil || !bytes.Equal(again.Evidence.Answer, released.Evidence.Answer) {
		t.Error("it was given again after the request had expired")
	}
	o.must(o.vault.Purge(t.Context()))
	if evidence, err = o.desk.Evidence(t.Context(), c.digest); err != nil || !bytes.Equal(evidence.Answer, released.Evidence.Answer) {
		t.Errorf("the evidence is gone: %v", err)
	}
	if kept, err := o.vault.Answer(t.Context(), c.digest); err != nil || kept.Envelope != nil {
		t.Errorf("what was released is still there, %v", err)
	}
}

// testNoLicence asks for what must be given, of licences that are not there, or not any more.
func testNoLicence(t *testing.T, o *office) {
	o.byLaw(append(slices.Clone(two), "nothing")...)
	l := o.issue(1)
	g := o.give(l, 5)
	a, first := used(o, l, nil)
	o.released(a, first)
	o.refused(o.ask(&vault.Licence{Digest: sm.Sum([]byte("none"))}, nil, nil), policy.CodeLicenceUnknown)
	o.refused(o.ask(l, nil, func(r *statement.Request) { r.Fields = []string{"nothing", "spouse1Name"} }), policy.CodeFieldUnknown)
	o.must(o.vault.Write(t.Context(), clerk, func(tx *vault.Tx) error { return tx.Erase(l.ID) }))
	if again := o.answer(a); again.Sealed != nil || !bytes.Equal(again.Evidence.Answer, first.Evidence.Answer) {
		t.Error("what was released of an erased licence is given again")
	}
	o.refused(o.ask(l, nil, nil), policy.CodeLicenceUnknown)
	_, _, err := o.desk.Identification(t.Context(), clerk, g.Digest)
	hasCode(t, err, vault.CodeUnknown)
	if w, err := o.desk.Withdraw(t.Context(), clerk, g.Digest, counter); err != nil || w.State != vault.GrantWithdrawn {
		t.Errorf("the grant of an erased licence: %v", err)
	}
}

// testNoRequests sends what is no request of whom it says, or none for now: it gets no answer, and leaves nothing behind.
func testNoRequests(t *testing.T, o *office) {
	o.byLaw(two...)
	l := o.issue(1)
	good := o.ask(l, nil, nil)
	forged, err := statement.Sign(good.body, o.city.Department(t, other).Consent)
	o.must(err)
	altered := bytes.Clone(good.signed)
	altered[len(altered)-1] ^= 1
	wrongKey, err := statement.Sign(good.body, o.agency.Status)
	o.must(err)
	for _, c := range []struct {
		what, code string
		signed     []byte
	}{
		{"nothing", statement.CodeMalformed, nil},
		{"another department's signature", grant.CodeKeyDepartment, forged},
		{"a signature that is altered", grant.CodeSignature, altered},
		{"a key that is not for this", grant.CodeKeyPurpose, wrongKey},
		{"another ledger", grant.CodeOtherLedger, o.ask(l, nil, func(r *statement.Request) { r.Ledger[0] ^= 1 }).signed},
		{"another department asked", release.CodeElsewhere, o.ask(l, nil, func(r *statement.Request) { r.Issuer = ledgertest.Businesses }).signed},
		{"expired", grant.CodeRequestExpired, o.ask(l, nil, func(r *statement.Request) { r.SignedAt, r.NotAfter = r.SignedAt-500, r.SignedAt-grant.Skew-1 }).signed},
		{"signed in the future", grant.CodeRequestNotYetValid, o.ask(l, nil, func(r *statement.Request) { r.SignedAt += grant.Skew + 1 }).signed},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := o.desk.Answer(t.Context(), c.signed, nil)
			hasCode(t, err, c.code)
		})
	}
	if n := len(o.entries()); n != 0 || o.opened(l) != 0 {
		t.Errorf("%d entries, opened %d times", n, o.opened(l))
	}
	if list, err := o.desk.Answers(t.Context(), nil, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("%d answers, %v", len(list), err)
	}
	limited := o.config
	limit := &release.Error{Code: "limited"}
	limited.Admit = func(agency string) error {
		if agency != o.agency.ID {
			t.Errorf("asked for %s", agency)
		}
		return limit
	}
	if _, err := o.newDesk(limited).Answer(t.Context(), good.signed, nil); err != limit {
		t.Errorf("an agency that is not admitted: %v", err)
	}
}
