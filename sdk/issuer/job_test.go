package issuer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A job that was begun in the vault leaves its credentials there, and is told apart by its id alone.
func TestJobOfVault(t *testing.T) {
	d := newDesk(t, "marriage")
	content := d.sample(t, ".jsonl")
	row := &vault.Job{Name: sm.Sum([]byte("an upload")), Kind: "upload", Type: "marriage", Detail: []byte("the caller's")}
	if err := d.vault.Write(t.Context(), clerk, func(tx *vault.Tx) error { return tx.AddJob(row) }); err != nil {
		t.Fatal(err)
	}
	opened := 0
	job := issuer.Job{ID: row.ID, Type: "marriage", Inputs: []string{"upload"}, Rejects: d.path("rejects"), Batch: 8,
		Open: func(path string) (io.ReadCloser, error) {
			opened++
			return io.NopCloser(bytes.NewReader(append(bytes.Clone(content), "{}\n"...))), nil
		}}
	d.SetGroup(16)
	d.EndAfter(endAt("stored", 2))
	if _, err := d.Issue(t.Context(), clerk, job, nil); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	d.EndAfter(func(string) error { return nil })
	report, err := d.Issue(t.Context(), clerk, job, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report, issuer.Report{Rows: 41, Issued: 40, Rejected: 1, Batches: 5, Resumed: true, Rejects: job.Rejects,
		Reasons: map[string]int64{licence.MissingField: 1}})
	if report.Job != row.ID || opened < 2 {
		t.Errorf("the report is of job %d; the input was opened %d times", report.Job, opened)
	}
	kept, err := d.vault.Job(t.Context(), row.ID)
	if err != nil || !kept.Done || kept.Kind != "upload" || string(kept.Detail) != "the caller's" || kept.Accepted != 40 {
		t.Errorf("the vault has the job as %+v, %v", kept, err)
	}
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) != 6 { // ledger, vault with log and index, keys, rejects
		t.Errorf("the directory holds %v, %v", entries, err)
	}
	var all []*credential.Presentation
	rows := map[int64]bool{}
	batches, err := d.vault.Batches(t.Context(), vault.Delivered, row.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		credentials, err := d.Credentials(t.Context(), clerk, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range credentials {
			rows[c.Row] = true
			all = append(all, c.Credential)
		}
	}
	d.checkIssued(t, all, 40)
	if len(rows) != 40 || !rows[1] || !rows[40] || rows[41] {
		t.Errorf("the licences are of the records %v", rows)
	}
	_, err = d.Issue(t.Context(), clerk, job, nil)
	hasCode(t, err, issuer.CodeJobDone)
	job.Type = "property"
	_, err = d.Issue(t.Context(), clerk, job, nil)
	if err == nil {
		t.Error("a job was gone on with for another type")
	}
}

// Two runs cannot have one output, nor one job.
func TestOneRunAtATime(t *testing.T) {
	for name, out := range outputs {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "marriage")
			job := out.job(d)
			job.Type, job.Inputs, job.Batch = "marriage", []string{d.synthetic(t, "input", 1, 40)}, 8
			reached, goOn := make(chan struct{}), make(chan struct{})
			other := d.open(t, d.config)
			d.EndAfter(func(step string) error {
				if step == "written" {
					select {
					case <-reached:
					default:
						close(reached)
						<-goOn
					}
				}
				return nil
			})
			finished := make(chan error, 1)
			go func() {
				_, err := d.Issue(t.Context(), clerk, job, nil)
				finished <- err
			}()
			<-reached
			_, err := other.Issue(t.Context(), clerk, job, nil)
			hasCode(t, err, issuer.CodeJobInUse)
			close(goOn)
			if err := <-finished; err != nil {
				t.Fatal(err)
			}
			d.checkIssued(t, out.read(t, d), 40)
		})
	}
}

