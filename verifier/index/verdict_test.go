package index_test

import (
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

type reasons = map[verify.Axis]verify.Reason

// TestEveryOutcome takes one ledger through everything that can become of a licence.
func TestEveryOutcome(t *testing.T) {
	w := newTown(t)
	x := w.index()

	b := w.anchor("marriage", 5)
	expect(t, w.verdict(x, b, 0), verify.Undetermined, reasons{verify.AxisAnchor: verify.ReasonAnchored, verify.AxisFreshness: verify.ReasonNoHeartbeat})
	w.beat()
	single := w.anchor("marriage", 1)
	w.beat()

	v := w.verdict(x, b, 0)
	expect(t, v, verify.Valid, reasons{
		verify.AxisContent: verify.ReasonConsistent, verify.AxisIssuer: verify.ReasonSignatureValid, verify.AxisAnchor: verify.ReasonAnchored,
		verify.AxisStatus: verify.ReasonActive, verify.AxisRestrictions: verify.ReasonUnrestricted,
		verify.AxisHolder: verify.ReasonStatic, verify.AxisFreshness: verify.ReasonFresh,
	})
	if a := v.Known.Anchor; a.Before.Sequence != 0 || a.After.Sequence != 1 || a.TransactionID == "" {
		t.Errorf("the first anchor is between heartbeats %d and %d, transaction %q", a.Before.Sequence, a.After.Sequence, a.TransactionID)
	}
	if v.Issuer.Profile.NameZh != b.Department.Profile.NameZh || v.Known.Height != w.height()-1 {
		t.Errorf("issuer %q, height %d", v.Issuer.Profile.NameZh, v.Known.Height)
	}
	v = w.verdict(x, single, 0)
	expect(t, v, verify.Valid, nil)
	if a := v.Known.Anchor; a.Before.Sequence != 1 || a.After.Sequence != 2 || a.Before.Block >= a.Position.Block || a.After.Block <= a.Position.Block {
		t.Errorf("the second anchor, in block %d, is between heartbeats %+v and %+v", a.Position.Block, a.Before, a.After)
	}

	// Suspended, reinstated, revoked, superseded; the others of the batch stay what they are.
	suspend := b.Change(1, suspended)
	w.change(b, suspend)
	expect(t, w.verdict(x, b, 1), verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonSuspended})
	reinstate := ledgertest.After(t, suspend, active)
	reinstate.Effective = ledgertest.Day + 3
	w.change(b, reinstate)
	v = w.verdict(x, b, 1)
	expect(t, v, verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonSuspended})
	if v.Pending == nil || v.Pending.State != active {
		t.Errorf("pending: %+v", v.Pending)
	}
	later := licence.Date(ledgertest.Day + 3)
	expect(t, w.verdict(x, b, 1, func(r *verify.Request) { r.AsOf = &later }), verify.Valid, nil)

	w.change(b, b.Change(2, revoked))
	v = w.verdict(x, b, 2)
	expect(t, v, verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonRevoked})
	if v.Change.Reason != sm.Sum([]byte("a reason")) || v.Change.Position.Block != w.height()-1 {
		t.Errorf("change %+v", v.Change)
	}

	supersede := b.Change(3, superseded)
	place := single.Place(0)
	supersede.Successor = &place
	w.change(b, supersede)
	v = w.verdict(x, b, 3)
	expect(t, v, verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonSuperseded})
	if v.Change.Successor == nil || *v.Change.Successor != single.Digests[0] {
		t.Errorf("successor %v", v.Change.Successor)
	}
	expect(t, w.verdict(x, b, 4), verify.Valid, nil)

	// The whole batch.
	w.change(b, b.ChangeAll(suspended))
	v = w.verdict(x, b, 4)
	expect(t, v, verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonSuspended})
	if !v.OfBatch {
		t.Error("the change is not of the batch")
	}
	expect(t, w.verdict(x, b, 2), verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonRevoked})
	expect(t, w.verdict(x, single, 0), verify.Valid, nil)

	// Restricted, twice, and released.
	p := w.anchor("property", 3)
	seize := p.Restrict(1)
	w.restrict(p, seize)
	v = w.verdict(x, p, 1)
	expect(t, v, verify.Restricted, reasons{verify.AxisRestrictions: verify.ReasonRestricted, verify.AxisStatus: verify.ReasonActive})
	second := ledgertest.AfterRestriction(t, seize, statement.RestrictionLay)
	second.ID[0]++
	w.restrict(p, second)
	v = w.verdict(x, p, 1)
	if n, _ := v.RestrictionsInEffect(); n != 2 || v.Known.Restrictions[1].ID != second.ID || v.Known.Restrictions[0].Ground != seize.Ground {
		t.Errorf("restrictions %+v", v.Known.Restrictions)
	}
	lift := ledgertest.AfterRestriction(t, second, statement.RestrictionLift)
	w.restrict(p, lift)
	lift = ledgertest.AfterRestriction(t, lift, statement.RestrictionLift)
	lift.ID = seize.ID
	w.restrict(p, lift)
	expect(t, w.verdict(x, p, 1), verify.Valid, reasons{verify.AxisRestrictions: verify.ReasonUnrestricted})

	// Never anchored, and anchored by nobody whom the ledger knows.
	never := w.city.Issue(t, "marriage", 2)
	w.beat()
	expect(t, w.verdict(x, never, 1), verify.Undetermined, reasons{verify.AxisAnchor: verify.ReasonNewerThanView}) // it may be on its way
	for range 15 {
		w.beat()
	}
	expect(t, w.verdict(x, never, 1), verify.Invalid, reasons{verify.AxisAnchor: verify.ReasonNotAnchored, verify.AxisIssuer: verify.ReasonSignatureValid})

	// Of another ledger.
	other := ledgertest.NewCity(t, "another")
	v = verify.Verify(x, verify.Request{Parsed: other.Issue(t, "marriage", 1).Licences.Credential(0), Now: w.now()})
	expect(t, v, verify.Undetermined, reasons{verify.AxisContent: verify.ReasonLedgerUnknown})

	// The same, by an index that reads it all at once.
	w.sameView(w.index(), x)
}

