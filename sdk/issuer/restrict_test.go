package issuer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

func TestSuccessor(t *testing.T) {
	d := newDesk(t, "marriage")
	one := d.sample(t, "-1.json")
	first := d.issued(t, "a", d.file(t, "a.json", one), 1)[0]
	job := issuer.Job{Type: "marriage", Inputs: []string{d.file(t, "b.json", one)}, Bundle: d.path("b"), Predecessor: d.subject(t, first).ID}
	report, err := d.Issue(t.Context(), clerk, job, nil)
	if err != nil || report.Issued != 1 {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	second, err := bundle(t, job.Bundle)[0].Open(d.typ)
	if err != nil {
		t.Fatal(err)
	}
	if p := second.Record.Predecessor; p == nil || *p != first.Digest {
		t.Errorf("the predecessor is %v", p)
	}
	for i, o := range []*credential.Opened{first, second} {
		text, _ := o.Value(licence.IdentifierKey)
		if id, err := licence.ParseIdentifier(text.String()); err != nil || id.Version() != i+1 {
			t.Errorf("licence %d has an identifier of version %d, %v", i+1, id.Version(), err)
		}
	}
	results, err := d.SetStatus(t.Context(), clerk, []issuer.StatusChange{{Licence: d.subject(t, first), To: licence.Superseded, Reason: "reissue", Successor: d.subject(t, second)}}, nil)
	if err != nil || results[0].Outcome != issuer.StatusChanged {
		t.Fatalf("the result is %+v, %v", results, err)
	}
	if s := d.status(t, first); s.State != licence.Superseded || s.Successor == nil || *s.Successor != second.Digest {
		t.Errorf("the ledger says %+v", s)
	}
	// The number is the successor's now, and of nobody else.
	report, err = d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{d.file(t, "c.json", one)}, Bundle: d.path("c")}, nil)
	if err != nil || report.Rejected != 1 {
		t.Errorf("the report is %+v, %v", report, err)
	}
	many := d.file(t, "many", d.sample(t, ".jsonl"))
	_, err = d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{many}, Bundle: d.path("d"), Predecessor: d.subject(t, second).ID}, nil)
	hasCode(t, err, issuer.CodeArguments)
}

func TestRestrictAndRelease(t *testing.T) {
	d := newDesk(t, "property")
	o := d.issued(t, "bundle", d.file(t, "input", d.sample(t, "-1.json")), 1)[0]
	l := d.subject(t, o)
	open := func() (ids []string) {
		t.Helper()
		b, err := d.ledger.Evaluate(t.Context(), chaincode.Query{Name: "restrictions", Args: []string{d.department.ID, o.Digest.String()}})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Open []struct {
				ID     string
				Ground sm.Hash
			}
		}
		if err := json.Unmarshal(b, &answer); err != nil {
			t.Fatal(err)
		}
		for _, r := range answer.Open {
			opening, err := d.vault.Opening(t.Context(), r.Ground)
			if err != nil || opening.Key != issuer.OpensRestriction || issuer.RestrictionID(opening.Restriction).String() != r.ID {
				t.Errorf("the vault opens the restriction as %+v, %v", opening, err)
			}
			ids = append(ids, r.ID)
		}
		return ids
	}
	lay := func(iss *issuer.Issuer, code string) issuer.RestrictionID {
		t.Helper()
		r, err := iss.Restrict(t.Context(), clerk, l, code, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	release := func(iss *issuer.Issuer, code string, id *issuer.RestrictionID, want issuer.RestrictionResult) {
		t.Helper()
		if r, err := iss.Release(t.Context(), clerk, l, code, id, nil); err != nil || r != want {
			t.Errorf("released %+v, %v, want %+v", r, err, want)
		}
	}
	_, err := d.Release(t.Context(), clerk, l, "seizure", nil, nil)
	hasCode(t, err, issuer.CodeRestrictionState)
	seizure := lay(d.Issuer, "seizure")
	first, second := lay(d.Issuer, "mortgage"), lay(d.Issuer, "mortgage")
	if len(open()) != 3 || first == second {
		t.Errorf("open are %v", open())
	}
	if d.status(t, o).State != licence.Active {
		t.Error("a restriction changed the status")
	}
	_, err = d.Release(t.Context(), clerk, l, "mortgage", nil, nil)
	hasCode(t, err, issuer.CodeAmbiguous)
	if !strings.Contains(err.Error(), first.String()) || !strings.Contains(err.Error(), second.String()) {
		t.Errorf("the error is %v", err)
	}
	release(d.Issuer, "mortgage", &first, issuer.RestrictionResult{ID: first})
	_, err = d.Release(t.Context(), clerk, l, "mortgage", &first, nil)
	hasCode(t, err, issuer.CodeRestrictionState)
	release(d.Issuer, "mortgage", nil, issuer.RestrictionResult{ID: second})
	if ids := open(); len(ids) != 1 || ids[0] != seizure.String() {
		t.Errorf("open are %v", ids)
	}
	_, err = d.Restrict(t.Context(), clerk, l, "curse", nil)
	hasCode(t, err, issuer.CodeRestriction)
	if !strings.Contains(err.Error(), "seizure, mortgage, objection") {
		t.Errorf("the error is %v", err)
	}

	// Interrupted before and after the ledger changed, and done again: it is done once.
	for _, failing := range []*shaky{
		{before: fails(1, ledger.CodeNotSubmitted)}, {after: fails(1, ledger.CodeOutcomeUnknown)},
	} {
		earlier := failing.after != nil
		iss := d.on(t, failing)
		if _, err := iss.Restrict(t.Context(), clerk, l, "objection", nil); err == nil {
			t.Fatal("the ledger did not fail")
		}
		again, err := iss.Restrict(t.Context(), clerk, l, "objection", nil)
		if err != nil || again.Earlier != earlier {
			t.Fatalf("restricted %+v, %v", again, err)
		}
		if ids := open(); len(ids) != 2 || ids[1] != again.ID.String() {
			t.Errorf("open are %v, want %v among them", ids, again.ID)
		}
		failing.count = 0
		if _, err := iss.Release(t.Context(), clerk, l, "objection", nil, nil); err == nil {
			t.Fatal("the ledger did not fail")
		}
		release(iss, "objection", nil, again)
		if len(open()) != 1 {
			t.Errorf("open are %v", open())
		}
		_, err = iss.Release(t.Context(), clerk, l, "objection", nil, nil)
		hasCode(t, err, issuer.CodeRestrictionState)
	}
	// A release that nobody knows to have succeeded does not keep a later restriction from release.
	lost := &shaky{after: fails(2, ledger.CodeOutcomeUnknown)}
	iss := d.on(t, lost)
	lay(iss, "objection")
	if _, err := iss.Release(t.Context(), clerk, l, "objection", nil, nil); err == nil {
		t.Fatal("the ledger did not fail")
	}
	later := lay(iss, "objection")
	release(iss, "objection", nil, issuer.RestrictionResult{ID: later})
	marriage := newDesk(t, "marriage")
	other := marriage.issued(t, "bundle", marriage.file(t, "input", marriage.sample(t, "-1.json")), 1)[0]
	_, err = marriage.Restrict(t.Context(), clerk, marriage.subject(t, other), "seizure", nil)
	hasCode(t, err, issuer.CodeRestriction)
	_, err = d.Restrict(t.Context(), clerk, marriage.subject(t, other), "seizure", nil)
	hasCode(t, err, issuer.CodeRestriction)
}
