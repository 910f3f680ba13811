package issuer_test

import (
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func newHolder(t *testing.T) *sm.PrivateKey {
	t.Helper()
	key, err := sm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestBind(t *testing.T) {
	d := newDesk(t, "marriage")
	o := d.issued(t, "bundle", d.file(t, "input", d.sample(t, "-1.json")), 1)[0]
	l, holder := d.subject(t, o), newHolder(t)
	id, binding, err := d.Bind(t.Context(), clerk, l, holder.Public(), now, now.AddDate(0, 3, 0))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := credential.Disclose(o.Presentation, d.typ, "spouse1Name")
	if err != nil {
		t.Fatal(err)
	}
	if o, err = shown.Open(d.typ); err != nil {
		t.Fatal(err)
	}
	proof := statement.Proof{Audience: "natural-resources", IssuedAt: uint64(now.Unix()), NotAfter: uint64(now.Unix()) + 300}
	proved, err := credential.Prove(o, binding, proof, holder)
	if err != nil {
		t.Fatal(err)
	}
	if o, err = proved.Open(d.typ); err != nil {
		t.Fatal(err)
	}
	if s, ok := o.BindingStatement(); !ok || !s.Verify(d.department.Anchor.Public()) {
		t.Error("the binding is not signed by the department's key")
	}
	second, _, err := d.Bind(t.Context(), clerk, l, newHolder(t).Public(), now, now.AddDate(0, 3, 0)) // the other spouse
	if err != nil || second == id {
		t.Errorf("the second binding is %d, the first %d, %v", second, id, err)
	}
	kept, err := d.vault.Bindings(t.Context(), l.ID)
	if err != nil || len(kept) != 2 || string(kept[0].Statement) != string(binding) || kept[0].ID != id {
		t.Errorf("the vault keeps %d bindings, %v", len(kept), err)
	}
	_, _, err = d.Bind(t.Context(), clerk, l, holder.Public(), now, now.AddDate(2, 0, 0))
	hasCode(t, err, statement.CodeInvalid)
	forged := *l
	forged.Place.Digest[5] ^= 1
	_, _, err = d.Bind(t.Context(), clerk, &forged, holder.Public(), now, now)
	hasCode(t, err, issuer.CodeNotAnchored)
	stranger := *l
	stranger.ID = 0
	_, _, err = d.Bind(t.Context(), clerk, &stranger, holder.Public(), now, now)
	hasCode(t, err, vault.CodeUnknown)
}

// TestUnbind revokes one of two bindings, interrupted once before and once after the ledger has it.
func TestUnbind(t *testing.T) {
	d := newDesk(t, "marriage")
	l := d.subject(t, d.issued(t, "bundle", d.file(t, "input", d.sample(t, "-1.json")), 1)[0])
	for _, failing := range []*shaky{{before: fails(1, ledger.CodeNotSubmitted)}, {after: fails(1, ledger.CodeOutcomeUnknown)}} {
		id, signed, err := d.Bind(t.Context(), clerk, l, newHolder(t).Public(), now, now.AddDate(0, 3, 0))
		if err != nil {
			t.Fatal(err)
		}
		s, err := statement.Parse(signed)
		if err != nil {
			t.Fatal(err)
		}
		withdrawn := func() bool {
			_, err := d.ledger.Evaluate(t.Context(), chaincode.Query{Name: "consent", Args: []string{d.department.ID, sm.Sum(s.Payload).String()}})
			if err != nil && chaincode.Code(err) != chaincode.CodeNotFound {
				t.Fatal(err)
			}
			return err == nil
		}
		iss := d.on(t, failing)
		if err := iss.Unbind(t.Context(), clerk, id); err == nil {
			t.Fatal("the ledger did not fail")
		}
		if withdrawn() != (failing.after != nil) {
			t.Error("the ledger is not as it was made to be")
		}
		for range 2 { // done again, and once more
			if err := iss.Unbind(t.Context(), clerk, id); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := d.vault.Bindings(t.Context(), l.ID)
		if last := kept[len(kept)-1]; err != nil || !withdrawn() || last.ID != id || last.RevokedAt == nil {
			t.Errorf("withdrawn on the ledger: %v; in the vault: %v, %v", withdrawn(), last.RevokedAt, err)
		}
	}
	if err := d.Unbind(t.Context(), clerk, 99); vault.Code(err) != vault.CodeUnknown {
		t.Errorf("a binding that is none: %v", err)
	}
	keyless := d.config
	keyless.Signers = issuer.Fixed(nil)
	id, _, err := d.Bind(t.Context(), clerk, l, newHolder(t).Public(), now, now.AddDate(0, 3, 0))
	if err != nil {
		t.Fatal(err)
	}
	hasCode(t, d.open(t, keyless).Unbind(t.Context(), clerk, id), issuer.CodeSignerMissing)
}