// TestExpired: the validity that a licence was issued with.
func TestExpired(t *testing.T) {
	w := newTown(t)
	x := w.index()
	b := w.anchor("business", 3)
	w.beat()
	expect(t, w.verdict(x, b, 0), verify.Valid, nil)
	future := w.now().Add(100 * 365 * 24 * time.Hour)
	typ := w.city.Type(t, "business")
	record := b.Licences.Credential(0).Record
	if record.ValidUntil == nil {
		day := licence.DateOf(w.now()) - 1
		b = w.reissue(typ, func(r *credential.Record) { r.ValidUntil = &day })
		expect(t, w.verdict(x, b, 0), verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonExpired})
		return
	}
	expect(t, w.verdict(x, b, 0, func(r *verify.Request) { r.Now = future }), verify.NotCurrent, reasons{verify.AxisStatus: verify.ReasonExpired})
}

// reissue anchors one licence of a type with a record that is edited.
func (w *town) reissue(typ *licence.Type, edit func(*credential.Record)) *ledgertest.Batch {
	w.Helper()
	d := w.city.Issuer(w.T, typ.ID)
	record := credential.Record{Issuer: d.ID, IssuedAt: ledgertest.Time}
	edit(&record)
	draft, err := credential.NewDraft(w.city.Documents(w.T, typ.ID)[0], record, make([]byte, len(typ.Leaves())*credential.SaltSize))
	if err != nil {
		w.Fatal(err)
	}
	head := statement.Head{Ledger: w.city.ID, Unit: d.Profile.Units[0].ID, SignedAt: ledgertest.Time}
	licences, err := credential.NewBatch([]*credential.Draft{draft}, head, d.Anchor)
	if err != nil {
		w.Fatal(err)
	}
	b := &ledgertest.Batch{
		Department: d, Issuer: d.ID, Head: licences.Head, Statement: licences.Statement, Digests: licences.Digests, Licences: licences,
		Tx: &chaincode.Transaction{Statements: [][]byte{licences.Statement}, Digests: licences.DigestBytes()},
	}
	w.submit(d.ID, b.Tx)
	w.batches = append(w.batches, b)
	return b
}

