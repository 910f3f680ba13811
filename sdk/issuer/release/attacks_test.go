package release_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
)

func init() {
	cases["handed on to another agency"] = testHandedOn
	cases["a copied grant"] = testCopiedGrant
	cases["a log that fails"] = testLogFails
}

// testHandedOn has an agency hand on to another one what it got, sealed and opened.
func testHandedOn(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 1)
	a, out := used(o, l, g)
	opened := o.released(a, out)

	// The other agency cannot open it, with no key that it has.
	e, err := envelope.Parse(out.Sealed)
	o.must(err)
	third := o.city.Department(t, other)
	if _, err := e.Open(third.Consent, third.Govern, third.Anchor, third.Log); envelope.Code(err) != envelope.CodeOtherKey {
		t.Errorf("another agency opens it: %v", err)
	}
	// Opened, it answers no request of the other's: neither its own, nor one that copies all of the first but the agency.
	for _, same := range []bool{false, true} {
		foreign := o.ask(l, g, func(r *statement.Request) {
			if same {
				*r = *a.body
			}
			r.Agency = other
		})
		r, err := grant.ReadRequest(foreign.signed, o.index.Grants())
		o.must(err)
		if _, err := grant.ReadAnswer(out.Evidence.Answer, r, o.index.Grants()); grant.Code(err) != grant.CodeAnswerDiffers {
			t.Errorf("it answers a request of another agency: %v", err)
		}
		evidence := grant.Evidence{Request: foreign.signed, Answer: out.Evidence.Answer, Grant: g.Signed, Presentation: opened.Presentation.Bytes()}
		if _, err := evidence.Check(o.index.Grants()); grant.Code(err) != grant.CodeAnswerDiffers {
			t.Errorf("it is evidence of another agency: %v", err)
		}
		// Nor does the issuer answer it with a release, though the grant is all right.
		o.refused(foreign, grant.CodeOtherAgency)
	}
	// Whoever repeats the agency's own request gets what only the agency can open.
	again := o.answer(a)
	if e, err = envelope.Parse(again.Sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(third.Consent); envelope.Code(err) != envelope.CodeOtherKey {
		t.Errorf("another agency opens what was repeated: %v", err)
	}
	// What was released of one licence is nothing of another.
	p, err := credential.Parse(opened.Presentation.Bytes())
	o.must(err)
	if p.Record.Type != o.typ.ID || sm.Sum(p.Bytes()) != *out.Answer.Presentation {
		t.Error("it is another presentation")
	}
}

// testCopiedGrant makes grants of one that was given: more uses, more fields, another agency. No signature goes with them.
func testCopiedGrant(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 1)
	key, _, binding := o.bind(l)
	for what, change := range map[string]func(*statement.Grant){
		"more uses":      func(g *statement.Grant) { g.Uses = 99 },
		"more fields":    func(g *statement.Grant) { g.Fields = append([]string{"registrationDate"}, two...) },
		"another agency": func(g *statement.Grant) { g.Agency = other },
	} {
		t.Run(what, func(t *testing.T) {
			body := *g.Grant
			change(&body)
			signed, err := statement.Sign(&body, key)
			o.must(err)
			for _, b := range [][]byte{nil, binding} {
				if _, err := o.desk.Record(t.Context(), clerk, signed, b); err == nil {
					t.Error("it was taken")
				}
			}
			s, err := statement.Parse(signed)
			o.must(err)
			copied := &release.Grant{Digest: sm.Sum(s.Payload)}
			o.refused(o.ask(l, copied, nil), grant.CodeGrantMissing)
		})
	}
	// A grant for one of two licences of the same holders is none for the other.
	second := o.issue(2)
	o.refused(o.ask(second, g, nil), grant.CodeOtherLicence)
	o.released(used(o, l, g))
	// Its nonce changed, a request is another one, and the grant is used up.
	o.refused(o.ask(l, g, func(r *statement.Request) { rand.Read(r.Nonce[:]) }), grant.CodeUsedUp)
}

// A failing log.
type failing struct {
	release.Log
	err error
}

func (f *failing) Append(ctx context.Context, d *accesslog.Draft) (accesslog.Place, error) {
	if f.err != nil {
		return accesslog.Place{}, f.err
	}
	return f.Log.Append(ctx, d)
}

// testLogFails has the access log fail: nobody gets an answer before the log has it, and then all get theirs.
func testLogFails(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 5)
	full := &accesslog.Error{Code: accesslog.CodeStorage, Message: "the test wants it"}
	log := &failing{Log: o.log, err: full}
	c := o.config
	c.Log = log
	o.desk = o.newDesk(c)
	a := o.ask(l, g, nil)
	for range 2 {
		out, err := o.desk.Answer(t.Context(), a.signed, nil)
		if out != nil || !errors.Is(err, full) {
			t.Fatalf("answered %+v, %v", out, err)
		}
		hasCode(t, err, accesslog.CodeStorage)
	}
	if err := o.desk.Settle(t.Context()); !errors.Is(err, full) {
		t.Errorf("settled: %v", err)
	}
	if kept, err := o.vault.Answer(t.Context(), a.digest); err != nil || kept.Logged || kept.Use != 1 {
		t.Errorf("the answer is %+v, %v", kept, err)
	}
	log.err = nil
	o.must(o.desk.Settle(t.Context()))
	out := o.answer(a)
	o.released(a, out)
	if !out.Earlier || out.Answer.Use != 1 {
		t.Errorf("answered %+v", out.Answer)
	}
	if left, err := o.vault.UnloggedAnswers(t.Context(), 0, 10); err != nil || len(left) != 0 {
		t.Errorf("%d answers are not known to be logged, %v", len(left), err)
	}
	// A grant that was withdrawn while its answer waited for the log is not released any more.
	log.err = full
	b := o.ask(l, g, nil)
	if _, err := o.desk.Answer(t.Context(), b.signed, nil); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if back, err := o.desk.Withdraw(t.Context(), clerk, g.Digest, counter); err != nil || back.State != vault.GrantWithdrawn {
		t.Fatal(err)
	}
	log.err = nil
	o.pass(time.Second)
	if out := o.answer(b); out.Sealed != nil || out.Answer.Outcome != statement.AnswerReleased {
		t.Errorf("answered %+v", out.Answer)
	}
}
