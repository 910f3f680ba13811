package verify_test

import (
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

func TestValid(t *testing.T) {
	c := newCity(t, 5)
	for _, parsed := range []bool{false, true} {
		p := c.two(t, 3)
		v := c.check(p, func(r *verify.Request) {
			if parsed {
				r.Presentation, r.Parsed = nil, p
			}
		})
		expect(t, v, verify.Valid,
			pass(verify.AxisContent, verify.ReasonConsistent),
			pass(verify.AxisIssuer, verify.ReasonSignatureValid),
			pass(verify.AxisAnchor, verify.ReasonAnchored),
			pass(verify.AxisStatus, verify.ReasonActive),
			pass(verify.AxisRestrictions, verify.ReasonUnrestricted),
			unknown(verify.AxisHolder, verify.ReasonStatic),
			pass(verify.AxisFreshness, verify.ReasonFresh))
	}
}

// TestHeadNewToTheView: a view that has not checked the signature has it checked.
func TestHeadNewToTheView(t *testing.T) {
	c := newCity(t, 5)
	c.view.licence.Anchor.Checked = false
	expect(t, c.check(c.two(t, 0)), verify.Valid, pass(verify.AxisIssuer, verify.ReasonSignatureValid))

	delete(c.view.keys, c.key.Public().ID())
	expect(t, c.check(c.two(t, 0)), verify.Invalid, fail(verify.AxisIssuer, verify.ReasonKeyUnknown))
}

// TestOneBitChanged: no presentation with one bit changed is valid, whichever bit it is.
func TestOneBitChanged(t *testing.T) {
	c := newCity(t, 5)
	b := c.two(t, 3).Bytes()
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		v := verify.Verify(c.view, verify.Request{Presentation: b, Now: noon})
		if v.Outcome != verify.Invalid && v.Outcome != verify.Undetermined {
			t.Errorf("bit %d of byte %d: %s", i%8, i/8, v.Outcome)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

func TestContentRefused(t *testing.T) {
	c := newCity(t, 5)
	good := c.two(t, 3).Bytes()
	changed := func(change func(*credential.Presentation)) []byte {
		p := *c.two(t, 3)
		change(&p)
		return p.Bytes()
	}
	for _, test := range []struct {
		name   string
		bytes  []byte
		reason verify.Reason
	}{
		{"nothing", nil, verify.ReasonMalformed},
		{"truncated", good[:len(good)-1], verify.ReasonMalformed},
		{"followed by a byte", append(good[:len(good):len(good)], 0), verify.ReasonMalformed},
		{"too long", make([]byte, 100<<20), verify.ReasonTooLarge},
		{"long and begun well", append(good[:len(good)-1:len(good)-1], make([]byte, credential.MaxSize)...), verify.ReasonTooLarge},
		{"proof cut", changed(func(p *credential.Presentation) { p.Proof = p.Proof[:len(p.Proof)-sm.HashSize] }), verify.ReasonInconsistent},
		{"path cut", changed(func(p *credential.Presentation) { p.Path = p.Path[:len(p.Path)-sm.HashSize] }), verify.ReasonInconsistent},
		{"index out of the batch", changed(func(p *credential.Presentation) { p.Index = 5 }), verify.ReasonInconsistent},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := verify.Verify(c.view, verify.Request{Presentation: test.bytes, Now: noon})
			expect(t, v, verify.Invalid, fail(verify.AxisContent, test.reason),
				unknown(verify.AxisIssuer, verify.ReasonNotExamined), unknown(verify.AxisFreshness, verify.ReasonNotExamined))
			if v.Problem == "" || v.Opened != nil || len(v.Fields()) != 0 {
				t.Errorf("problem %q, opened %v", v.Problem, v.Opened != nil)
			}
		})
	}
}

// TestUnknownIsNotInvalid: what the verifier does not know is not held against the licence.
func TestUnknownIsNotInvalid(t *testing.T) {
	t.Run("another ledger", func(t *testing.T) {
		c := newCity(t, 5)
		p := c.two(t, 1)
		c.view.ledger = sm.Sum([]byte("another ledger"))
		expect(t, c.check(p), verify.Undetermined,
			unknown(verify.AxisContent, verify.ReasonLedgerUnknown), unknown(verify.AxisIssuer, verify.ReasonLedgerUnknown),
			unknown(verify.AxisAnchor, verify.ReasonLedgerUnknown), unknown(verify.AxisFreshness, verify.ReasonLedgerUnknown),
			unknown(verify.AxisHolder, verify.ReasonStatic))
	})
	t.Run("an empty view", func(t *testing.T) {
		c := newCity(t, 5)
		p := c.two(t, 1)
		c.view = &view{}
		expect(t, c.check(p), verify.Undetermined, unknown(verify.AxisContent, verify.ReasonLedgerUnknown))
	})
	t.Run("another version of the type", func(t *testing.T) {
		c := newCity(t, 5)
		p := c.two(t, 1)
		delete(c.view.types, "marriage")
		c.view.licence.Heartbeat.Time = at(-25 * time.Hour) // the head is dated an hour later
		expect(t, c.check(p), verify.Undetermined, unknown(verify.AxisContent, verify.ReasonTypeUnknown),
			unknown(verify.AxisIssuer, verify.ReasonTypeUnknown), unknown(verify.AxisAnchor, verify.ReasonTypeUnknown),
			unknown(verify.AxisStatus, verify.ReasonTypeUnknown), unknown(verify.AxisFreshness, verify.ReasonTypeUnknown))
	})
	t.Run("anchored since", func(t *testing.T) {
		c := newCity(t, 5)
		c.view.licence.Anchored = false
		c.view.licence.Heartbeat.Time = at(-25 * time.Hour) // the head is dated an hour later
		expect(t, c.check(c.two(t, 1)), verify.Undetermined,
			pass(verify.AxisIssuer, verify.ReasonSignatureValid), unknown(verify.AxisAnchor, verify.ReasonNewerThanView),
			unknown(verify.AxisStatus, verify.ReasonNotExamined), unknown(verify.AxisRestrictions, verify.ReasonNotExamined))
	})
	t.Run("anchored since, after it waited for the ledger", func(t *testing.T) {
		c := newCity(t, 5)
		c.view.licence.Anchored = false
		c.view.licence.Heartbeat.Time = at(-24*time.Hour + 15*time.Minute - time.Second) // the head is dated 15 minutes before
		expect(t, c.check(c.two(t, 1)), verify.Undetermined, unknown(verify.AxisAnchor, verify.ReasonNewerThanView))
		c.view.licence.Heartbeat.Time++
		expect(t, c.check(c.two(t, 1)), verify.Invalid, fail(verify.AxisAnchor, verify.ReasonNotAnchored))
	})
	t.Run("anchored since, with a key enrolled since", func(t *testing.T) {
		c := newCity(t, 5)
		c.view.licence.Anchored = false
		c.view.licence.Heartbeat.Time = at(-25 * time.Hour)
		delete(c.view.keys, c.key.Public().ID())
		expect(t, c.check(c.two(t, 1)), verify.Undetermined, unknown(verify.AxisIssuer, verify.ReasonNewerThanView))
	})
	t.Run("no heartbeat yet", func(t *testing.T) {
		c := newCity(t, 5)
		c.view.licence.Heartbeat = verify.Heartbeat{}
		expect(t, c.check(c.two(t, 1)), verify.Undetermined,
			pass(verify.AxisAnchor, verify.ReasonAnchored), unknown(verify.AxisFreshness, verify.ReasonNoHeartbeat))
		c.view.licence.Anchored = false
		expect(t, c.check(c.two(t, 1)), verify.Undetermined, unknown(verify.AxisAnchor, verify.ReasonNewerThanView))
	})
}

// TestForged: heads that the issuer did not sign, or did not anchor.
func TestForged(t *testing.T) {
	old := at(-48 * time.Hour)
	record := credential.Record{Issuer: civilAffairs, IssuedAt: old}
	for _, test := range []struct {
		name   string
		forge  func(c *city, key *sm.PrivateKey)
		signed uint64
		issuer want
		anchor want
	}{
		{"a key of nobody", func(*city, *sm.PrivateKey) {}, old,
			fail(verify.AxisIssuer, verify.ReasonKeyUnknown), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"a key of nobody, dated far ahead", func(*city, *sm.PrivateKey) {}, at(25 * time.Hour),
			fail(verify.AxisIssuer, verify.ReasonKeyUnknown), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"a key of another department", func(c *city, k *sm.PrivateKey) { c.enrol(k, "market", statement.PurposeAnchor) }, old,
			fail(verify.AxisIssuer, verify.ReasonKeyDepartment), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"a key for another purpose", func(c *city, k *sm.PrivateKey) { c.enrol(k, civilAffairs, statement.PurposeStatus) }, old,
			fail(verify.AxisIssuer, verify.ReasonKeyPurpose), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"a retired key", func(c *city, k *sm.PrivateKey) {
			c.enrol(k, civilAffairs, statement.PurposeAnchor).State = verify.KeyRetired
		}, old, fail(verify.AxisIssuer, verify.ReasonKeyRetired), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"a stolen key, backdated", func(c *city, k *sm.PrivateKey) {
			c.enrol(k, civilAffairs, statement.PurposeAnchor).State = verify.KeyCompromised
		}, old, fail(verify.AxisIssuer, verify.ReasonKeyCompromised), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"a stolen key, dated later than the view", func(c *city, k *sm.PrivateKey) {
			c.enrol(k, civilAffairs, statement.PurposeAnchor).State = verify.KeyCompromised
		}, at(0), fail(verify.AxisIssuer, verify.ReasonKeyCompromised), unknown(verify.AxisAnchor, verify.ReasonNewerThanView)},
		{"before the key begins", func(c *city, k *sm.PrivateKey) {
			after := old + 1
			c.enrol(k, civilAffairs, statement.PurposeAnchor).NotBefore = &after
		}, old, fail(verify.AxisIssuer, verify.ReasonKeyNotYetValid), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"after the key ends", func(c *city, k *sm.PrivateKey) {
			before := old - 1
			c.enrol(k, civilAffairs, statement.PurposeAnchor).NotAfter = &before
		}, old, fail(verify.AxisIssuer, verify.ReasonKeyExpired), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
		{"never submitted", func(c *city, k *sm.PrivateKey) { c.enrol(k, civilAffairs, statement.PurposeAnchor) }, old,
			pass(verify.AxisIssuer, verify.ReasonSignatureValid), fail(verify.AxisAnchor, verify.ReasonNotAnchored)},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 1)
			key := newKey(t)
			test.forge(c, key)
			p := c.issue(t, 4, record, key, test.signed).Credential(2)
			v := c.check(p)
			expect(t, v, verify.Invalid, pass(verify.AxisContent, verify.ReasonConsistent), test.issuer, test.anchor)
		})
	}
}