// TestHolderOnTheLedger: a binding holds until it is withdrawn, or its key ends.
func TestHolderOnTheLedger(t *testing.T) {
	w := newTown(t)
	x := w.index()
	b := w.anchor("marriage", 4)
	w.beat()
	holder, err := sm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := w.show(b, 2).Open(w.city.Type(t, "marriage"))
	if err != nil {
		t.Fatal(err)
	}
	now := uint64(w.now().Unix())
	binding := &statement.Binding{
		Ledger: w.city.ID, Issuer: b.Issuer, Digest: opened.Digest, HolderKey: [64]byte(holder.Public().Bytes()),
		NotBefore: now - 3600, NotAfter: now + 3600,
	}
	signed, err := statement.Sign(binding, b.Department.Anchor)
	if err != nil {
		t.Fatal(err)
	}
	nonce := []byte("a nonce")
	p, err := credential.Prove(opened, signed, statement.Proof{Audience: "tax", Nonce: nonce, IssuedAt: now, NotAfter: now + 60}, holder)
	if err != nil {
		t.Fatal(err)
	}
	verdict := func() verify.Verdict {
		return w.verdict(x, b, 2, func(r *verify.Request) { r.Parsed, r.Audience, r.Nonce, r.HolderRequired = p, "tax", nonce, true })
	}
	expect(t, verdict(), verify.Valid, reasons{verify.AxisHolder: verify.ReasonHolderProven})

	payload, err := statement.Encode(binding)
	if err != nil {
		t.Fatal(err)
	}
	w.consent(b.Department, sm.Sum(payload), statement.ConsentGive)
	w.consent(w.city.Department(t, ledgertest.Properties), sm.Sum(payload), statement.ConsentWithdraw)
	expect(t, verdict(), verify.Valid, reasons{verify.AxisHolder: verify.ReasonHolderProven}) // neither is a withdrawal by the issuer
	w.consent(b.Department, sm.Sum(payload), statement.ConsentWithdraw)
	expect(t, verdict(), verify.Invalid, reasons{verify.AxisHolder: verify.ReasonBindingWithdrawn})
}

// TestCompromisedKey: what was anchored before the declaration stays good, unless disowned; after
// it the ledger takes nothing, however it is dated.
func TestCompromisedKey(t *testing.T) {
	w := newTown(t)
	x := w.index()
	good := w.anchor("marriage", 2)
	stolen := w.anchor("marriage", 2) // by whoever stole the key
	w.beat()

	d := good.Department
	declaration := w.city.EndKey(d.ID, d.Anchor, statement.KeyCompromise, stolen.Root())
	w.submit(d.ID, ledgertest.Sign(t, declaration, d.Govern))
	w.beat()
	expect(t, w.verdict(x, good, 0), verify.Valid, reasons{verify.AxisIssuer: verify.ReasonSignatureValid})
	expect(t, w.verdict(x, stolen, 0), verify.Invalid, reasons{verify.AxisIssuer: verify.ReasonAnchorDisowned, verify.AxisAnchor: verify.ReasonAnchored})

	backdated := w.city.Issue(t, "marriage", 2)
	if _, err := w.as(d.ID).Submit(t.Context(), backdated.Tx); chaincode.Code(err) != chaincode.CodeKeyCompromised {
		t.Errorf("the ledger took a head signed with a compromised key: %v", err)
	}
	expect(t, w.verdict(x, backdated, 0), verify.Invalid, reasons{verify.AxisIssuer: verify.ReasonKeyCompromised, verify.AxisAnchor: verify.ReasonNewerThanView})
}

// TestTime: an idle ledger stays fresh, a frozen one does not, and a clock set back is noticed.
func TestTime(t *testing.T) {
	w := newTown(t)
	x := w.index()
	b := w.anchor("marriage", 2)
	maxAge := w.city.Type(t, "marriage").MaxStatusAge

	// Idle: for two days there is nothing but heartbeats, here one every twelve hours.
	for i := range uint64(4) {
		w.beats++
		beat := w.city.Heartbeat(w.beats)
		beat.Time = ledgertest.Time + (i+1)*12*3600
		w.submit(ledgertest.Authority, ledgertest.Sign(t, beat, w.city.Authority.Log))
		at := time.Unix(int64(beat.Time), 0).Add(time.Hour)
		expect(t, w.verdict(x, b, 0, func(r *verify.Request) { r.Now = at }), verify.Valid, reasons{verify.AxisFreshness: verify.ReasonFresh})
	}
	newest := time.Unix(ledgertest.Time+4*12*3600, 0)

	// Frozen: then nothing comes any more.
	frozen := func(r *verify.Request) { r.Now = newest.Add(maxAge + time.Second) }
	expect(t, w.verdict(x, b, 0, frozen), verify.Undetermined, reasons{verify.AxisFreshness: verify.ReasonStale, verify.AxisStatus: verify.ReasonActive})
	revokedLicence := w.city.Department(t, b.Issuer)
	w.submit(b.Issuer, ledgertest.Sign(t, b.Change(1, revoked), revokedLicence.Status))
	expect(t, w.verdict(x, b, 1, frozen), verify.NotCurrent, reasons{verify.AxisFreshness: verify.ReasonStale})

	// Set back: the ledger shows that it is later than this machine's clock says.
	expect(t, w.verdict(x, b, 0, func(r *verify.Request) { r.Now = newest.Add(-maxAge) }), verify.Undetermined,
		reasons{verify.AxisFreshness: verify.ReasonClockBehind})
}
