package verify_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

var nonce = []byte("drawn for this one counter visit")

// A showing is how a holder shows a licence, and what the verifier asked for.
type showing struct {
	city    *city
	issuer  sm.Signer // signs the binding
	binding statement.Binding
	proof   statement.Proof
	request verify.Request
	mangle  func(*credential.Presentation)
}

func newShowing(t *testing.T) *showing {
	c := newCity(t, 4)
	return &showing{
		city: c, issuer: c.key,
		binding: statement.Binding{NotBefore: at(-30 * 24 * time.Hour), NotAfter: at(30 * 24 * time.Hour)},
		proof:   statement.Proof{Audience: "tax-office", Nonce: nonce, IssuedAt: at(-10 * time.Second), NotAfter: at(5 * time.Minute)},
		request: verify.Request{Now: noon, Audience: "tax-office", Nonce: nonce, HolderRequired: true},
	}
}

func (s *showing) verdict(t *testing.T) verify.Verdict {
	t.Helper()
	holder := newKey(t)
	o := s.city.open(t, s.city.two(t, 2))
	s.binding.Ledger, s.binding.Issuer, s.binding.Digest = o.Signed.Ledger, o.Signed.Issuer, o.Digest
	s.binding.HolderKey = [64]byte(holder.Public().Bytes())
	binding, err := statement.Sign(&s.binding, s.issuer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := credential.Prove(o, binding, s.proof, holder)
	if err != nil {
		t.Fatal(err)
	}
	if s.mangle != nil {
		h := *p.Holder
		p.Holder = &h
		s.mangle(p)
	}
	s.request.Presentation = p.Bytes()
	return verify.Verify(s.city.view, s.request)
}

func TestHolder(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*showing)
		want   want
	}{
		{"in order", func(*showing) {}, pass(verify.AxisHolder, verify.ReasonHolderProven)},
		{"nobody in particular asks", func(s *showing) { s.request.Audience, s.proof.Audience = "", "" }, pass(verify.AxisHolder, verify.ReasonHolderProven)},
		{"no nonce of our own", func(s *showing) { s.request.Nonce = nil }, unknown(verify.AxisHolder, verify.ReasonNonceNotOurs)},
		{"no nonce at all", func(s *showing) { s.request.Nonce, s.proof.Nonce = nil, nil }, unknown(verify.AxisHolder, verify.ReasonNonceNotOurs)},
		{"we did not say who we are", func(s *showing) { s.request.Audience = "" }, unknown(verify.AxisHolder, verify.ReasonAudienceNotOurs)},
		{"shown to somebody else", func(s *showing) { s.proof.Audience = "bank" }, fail(verify.AxisHolder, verify.ReasonAudienceMismatch)},
		{"shown to nobody in particular", func(s *showing) { s.proof.Audience = "" }, fail(verify.AxisHolder, verify.ReasonAudienceMismatch)},
		{"another nonce", func(s *showing) { s.proof.Nonce = nonce[1:] }, fail(verify.AxisHolder, verify.ReasonNonceMismatch)},
		{"proof with no nonce", func(s *showing) { s.proof.Nonce = nil }, fail(verify.AxisHolder, verify.ReasonNonceMismatch)},
		{"proof expired", func(s *showing) { s.proof.NotAfter = at(-verify.Skew - time.Second); s.proof.IssuedAt = at(-time.Hour) },
			fail(verify.AxisHolder, verify.ReasonProofExpired)},
		{"proof expired, within the skew of clocks", func(s *showing) { s.proof.NotAfter = at(-verify.Skew); s.proof.IssuedAt = at(-time.Hour) },
			pass(verify.AxisHolder, verify.ReasonHolderProven)},
		{"proof of the future", func(s *showing) { s.proof.IssuedAt = at(verify.Skew + time.Second) }, fail(verify.AxisHolder, verify.ReasonProofNotYetValid)},
		{"proof of the future, within the skew of clocks", func(s *showing) { s.proof.IssuedAt = at(verify.Skew) }, pass(verify.AxisHolder, verify.ReasonHolderProven)},
		{"proof expired and no nonce of our own", func(s *showing) {
			s.proof.NotAfter, s.proof.IssuedAt, s.request.Nonce = at(-time.Hour), at(-2*time.Hour), nil
		}, fail(verify.AxisHolder, verify.ReasonProofExpired)},
		{"proof by another key", func(s *showing) { s.mangle = func(p *credential.Presentation) { p.Holder.ProofSignature[5]++ } },
			fail(verify.AxisHolder, verify.ReasonProofSignatureInvalid)},
		{"proof for a presentation of other fields", func(s *showing) {
			s.mangle = func(p *credential.Presentation) {
				other, err := credential.Disclose(s.city.batch.Credential(2), s.city.typ, "spouse1Name")
				if err != nil {
					panic(err)
				}
				p.Fields, p.Proof = other.Fields, other.Proof
			}
		}, fail(verify.AxisHolder, verify.ReasonProofSignatureInvalid)},
		{"proof that is none", func(s *showing) {
			s.mangle = func(p *credential.Presentation) { p.Holder.ProofNotAfter = p.Holder.ProofIssuedAt - 1 }
		},
			fail(verify.AxisHolder, verify.ReasonProofMalformed)},
		{"binding that is none", func(s *showing) {
			s.mangle = func(p *credential.Presentation) { p.Holder.BindingNotAfter = p.Holder.BindingNotBefore - 1 }
		}, fail(verify.AxisHolder, verify.ReasonBindingMalformed)},
		{"binding of a longer life", func(s *showing) { s.mangle = func(p *credential.Presentation) { p.Holder.BindingNotAfter++ } },
			fail(verify.AxisHolder, verify.ReasonBindingSignatureInvalid)},
		{"key that is no point", func(s *showing) { s.mangle = func(p *credential.Presentation) { p.Holder.Key = [64]byte{} } },
			fail(verify.AxisHolder, verify.ReasonBindingMalformed)},
		{"binding expired", func(s *showing) { s.binding.NotAfter = at(-verify.Skew - time.Second) }, fail(verify.AxisHolder, verify.ReasonBindingExpired)},
		{"binding not yet valid", func(s *showing) { s.binding.NotBefore = at(verify.Skew + time.Second) }, fail(verify.AxisHolder, verify.ReasonBindingNotYetValid)},
		{"binding by a key of nobody", func(s *showing) { s.issuer = s.stranger() }, fail(verify.AxisHolder, verify.ReasonBindingKeyUnknown)},
		{"binding of the last minute by a key that the view may not have yet", func(s *showing) {
			s.issuer, s.binding.NotBefore = s.stranger(), at(-30*time.Second)
		}, unknown(verify.AxisHolder, verify.ReasonNewerThanView)},
		{"binding by another department", func(s *showing) {
			k := s.stranger()
			s.city.enrol(k, "market", statement.PurposeAnchor)
			s.issuer = k
		}, fail(verify.AxisHolder, verify.ReasonBindingKeyDepartment)},
		{"binding by a key for another purpose", func(s *showing) {
			k := s.stranger()
			s.city.enrol(k, civilAffairs, statement.PurposeStatus)
			s.issuer = k
		}, fail(verify.AxisHolder, verify.ReasonBindingKeyPurpose)},
		{"binding by a retired key", func(s *showing) { s.ownKey().State = verify.KeyRetired }, fail(verify.AxisHolder, verify.ReasonBindingKeyRetired)},
		{"binding by a stolen key", func(s *showing) { s.ownKey().State = verify.KeyCompromised }, fail(verify.AxisHolder, verify.ReasonBindingKeyCompromised)},
		{"binding from before its key", func(s *showing) { n := at(0); s.ownKey().NotBefore = &n }, fail(verify.AxisHolder, verify.ReasonBindingKeyNotYetValid)},
		{"binding from after its key", func(s *showing) { n := at(-365 * 24 * time.Hour); s.ownKey().NotAfter = &n }, fail(verify.AxisHolder, verify.ReasonBindingKeyExpired)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShowing(t)
			test.change(s)
			outcome := map[verify.Result]verify.Outcome{verify.Pass: verify.Valid, verify.Unknown: verify.Undetermined, verify.Fail: verify.Invalid}
			expect(t, s.verdict(t), outcome[test.want.result], test.want)

			// Where no proof is required, the axis says the same and the outcome does not care.
			s.request.HolderRequired = false
			v := s.verdict(t)
			expect(t, v, verify.Valid, test.want)
			if proven := test.want.result == verify.Pass; proven != (v.Note().Zh == "") {
				t.Errorf("the note is %q", v.Note().Zh)
			}
		})
	}
}

