package receipt_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// A receipt is unanchored at first, can be upgraded once a checkpoint on the ledger covers it, and is
// anchored then; the time by which it was recorded is proven by the heartbeats around the checkpoint.
func TestLife(t *testing.T) {
	city := verifiertest.New(t)
	b := newBook(t, city)
	b.fill(5)
	b.anchor()
	f := b.verification(city.Issue("property", 1)[0])
	if r := b.want(f, receipt.Unanchored, receipt.CodeCheckpointNotThere); r.Upgradable || r.KeyState != verify.KeyActive {
		t.Errorf("before any checkpoint on the ledger covers it: %+v", r)
	}
	b.fill(4)
	city.Pass(time.Minute)
	checkpoint := b.anchor()
	if r := b.want(f, receipt.Unanchored, receipt.CodeCheckpointNotThere); !r.Upgradable {
		t.Error("not upgradable, though a checkpoint on the ledger covers it")
	}
	f = b.upgraded(f, checkpoint)
	if r := b.want(f, receipt.Anchored, ""); r.Anchor.Size != b.size() || r.Anchor.Before.Time != city.Clock.Unix() || r.Anchor.After != (verify.Heartbeat{}) {
		t.Errorf("the checkpoint is %+v", r.Anchor)
	}
	city.Pass(time.Minute)
	if r := b.want(f, receipt.Anchored, ""); r.Anchor.After.Time != city.Clock.Unix() {
		t.Errorf("the heartbeat after the checkpoint is %+v", r.Anchor.After)
	}

	// A later checkpoint does as well, and the earlier one still.
	b.fill(700)
	b.want(b.upgraded(f, b.anchor()), receipt.Anchored, "")
	b.want(f, receipt.Anchored, "")
}

// A receipt by the very checkpoint that goes to the ledger is anchored with it, signed again or not.
func TestAnchoredWithoutUpgrade(t *testing.T) {
	b := newBook(t, verifiertest.New(t))
	f := b.verification(b.city.Issue("property", 1)[0])
	b.want(f, receipt.Unanchored, receipt.CodeCheckpointNotThere)
	if c := b.anchor(); c.Signed.Signature == f.Proof.Checkpoint.Signed.Signature {
		t.Fatal("SM2 has made one signature twice")
	}
	b.want(f, receipt.Anchored, "")
}

// What becomes of the key afterwards does not matter to what is anchored. A retired key still speaks
// for what is not; one that was declared compromised does not.
func TestKeysAfterwards(t *testing.T) {
	for _, c := range []struct {
		action     string
		unanchored receipt.Outcome
		code       string
		state      verify.KeyState
	}{
		{statement.KeyRetire, receipt.Unanchored, receipt.CodeCheckpointNotThere, verify.KeyRetired},
		{statement.KeyCompromise, receipt.Refused, receipt.CodeKeyCompromised, verify.KeyCompromised},
	} {
		city := verifiertest.New(t)
		b := newBook(t, city)
		l := city.Issue("property", 1)[0]
		before := b.verification(l)
		before = b.upgraded(before, b.anchor())
		late := b.verification(l)
		b.endKey(c.action)

		if r := b.want(before, receipt.Anchored, ""); r.KeyState != c.state {
			t.Errorf("the key is %s", r.KeyState)
		}
		if r := b.want(late, c.unanchored, c.code); r.KeyState != c.state {
			t.Errorf("the key is %s", r.KeyState)
		}
		// The log goes on with another key, which speaks for what was recorded before, and anchors it.
		if r := b.want(b.upgraded(late, b.checkpoint()), receipt.Unanchored, receipt.CodeCheckpointNotThere); r.KeyState != verify.KeyActive {
			t.Errorf("the next key is %s", r.KeyState)
		}
		b.want(b.upgraded(late, b.anchor()), receipt.Anchored, "")
	}
}

