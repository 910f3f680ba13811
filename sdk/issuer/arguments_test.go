package issuer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

func TestArguments(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.file(t, "input.jsonl", d.sample(t, ".jsonl"))
	empty := d.file(t, "empty", nil)
	other := d.file(t, "gb18030", []byte("\xbd\xe1\xbb\xe9\xd6\xa4\xd7\xd6\xba\xc5,\n"))
	early, late := licence.Date(10000), licence.Date(20000)
	good := issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: d.path("out")}
	for _, c := range []struct {
		name string
		edit func(*issuer.Job)
		code string
	}{
		{"unknown type", func(j *issuer.Job) { j.Type = "divorce" }, issuer.CodeTypeUnknown},
		{"type of another department", func(j *issuer.Job) { j.Type = "property" }, chaincode.CodeTypeNotIssued},
		{"no input", func(j *issuer.Job) { j.Inputs = nil }, issuer.CodeArguments},
		{"no output, and nowhere for rejects", func(j *issuer.Job) { j.Dir = "" }, issuer.CodeArguments},
		{"bundle of a job of the vault", func(j *issuer.Job) { j.Dir, j.Bundle, j.ID = "", "b", 1 }, issuer.CodeArguments},
		{"no such job in the vault", func(j *issuer.Job) { j.ID = 99 }, vault.CodeUnknown},
		{"no such predecessor", func(j *issuer.Job) { j.Predecessor = 99 }, vault.CodeUnknown},
		{"two outputs", func(j *issuer.Job) { j.Bundle = "b" }, issuer.CodeArguments},
		{"negative batch", func(j *issuer.Job) { j.Batch = -1 }, issuer.CodeArguments},
		{"large batch", func(j *issuer.Job) { j.Batch = statement.MaxBatch + 1 }, issuer.CodeArguments},
		{"last day of a permanent type", func(j *issuer.Job) { j.ValidUntil = &late }, issuer.CodeArguments},
		{"absent input", func(j *issuer.Job) { j.Inputs = []string{input, d.path("absent")} }, issuer.CodeStorage},
		{"empty input", func(j *issuer.Job) { j.Inputs = []string{input, empty} }, licence.EmptyInput},
		{"input in GB18030", func(j *issuer.Job) { j.Inputs = []string{other} }, licence.NotUTF8},
		{"directory is a file", func(j *issuer.Job) { j.Dir = input }, issuer.CodeStorage},
		{"bundle in no directory", func(j *issuer.Job) { j.Dir, j.Bundle = "", d.path("no/bundle") }, issuer.CodeStorage},
		{"bundle exists", func(j *issuer.Job) { j.Dir, j.Bundle = "", empty }, issuer.CodeOutputExists},
		{"rejects in the bundle", func(j *issuer.Job) { j.Dir, j.Bundle, j.Rejects = "", "b", "./b" }, issuer.CodeArguments},
		{"rejects exist", func(j *issuer.Job) { j.Rejects = empty }, issuer.CodeOutputExists},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := good
			c.edit(&job)
			_, err := d.Issue(t.Context(), clerk, job, nil)
			hasCode(t, err, c.code)
		})
	}
	p := newDesk(t, "property")
	_, err := p.Issue(t.Context(), clerk, issuer.Job{Type: "property", Inputs: []string{input}, Dir: p.path("out"), ValidFrom: &late, ValidUntil: &early}, nil)
	hasCode(t, err, issuer.CodeArguments)
	for name, edit := range map[string]func(*issuer.Config){
		"no ledger":    func(c *issuer.Config) { c.Ledger = nil },
		"no vault":     func(c *issuer.Config) { c.Vault = nil },
		"no keys":      func(c *issuer.Config) { c.Signers = nil },
		"long window":  func(c *issuer.Config) { c.Window = time.Hour },
		"unknown unit": func(c *issuer.Config) { c.Unit = "cellar" },
	} {
		c := d.config
		edit(&c)
		if _, err := issuer.New(t.Context(), c); issuer.Code(err) != issuer.CodeArguments {
			t.Errorf("%s: %v", name, err)
		}
	}
	random := d.config
	random.Random = strings.NewReader("not enough randomness for the salts, but for the order")
	if _, err := d.open(t, random).Issue(t.Context(), clerk, good, nil); err == nil {
		t.Error("licences were issued without randomness")
	}
	keyless := d.config
	keyless.Signers = issuer.Fixed(nil)
	_, err = d.open(t, keyless).Issue(t.Context(), clerk, good, nil)
	hasCode(t, err, issuer.CodeSignerMissing)
	if n := d.kept(t).licences; n != 0 {
		t.Errorf("%d licences were issued", n)
	}
}

func TestOutputOfAnotherRun(t *testing.T) {
	d := newDesk(t, "marriage")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))
	a, b := d.file(t, "a", bytes.Join(lines[:20], nil)), d.file(t, "b", bytes.Join(lines[20:], nil))
	job := issuer.Job{Type: "marriage", Inputs: []string{a}, Dir: d.path("out")}
	if _, err := d.Issue(t.Context(), clerk, job, nil); err != nil {
		t.Fatal(err)
	}
	job.Inputs[0] = b
	_, err := d.Issue(t.Context(), clerk, job, nil)
	hasCode(t, err, issuer.CodeOutputExists)
	d.checkIssued(t, directory(t, d.path("out")), 20)
	job.Dir = d.path("other")
	if _, err := d.Issue(t.Context(), clerk, job, nil); err != nil {
		t.Fatal(err)
	}
	d.checkIssued(t, directory(t, d.path("other")), 20)
}

func TestForeignFileIsNotOverwritten(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.file(t, "input", d.sample(t, ".jsonl"))
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: d.path("out"), Batch: 40}
	foreign := filepath.Join(job.Dir, issuer.CredentialFile(7))
	d.EndAfter(func(step string) error {
		if step == "stored" { // too late to be seen at the beginning
			return os.WriteFile(foreign, []byte("mine"), 0o600)
		}
		return nil
	})
	report, err := d.Issue(t.Context(), clerk, job, nil)
	hasCode(t, err, issuer.CodeOutputExists)
	if b, _ := os.ReadFile(foreign); string(b) != "mine" {
		t.Error("the file was overwritten")
	}
	if report.Rows != 40 || report.Issued != 40 || report.Anchored != 0 {
		t.Errorf("the report is %+v", report)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	d.EndAfter(func(string) error { return nil })
	if _, err := d.Issue(t.Context(), clerk, job, nil); err != nil {
		t.Fatal(err)
	}
	d.checkIssued(t, directory(t, job.Dir), 40)
}
