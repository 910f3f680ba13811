package issuer_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
	"github.com/credledger/credledger/sdk/statement"
)

// testEndedWhileApplying ends an application at each step, and has another process find what is left.
func testEndedWhileApplying(t *testing.T, d *desk) {
	record := d.records(t)
	for i, step := range []string{"stored", "anchored"} {
		r := record(i + 1)
		a := &issuer.Application{Type: "marriage", Record: r, Claim: claim(step, r)}
		killed := d.open(t, d.config)
		killed.EndAfter(endAt(step, 1))
		if _, err := killed.Apply(t.Context(), clerk, a); !errors.Is(err, errEnd) {
			t.Fatalf("%s: %v", step, err)
		}
		d.checkKnown(t)
		pending, err := d.vault.Batches(t.Context(), vault.Pending, 0, 0, 9)
		if err != nil || len(pending) != 1 {
			t.Fatalf("%s: %d batches are pending, %v", step, len(pending), err)
		}
		if i == 0 { // who asks again settles it too
			next := d.open0(t, d.config)
			issued, err := next.Apply(t.Context(), clerk, a)
			if err != nil || !issued.Earlier {
				t.Fatalf("%s: asked again: %+v, %v", step, issued, err)
			}
			d.opened(t, issued)
			continue
		}
		next := d.open(t, d.config)
		if pending, err := d.vault.Batches(t.Context(), vault.Pending, 0, 0, 9); err != nil || len(pending) != 0 {
			t.Errorf("%s: %d batches are pending after the comparison, %v", step, len(pending), err)
		}
		issued, err := next.Apply(t.Context(), clerk, a)
		if err != nil || !issued.Earlier {
			t.Fatalf("%s: asked again: %+v, %v", step, issued, err)
		}
		d.opened(t, issued)
	}
	if n := d.kept(t).licences; n != 2 {
		t.Errorf("there are %d licences in the vault", n)
	}
}

func TestEndedWhileApplying(t *testing.T) { testEndedWhileApplying(t, newDesk(t, "marriage")) }

// applyForAll applies for n licences one by one, several at once, each under an idempotency key of its own.
func applyForAll(d *desk, n int) error {
	record := d.records(new(testing.B)) // it wants one, and does not fail here
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				r := record(i)
				_, err := d.Apply(context.Background(), clerk, &issuer.Application{Type: "marriage", Record: r, Claim: claim(strconv.Itoa(i), r)})
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
			}
		})
	}
	all.Wait()
	return failed
}

// TestKilledWhileApplying kills processes that issue licences one by one, at any moment and after each step, and
// lets the last one apply for all of them again.
func TestKilledWhileApplying(t *testing.T) {
	t.Parallel()
	const licences = 600
	f := newFamily(t, 1)
	for _, step := range []string{"stored", "anchored", "", "", ""} {
		c := f.command("apply", licences, 1, step, 0)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if step == "" {
			time.Sleep(time.Duration(60+rand.IntN(150)) * time.Millisecond)
			_ = c.Process.Kill() // it may have come to its end
		}
		_ = c.Wait()
		f.visit(t, func() { f.checkKnown(t) })
	}
	if out, err := f.command("apply", licences, 1, "", 0).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f.visit(t, func() {
		f.checkKnown(t)
		if n := f.kept(t).licences; n != licences {
			t.Errorf("%d licences were issued, want %d", n, licences)
		}
		record, numbers := f.records(t), map[vault.ID]bool{}
		for i := 1; i <= licences; i += 37 {
			r := record(i)
			answer, err := f.vault.Recall(t.Context(), *claim(strconv.Itoa(i), r))
			id, bad := strconv.Atoi(string(answer))
			if err != nil || bad != nil || numbers[vault.ID(id)] {
				t.Errorf("application %d was answered with %q, %v", i, answer, err)
			}
			numbers[vault.ID(id)] = true
		}
	})
}