func (s *showing) stranger() *sm.PrivateKey {
	k, err := sm.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	return k
}

func (s *showing) ownKey() *verify.Key { return s.city.view.keys[s.city.key.Public().ID()] }

func TestHolderBindingWithdrawn(t *testing.T) {
	s := newShowing(t)
	v := s.verdict(t)
	expect(t, v, verify.Valid)
	binding, ok := v.Opened.BindingStatement()
	if !ok {
		t.Fatal("no binding")
	}
	s.city.view.withdrawn[sm.Sum(binding.Payload)] = true
	expect(t, verify.Verify(s.city.view, s.request), verify.Invalid, fail(verify.AxisHolder, verify.ReasonBindingWithdrawn))
}

// TestStaticPrint: a print never passes as shown by its holder, whatever the verifier sends.
func TestStaticPrint(t *testing.T) {
	c := newCity(t, 2)
	for _, required := range []bool{false, true} {
		v := c.check(c.two(t, 1), func(r *verify.Request) { r.HolderRequired, r.Nonce, r.Audience = required, nonce, "tax-office" })
		outcome := map[bool]verify.Outcome{false: verify.Valid, true: verify.Undetermined}[required]
		expect(t, v, outcome, unknown(verify.AxisHolder, verify.ReasonStatic))
	}
}

// TestHolderPartOfAnotherLicence: a holder part moved to another licence of the holder does not hold.
func TestHolderPartOfAnotherLicence(t *testing.T) {
	s := newShowing(t)
	first := s.verdict(t)
	other := *s.city.two(t, 3)
	other.Holder = first.Presentation.Holder
	if bytes.Equal(other.Bytes(), s.request.Presentation) {
		t.Fatal("it is the same presentation")
	}
	s.request.Presentation = other.Bytes()
	expect(t, verify.Verify(s.city.view, s.request), verify.Invalid, fail(verify.AxisHolder, verify.ReasonBindingSignatureInvalid))
}