// What an interrupted run has written must be there.
func TestOutputDamaged(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, d *desk){
		"bundle gone":    func(t *testing.T, d *desk) { remove(t, d.path("out")) },
		"bundle shorter": func(t *testing.T, d *desk) { truncate(t, d.path("out"), 100) },
		"rejects gone":   func(t *testing.T, d *desk) { remove(t, d.path("out.rejects.jsonl")) },
		"rejects shorter": func(t *testing.T, d *desk) {
			truncate(t, d.path("out.rejects.jsonl"), 20)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "marriage")
			d.SetGroup(8)
			content := append([]byte("{}\n"), d.sample(t, ".jsonl")...)
			job := issuer.Job{Type: "marriage", Inputs: []string{d.file(t, "input", content)}, Bundle: d.path("out"), Batch: 8}
			d.EndAfter(func(step string) error {
				if step != "stored" {
					return nil
				}
				delivered, err := d.vault.Batches(t.Context(), vault.Delivered, 0, 0, 1)
				if err == nil && len(delivered) > 0 { // so a part of the bundle counts
					err = errEnd
				}
				return err
			})
			if _, err := d.Issue(t.Context(), clerk, job, nil); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			d.EndAfter(func(string) error { return nil })
			damage(t, d)
			_, err := d.Issue(t.Context(), clerk, job, nil)
			hasCode(t, err, issuer.CodeOutputDamaged)
			d.checkKnown(t)
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, length int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Size() <= length {
		t.Fatalf("%s has not more than %d bytes: %v", path, length, err)
	}
	if err := os.Truncate(path, length); err != nil {
		t.Fatal(err)
	}
}

// Inputs that are made to harm are rejected or refused, quickly.
func TestHostileInputs(t *testing.T) {
	d := newDesk(t, "marriage")
	bomb := `<!ENTITY a0 "ha">`
	for i := 1; i < 10; i++ {
		bomb += strings.ReplaceAll(`<!ENTITY aN "`+strings.Repeat("&aM;", 10)+`">`, "N", string(rune('0'+i)))
		bomb = strings.ReplaceAll(bomb, "M", string(rune('0'+i-1)))
	}
	header, _, _ := strings.Cut(string(d.sample(t, ".csv")), "\n")
	header += "\n"
	for name, c := range map[string]struct{ input, code string }{
		"entity bomb":         {`<?xml version="1.0"?><!DOCTYPE r [` + bomb + `]><r><l><ZZBH>&a9;</ZZBH></l></r>`, licence.Malformed},
		"external entity":     {`<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><l><ZZBH>&e;</ZZBH></l></r>`, licence.Malformed},
		"deep elements":       {"<r>" + strings.Repeat("<a>", 1<<20), licence.Truncated},
		"one endless element": {"<r><l><ZZBH>" + strings.Repeat("9", 3<<20) + "</ZZBH></l></r>", licence.TooLarge},
		"deep arrays":         {strings.Repeat("[", 1<<20), licence.Malformed},
		"one endless line":    {"{\"ZZBH\": \"" + strings.Repeat("9", 3<<20) + "\"}\n{}\n", licence.TooLarge},
		"one endless field":   {header + "\"" + strings.Repeat("9", 3<<20) + "\"\n", licence.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			watch := watchMemory(t)
			report, err := d.DryRun(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{d.file(t, "hostile", []byte(c.input))}}, nil)
			if peak := watch(); peak > 400<<20 || time.Since(begun) > 10*time.Second {
				t.Errorf("it took %v and %d MiB", time.Since(begun), peak>>20)
			}
			if report.Issued != 0 {
				t.Errorf("licences would be issued: %+v", report)
			}
			if issuer.Code(err) != c.code && report.Reasons[c.code] == 0 {
				t.Errorf("it is neither refused nor rejected as %s: %+v, %v", c.code, report, err)
			}
		})
	}
}

// TestNotReconciled is about a ledger that does not have what it has taken: the job is not done.
func TestNotReconciled(t *testing.T) {
	d := newDesk(t, "marriage")
	c := d.config
	c.Ledger = &forgetful{Ledger: d.ledger}
	iss := d.open(t, c)
	job := issuer.Job{Type: "marriage", Inputs: []string{d.synthetic(t, "input", 1, 4)}, Bundle: d.path("bundle"), Batch: 2}
	report, err := iss.Issue(t.Context(), clerk, job, nil)
	hasCode(t, err, issuer.CodeUnreconciled)
	if report.Issued != 4 || report.OnLedger != 2 {
		t.Errorf("the report is %+v", report)
	}
	report, err = iss.Issue(t.Context(), clerk, job, nil)
	if err != nil || report.Issued != 4 || report.OnLedger != 4 || report.Batches != 2 {
		t.Errorf("when it has them, the report is %+v, %v", report, err)
	}
}

// A forgetful ledger does not have the first batch that it is asked for.
type forgetful struct {
	ledger.Ledger
	mu  sync.Mutex
	has bool
}

func (f *forgetful) Evaluate(ctx context.Context, q chaincode.Query) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.Name == "anchor" && !f.has {
		f.has = true
		return nil, &chaincode.Error{Code: chaincode.CodeNotFound, Message: "the test wants it"}
	}
	return f.Ledger.Evaluate(ctx, q)
}