// TestPostgreSQL does on PostgreSQL what concerns the vault most.
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	server := sqldbtest.PostgreSQL(t)
	for name, test := range map[string]func(*testing.T, *desk){
		"applied together": testAppliedTogether, "applied twice": testAppliedTwice, "ended while applying": testEndedWhileApplying,
	} {
		t.Run(name, func(t *testing.T) { test(t, newDeskAt(t, "marriage", server.Database(t))) })
	}
}

// open0 makes an issuer that has compared the vault with the ledger, and settled nothing.
func (d *desk) open0(tb testing.TB, c issuer.Config) *issuer.Issuer {
	tb.Helper()
	iss, err := issuer.New(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(iss.Close)
	return iss
}

// TestLedgerRefuses has the ledger refuse a batch for good: nothing is left of it, neither its number nor its
// idempotency key.
func TestLedgerRefuses(t *testing.T) {
	d := newDesk(t, "marriage")
	refusal := &chaincode.Error{Code: chaincode.CodeDepartmentSuspended, Message: "the test wants it"}
	iss := d.on(t, &shaky{before: func(n int) error {
		if n == 1 {
			return refusal
		}
		return nil
	}})
	record := d.sample(t, "-1.json")
	a := &issuer.Application{Type: "marriage", Record: record, Claim: claim("k", record)}
	_, err := iss.Apply(t.Context(), clerk, a)
	hasCode(t, err, chaincode.CodeDepartmentSuspended)
	if n := d.kept(t).licences; n != 0 {
		t.Errorf("there are %d licences in the vault", n)
	}
	issued, err := iss.Apply(t.Context(), clerk, a)
	if err != nil || issued.Earlier {
		t.Fatalf("asked again: %+v, %v", issued, err)
	}
	d.opened(t, issued)
}

// TestAnotherHeadWasFirst has another process sign the same batch anew, and be first with that: the licence is
// under the head that the ledger has.
func TestAnotherHeadWasFirst(t *testing.T) {
	d := newDesk(t, "marriage")
	record := d.sample(t, "-1.json")
	iss := d.on(t, &shaky{before: func(int) error {
		pending, err := d.vault.Batches(t.Context(), vault.Pending, 0, 0, 1)
		if err != nil || len(pending) != 1 {
			t.Fatalf("%d batches are pending, %v", len(pending), err)
		}
		head, _, err := statement.ParseAs[*statement.Head](pending[0].Head)
		if err != nil {
			return err
		}
		head.SignedAt++
		signed, err := statement.Sign(head, d.department.Anchor)
		if err != nil {
			return err
		}
		_, err = d.ledger.Submit(t.Context(), &chaincode.Transaction{Statements: [][]byte{signed}, Digests: pending[0].Digests})
		return err
	}})
	issued, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record})
	if err != nil {
		t.Fatal(err)
	}
	if o := d.opened(t, issued); o.Head.SignedAt != uint64(now.Unix())+1 || issued.Licence.IssuedAt != o.Head.SignedAt {
		t.Errorf("the licence is under a head of %d", o.Head.SignedAt)
	}
}

// TestOutcomeUnknown has a ledger that cannot be reached, or does not say what it did: the same bytes are
// submitted again, and anchored once.
func TestOutcomeUnknown(t *testing.T) {
	d := newDesk(t, "marriage")
	record := d.records(t)
	for i, s := range []*shaky{{before: fails(1, ledger.CodeNotSubmitted)}, {after: fails(1, ledger.CodeOutcomeUnknown)}} {
		issued, err := d.on(t, s).Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(i + 1)})
		if err != nil || s.count != 2 {
			t.Fatalf("after %d submissions: %v", s.count, err)
		}
		d.opened(t, issued)
	}
	down := &shaky{before: func(int) error { return &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "the ledger is down"} }}
	r := record(3)
	a := &issuer.Application{Type: "marriage", Record: r, Claim: claim("k", r)}
	_, err := d.on(t, down).Apply(t.Context(), clerk, a)
	hasCode(t, err, ledger.CodeNotSubmitted)
	down.before = nil
	if _, err := d.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	issued, err := d.Apply(t.Context(), clerk, a)
	if err != nil || !issued.Earlier {
		t.Fatalf("asked again: %+v, %v", issued, err)
	}
	d.opened(t, issued)
}