// Whoever has the verifier's key can say what he likes, but not of what is in the log: an entry that
// was not there is not anchored, and what was there says something else.
func TestThiefOfTheKey(t *testing.T) {
	city := verifiertest.New(t)
	b := newBook(t, city)
	revoked := city.Issue("property", 1)[0]
	revoked.SetStatus(licence.Revoked)
	honest := b.verification(revoked)
	checkpoint := b.anchor()
	honest = b.upgraded(honest, checkpoint)

	thief := newBook(t, city) // another log under the same name
	entry := *honest.Entry
	entry.Outcome = string(verify.Valid)
	forged := thief.record(&entry, honest.Salt, honest.Presentation)
	// A checkpoint of the thief's log at the same size says that there are two.
	b.want(forged, receipt.Refused, receipt.CodeCheckpointDiffers)
	thief.fill(1)
	b.want(thief.upgraded(forged, thief.checkpoint()), receipt.Unanchored, receipt.CodeCheckpointNotThere) // until the verifier is asked
	forged.Proof = honest.Proof
	b.want(forged, receipt.Refused, receipt.CodeNotIncluded)
}

func code(err error) string {
	var e *receipt.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

var refusals = []struct {
	name, code string
	arrange    func(s *stage)
}{
	{"of another ledger", receipt.CodeOtherLedger, func(s *stage) { s.trust.ledger[0] ^= 1 }},
	{"another presentation", receipt.CodeEntryDiffers, func(s *stage) { s.with(func(f *receipt.File) { f.Presentation[0] ^= 1 }) }},
	{"another salt", receipt.CodeEntryDiffers, func(s *stage) { s.with(func(f *receipt.File) { f.Salt[0] ^= 1 }) }},
	{"another entry", receipt.CodeNotIncluded, func(s *stage) { s.restated(func(e *access.Entry) { e.Outcome = "invalid" }) }},
	{"an entry of a second before", receipt.CodeNotIncluded, func(s *stage) { s.restated(func(e *access.Entry) { e.Time-- }) }},
	{"another index", receipt.CodeNotIncluded, func(s *stage) { s.with(func(f *receipt.File) { f.Proof.Index++ }) }},
	{"an index past the end", receipt.CodeNotIncluded, func(s *stage) { s.with(func(f *receipt.File) { f.Proof.Index = 7 }) }},
	{"a path too short", receipt.CodeNotIncluded, func(s *stage) { s.with(func(f *receipt.File) { f.Proof.Path = f.Proof.Path[1:] }) }},
	{"a path too long", receipt.CodeNotIncluded, func(s *stage) {
		s.with(func(f *receipt.File) { f.Proof.Path = append(slices.Clone(f.Proof.Path), sm.Hash{}) })
	}},
	{"a checkpoint with another root", receipt.CodeNotIncluded, func(s *stage) { s.resigned(s.key, func(c *statement.Checkpoint) { c.Root[0] ^= 1 }) }},
	{"a checkpoint before the entry", receipt.CodeNotIncluded, func(s *stage) { s.resigned(s.key, func(c *statement.Checkpoint) { c.Size = 2 }) }},
	{"a checkpoint of another ledger", receipt.CodeOtherLedger, func(s *stage) { s.resigned(s.key, func(c *statement.Checkpoint) { c.Ledger[0] ^= 1 }) }},
	{"about something else", receipt.CodePresentationDiffers, func(s *stage) { s.shown.Presentation.Index++ }},
	{"recorded under another licence", receipt.CodeLicenceDiffers, func(s *stage) { s.shown.Digest[0] ^= 1 }},
	{"an unknown key", receipt.CodeKeyUnknown, func(s *stage) { s.trust.keys = nil }},
	{"a stranger's key", receipt.CodeKeyUnknown, func(s *stage) { s.resigned(freshKey(s), func(*statement.Checkpoint) {}) }},
	{"a key of another department", receipt.CodeKeyDepartment, func(s *stage) { s.own.Department = ledgertest.Marriages }},
	{"a checkpoint of another department", receipt.CodeKeyDepartment, func(s *stage) {
		s.resigned(s.key, func(c *statement.Checkpoint) { c.Department = ledgertest.Marriages })
	}},
	{"a key for anchoring", receipt.CodeKeyPurpose, func(s *stage) { s.own.Purposes = statement.PurposeAnchor }},
	{"a signature with another key", receipt.CodeSignature, func(s *stage) {
		other := freshKey(s)
		s.resigned(other, func(*statement.Checkpoint) {})
		s.trust.keys[other.Public().ID()] = s.own
	}},
	{"signed before the key begins", receipt.CodeKeyNotYetValid, func(s *stage) { s.own.NotBefore = bound(s.file.Proof.Checkpoint.SignedAt + 1) }},
	{"signed after the key ends", receipt.CodeKeyExpired, func(s *stage) { s.own.NotAfter = bound(s.file.Proof.Checkpoint.SignedAt - 1) }},
	{"a stolen key, and a checkpoint that is not on the ledger", receipt.CodeKeyCompromised, func(s *stage) {
		s.own.State = verify.KeyCompromised
		s.trust.points = nil
	}},
	{"a stolen key, and a checkpoint of another log", receipt.CodeKeyCompromised, func(s *stage) {
		s.own.State = verify.KeyCompromised
		s.resigned(s.key, func(c *statement.Checkpoint) { c.Log = "second" })
	}},
	{"another root on the ledger", receipt.CodeCheckpointDiffers, func(s *stage) {
		for size, c := range s.trust.points {
			c.Root[0] ^= 1
			s.trust.points[size] = c
		}
	}},
}

func TestRefusals(t *testing.T) {
	s := newStage(t)
	if r, err := receipt.Verify(s.file, s.shown, s.trust); err != nil || r.Outcome != receipt.Anchored || r.Code != "" {
		t.Fatalf("as it is: %+v, %v", r, err)
	}
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			s := s.again(t)
			c.arrange(s)
			r, err := receipt.Verify(s.file, s.shown, s.trust)
			if err != nil || r.Outcome != receipt.Refused || r.Code != c.code {
				t.Errorf("got %s, %q, %v, want refused, %q", r.Outcome, r.Code, err, c.code)
			}
			if zh, en := r.Reason().Zh, r.Reason().En; zh == "" || en == "" {
				t.Errorf("no words for %s", c.code)
			}
			var out map[string]any
			if err := json.Unmarshal(marshal(t, r), &out); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"receipt", "entry", "checkpoint", "keyState", "anchor"} {
				if out[name] != nil {
					t.Errorf("a receipt that is refused has %q: %v", name, out[name])
				}
			}
		})
	}
}

