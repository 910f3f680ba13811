package issuer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// outputs are the two ways to deliver, each with a reader of what was delivered.
var outputs = map[string]struct {
	job  func(*desk) issuer.Job
	read func(testing.TB, *desk) []*credential.Presentation
}{
	"directory": {
		func(d *desk) issuer.Job { return issuer.Job{Dir: d.path("out")} },
		func(tb testing.TB, d *desk) []*credential.Presentation {
			return directory(tb, d.path("out"), "rejects.jsonl")
		},
	},
	"bundle": {
		func(d *desk) issuer.Job { return issuer.Job{Bundle: d.path("out")} },
		func(tb testing.TB, d *desk) []*credential.Presentation { return bundle(tb, d.path("out")) },
	},
}

var errEnd = errors.New("ended by the test")

// endAt makes an end function that ends a run when a step is reached for the nth time.
func endAt(step string, nth int32) func(string) error {
	var count atomic.Int32
	return func(s string) error {
		if s == step && count.Add(1) == nth {
			return errEnd
		}
		return nil
	}
}

// TestEndedAtEveryStep ends runs at each step, several times in a row, and lets the last one go on to
// the end.
func TestEndedAtEveryStep(t *testing.T) {
	const records, doubled = 60, 3
	for name, out := range outputs {
		for _, step := range issuer.Steps {
			t.Run(name+"/"+step, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, "marriage")
				d.SetGroup(16)
				input := d.synthetic(t, "input", 1, records-doubled)
				again := d.synthetic(t, "again", 1, doubled)
				job := out.job(d)
				job.Type, job.Inputs, job.Batch = "marriage", []string{input, again}, 8
				var done int64
				for nth := range int32(6) {
					d.EndAfter(endAt(step, 1+nth%3))
					report, err := d.Issue(t.Context(), clerk, job, nil)
					if issuer.Code(err) == issuer.CodeJobDone {
						break
					}
					if err != nil && !errors.Is(err, errEnd) {
						t.Fatalf("run %d: %v", nth, err)
					}
					if report.Rows < done || report.Rows != report.Issued+report.Rejected {
						t.Errorf("run %d: the report is %+v after %d rows before", nth, report, done)
					}
					done = report.Rows
					d.checkKnown(t)
				}
				d.EndAfter(func(string) error { return nil })
				report, err := d.Issue(t.Context(), clerk, job, nil)
				if err != nil && issuer.Code(err) != issuer.CodeJobDone {
					t.Fatal(err)
				}
				if report.Rows != records || report.Rejected != doubled || report.Anchored != report.Issued || !report.Resumed || err == nil && report.OnLedger != report.Issued {
					t.Errorf("the report is %+v", report)
				}
				d.checkIssued(t, out.read(t, d), records-doubled)
				if rejects := readRejects(t, report.Rejects); len(rejects) != doubled {
					t.Errorf("there are %d rejections, want %d", len(rejects), doubled)
				}
				_, err = d.Issue(t.Context(), clerk, job, nil)
				hasCode(t, err, issuer.CodeJobDone)
			})
		}
	}
}

// TestKeyRotatedBetweenRuns retires the key of batches that are in the vault and not on the ledger.
func TestKeyRotatedBetweenRuns(t *testing.T) {
	for name, out := range outputs {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "marriage")
			input := d.file(t, "input", d.sample(t, ".jsonl"))
			job := out.job(d)
			job.Type, job.Inputs, job.Batch = "marriage", []string{input}, 16
			d.SetGroup(40)
			d.EndAfter(endAt("stored", 1))
			if _, err := d.Issue(t.Context(), clerk, job, nil); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			fresh, err := sm.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			ledgertest.Submit(t, d.ledger, ledgertest.Sign(t, d.city.Enrolment(d.department.ID, fresh, statement.PurposeAnchor), d.department.Govern, fresh))
			ledgertest.Submit(t, d.ledger, ledgertest.Sign(t, d.city.EndKey(d.department.ID, d.department.Anchor, statement.KeyRetire), d.department.Govern))

			d.EndAfter(func(string) error { return nil })
			_, err = d.Issue(t.Context(), clerk, job, nil) // still with the old key
			hasCode(t, err, chaincode.CodeKeyRetired)
			rotated := d.config
			rotated.Signers = issuer.Fixed(map[statement.Purposes][]sm.Signer{statement.PurposeAnchor: {fresh}})
			iss, err := issuer.New(t.Context(), rotated) // which has not caught up: Issue itself finds what waits
			if err != nil {
				t.Fatal(err)
			}
			iss.EndAfter(endAt("resigned", 2))
			if _, err := iss.Issue(t.Context(), clerk, job, nil); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			d.checkKnown(t)
			if _, err := d.open(t, rotated).Issue(t.Context(), clerk, job, nil); err != nil {
				t.Fatal(err)
			}
			d.department.Anchor = fresh
			d.checkIssued(t, out.read(t, d), 40)
		})
	}
}