// TestRotatedWhileApplying retires the department's key while licences are applied for: none is lost, and nobody
// has to ask twice.
func TestRotatedWhileApplying(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "marriage")
	fresh, err := sm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var found atomic.Bool // the new key, which is looked for only when the old one was refused
	c := d.config
	c.Signers = func(_ context.Context, _ statement.Purposes, refused bool) ([]sm.Signer, error) {
		if refused {
			found.Store(true)
		}
		if found.Load() {
			return []sm.Signer{fresh}, nil
		}
		return []sm.Signer{d.department.Anchor}, nil
	}
	iss := d.open(t, c)
	record := d.records(t)
	var all sync.WaitGroup
	issued := make([]*issuer.Issued, 200)
	for i := range issued {
		all.Go(func() {
			var err error
			if issued[i], err = iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(i + 1)}); err != nil {
				t.Error(err)
			}
		})
		if i == len(issued)/2 {
			ledgertest.Submit(t, d.ledger, ledgertest.Sign(t, d.city.Enrolment(d.department.ID, fresh, statement.PurposeAnchor), d.department.Govern, fresh))
			ledgertest.Submit(t, d.ledger, ledgertest.Sign(t, d.city.EndKey(d.department.ID, d.department.Anchor, statement.KeyRetire), d.department.Govern))
		}
	}
	all.Wait()
	iss.Close()
	signed := map[sm.Hash]int{}
	for _, one := range issued {
		if one != nil {
			o := d.opened(t, one)
			signed[o.Head.KeyID]++
		}
	}
	if signed[fresh.Public().ID()] == 0 || signed[fresh.Public().ID()]+signed[d.department.Anchor.Public().ID()] != len(issued) {
		t.Errorf("the keys have signed %v", signed)
	}
	d.checkKnown(t)
}

// TestChangedWithRotatedKeys retires the keys for status and consent: what is done next is signed with the new ones.
func TestChangedWithRotatedKeys(t *testing.T) {
	d := newDesk(t, "property")
	issued, o := d.applyFor(t, &issuer.Application{Type: "property", Record: d.sample(t, "-1.json")})
	l := d.subject(t, o)
	binding, _, err := d.Bind(t.Context(), clerk, l, newHolder(t).Public(), now, now.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	fresh := newHolder(t)
	ledgertest.Submit(t, d.ledger, ledgertest.Sign(t, d.city.Enrolment(d.department.ID, fresh, statement.PurposeStatus|statement.PurposeConsent), d.department.Govern, fresh))
	for _, old := range []*sm.PrivateKey{d.department.Status, d.department.Second, d.department.Consent} {
		ledgertest.Submit(t, d.ledger, ledgertest.Sign(t, d.city.EndKey(d.department.ID, old, statement.KeyRetire), d.department.Govern))
	}
	_, err = d.set(t, o, licence.Suspended, "court") // nobody looks for newer keys
	hasCode(t, err, chaincode.CodeKeyRetired)
	for name, do := range map[string]func(*issuer.Issuer) error{
		"status": func(iss *issuer.Issuer) error {
			_, err := iss.SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: l, To: licence.Suspended, Reason: "court"}}, nil)
			return err
		},
		"restriction": func(iss *issuer.Issuer) error {
			_, err := iss.Restrict(t.Context(), clerk, l, "seizure", nil)
			return err
		},
		"binding": func(iss *issuer.Issuer) error { return iss.Unbind(t.Context(), clerk, binding) },
	} {
		c := d.config
		c.Signers = func(ctx context.Context, p statement.Purposes, refused bool) ([]sm.Signer, error) {
			if refused {
				return []sm.Signer{fresh}, nil
			}
			return d.config.Signers(ctx, p, false)
		}
		if err := do(d.open(t, c)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	history, err := d.vault.History(t.Context(), issued.Licence.ID)
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for _, e := range history {
		done[e.Action]++
	}
	if done[vault.ActionState] != 1 || done[vault.ActionRestricted] != 1 || done[vault.ActionUnbound] != 1 {
		t.Errorf("the history has %v", done)
	}
}

// TestPutBackCopy puts an old copy of the vault back: it learns what was revoked since, knows what it has lost, and
// issues no more of the type until that is brought back or answered for.
func TestPutBackCopy(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *issuer.Issuer, *vault.Vault, int64, *credential.Opened) error{
		"brought back": func(t *testing.T, iss *issuer.Issuer, _ *vault.Vault, _ int64, o *credential.Opened) error {
			shown, err := credential.Disclose(o.Presentation, o.Type, "spouse1Name")
			if err != nil {
				return err
			}
			part, err := shown.Open(o.Type)
			if err != nil {
				return err
			}
			hasCode(t, iss.Recover(t.Context(), clerk, part), credential.CodeIncomplete)
			if err := iss.Recover(t.Context(), clerk, o); err != nil {
				return err
			}
			hasCode(t, iss.Recover(t.Context(), clerk, o), vault.CodeBatch)
			s, err := iss.SubjectOf(t.Context(), o)
			if err != nil {
				return err
			}
			again, _, err := iss.Credential(t.Context(), clerk, s.ID)
			if !bytes.Equal(again, o.Bytes()) {
				t.Error("what was brought back is another credential")
			}
			return err
		},
		"answered for": func(t *testing.T, _ *issuer.Issuer, old *vault.Vault, batch int64, _ *credential.Opened) error {
			return old.Write(t.Context(), clerk, func(tx *vault.Tx) error { return tx.AcceptLoss(batch) })
		},
	} {
		t.Run(name, func(t *testing.T) { testPutBackCopy(t, end) })
	}
}

