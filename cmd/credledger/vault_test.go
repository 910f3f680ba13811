package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// A department whose vault is in PostgreSQL issues, changes states and opens reasons as any other.
func TestVaultInPostgreSQL(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	f, err := os.OpenFile(filepath.Join(p.dir, "home", configFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "vaults:\n  civil-affairs: %q\n", server.Database(t))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	const n = 50
	p.marriages("input.jsonl", 1, n)
	issue := issueArgs("--batch", "16", "--bundle", "m.creds", "input.jsonl")
	if _, problem := p.run(exitFailed, issue...); !strings.Contains(problem, "vault-missing") {
		t.Errorf("a vault was made by the way: %s", problem)
	}
	p.run(exitDone, "vault", "create", "--department", "civil-affairs")
	out, _ := p.run(exitDone, issue...)
	wantIssued(t, out, n)
	p.wantCredentials(n, "m.creds")
	p.run(exitDone, "status", "set", "--department", "civil-affairs", "--to", "revoked", "--reason", "divorce", "m.creds")
	if out, _ := p.run(exitNotCurrent, "verify", "m.creds"); strings.Count(out, "Divorce") != n {
		t.Errorf("the reasons are not opened: %s", out)
	}
	p.run(exitDone, "vault", "rotate", "--department", "civil-affairs")
	if out, _ := p.run(exitDone, "vault", "show", "--department", "civil-affairs"); !strings.Contains(out, "PostgreSQL") {
		t.Errorf("the vault is said to be elsewhere: %s", out)
	}
}
