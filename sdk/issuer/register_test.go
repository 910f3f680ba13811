package issuer_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// reopen gives the desk another register handle, as another process would have.
func (d *desk) another(tb testing.TB) *issuer.Issuer {
	tb.Helper()
	register, err := issuer.OpenRegister(d.path("register.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { register.Close() })
	c := d.config
	c.Register = register
	return d.open(tb, c)
}

func TestTwoIssueAtOnce(t *testing.T) {
	d := newDesk(t, "marriage")
	d.SetGroup(64)
	a, b := d.synthetic(t, "a", 1, 600), d.synthetic(t, "b", 401, 600) // 200 of them the same
	var reports [2]issuer.Report
	var errs [2]error
	var both sync.WaitGroup
	for i, iss := range []*issuer.Issuer{d.Issuer, d.another(t)} {
		job := issuer.Job{Type: "marriage", Inputs: []string{[]string{a, b}[i]}, Bundle: d.path([]string{"a.out", "b.out"}[i]), Batch: 32}
		both.Go(func() { reports[i], errs[i] = iss.Issue(t.Context(), job, nil) })
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if reports[0].Issued+reports[1].Issued != 1000 || reports[0].Rejected+reports[1].Rejected != 200 {
		t.Errorf("the reports are %+v", reports)
	}
	d.checkIssued(t, append(bundle(t, d.path("a.out")), bundle(t, d.path("b.out"))...), 1000)
}

func TestRegisterInUse(t *testing.T) {
	issuer.SetBusyTimeout(50 * time.Millisecond)
	defer issuer.SetBusyTimeout(5 * time.Second)
	d := newDesk(t, "marriage")
	input := d.file(t, "input", d.sample(t, ".jsonl"))
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle")}
	other := d.another(t)
	d.EndAfter(func(step string) error {
		if step == "begun" {
			_, err := other.Issue(t.Context(), job, nil)
			hasCode(t, err, issuer.CodeRegisterInUse)
		}
		return nil
	})
	if _, err := d.Issue(t.Context(), job, nil); err != nil {
		t.Fatal(err)
	}
	_, err := other.Issue(t.Context(), job, nil)
	hasCode(t, err, issuer.CodeJobDone)
	d.checkIssued(t, bundle(t, job.Bundle), 40)
}

func TestInputChanged(t *testing.T) {
	lines := func(d *desk) [][]byte { return bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))[:40] }
	for _, c := range []struct {
		name   string
		edit   func([][]byte) [][]byte
		within bool // the run can go on
	}{
		{"a settled record", func(l [][]byte) [][]byte { l[3] = bytes.Replace(l[3], []byte("20"), []byte("21"), 1); return l }, false},
		{"white space in one", func(l [][]byte) [][]byte { l[0] = bytes.Replace(l[0], []byte(": "), []byte(":  "), 1); return l }, false},
		{"two change places", func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l }, false},
		{"one is gone", func(l [][]byte) [][]byte { return l[1:] }, false},
		{"cut short", func(l [][]byte) [][]byte { return l[:10] }, false},
		{"one that is not settled", func(l [][]byte) [][]byte { l[39] = bytes.Replace(l[39], []byte(": "), []byte(":  "), 1); return l }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, "marriage")
			d.SetGroup(16)
			original := bytes.Join(lines(d), nil)
			input := d.file(t, "input", original)
			job := issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 8}
			d.EndAfter(endAt("registered", 1))
			if _, err := d.Issue(t.Context(), job, nil); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			d.EndAfter(func(string) error { return nil })
			d.file(t, "input", bytes.Join(c.edit(lines(d)), nil))
			_, err := d.Issue(t.Context(), job, nil)
			if !c.within {
				hasCode(t, err, issuer.CodeInputChanged)
				d.checkKnown(t)
				d.file(t, "input", original)
				_, err = d.Issue(t.Context(), job, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			d.checkIssued(t, bundle(t, job.Bundle), 40)
		})
	}
}

