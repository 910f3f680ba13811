package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// issued issues licences of the desk's type and returns their credentials.
func (d *desk) issued(tb testing.TB, name, input string, batch int) []*credential.Opened {
	tb.Helper()
	job := issuer.Job{Type: d.typ.ID, Inputs: []string{input}, Bundle: d.path(name), Batch: batch}
	if _, err := d.Issue(tb.Context(), clerk, job, nil); err != nil {
		tb.Fatal(err)
	}
	var out []*credential.Opened
	for _, c := range bundle(tb, job.Bundle) {
		o, err := c.Open(d.typ)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

// subject is the licence of a credential.
func (d *desk) subject(tb testing.TB, o *credential.Opened) *issuer.Subject {
	tb.Helper()
	s, err := d.SubjectOf(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// onLedger is the ledger's answer about a licence.
type onLedger struct {
	State     licence.State
	Sequence  int
	Effective licence.Date
	Reason    *sm.Hash
	Successor *sm.Hash
	History   []onLedger
}

func (d *desk) status(tb testing.TB, o *credential.Opened) onLedger {
	tb.Helper()
	b, err := d.ledger.Evaluate(tb.Context(), chaincode.Query{Name: "status", Args: []string{d.department.ID, o.Digest.String()}})
	if err != nil {
		tb.Fatal(err)
	}
	var s onLedger
	if err := json.Unmarshal(b, &s); err != nil {
		tb.Fatal(err)
	}
	return s
}

// set changes the status of one licence.
func (d *desk) set(tb testing.TB, o *credential.Opened, to licence.State, reason string) (issuer.StatusResult, error) {
	tb.Helper()
	results, err := d.SetStatus(tb.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(tb, o), To: to, Reason: reason}}, nil)
	return results[0], err
}

func TestStatusOfALicence(t *testing.T) {
	d := newDesk(t, "marriage")
	o := d.issued(t, "bundle", d.file(t, "input", d.sample(t, "-1.json")), 1)[0]
	today := licence.DateOf(now)
	tomorrow := today + 1
	for i, c := range []struct {
		to        licence.State
		reason    string
		effective *licence.Date
		want      licence.Date
	}{
		{licence.Suspended, "court", nil, today},
		{licence.Active, "cleared", &tomorrow, tomorrow},
		{licence.Revoked, "divorce", nil, today},
		{licence.Active, "reversed", nil, today}, // takes two keys
	} {
		before := d.status(t, o)
		results, err := d.SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(t, o), To: c.to, Reason: c.reason, Effective: c.effective}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, s := results[0], d.status(t, o)
		if r.Digest != o.Digest || r.Outcome != issuer.StatusChanged || r.From != before.State || r.Effective != c.want || r.TxID == "" {
			t.Errorf("change %d: the result is %+v", i+1, r)
		}
		if s.State != c.to || s.Sequence != i+1 || s.Effective != c.want || len(s.History) != i+1 {
			t.Errorf("change %d: the ledger says %+v", i+1, s)
		}
		opening, err := d.vault.Opening(t.Context(), *s.Reason)
		if err != nil || opening == nil || opening.Key != issuer.OpensReason || opening.Code != c.reason || opening.Digest != o.Digest ||
			credential.Commit(&opening.Salt, issuer.OpensReason, licence.TextValue(c.reason)) != *s.Reason {
			t.Errorf("change %d: the vault opens the reason as %+v, %v", i+1, opening, err)
		}
		if again, err := d.set(t, o, c.to, c.reason); err != nil || again.Outcome != issuer.StatusAlready || d.status(t, o).Sequence != i+1 {
			t.Errorf("change %d again: %+v, %v", i+1, again, err)
		}
	}
}

func TestChangeFromTheBeginning(t *testing.T) {
	d := newDesk(t, "property")
	text := string(d.sample(t, ".jsonl"))
	lines := strings.SplitAfter(text, "\n")
	lines[0] = strings.Replace(lines[0], "{", `{"ZZYXQQSRQ": "2019-05-01", `, 1)
	opened := d.issued(t, "bundle", d.file(t, "input", []byte(lines[0]+lines[1])), 2)
	want := []licence.Date{18017, licence.DateOf(now)} // 2019-05-01, and the day of issue
	late := d.config
	late.Now = func() time.Time { return now.AddDate(0, 3, 0) }
	iss := d.open(t, late)
	for i, o := range opened {
		if _, err := iss.SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(t, o), To: licence.Revoked, Reason: "fraud"}}, nil); err != nil {
			t.Fatal(err)
		}
		if got := d.status(t, o).Effective; got != want[i] {
			t.Errorf("licence %d is revoked from %s on, want %s", i+1, got, want[i])
		}
	}
}

