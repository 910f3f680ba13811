package credential_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// A checker is a verifier without a ledger: it knows the ledger's id, the types and the issuers'
// keys, and refuses whatever does not follow from them.
type checker struct {
	testing.TB
	keys map[sm.Hash]*sm.PublicKey
	good sync.Map // SM3 of the statements whose signatures were found right
}

func newChecker(t testing.TB) *checker {
	c := &checker{TB: t, keys: map[sm.Hash]*sm.PublicKey{}}
	for _, id := range credentialtest.TypeIDs {
		key := statementtest.Key(credentialtest.Department(t, id).ID).Public()
		c.keys[key.ID()] = key
	}
	return c
}

// check returns the presentation if everything about it is as it should be.
func (c *checker) check(b []byte) (*credential.Opened, bool) {
	p, err := credential.Parse(b)
	if err != nil {
		return nil, false
	}
	for _, id := range credentialtest.TypeIDs {
		y := credentialtest.Type(c, id)
		if id != p.Record.Type || uint32(y.Version) != p.Record.TypeVersion {
			continue
		}
		o, err := p.Open(y)
		if err != nil || o.Signed.Ledger != statementtest.Ledger() {
			return nil, false
		}
		head, ok := o.HeadStatement()
		if !ok || !c.verify(head) {
			return nil, false
		}
		return o, o.Holder == nil || c.checkHolder(o)
	}
	return nil, false
}

func (c *checker) checkHolder(o *credential.Opened) bool {
	binding, ok := o.BindingStatement()
	if !ok || !c.verify(binding) {
		return false
	}
	proof, ok := o.ProofStatement()
	if !ok {
		return false
	}
	holder, err := sm.NewPublicKey(o.Holder.Key[:])
	return err == nil && proof.Verify(holder)
}

func (c *checker) verify(s *statement.Statement) bool {
	name := sm.Sum(s.Bytes())
	if _, known := c.good.Load(name); known {
		return true
	}
	key := c.keys[s.KeyID]
	ok := key != nil && s.Verify(key)
	if ok {
		c.good.Store(name, nil)
	}
	return ok
}

// Every bit of a credential, a presentation, and one with a holder part: none can be changed.
func TestEveryBitIsCommittedTo(t *testing.T) {
	c := newChecker(t)
	property := credentialtest.Batch(t, "property", 5).Credential(4)
	two := credentialtest.Disclose(t, property, credentialtest.TwoFields["property"]...)
	for _, s := range []sample{
		{"credential", withTerm(t)},
		{"two fields", two},
		{"holder-bound", credentialtest.Prove(t, credentialtest.Disclose(t, property))},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := s.Bytes()
			if _, ok := c.check(b); !ok {
				t.Fatal("the sample itself is refused")
			}
			for i := range len(b) * 8 {
				b[i/8] ^= 1 << (i % 8)
				if _, ok := c.check(b); ok {
					t.Errorf("accepted with bit %d of byte %d changed", i%8, i/8)
				}
				b[i/8] ^= 1 << (i % 8)
			}
			for n := range len(b) {
				if _, ok := c.check(b[:n]); ok {
					t.Errorf("accepted when cut to %d bytes", n)
				}
			}
		})
	}
}

