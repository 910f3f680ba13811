package receipt_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// A receipt is unanchored at first, can be upgraded once a checkpoint covers it, and is anchored
// then; the time by which it was recorded is proven by the heartbeats around the checkpoint.
func TestLife(t *testing.T) {
	city := verifiertest.New(t)
	b := newBook(t, city)
	b.fill(5)
	b.anchor()
	f := b.verification(city.Issue("property", 1)[0])
	if r := b.want(f, receipt.Unanchored, receipt.CodeNoProof); r.Upgradable || r.KeyState != verify.KeyActive {
		t.Errorf("before any checkpoint covers it: %+v", r)
	}
	b.fill(3)

	early := b.sign(b.checkpoint())
	if r := b.want(b.upgraded(f, early), receipt.Unanchored, receipt.CodeCheckpointNotThere); r.Upgradable {
		t.Error("upgradable, before any checkpoint covers it")
	}
	b.fill(1)
	city.Pass(time.Minute)
	checkpoint := b.anchor()
	if r := b.want(f, receipt.Unanchored, receipt.CodeNoProof); !r.Upgradable {
		t.Error("not upgradable, though a checkpoint covers it")
	}
	f = b.upgraded(f, checkpoint)
	if r := b.want(f, receipt.Anchored, ""); r.Checkpoint.Size != b.size() || r.Checkpoint.Before.Time != city.Clock.Unix() || r.Checkpoint.After != (verify.Heartbeat{}) {
		t.Errorf("the checkpoint is %+v", r.Checkpoint)
	}
	city.Pass(time.Minute)
	if r := b.want(f, receipt.Anchored, ""); r.Checkpoint.After.Time != city.Clock.Unix() {
		t.Errorf("the heartbeat after the checkpoint is %+v", r.Checkpoint.After)
	}

	// A later checkpoint does as well, and the earlier one still.
	b.fill(700)
	b.want(b.upgraded(f, b.anchor()), receipt.Anchored, "")
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
		{statement.KeyRetire, receipt.Unanchored, receipt.CodeNoProof, verify.KeyRetired},
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
		// The log goes on with another key, and anchors what was recorded before.
		b.want(b.upgraded(late, b.sign(b.checkpoint())), c.unanchored, map[string]string{
			receipt.CodeNoProof: receipt.CodeCheckpointNotThere, receipt.CodeKeyCompromised: receipt.CodeKeyCompromised}[c.code])
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
	entry := *honest.Entry()
	entry.Outcome = string(verify.Valid)
	var file struct{ Salt []byte }
	if err := json.Unmarshal(marshal(t, honest), &file); err != nil {
		t.Fatal(err)
	}
	forged := thief.record(&entry, access.Salt(file.Salt), honest.Receipt().Presentation)
	b.want(forged, receipt.Unanchored, receipt.CodeNoProof)
	if _, err := forged.WithProof(b.prove(honest, checkpoint)); code(err) != receipt.CodeNotIncluded {
		t.Errorf("the proof of another entry: %v", err)
	}
	// A checkpoint of the thief's log at the same size says that there are two.
	b.want(thief.upgraded(forged, thief.sign(thief.checkpoint())), receipt.Refused, receipt.CodeCheckpointDiffers)
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
	{"about something else", receipt.CodePresentationDiffers, func(s *stage) { s.shown.Presentation.Index++ }},
	{"recorded under another licence", receipt.CodeLicenceDiffers, func(s *stage) { s.shown.Digest[0] ^= 1 }},
	{"another leaf", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Leaf[0] ^= 1 }) }},
	{"another presentation", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Presentation[0] ^= 1 }) }},
	{"another outcome", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Outcome = "invalid" }) }},
	{"another reason", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Reasons[0] = "other" }) }},
	{"a reason less", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Reasons = r.Reasons[1:] }) }},
	{"another day", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Day++ }) }},
	{"another height", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Height++ }) }},
	{"another heartbeat", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Heartbeat++ }) }},
	{"another time", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.CheckedAt++ }) }},
	{"another salt", receipt.CodeEntryDiffers, func(s *stage) { s.file = s.with("salt", make([]byte, 16)) }},
	{"another index", receipt.CodeNotIncluded, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Index++ }) }},
	{"an index past the end", receipt.CodeNotIncluded, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Index = 7 }) }},
	{"another log", receipt.CodeProofDiffers, func(s *stage) { s.file = s.resigned(func(r *statement.Receipt) { r.Log = "second" }) }},
	{"another verifier", receipt.CodeKeyDepartment, func(s *stage) {
		s.file = s.resigned(func(r *statement.Receipt) { r.Verifier = ledgertest.Marriages })
	}},
	{"an unknown key", receipt.CodeKeyUnknown, func(s *stage) { s.trust.keys = nil }},
	{"a key of another department", receipt.CodeKeyDepartment, func(s *stage) { s.own.Department = ledgertest.Marriages }},
	{"a key for anchoring", receipt.CodeKeyPurpose, func(s *stage) { s.own.Purposes = statement.PurposeAnchor }},
	{"a signature with another key", receipt.CodeSignature, func(s *stage) {
		other := freshKey(s)
		kid := s.key.Public().ID()
		s.key = other
		s.file = s.resigned(func(*statement.Receipt) {})
		s.trust.keys[other.Public().ID()] = s.trust.keys[kid]
	}},
	{"dated before the key begins", receipt.CodeKeyNotYetValid, func(s *stage) { s.own.NotBefore = bound(s.file.Receipt().CheckedAt + 1) }},
	{"dated after the key ends", receipt.CodeKeyExpired, func(s *stage) { s.own.NotAfter = bound(s.file.Receipt().CheckedAt - 1) }},
	{"a stolen key, without a proof", receipt.CodeKeyCompromised, func(s *stage) {
		s.own.State = verify.KeyCompromised
		s.withoutProof()
	}},
	{"a stolen key, with a checkpoint that is not on the ledger", receipt.CodeKeyCompromised, func(s *stage) {
		s.own.State = verify.KeyCompromised
		s.trust.points = nil
	}},
	{"a checkpoint of another ledger", receipt.CodeProofDiffers, func(s *stage) {
		s.file = s.withCheckpoint(s.key, func(c *statement.Checkpoint) { c.Ledger[0] ^= 1 })
	}},
	{"a checkpoint of another department", receipt.CodeProofDiffers, func(s *stage) {
		s.file = s.withCheckpoint(s.key, func(c *statement.Checkpoint) { c.Department = ledgertest.Marriages })
	}},
	{"a checkpoint of another log", receipt.CodeProofDiffers, func(s *stage) {
		s.file = s.withCheckpoint(s.key, func(c *statement.Checkpoint) { c.Log = "second" })
	}},
	{"a checkpoint with another root", receipt.CodeNotIncluded, func(s *stage) {
		s.file = s.withCheckpoint(s.key, func(c *statement.Checkpoint) { c.Root[0] ^= 1 })
	}},
	{"a checkpoint before the entry", receipt.CodeNotIncluded, func(s *stage) {
		s.file = s.withCheckpoint(s.key, func(c *statement.Checkpoint) { c.Size = 2 })
	}},
	{"a checkpoint by a stranger", receipt.CodeCheckpointUnsigned, func(s *stage) {
		s.file = s.withCheckpoint(freshKey(s), func(*statement.Checkpoint) {})
	}},
	{"a checkpoint by another department", receipt.CodeCheckpointUnsigned, func(s *stage) {
		other := freshKey(s)
		s.trust.keys[other.Public().ID()] = &verify.Key{Department: ledgertest.Marriages, Public: other.Public(), Purposes: statement.PurposeLog}
		s.file = s.withCheckpoint(other, func(*statement.Checkpoint) {})
	}},
	{"a checkpoint by a key for status", receipt.CodeCheckpointUnsigned, func(s *stage) {
		other := freshKey(s)
		s.trust.keys[other.Public().ID()] = &verify.Key{Department: verifierID, Public: other.Public(), Purposes: statement.PurposeStatus}
		s.file = s.withCheckpoint(other, func(*statement.Checkpoint) {})
	}},
	{"a checkpoint whose signature does not verify", receipt.CodeCheckpointUnsigned, func(s *stage) {
		other := freshKey(s)
		s.trust.keys[other.Public().ID()] = s.own
		s.file = s.withCheckpoint(other, func(*statement.Checkpoint) {})
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
			for _, name := range []string{"receipt", "entry", "key", "checkpoint"} {
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
	at := s.file.Receipt().CheckedAt
	s.own.NotBefore, s.own.NotAfter, s.own.State = &at, &at, verify.KeyRetired
	if r, err := receipt.Verify(s.file, s.shown, s.trust); err != nil || r.Outcome != receipt.Anchored {
		t.Errorf("got %s, %q, %v", r.Outcome, r.Code, err)
	}
	s.own.State = verify.KeyCompromised
	if r, err := receipt.Verify(s.file, nil, s.trust); err != nil || r.Outcome != receipt.Anchored {
		t.Errorf("got %s, %q, %v", r.Outcome, r.Code, err)
	}
}

// A trust that cannot be asked is no verdict.
func TestTrustFails(t *testing.T) {
	s := newStage(t)
	s.trust.err = errors.New("the disk is gone")
	for _, f := range []*receipt.File{s.file, s.with("proof", nil)} {
		if r, err := receipt.Verify(f, nil, s.trust); !errors.Is(err, s.trust.err) || r.Outcome != "" {
			t.Errorf("got %s, %v", r.Outcome, err)
		}
	}
}

func TestSignRefusesAnotherPresentation(t *testing.T) {
	s := newStage(t)
	encoded, err := s.file.Entry().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	place := receipt.Place{Ledger: s.city.ID, Verifier: verifierID, Log: "main", Entry: encoded}
	if _, err := receipt.Sign(place, s.file.Receipt().Presentation, s.key); code(err) != receipt.CodePresentationDiffers {
		t.Errorf("with another salt: %v", err)
	}
	place.Entry = encoded[1:]
	var malformed *access.Error
	if _, err := receipt.Sign(place, s.file.Receipt().Presentation, s.key); !errors.As(err, &malformed) {
		t.Errorf("of what is no entry: %v", err)
	}
}