func TestStatusRefused(t *testing.T) {
	d := newDesk(t, "marriage")
	opened := d.issued(t, "bundle", d.file(t, "input", d.sample(t, ".jsonl")), 16)
	other := newDesk(t, "marriage").issued(t, "bundle", d.path("input"), 1)[0]
	_, err := d.SubjectOf(t.Context(), other) // on another ledger
	hasCode(t, err, issuer.CodeOtherIssuer)
	revoked := opened[1]
	if _, err := d.set(t, revoked, licence.Revoked, "divorce"); err != nil {
		t.Fatal(err)
	}
	forged := d.subject(t, opened[2])
	forged.Place.Digest[0] ^= 1
	for _, c := range []struct {
		name   string
		change issuer.StatusChange
		code   string
		says   string
	}{
		{"unknown reason", issuer.StatusChange{Licence: d.subject(t, opened[0]), To: licence.Revoked, Reason: "bored"}, issuer.CodeReason, "divorce, annulment, error, fraud"},
		{"reason of another change", issuer.StatusChange{Licence: d.subject(t, opened[0]), To: licence.Suspended, Reason: "divorce"}, issuer.CodeReason, "investigation, court, holder"},
		{"unknown state", issuer.StatusChange{Licence: d.subject(t, opened[0]), To: "lost", Reason: "court"}, issuer.CodeTransition, "lost"},
		{"not from this state", issuer.StatusChange{Licence: d.subject(t, revoked), To: licence.Suspended, Reason: "court"}, issuer.CodeTransition, revoked.Digest.String()},
		{"reason from another state", issuer.StatusChange{Licence: d.subject(t, revoked), To: licence.Active, Reason: "cleared"}, issuer.CodeReason, "reversed"},
		{"no successor", issuer.StatusChange{Licence: d.subject(t, opened[0]), To: licence.Superseded, Reason: "reissue"}, issuer.CodeSuccessor, ""},
		{"its own successor", issuer.StatusChange{Licence: d.subject(t, opened[0]), To: licence.Superseded, Reason: "reissue", Successor: d.subject(t, opened[0])}, issuer.CodeSuccessor, ""},
		{"successor of a revoked", issuer.StatusChange{Licence: d.subject(t, opened[0]), To: licence.Revoked, Reason: "divorce", Successor: d.subject(t, opened[1])}, issuer.CodeSuccessor, ""},
		{"licence that is not anchored", issuer.StatusChange{Licence: forged, To: licence.Revoked, Reason: "divorce"}, issuer.CodeNotAnchored, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes := []issuer.StatusChange{{Licence: d.subject(t, opened[5]), To: licence.Revoked, Reason: "divorce"}, c.change}
			results, err := d.SetStatus(t.Context(), clerk, changes, nil)
			hasCode(t, err, c.code)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v, want %q in it", err, c.says)
			}
			if len(results) != 2 || results[0].Outcome != issuer.StatusNotDone || d.status(t, opened[5]).State != licence.Active {
				t.Errorf("another licence of the same transaction was changed: %+v", results)
			}
		})
	}
	with := func(keys ...sm.Signer) *issuer.Issuer {
		c := d.config
		c.Signers = issuer.Fixed(map[statement.Purposes][]sm.Signer{statement.PurposeStatus: keys})
		return d.open(t, c)
	}
	one := []issuer.StatusChange{{Licence: d.subject(t, opened[0]), To: licence.Revoked, Reason: "divorce"}}
	_, err = with(d.department.Status).SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(t, revoked), To: licence.Active, Reason: "reversed"}}, nil)
	hasCode(t, err, issuer.CodeApprovals)
	_, err = with().SetStatus(t.Context(), clerk, one, nil)
	hasCode(t, err, issuer.CodeSignerMissing)
	_, err = with(d.department.Anchor).SetStatus(t.Context(), clerk, one, nil)
	hasCode(t, err, chaincode.CodeKeyPurpose)
}

