package release_test

import (
	"crypto/rand"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
)

// An asked request, with the key that its answer is sealed to.
type asked struct {
	signed  []byte
	subject []byte
	digest  sm.Hash
	body    *statement.Request
	key     *sm.PrivateKey
}

// ask makes a request of the agency for two fields of a licence, under a grant or (nil) by law.
func (o *office) ask(l *vault.Licence, g *release.Grant, change func(*statement.Request)) *asked {
	o.Helper()
	key, err := sm.GenerateKey(nil)
	o.must(err)
	body := &statement.Request{
		Ledger: o.city.ID, Agency: o.agency.ID, Issuer: o.issuing.ID, Type: o.typ.ID, Matter: matter, Case: "20261107-0042", Fields: two,
		Recipient: [64]byte(key.Public().Bytes()), SignedAt: o.seconds(), NotAfter: o.seconds() + 600,
	}
	if l != nil {
		body.Licence = &l.Digest
	}
	if g != nil {
		body.Grant = &g.Digest
	}
	rand.Read(body.Nonce[:])
	if change != nil {
		change(body)
	}
	signed, err := statement.Sign(body, o.city.Department(o, body.Agency).Consent)
	o.must(err)
	s, err := statement.Parse(signed)
	o.must(err)
	return &asked{signed: signed, digest: sm.Sum(s.Payload), body: body, key: key}
}

// askByNumber makes a request that says by which number the licence is to be found.
func (o *office) askByNumber(key, value string) *asked {
	o.Helper()
	s := grant.Subject{Key: key, Value: value}
	rand.Read(s.Salt[:])
	commitment := s.Commitment()
	a := o.ask(nil, nil, func(r *statement.Request) { r.Subject = &commitment })
	var err error
	a.subject, err = envelope.Seal(o.issuing.Consent.Public(), envelope.Subject, s.Bytes())
	o.must(err)
	return a
}

// answer has a request answered.
func (o *office) answer(a *asked) *release.Answered {
	o.Helper()
	out, err := o.desk.Answer(o.Context(), a.signed, a.subject)
	o.must(err)
	return out
}

// refused checks that a request is refused for a reason, in the answer and in the log.
func (o *office) refused(a *asked, reason string) *release.Answered {
	o.Helper()
	out := o.answer(a)
	if out.Answer.Outcome != statement.AnswerRefused || out.Answer.Reason != reason || out.Sealed != nil || out.Answer.Presentation != nil || out.Answer.Grant != nil || len(out.Answer.Fields) > 0 {
		o.Fatalf("answered %+v; want a refusal for %s", out.Answer, reason)
	}
	o.logged(a, access.Refused)
	return out
}

// released checks that a request is answered with the fields that it asks for, as the agency does, and returns what was released.
func (o *office) released(a *asked, out *release.Answered) *credential.Opened {
	o.Helper()
	if out.Answer.Outcome != statement.AnswerReleased {
		o.Fatalf("refused: %s", out.Answer.Reason)
	}
	o.see()
	e, err := envelope.Parse(out.Sealed)
	o.must(err)
	if e.Type != envelope.Presentation {
		o.Errorf("what was released is said to be %s", e.Type)
	}
	b, err := e.Open(a.key)
	o.must(err)
	p, err := credential.Parse(b)
	o.must(err)
	opened, err := p.Open(o.typ)
	o.must(err)
	evidence := *out.Evidence
	evidence.Presentation = b
	file, err := grant.ParseEvidence(evidence.Bytes())
	o.must(err)
	report, err := file.Check(o.index.Grants())
	o.must(err)
	o.must(report.Answer.Released(opened))
	o.logged(a, access.Released)
	return opened
}

// logged checks that the access log has exactly one entry about a request.
func (o *office) logged(a *asked, outcome string) *access.Entry {
	o.Helper()
	var found []*access.Entry
	for _, e := range o.entries() {
		if e.Call == access.RequestCall(a.digest) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		o.Fatalf("the log has %d entries about the request", len(found))
	}
	e := found[0]
	if e.Outcome != outcome || e.Agency != a.body.Agency || e.Asked != o.issuing.ID || e.Matter != a.body.Matter || e.Case != a.body.Case || e.Type != a.body.Type || !slices.Equal(e.Fields, a.body.Fields) {
		o.Fatalf("the entry is %+v", e)
	}
	return e
}

// entries returns all entries of the log.
func (o *office) entries() (out []*access.Entry) {
	o.Helper()
	for {
		page, err := o.log.Entries(uint64(len(out)), accesslog.MostEntries)
		o.must(err)
		if len(page) == 0 {
			return out
		}
		for _, b := range page {
			e, err := access.ParseEntry(b)
			o.must(err)
			out = append(out, e)
		}
	}
}

// opened returns how often a licence was opened by the agency, by the history.
func (o *office) opened(l *vault.Licence) (n int) {
	o.Helper()
	events, err := o.vault.History(o.Context(), l.ID)
	o.must(err)
	for _, e := range events {
		if e.Action == vault.ActionOpened && e.Actor == o.agency.ID {
			if e.Purpose != matter+" 20261107-0042" {
				o.Errorf("it was opened for %q", e.Purpose)
			}
			n++
		}
	}
	return n
}