// TestTypeThatNeverWas: a head of a type that nobody had published by its date is not on the ledger.
func TestTypeThatNeverWas(t *testing.T) {
	c := newCity(t, 1)
	p := c.two(t, 0)
	p.Record.TypeVersion = 99
	expect(t, c.check(p), verify.Invalid,
		unknown(verify.AxisContent, verify.ReasonTypeUnknown), fail(verify.AxisAnchor, verify.ReasonNotAnchored))
}

// TestAnchoredHeadIsTheVeryHead: the signature of an anchored head vouches for no other head, whatever
// in it differs.
func TestAnchoredHeadIsTheVeryHead(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*verify.Anchor)
	}{
		{"unit", func(a *verify.Anchor) { a.Head.Unit = "archive" }},
		{"type", func(a *verify.Anchor) { a.Head.Type = "divorce" }},
		{"type version", func(a *verify.Anchor) { a.Head.TypeVersion++ }},
		{"size", func(a *verify.Anchor) { a.Head.Size++ }},
		{"signed-at", func(a *verify.Anchor) { a.Head.SignedAt++ }},
		{"key", func(a *verify.Anchor) { a.KeyID[0]++ }},
		{"signature", func(a *verify.Anchor) { a.Signature[63]++ }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 3)
			test.change(&c.view.licence.Anchor)
			expect(t, c.check(c.two(t, 0)), verify.Invalid,
				pass(verify.AxisIssuer, verify.ReasonSignatureValid), // it did sign this one as well
				fail(verify.AxisAnchor, verify.ReasonAnchorDiffers),
				unknown(verify.AxisStatus, verify.ReasonNotExamined))
		})
	}
	t.Run("and its signature is wrong", func(t *testing.T) {
		c := newCity(t, 3)
		p := c.two(t, 0)
		p.Head.SignedAt++
		expect(t, c.check(p), verify.Invalid,
			fail(verify.AxisIssuer, verify.ReasonSignatureInvalid), fail(verify.AxisAnchor, verify.ReasonAnchorDiffers))
	})
}

// TestKeyEndedSince: what was anchored before its key ended stays good, unless it is disowned.
func TestKeyEndedSince(t *testing.T) {
	for _, state := range []verify.KeyState{verify.KeyRetired, verify.KeyCompromised} {
		for _, checked := range []bool{false, true} {
			c := newCity(t, 3)
			c.view.keys[c.key.Public().ID()].State = state
			c.view.licence.Anchor.Checked = checked
			expect(t, c.check(c.two(t, 0)), verify.Valid, pass(verify.AxisIssuer, verify.ReasonSignatureValid))
			c.view.licence.Anchor.Disowned = true
			expect(t, c.check(c.two(t, 0)), verify.Invalid,
				fail(verify.AxisIssuer, verify.ReasonAnchorDisowned), pass(verify.AxisAnchor, verify.ReasonAnchored))
		}
	}
}
