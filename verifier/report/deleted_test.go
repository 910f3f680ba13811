package report_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// An exchange is a city with the logs of two departments, one of which answers the other.
type exchange struct {
	*verifiertest.City
	ctx context.Context
	dir string
}

// record records entries in a log of a department, and anchors it if so asked.
func (x *exchange) record(t *testing.T, department *ledgertest.Department, name string, anchor bool, entries ...*access.Entry) {
	t.Helper()
	log, err := accesslog.Open(filepath.Join(x.dir, name), department.Log, x.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := log.Append(x.ctx, &accesslog.Draft{Entry: *e, Issuer: ledgertest.Marriages, Digest: sm.Sum([]byte("a licence"))}); err != nil {
			t.Fatal(err)
		}
	}
	if anchor {
		if err := accesslog.NewAnchorer(log, x.As(department.ID)).Anchor(x.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// make makes a log of a department.
func (x *exchange) make(t *testing.T, department, name string) {
	t.Helper()
	if err := accesslog.Create(filepath.Join(x.dir, name), accesslog.Identity{Ledger: x.ID, Department: department, Log: "log"}); err != nil {
		t.Fatal(err)
	}
}

// report audits logs, and makes a report of them; the codes are what the audits found.
func (x *exchange) report(t *testing.T, names ...string) (r *report.Report, codes []string) {
	t.Helper()
	export, err := x.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	s := scope(t, "2026-11")
	var logs []report.Log
	for _, name := range names {
		files, err := accesslog.OpenFiles(filepath.Join(x.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out := report.NewTally(s)
		audit, err := accesslog.Audit(files, x.Index, accesslog.AuditOptions{Entry: out.Add})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range audit.Findings {
			codes = append(codes, f.Code)
		}
		id := audit.Identity
		logs = append(logs, report.Log{Tally: out, Ledger: id.Ledger, Department: id.Department, Name: id.Log,
			Size: audit.Head.Size, Root: audit.Head.Root, Anchored: audit.Anchored, Clean: audit.Clean()})
	}
	return made(t, s, export, logs), codes
}

// A department that takes an answer out of its log is found out: by the audit if the ledger has a
// checkpoint of the log with it, and else by the log of the department that it answered.
func TestDeletedAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	x := &exchange{verifiertest.New(t), ctx, t.TempDir()}
	asked, asking := x.Department(t, ledgertest.Marriages), x.Department(t, ledgertest.Properties)
	var entries []*access.Entry
	for _, name := range []string{"a", "b", "c"} {
		e := end(name, 0, access.Released, "grant")
		e.Time, e.Asked, e.Agency = x.Clock.Unix(), asked.ID, asking.ID
		entries = append(entries, e)
	}
	x.make(t, asking.ID, "asking")
	x.record(t, asking, "asking", true, entries...)
	x.make(t, asked.ID, "asked")
	x.record(t, asked, "asked", true, entries[:2]...)
	if err := os.CopyFS(filepath.Join(x.dir, "short"), os.DirFS(filepath.Join(x.dir, "asked"))); err != nil {
		t.Fatal(err)
	}
	x.record(t, asked, "asked", false, entries[2]) // signed, but not on the ledger yet
	x.make(t, asked.ID, "anew")
	x.record(t, asked, "anew", false, entries[0], entries[2])
	x.Pass(time.Hour)

	missing := func(name string) []report.Disagreement {
		return []report.Disagreement{{Call: access.RequestCall(sm.Sum([]byte(name))), Asked: asked.ID, Agency: asking.ID, Cause: report.CauseNotByAsked}}
	}
	for _, c := range []struct {
		log   string
		codes []string
		found []report.Disagreement
	}{
		{"asked", nil, nil},
		{"short", nil, missing("c")}, // nothing that was on the ledger is missing
		{"anew", []string{accesslog.CodeForked}, missing("b")},
	} {
		r, codes := x.report(t, "asking", c.log)
		if !slices.Equal(codes, c.codes) || !slices.Equal(r.Disagreements, c.found) {
			t.Errorf("%s: found %v, %+v, want %v, %+v", c.log, codes, r.Disagreements, c.codes, c.found)
		}
		want(t, r, report.Releases, report.Where{}, 3, 0)
	}
}
