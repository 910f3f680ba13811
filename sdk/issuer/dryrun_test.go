package issuer_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/licence"
)

func TestDryRun(t *testing.T) {
	d := newDesk(t, "marriage")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))[:40]
	first := d.file(t, "first.jsonl", bytes.Join(lines[:10], nil))
	d.issued(t, "first", first, 16)
	before := d.kept(t)

	bad := bytes.Replace(lines[20], []byte("{"), []byte("{{"), 1)
	all := d.file(t, "all.jsonl", bytes.Join([][]byte{bytes.Join(lines, nil), bad, lines[39]}, nil)) // ten are issued, one is malformed, one comes twice
	job := issuer.Job{Type: "marriage", Inputs: []string{all}, Rejects: d.path("rejects")}
	var last issuer.Progress
	report, err := d.DryRun(t.Context(), clerk, job, func(p issuer.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != 42 || report.Issued != 30 || report.Rejected != 12 || report.Reasons[issuer.CodeLicenceActive] != 11 ||
		report.Reasons[licence.Malformed] != 1 || report.Rejects != job.Rejects || report.Job != 0 || report.Batches != 0 || report.OnLedger != -1 {
		t.Errorf("the report is %+v", report)
	}
	if last.Rows != 42 || last.Issued != 30 || last.Rejected != 12 {
		t.Errorf("the last progress is %+v", last)
	}
	rejects := readRejects(t, job.Rejects)
	if len(rejects) != 12 || rejects[0].Record != 1 || rejects[10].Record != 41 || rejects[11].Record != 42 {
		t.Errorf("the rejects are %+v", rejects)
	}
	after := d.kept(t)
	if len(after.heads) != len(before.heads) || after.licences != before.licences {
		t.Errorf("after a dry run the vault has %d licences, before it had %d", after.licences, before.licences)
	}
	if jobs, err := d.vault.Jobs(t.Context(), false, 10); err != nil || len(jobs) != 0 {
		t.Errorf("a dry run has begun a job: %v, %v", jobs, err)
	}
	if _, err := d.DryRun(t.Context(), clerk, job, nil); issuer.Code(err) != issuer.CodeOutputExists {
		t.Errorf("with the rejects file there: %v", err)
	}

	// What it said comes true; and without a rejects file it only counts.
	job.Rejects = ""
	if again, err := d.DryRun(t.Context(), clerk, job, nil); err != nil || again.Rejected != 12 || again.Rejects != "" {
		t.Errorf("the report is %+v, %v", again, err)
	}
	job.Bundle = d.path("bundle")
	issued, err := d.Issue(t.Context(), clerk, job, nil)
	if err != nil {
		t.Fatal(err)
	}
	if issued.Issued != report.Issued || issued.Rejected != report.Rejected || issued.Reasons[issuer.CodeLicenceActive] != 11 {
		t.Errorf("the dry run said %+v, and it became %+v", report, issued)
	}
	want, _ := os.ReadFile(d.path("rejects"))
	if got, err := os.ReadFile(issued.Rejects); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the rejects are not those of the dry run: %v", err)
	}
}

func TestDryRunOfSuccessor(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.file(t, "input.json", d.sample(t, "-1.json"))
	o := d.issued(t, "first", input, 1)[0]
	job := issuer.Job{Type: "marriage", Inputs: []string{input}}
	if report, err := d.DryRun(t.Context(), clerk, job, nil); err != nil || report.Issued != 0 {
		t.Errorf("the report is %+v, %v", report, err)
	}
	job.Predecessor = d.subject(t, o).ID
	if report, err := d.DryRun(t.Context(), clerk, job, nil); err != nil || report.Issued != 1 {
		t.Errorf("of its successor, the report is %+v, %v", report, err)
	}
}

func TestDryRunEndsEarly(t *testing.T) {
	d := newDesk(t, "marriage")
	whole := d.sample(t, ".xml")
	input := d.file(t, "input.xml", whole[:len(whole)*2/3])
	report, err := d.DryRun(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{input}}, nil)
	hasCode(t, err, licence.Truncated)
	if report.Rows < 20 || report.Rows > 30 || report.Issued != report.Rows {
		t.Errorf("the report is %+v", report)
	}
}