// A shaky ledger fails at chosen submissions.
type shaky struct {
	ledger.Ledger
	count  int
	before func(n int) error // before the nth submission, from 1
	after  func(n int) error // after it was applied
}

func (s *shaky) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	s.count++
	if s.before != nil {
		if err := s.before(s.count); err != nil {
			return ledger.Receipt{}, err
		}
	}
	receipt, err := s.Ledger.Submit(ctx, tx)
	if err == nil && s.after != nil {
		err = s.after(s.count)
	}
	return receipt, err
}

// on is the desk's issuer on a shaky ledger.
func (d *desk) on(tb testing.TB, s *shaky) *issuer.Issuer {
	s.Ledger = d.ledger
	c := d.config
	c.Ledger = s
	return d.open(tb, c)
}

func fails(at int, code string) func(int) error {
	return func(n int) error {
		if n == at {
			return &ledger.Error{Code: code, Message: "the test wants it"}
		}
		return nil
	}
}

func TestLongListIsResumed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "marriage")
	opened := d.issued(t, "bundle", d.synthetic(t, "input", 1, 1100), 1100)
	var changes []issuer.StatusChange
	for _, o := range opened {
		changes = append(changes, issuer.StatusChange{Licence: d.subject(t, o), To: licence.Suspended, Reason: "investigation"})
	}
	changes = append(changes, issuer.StatusChange{Licence: d.subject(t, opened[0]), To: licence.Active, Reason: "cleared"}) // the same again

	// The second transaction is applied, but nobody learns of it.
	second := &shaky{after: fails(2, ledger.CodeOutcomeUnknown)}
	results, err := d.on(t, second).SetStatus(t.Context(), clerk, changes, nil)
	hasCode(t, err, ledger.CodeOutcomeUnknown)
	count := func(outcome string) (n int) {
		for _, r := range results {
			if r.Outcome == outcome {
				n++
			}
		}
		return n
	}
	if count(issuer.StatusChanged) != 500 || count(issuer.StatusNotDone) != 601 {
		t.Errorf("%d were changed, %d not", count(issuer.StatusChanged), count(issuer.StatusNotDone))
	}
	var steps []int
	results, err = d.SetStatus(t.Context(), clerk, changes, func(done int) { steps = append(steps, done) })
	if err != nil {
		t.Fatal(err)
	}
	if count(issuer.StatusAlready) != 1000 || count(issuer.StatusChanged) != 101 {
		t.Errorf("%d were changed, %d already", count(issuer.StatusChanged), count(issuer.StatusAlready))
	}
	if len(steps) != 3 || steps[2] != 1101 {
		t.Errorf("the progress was %v", steps)
	}
	for i, o := range opened {
		want := licence.Suspended
		if i == 0 {
			want = licence.Active
		}
		if s := d.status(t, o); s.State != want {
			t.Fatalf("licence %d is %s", i, s.State)
		}
	}
}