// A child process issues what its environment says; see TestMain and child.
const childVariable = "ISSUER_TEST_CHILD"

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		if err := child(strings.Split(order, "|")); err != nil {
			fmt.Fprintln(os.Stderr, issuer.Code(err), err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child opens ledger and vault in a directory and issues there: its order is directory, output,
// batch (or with the output "apply", a number of licences that are applied for one by one), group, a step at which it kills itself, and a limit for the size of files in bytes; with a limit it does not
// kill itself, but has the limit from that step on, or from the beginning.
func child(order []string) error {
	dir, output, step := order[0], order[1], order[4]
	batch, _ := strconv.Atoi(order[2])
	group, _ := strconv.Atoi(order[3])
	limit, _ := strconv.ParseUint(order[5], 10, 64)
	t := new(testing.B) // the helpers want one; they do not fail here
	city := ledgertest.NewCity(t, "child")
	department := city.Issuer(t, "marriage")
	store, err := embedded.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		return err
	}
	defer store.Close()
	v, err := (&desk{dir: dir}).openVault(context.Background())
	if err != nil {
		return err
	}
	defer v.Close()
	iss, err := issuer.New(context.Background(), config(city, department, store.As(department.ID), v))
	if err != nil {
		return err
	}
	if _, err := iss.CatchUp(context.Background()); err != nil {
		return err
	}
	iss.SetGroup(group)
	reached := func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) }
	if limit > 0 {
		signal.Ignore(syscall.SIGXFSZ)
		reached = func() error {
			return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit})
		}
	}
	iss.EndAfter(func(s string) error {
		if s == step {
			return reached()
		}
		return nil
	})
	if step == "" && limit > 0 {
		if err := reached(); err != nil {
			return err
		}
	}
	if output == "apply" {
		return applyForAll(&desk{Issuer: iss, city: city, typ: city.Type(t, "marriage")}, batch)
	}
	job := outputs[output].job(&desk{dir: dir})
	job.Type, job.Inputs, job.Batch = "marriage", []string{filepath.Join(dir, "input")}, batch
	_, err = iss.Issue(context.Background(), clerk, job, nil)
	return err
}

// A family is a desk whose ledger and vault are closed, so that child processes can have them.
type family struct {
	*desk
	store *embedded.Store
}

func newFamily(t *testing.T, records int) *family {
	t.Helper()
	f := &family{desk: &desk{city: ledgertest.NewCity(t, "family"), dir: t.TempDir()}}
	var err error
	if f.store, err = embedded.Create(f.path("ledger"), f.city.Genesis); err != nil {
		t.Fatal(err)
	}
	f.city.Found(t, f.store.As)
	f.department, f.typ = f.city.Issuer(t, "marriage"), f.city.Type(t, "marriage")
	f.vault = f.createVault(t, f.path("vault.db"))
	f.synthetic(t, "input", 1, records)
	f.close(t)
	return f
}

func (f *family) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(f.vault.Close(), f.store.Close()); err != nil {
		t.Fatal(err)
	}
}

// command is a child with an order.
func (f *family) command(output string, batch, group int, step string, limit int) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{
		f.dir, output, strconv.Itoa(batch), strconv.Itoa(group), step, strconv.Itoa(limit)}, "|"))
	return c
}

// visit opens what the children left.
func (f *family) visit(t *testing.T, do func()) {
	t.Helper()
	var err error
	if f.store, err = embedded.Open(f.path("ledger")); err != nil {
		t.Fatal(err)
	}
	if f.vault, err = f.openVault(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.ledger = f.store.As(f.department.ID)
	do()
	f.close(t)
}

// TestKilledAtEveryStep is TestEndedAtEveryStep with processes that are killed.
func TestKilledAtEveryStep(t *testing.T) {
	const records = 40
	for name, out := range outputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t, records)
			for _, step := range issuer.Steps {
				err := f.command(name, 4, 8, step, 0).Run()
				var exit *exec.ExitError
				killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
				if !killed && (name == "directory" || step != "delivered" && step != "done") {
					t.Fatalf("the child was not killed after %s: %v", step, err)
				}
				f.visit(t, func() { f.checkKnown(t) })
			}
			_ = f.command(name, 4, 8, "", 0).Run() // may be done already
			f.visit(t, func() { f.checkIssued(t, out.read(t, f.desk), records) })
		})
	}
}

// TestKilledAtAnyMoment kills processes from outside.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	const records = 10000
	f := newFamily(t, records)
	for attempt := 0; ; attempt++ {
		c := f.command("bundle", 64, 512, "", 0)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		finished := make(chan error, 1)
		go func() { finished <- c.Wait() }()
		var end <-chan time.Time
		if attempt < 4 {
			end = time.After(time.Duration(80+rand.IntN(200)) * time.Millisecond)
		}
		select {
		case <-end:
			if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			<-finished
			f.visit(t, func() { f.checkKnown(t) })
			continue
		case err := <-finished:
			if err != nil && !strings.HasPrefix(stderr.String(), issuer.CodeJobDone) { // killed after the end
				t.Fatalf("%v: %s", err, stderr.String())
			}
		}
		break
	}
	f.visit(t, func() { f.checkIssued(t, bundle(t, f.path("out")), records) })
}

// TestDiskFull has processes that cannot make any file larger than a limit, which is what a full disk
// is like; once the bundle is the first to reach it, once the vault is.
func TestDiskFull(t *testing.T) {
	for _, c := range []struct {
		name         string
		batch, group int
		step         string // from where on the limit holds
		limit        int
		code, path   string
	}{
		{"bundle", 256, 1536, "stored", 64 << 10, issuer.CodeStorage, "out"},
		{"vault", 1, 1, "", 900_000, sqldb.CodeUnavailable, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const records = 1500
			f := newFamily(t, records)
			child := f.command("bundle", c.batch, c.group, c.step, c.limit)
			var stderr bytes.Buffer
			child.Stderr = &stderr
			if err := child.Run(); err == nil {
				t.Fatal("the child had room enough")
			}
			if said := stderr.String(); !strings.HasPrefix(said, c.code+" ") || !strings.Contains(said, c.path) {
				t.Errorf("the child said %s", said)
			}
			f.visit(t, func() { f.checkKnown(t) })
			if out, err := f.command("bundle", 256, 256, "", 0).CombinedOutput(); err != nil {
				t.Fatalf("with room again: %v: %s", err, out)
			}
			f.visit(t, func() { f.checkIssued(t, bundle(t, f.path("out")), records) })
		})
	}
}