// Dates bound a key inclusively, and what a key was retired for does not matter.
func TestAccepted(t *testing.T) {
	s := newStage(t)
	at := s.file.Proof.Checkpoint.SignedAt
	s.own.NotBefore, s.own.NotAfter, s.own.State = &at, &at, verify.KeyRetired
	if r, err := receipt.Verify(s.file, s.shown, s.trust); err != nil || r.Outcome != receipt.Anchored {
		t.Errorf("got %s, %q, %v", r.Outcome, r.Code, err)
	}
	s.own.State = verify.KeyCompromised
	if r, err := receipt.Verify(s.file, nil, s.trust); err != nil || r.Outcome != receipt.Anchored {
		t.Errorf("got %s, %q, %v", r.Outcome, r.Code, err)
	}
	s.own.State = verify.KeyActive
	s.resigned(s.key, func(c *statement.Checkpoint) { c.Log = "second" }) // of which the ledger knows nothing
	if r, err := receipt.Verify(s.file, nil, s.trust); err != nil || r.Outcome != receipt.Unanchored || r.Code != receipt.CodeCheckpointNotThere {
		t.Errorf("got %s, %q, %v", r.Outcome, r.Code, err)
	}
}

// A trust that cannot be asked is no verdict.
func TestTrustFails(t *testing.T) {
	s := newStage(t)
	s.trust.err = errors.New("the disk is gone")
	for _, points := range []map[uint64]verify.Checkpoint{s.trust.points, nil} {
		s.trust.points = points
		if r, err := receipt.Verify(s.file, nil, s.trust); !errors.Is(err, s.trust.err) || r.Outcome != "" {
			t.Errorf("got %s, %v", r.Outcome, err)
		}
	}
}