func testPutBackCopy(t *testing.T, end func(*testing.T, *issuer.Issuer, *vault.Vault, int64, *credential.Opened) error) {
	d := newDesk(t, "marriage")
	record := d.records(t)
	before, o := d.applyFor(t, &issuer.Application{Type: "marriage", Record: record(1)})
	d.Close()
	old := d.copyVault(t)
	d.Issuer = d.open(t, d.config)
	if _, err := d.set(t, o, licence.Revoked, "divorce"); err != nil {
		t.Fatal(err)
	}
	lost, lostCredential := d.applyFor(t, &issuer.Application{Type: "marriage", Record: record(2)})
	d.Close()

	c := d.config
	c.Vault = old
	iss := d.open0(t, c)
	report, err := iss.CatchUp(t.Context())
	if err != nil || len(report.Lost) != 1 || report.States != 1 {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	l, err := old.Licence(t.Context(), before.Licence.ID)
	if err != nil || l.State != licence.Revoked {
		t.Errorf("the revoked licence is %+v, %v", l, err)
	}
	_, err = iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(3)})
	hasCode(t, err, vault.CodeContentsLost)
	_, _, err = iss.Credential(t.Context(), clerk, lost.Licence.ID)
	hasCode(t, err, vault.CodeNoContent)
	// A licence whose content is lost can still be revoked.
	s, err := iss.Subject(t.Context(), lost.Licence.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iss.SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: s, To: licence.Revoked, Reason: "fraud"}}, nil); err != nil {
		t.Error(err)
	}
	if err := end(t, iss, old, report.Lost[0].Batch, lostCredential); err != nil {
		t.Fatal(err)
	}
	if _, err := iss.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: record(3)}); err != nil {
		t.Error(err)
	}
}

// copyVault opens a copy of the vault, as it is now.
func (d *desk) copyVault(tb testing.TB) *vault.Vault {
	tb.Helper()
	for _, ending := range []string{"", "-wal"} {
		b, err := os.ReadFile(d.path("vault.db" + ending))
		if err == nil {
			d.file(tb, "copy.db"+ending, b)
		} else if !errors.Is(err, fs.ErrNotExist) {
			tb.Fatal(err)
		}
	}
	keys, err := masterkey.Open(d.path("master.keys"))
	if err != nil {
		tb.Fatal(err)
	}
	v, err := vault.Open(tb.Context(), d.path("copy.db"), keys, clockOfTests)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { v.Close() })
	return v
}