// Parts of two presentations that are both in order do not make a third.
func TestPartsCannotBeExchanged(t *testing.T) {
	c := newChecker(t)
	batch := credentialtest.Batch(t, "marriage", 4)
	other := credentialtest.Batch(t, "marriage", 5)
	keys := credentialtest.TwoFields["marriage"]
	a := credentialtest.Disclose(t, batch.Credential(1), keys...)
	b := credentialtest.Disclose(t, batch.Credential(2), keys...)
	d := credentialtest.Disclose(t, other.Credential(1), keys...)
	e := credentialtest.Disclose(t, batch.Credential(1), "remarks", "spouse1Name")
	boundA, boundB := credentialtest.Prove(t, a), credentialtest.Prove(t, b)

	for name, change := range map[string]func(p *credential.Presentation){
		"a field of another licence":          func(p *credential.Presentation) { p.Fields = []credential.Field{a.Fields[0], b.Fields[1]} },
		"all fields of another licence":       func(p *credential.Presentation) { p.Fields = b.Fields },
		"fields and proof of another licence": func(p *credential.Presentation) { p.Fields, p.Proof = b.Fields, b.Proof },
		"another field for a disclosed one":   func(p *credential.Presentation) { p.Fields = e.Fields },
		"the proof of other fields":           func(p *credential.Presentation) { p.Proof = e.Proof },
		"the index of another licence":        func(p *credential.Presentation) { p.Index = b.Index },
		"the path of another licence":         func(p *credential.Presentation) { p.Path = b.Path },
		"the place of another licence":        func(p *credential.Presentation) { p.Index, p.Path = b.Index, b.Path },
		"the head of another batch":           func(p *credential.Presentation) { p.Head = d.Head },
		"head and place of another batch":     func(p *credential.Presentation) { p.Head, p.Index, p.Path = d.Head, d.Index, d.Path },
		"the signature of another batch":      func(p *credential.Presentation) { p.Head.Signature = d.Head.Signature },
		"the holder part of another licence":  func(p *credential.Presentation) { p.Holder = boundB.Holder },
		"another holder's proof": func(p *credential.Presentation) {
			h := *boundA.Holder
			h.ProofSignature = boundB.Holder.ProofSignature
			p.Holder = &h
		},
		"another licence's binding": func(p *credential.Presentation) {
			h := *boundA.Holder
			h.BindingSignature = boundB.Holder.BindingSignature
			p.Holder = &h
		},
		"a proof made before fields were left out": func(p *credential.Presentation) { p.Fields, p.Proof, p.Holder = e.Fields, e.Proof, boundA.Holder },
	} {
		p := *a
		change(&p)
		if _, ok := c.check(p.Bytes()); ok {
			t.Errorf("accepted with %s", name)
		}
	}
	for name, p := range map[string]*credential.Presentation{"a": a, "b": b, "d": d, "e": e, "bound a": boundA, "bound b": boundB} {
		if _, ok := c.check(p.Bytes()); !ok {
			t.Errorf("%s itself is refused", name)
		}
	}
}

// A presentation for one ledger is not one for another, where the issuer has the same key and type.
func TestReplayOnAnotherLedger(t *testing.T) {
	c := newChecker(t)
	p := credentialtest.Batch(t, "marriage", 2).Credential(0)
	ours := statementtest.Ledger()
	theirs := statementtest.Hash("another ledger")
	moved := bytes.Replace(p.Bytes(), ours[:], theirs[:], 1)
	q, err := credential.Parse(moved)
	if err != nil {
		t.Fatal(err)
	}
	head, ok := credentialtest.Open(t, q).HeadStatement()
	if !ok || c.verify(head) {
		t.Error("the head verifies for another ledger")
	}
}

// The parts that carry no signature of their own are all covered: each byte of a signature too.
func TestEverySignatureIsNeeded(t *testing.T) {
	c := newChecker(t)
	p := credentialtest.Prove(t, credentialtest.Batch(t, "marriage", 2).Credential(0))
	for name, signature := range map[string]*[sm.SignatureSize]byte{
		"head": &p.Head.Signature, "binding": &p.Holder.BindingSignature, "proof": &p.Holder.ProofSignature,
	} {
		right := *signature
		for _, wrong := range [][sm.SignatureSize]byte{{}, {63: 1}, {0: 0xff}, p.Head.Signature, p.Holder.BindingSignature, p.Holder.ProofSignature} {
			if wrong == right {
				continue
			}
			*signature = wrong
			if _, ok := c.check(p.Bytes()); ok {
				t.Errorf("accepted with the signature of the %s replaced by %s", name, fmt.Sprintf("%x...", wrong[:4]))
			}
		}
		*signature = right
	}
	if _, ok := c.check(p.Bytes()); !ok {
		t.Error("the sample itself is refused")
	}
}