// TestInputIsGone is about batches that wait: to bring them to the ledger takes no input.
func TestInputIsGone(t *testing.T) {
	d := newDesk(t, "marriage")
	d.SetGroup(16)
	text := d.sample(t, ".jsonl")
	input := d.file(t, "input", text)
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: d.path("out"), Batch: 8}
	d.EndAfter(endAt("registered", 2))
	if _, err := d.Issue(t.Context(), job, nil); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if err := os.Remove(input); err != nil {
		t.Fatal(err)
	}
	d.EndAfter(func(string) error { return nil })
	report, err := d.Issue(t.Context(), job, nil)
	hasCode(t, err, issuer.CodeStorage)
	if report.Issued != 32 || report.Pending != 0 {
		t.Errorf("the report is %+v", report)
	}
	d.checkIssued(t, directory(t, job.Dir, ".credledger-issuing"), 32)
	d.file(t, "input", text)
	job.Batch = 3 // may be another
	if _, err := d.Issue(t.Context(), job, nil); err != nil {
		t.Fatal(err)
	}
	d.checkIssued(t, directory(t, job.Dir), 40)
}

func TestInputGrewAfterTheRun(t *testing.T) {
	d := newDesk(t, "marriage")
	text := d.sample(t, ".jsonl")
	cut := bytes.LastIndexByte(bytes.TrimSpace(text), '\n') + 1
	input := d.file(t, "input", text[:cut])
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 8}
	if _, err := d.Issue(t.Context(), job, nil); err != nil {
		t.Fatal(err)
	}
	report, err := d.Issue(t.Context(), job, nil)
	hasCode(t, err, issuer.CodeJobDone)
	if report.Rows != 39 || report.Issued != 39 || report.Batches != 5 {
		t.Errorf("the report is %+v", report)
	}
	d.file(t, "input", text)
	_, err = d.Issue(t.Context(), job, nil)
	hasCode(t, err, issuer.CodeInputChanged)
	d.checkIssued(t, bundle(t, job.Bundle), 39)
}

func TestOutputDamaged(t *testing.T) {
	for name, out := range outputs {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "marriage")
			d.SetGroup(16)
			input := d.file(t, "input", d.sample(t, ".jsonl"))
			job := out.job(d)
			job.Type, job.Inputs, job.Batch = "marriage", []string{input}, 8
			d.EndAfter(endAt("registered", 2))
			if _, err := d.Issue(t.Context(), job, nil); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			d.EndAfter(func(string) error { return nil })
			stream := job.Bundle
			if job.Dir != "" {
				stream = filepath.Join(job.Dir, ".credledger-issuing")
			}
			whole, err := os.ReadFile(stream)
			if err != nil {
				t.Fatal(err)
			}
			for _, damage := range []func() error{
				func() error { return os.Truncate(stream, 1000) },
				func() error { return os.Remove(stream) },
			} {
				if err := damage(); err != nil {
					t.Fatal(err)
				}
				_, err = d.Issue(t.Context(), job, nil)
				hasCode(t, err, issuer.CodeOutputDamaged)
			}
			if err := os.WriteFile(stream, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Issue(t.Context(), job, nil); err != nil {
				t.Fatal(err)
			}
			d.checkIssued(t, out.read(t, d), 40)
		})
	}
}

func TestRegisterFile(t *testing.T) {
	d := newDesk(t, "marriage")
	_, err := issuer.CreateRegister(d.path("register.db"), d.city.ID, d.department.ID)
	hasCode(t, err, issuer.CodeRegisterExists)
	_, err = issuer.OpenRegister(d.path("absent.db"))
	hasCode(t, err, issuer.CodeRegisterMissing)
	if _, err := os.Stat(d.path("absent.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening a register has made one")
	}
	for name, content := range map[string][]byte{
		"empty.db": nil, "text.db": bytes.Repeat([]byte("not a database\n"), 1000),
	} {
		_, err := issuer.OpenRegister(d.file(t, name, content))
		hasCode(t, err, issuer.CodeRegisterDamaged)
		if b, _ := os.ReadFile(d.path(name)); !bytes.Equal(b, content) {
			t.Errorf("%s was written to", name)
		}
	}
	for _, other := range []struct {
		ledger     sm.Hash
		department string
	}{{sm.Sum(nil), d.department.ID}, {d.city.ID, "market-regulation"}} {
		path := d.path(other.department + other.ledger.String()[:4])
		r, err := issuer.CreateRegister(path, other.ledger, other.department)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		c := d.config
		c.Register = r
		_, err = issuer.New(t.Context(), c)
		hasCode(t, err, issuer.CodeRegisterOther)
	}
	info, err := os.Stat(d.path("register.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the register can be read by others: %v, %v", info.Mode(), err)
	}
}