func TestSomebodyElseChangesTheStatus(t *testing.T) {
	d := newDesk(t, "marriage")
	o := d.issued(t, "bundle", d.file(t, "input", d.sample(t, "-1.json")), 1)[0]
	raced := &shaky{before: func(n int) error {
		if n == 1 {
			_, err := d.set(t, o, licence.Suspended, "court")
			return err
		}
		return nil
	}}
	results, err := d.on(t, raced).SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(t, o), To: licence.Revoked, Reason: "divorce"}}, nil)
	if err != nil || results[0].Outcome != issuer.StatusChanged || results[0].From != licence.Suspended {
		t.Errorf("the result is %+v, %v", results, err)
	}
	if s := d.status(t, o); s.State != licence.Revoked || s.Sequence != 2 {
		t.Errorf("the ledger says %+v", s)
	}
}

func TestNumberIsFreeAfterTheEnd(t *testing.T) {
	d := newDesk(t, "marriage")
	one := d.sample(t, "-1.json")
	first := d.issued(t, "a", d.file(t, "a.json", one), 1)[0]
	again := func(name string, issued int64) {
		t.Helper()
		job := issuer.Job{Type: "marriage", Inputs: []string{d.file(t, name+".json", one)}, Bundle: d.path(name)}
		report, err := d.Issue(t.Context(), clerk, job, nil)
		if err != nil || report.Issued != issued || report.Rows != 1 {
			t.Fatalf("%s: the report is %+v, %v", name, report, err)
		}
	}
	again("b", 0)
	if _, err := d.set(t, first, licence.Suspended, "court"); err != nil {
		t.Fatal(err)
	}
	again("c", 0)
	if _, err := d.set(t, first, licence.Revoked, "error"); err != nil {
		t.Fatal(err)
	}
	again("d", 1)
	again("e", 0)
	_, err := d.set(t, first, licence.Active, "reversed")
	hasCode(t, err, vault.CodeNumberTaken)
	second, err := bundle(t, d.path("d"))[0].Open(d.typ)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.set(t, second, licence.Revoked, "error"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.set(t, first, licence.Active, "reversed"); err != nil {
		t.Fatal(err)
	}
	again("f", 0)
}

// TestPredecessorIsSuspended suspends a licence that has passed its number on: that takes no number from anybody.
func TestPredecessorIsSuspended(t *testing.T) {
	d := newDesk(t, "marriage")
	one := d.sample(t, "-1.json")
	first, err := d.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: one})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: one, Predecessor: first.Licence.ID}); err != nil {
		t.Fatal(err)
	}
	s, err := d.Subject(t.Context(), first.Licence.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []issuer.StatusChange{{To: licence.Suspended, Reason: "court"}, {To: licence.Active, Reason: "cleared"}} {
		c.Licence = s
		if _, err := d.SetStatus(t.Context(), clerk, []issuer.StatusChange{c}, nil); err != nil {
			t.Fatal(err)
		}
		if l, err := d.vault.Licence(t.Context(), s.ID); err != nil || l.Own != c.To || l.HoldsNumber {
			t.Errorf("the vault has it as %+v, %v", l, err)
		}
	}
}

// TestNumberOfOneThatComesBack applies for the number of a licence while the ledger is asked to make that active
// again: nobody gets it, unless the ledger refuses.
func TestNumberOfOneThatComesBack(t *testing.T) {
	d := newDesk(t, "marriage")
	one := d.sample(t, "-1.json")
	first := d.issued(t, "a", d.file(t, "a.json", one), 1)[0]
	if _, err := d.set(t, first, licence.Revoked, "error"); err != nil {
		t.Fatal(err)
	}
	apply := func() error {
		_, err := d.Apply(t.Context(), clerk, &issuer.Application{Type: "marriage", Record: one})
		return err
	}
	back := []issuer.StatusChange{{Licence: d.subject(t, first), To: licence.Active, Reason: "reversed"}}
	var meanwhile error
	refusing := d.on(t, &shaky{before: func(int) error {
		meanwhile = apply()
		return &chaincode.Error{Code: chaincode.CodeDepartmentSuspended, Message: "the test wants it"}
	}})
	_, err := refusing.SetStatus(t.Context(), clerk, back, nil)
	hasCode(t, err, chaincode.CodeDepartmentSuspended)
	var taken *issuer.Refusal
	if !errors.As(meanwhile, &taken) {
		t.Fatalf("the number of a licence that comes back was given away: %v", meanwhile)
	}
	if err := apply(); err != nil {
		t.Fatalf("the number of a licence that did not come back is not free: %v", err)
	}
	_, err = d.SetStatus(t.Context(), clerk, back, nil)
	hasCode(t, err, vault.CodeNumberTaken)
}

