package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// audited audits a log, tallies its entries and makes a report of them.
func audited(t *testing.T, c *verifiertest.City, source accesslog.Source) []byte {
	t.Helper()
	s := scope(t, "2026-11")
	out := report.NewTally(s)
	audit, err := accesslog.Audit(source, c.Index, accesslog.AuditOptions{Entry: out.Add})
	if err != nil {
		t.Fatal(err)
	}
	export, err := c.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	id := audit.Identity
	r := made(t, s, export, []report.Log{{
		Tally: out, Ledger: id.Ledger, Department: id.Department, Name: id.Log,
		Size: audit.Head.Size, Root: audit.Head.Root, Anchored: audit.Anchored, Clean: audit.Clean(),
	}})
	want(t, r, report.Issued, report.Where{}, 2, 0)
	want(t, r, report.Verifications, report.Where{}, 40, 0)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An auditor who has an export of a log makes the same report as the verifier that keeps it.
func TestFromLogAndFromExport(t *testing.T) {
	c := verifiertest.New(t)
	c.Issue("property", 2)
	dir := filepath.Join(t.TempDir(), "log")
	if err := accesslog.Create(dir, accesslog.Identity{Ledger: c.ID, Department: ledgertest.Authority, Log: "verifier-1"}); err != nil {
		t.Fatal(err)
	}
	log, err := accesslog.Open(dir, c.Authority.Log, c.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	entries := randomEntries(t, 3, 40, november, november+30*day)
	for _, e := range entries[:40] {
		if e.Agency == "" {
			e.Agency = "tax"
		}
		e.Outcome, e.Day = "valid", 20758
		if _, err := log.Append(ctx, &accesslog.Draft{Entry: *e, Presentation: sm.Sum(nil)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := accesslog.NewAnchorer(log, c.As(ledgertest.Authority)).Anchor(ctx); err != nil {
		t.Fatal(err)
	}
	c.Pass(time.Minute)
	files, err := accesslog.OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var exported bytes.Buffer
	if err := files.Write(&exported); err != nil {
		t.Fatal(err)
	}
	export, err := accesslog.ReadExport(&exported)
	if err != nil {
		t.Fatal(err)
	}
	if here, there := audited(t, c, files), audited(t, c, export); !bytes.Equal(here, there) {
		t.Errorf("the verifier reports\n%s\nthe auditor\n%s", here, there)
	}
}