func TestRegisterOfALaterVersion(t *testing.T) {
	d := newDesk(t, "marriage")
	db, err := sql.Open("sqlite", d.path("register.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO migration (version, applied_at) VALUES (1000, 0)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	_, err = issuer.OpenRegister(d.path("register.db"))
	hasCode(t, err, issuer.CodeRegisterNewer)
}

// TestNoPersonalData looks for every value of the samples that is not public in whatever is kept
// beside the credentials, and in what is said.
func TestNoPersonalData(t *testing.T) {
	for _, typ := range []string{"business", "marriage", "property"} {
		d := newDesk(t, typ)
		text := d.sample(t, ".jsonl")
		secrets := map[string]bool{}
		r, err := licence.NewReader(bytes.NewReader(text), d.typ)
		if err != nil {
			t.Fatal(err)
		}
		for {
			doc, err := r.Next()
			if err != nil {
				break
			}
			for _, f := range d.typ.Fields {
				if f.Classification == licence.Public && f.Key != d.typ.NumberField().Key {
					continue
				}
				for s := range doc.Value(f.Key).All() {
					if len(s) > 5 && !(f.Kind == licence.KindDate) && f.Classification != licence.Public || len(s) > 15 {
						secrets[s] = true
					}
				}
			}
		}
		if len(secrets) < 100 {
			t.Fatalf("there are only %d secrets among the samples of %s", len(secrets), typ)
		}

		// Doubled, so that each is rejected once, and with a character too many in each value, so that
		// others are.
		bad := bytes.ReplaceAll(text, []byte(`"990101`), []byte(`"x990101`))
		input := d.file(t, "input", append(append(bytes.Clone(text), text...), bad...))
		report, err := d.Issue(t.Context(), issuer.Job{Type: typ, Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 16}, nil)
		if err != nil || report.Rejected == 0 {
			t.Fatalf("the report is %+v, %v", report, err)
		}
		o := d.checkIssued(t, bundle(t, d.path("bundle")), 40)[0]
		if _, err := d.SetStatus(t.Context(), []issuer.StatusChange{{Licence: o, To: licence.Revoked, Reason: "fraud"}}, nil); err != nil {
			t.Fatal(err)
		}
		_, again := d.SetStatus(t.Context(), []issuer.StatusChange{{Licence: o, To: licence.Suspended, Reason: "court"}}, nil)
		_, unknown := d.SetStatus(t.Context(), []issuer.StatusChange{{Licence: o, To: licence.Suspended, Reason: "mood"}}, nil)
		said := again.Error() + unknown.Error()

		var places int
		for _, name := range []string{"register.db", "register.db-wal", "bundle.rejects.jsonl"} {
			b, err := os.ReadFile(d.path(name))
			if err != nil {
				t.Fatal(err)
			}
			places++
			for s := range secrets {
				if bytes.Contains(b, []byte(s)) {
					t.Errorf("%s holds a value of a licence", name)
				}
				if strings.Contains(said, s) {
					t.Errorf("an error holds a value of a licence")
				}
			}
		}
		for s := range secrets { // the search works
			if b, _ := os.ReadFile(d.path("bundle")); !bytes.Contains(b, []byte(s)) {
				t.Errorf("a value of a licence is not even in its credential")
			}
			break
		}
	}
}