// TestNumberIsLeft is killed, as far as the ledger goes, while it brings a licence back: the next process gives the
// number free.
func TestNumberIsLeft(t *testing.T) {
	d := newDesk(t, "marriage")
	one := d.sample(t, "-1.json")
	first := d.issued(t, "a", d.file(t, "a.json", one), 1)[0]
	if _, err := d.set(t, first, licence.Revoked, "error"); err != nil {
		t.Fatal(err)
	}
	back := []issuer.StatusChange{{Licence: d.subject(t, first), To: licence.Active, Reason: "reversed"}}
	_, err := d.on(t, &shaky{before: fails(1, ledger.CodeNotSubmitted)}).SetStatus(t.Context(), clerk, back, nil)
	hasCode(t, err, ledger.CodeNotSubmitted)
	a := &issuer.Application{Type: "marriage", Record: one}
	var taken *issuer.Refusal
	if _, err := d.Apply(t.Context(), clerk, a); !errors.As(err, &taken) {
		t.Fatalf("while it is not known what became of it: %v", err)
	}
	if _, err := d.open(t, d.config).Apply(t.Context(), clerk, a); err != nil {
		t.Fatal(err)
	}
}

// TestStateIsCaughtUp is about a call that was killed after the ledger had changed and before the
// vault did: the same call again brings the vault up to date.
func TestStateIsCaughtUp(t *testing.T) {
	d := newDesk(t, "marriage")
	one := d.sample(t, "-1.json")
	o := d.issued(t, "a", d.file(t, "a.json", one), 1)[0]
	lost := &shaky{after: fails(1, ledger.CodeOutcomeUnknown)}
	_, err := d.on(t, lost).SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(t, o), To: licence.Revoked, Reason: "divorce"}}, nil)
	hasCode(t, err, ledger.CodeOutcomeUnknown)
	if r, err := d.set(t, o, licence.Revoked, "divorce"); err != nil || r.Outcome != issuer.StatusAlready {
		t.Fatalf("the result is %+v, %v", r, err)
	}
	if report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{d.file(t, "b.json", one)}, Bundle: d.path("b")}, nil); err != nil || report.Issued != 1 {
		t.Errorf("the number is not free: %+v, %v", report, err)
	}
	opening, err := d.vault.Opening(t.Context(), *d.status(t, o).Reason)
	if err != nil || opening.Code != "divorce" || !opening.Settled {
		t.Errorf("the reason opens as %+v, %v", opening, err)
	}
}

func TestRulesOfTheLedgerAreTold(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.file(t, "input", d.sample(t, ".jsonl"))
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 16}
	wrong := d.config
	wrong.Signers = issuer.Fixed(map[statement.Purposes][]sm.Signer{statement.PurposeAnchor: {d.department.Status}})
	report, err := d.open(t, wrong).Issue(t.Context(), clerk, job, nil)
	hasCode(t, err, chaincode.CodeKeyPurpose)
	var rule *chaincode.Error
	if !errors.As(err, &rule) || report.Issued != 40 || report.Anchored != 0 {
		t.Errorf("the report is %+v, %v", report, err)
	}
	d.checkKnown(t)
}
