package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A byte of the ledger that was changed on the disk is found by the audit, and the home as it was
// before is right again.
func TestLedgerByteChanged(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.marriages("input.jsonl", 1, 200)
	p.run(exitDone, issueArgs("--batch", "50", "--bundle", "out.creds", "input.jsonl")...)
	p.run(exitDone, "audit")
	tables, err := filepath.Glob(filepath.Join(p.home, "ledger", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("the ledger has no tables: %v", err)
	}
	const places = 8
	for _, table := range tables {
		saved, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		for i := range places {
			changed := append([]byte(nil), saved...)
			at := len(changed) * i / places
			changed[at] ^= 1
			if err := os.WriteFile(table, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			out, problems := p.run(exitFailed, "audit")
			if !strings.Contains(out, "finding: ") && !strings.Contains(problems, "damaged") {
				t.Errorf("byte %d of %s: %s%s", at, filepath.Base(table), out, problems)
			}
		}
		if err := os.WriteFile(table, saved, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.run(exitDone, "audit")
}
