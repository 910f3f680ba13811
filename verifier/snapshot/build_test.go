package snapshot_test

import (
	"context"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// Receipts can be checked by a snapshot.
var _ receipt.Trust = (*snapshot.View)(nil)

// TestSameContents: whoever makes a snapshot of the same blocks makes the same contents, so that an
// auditor who follows the ledger can compare.
func TestSameContents(t *testing.T) {
	h := newHistory(t, 7)
	for range 80 {
		h.step()
	}
	_, want := build(t, h.City)
	dir := t.TempDir()
	for range 2 { // live, and after a restart
		x, err := index.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.Follow(ctx, h.As(h.Authority.ID)) }()
		if err := x.WaitFor(ctx, h.Index.Head().Height); err != nil {
			t.Fatal(err)
		}
		again := *h.City
		again.Index = x
		if _, got := build(t, &again); *got != *want {
			t.Errorf("header %+v, want %+v", got, want)
		}
		stop()
		<-ended
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBuildRefuses: what a reader would not take is not made.
func TestBuildRefuses(t *testing.T) {
	city := verifiertest.New(t)
	export, err := city.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]*sm.PrivateKey{
		"a stranger": newKey(t), "an issuer": city.Department(t, ledgertest.Marriages).Log, "for another purpose": city.Authority.Govern,
	} {
		if _, _, err := snapshot.Build(export, key); code(err) != snapshot.CodeSigner {
			t.Errorf("signed by %s: %v", name, err)
		}
	}
	retire := city.EndKey(city.Authority.ID, city.Authority.Log, statement.KeyRetire)
	city.Submit(city.Authority.ID, ledgertest.Sign(t, retire, city.Authority.Govern))
	if _, _, err := snapshot.Build(export, city.Authority.Log); err != nil {
		t.Errorf("made before the key was retired: %v", err)
	}
	if export, err = city.Index.Export(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := snapshot.Build(export, city.Authority.Log); code(err) != snapshot.CodeSigner {
		t.Errorf("signed with a retired key: %v", err)
	}
}

// TestUnchecked: a snapshot that its signer gave another anchor than the issuer signed says so: the
// signatures of heads are checked by whoever verifies.
func TestUnchecked(t *testing.T) {
	city := verifiertest.New(t)
	l := city.Issue("marriage", 2)[1]
	city.Pass(60e9)
	export, err := city.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	forged := l.Show()
	forged.Head.Signature[3] ^= 1
	b, _, err := snapshot.Build(forgedAnchors{export, forged.Head.Signature}, city.Authority.Log)
	if err != nil {
		t.Fatal(err)
	}
	view, err := snapshot.Open(b, trustOf(city.City), 0)
	if err != nil {
		t.Fatal(err)
	}
	v := verify.Verify(view, verify.Request{Parsed: forged, Now: city.Clock.Now()})
	if f := v.Finding(verify.AxisIssuer); v.Outcome != verify.Invalid || f.Reason != verify.ReasonSignatureInvalid {
		t.Errorf("%s, %v", v.Outcome, v.Reasons())
	}
}

// forgedAnchors is an export whose anchors all have one signature.
type forgedAnchors struct {
	*index.Export
	signature [sm.SignatureSize]byte
}

func (f forgedAnchors) Anchors(yield func(verify.Anchor, []verify.Change) bool) {
	for a, changes := range f.Export.Anchors {
		a.Signature = f.signature
		if !yield(a, changes) {
			return
		}
	}
}

// twice is an export that tells of every licence and binding twice.
type twice struct {
	*index.Export
	licences, bindings int // how often
}

func (e twice) Licences(yield func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool) {
	for range e.licences {
		e.Export.Licences(yield)
	}
}

func (e twice) Withdrawn(yield func(department string, binding sm.Hash) bool) {
	for range e.bindings {
		e.Export.Withdrawn(yield)
	}
}

// TestCollision: two licences of one name, or two bindings, are never put into one snapshot.
func TestCollision(t *testing.T) {
	city := verifiertest.New(t)
	l := city.Issue("property", 1)[0]
	l.Restrict()
	l.WithdrawBinding()
	export, err := city.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		licences, bindings int
		code               string
	}{{1, 1, ""}, {2, 1, snapshot.CodeCollision}, {1, 2, snapshot.CodeCollision}} {
		if _, _, err := snapshot.Build(twice{export, c.licences, c.bindings}, city.Authority.Log); code(err) != c.code {
			t.Errorf("licences %d times, bindings %d times: %v", c.licences, c.bindings, err)
		}
	}
}

// TestTrustOf: who follows the ledger trusts the authority's keys for logs, as long as they are in force.
func TestTrustOf(t *testing.T) {
	city := verifiertest.New(t)
	trusted := func() (string, snapshot.Trust) {
		export, err := city.Index.Export()
		if err != nil {
			t.Fatal(err)
		}
		authority, trust, err := snapshot.TrustOf(export)
		if err != nil {
			t.Fatal(err)
		}
		return authority, trust
	}
	log := city.Authority.Log.Public()
	authority, trust := trusted()
	if authority != city.Authority.ID || trust.Ledger != city.ID || trust.Seen != city.Index.Head() || len(trust.Keys) != 1 || !trust.Keys[0].Equal(log) {
		t.Errorf("%s, %+v", authority, trust)
	}
	next := newKey(t)
	enrol := city.Enrolment(city.Authority.ID, next, statement.PurposeLog|statement.PurposeConsent)
	city.Submit(city.Authority.ID, ledgertest.Sign(t, enrol, next, city.Authority.Govern))
	if _, trust = trusted(); len(trust.Keys) != 2 || !slices.ContainsFunc(trust.Keys, log.Equal) || !slices.ContainsFunc(trust.Keys, next.Public().Equal) {
		t.Errorf("%+v", trust)
	}
	city.Submit(city.Authority.ID, ledgertest.Sign(t, city.EndKey(city.Authority.ID, city.Authority.Log, statement.KeyCompromise), city.Authority.Govern))
	if _, trust = trusted(); len(trust.Keys) != 1 || !trust.Keys[0].Equal(next.Public()) {
		t.Errorf("%+v", trust)
	}
}
