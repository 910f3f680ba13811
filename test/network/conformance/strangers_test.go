//go:build network

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
)

// soon is when a stranger is told at the latest.
const soon = 9 * time.Second

// strangers connects as somebody whom the channel does not know. Nobody of them is told anything, and
// nothing that they submit gets as far as the rules.
func strangers(t *testing.T, n *network) {
	outside := cryptogen(t)
	for _, test := range []struct {
		name         string
		organisation string
		msp          string // directory with certificate and key
	}{
		{"an organisation that is not in the channel", "stranger", outside},
		{"a certificate of its own under a department's name", ledgertest.Marriages, outside},
		{"the authority's certificate of its own", ledgertest.Authority, outside},
		{"an orderer's certificate under a department's name", ledgertest.Authority,
			filepath.Join(filepath.Dir(filepath.Dir(n.Config(ledgertest.Authority))), "crypto", ledgertest.Authority, "orderer1", "msp")},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := open(t, n.stranger(t, test.organisation, test.msp))
			before, err := open(t, n.Config(ledgertest.Marriages)).Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			refused := func(what string, err error) {
				t.Helper()
				if took := time.Since(begun); ledger.Code(err) != fabric.CodeDenied || took > soon {
					t.Errorf("%s: %v, after %v; want %s within %v", what, err, took, fabric.CodeDenied, soon)
				}
				begun = time.Now()
			}
			b := n.city.Digests(t, "marriage", 1, nil, nil)
			_, err = l.Submit(t.Context(), b.Tx)
			refused("submit", err)
			answer, err := l.Evaluate(t.Context(), chaincode.Query{Name: "ledger"})
			refused("evaluate", err)
			if answer != nil {
				t.Errorf("told: %s", answer)
			}
			_, err = l.Head(t.Context())
			refused("head", err)
			for block, err := range l.Follow(t.Context(), 0) {
				refused("follow", err)
				if block != nil {
					t.Errorf("told block %d", block.Number)
				}
				break
			}

			// The same is good for the department itself.
			receipt := ledgertest.Submit(t, open(t, n.Config(b.Issuer)), b.Tx)
			if receipt.Existing || receipt.Position.Block != before.Height {
				t.Errorf("the department's own submission: %+v; want the first transaction since block %d", receipt, before.Height)
			}
		})
	}
}

// cryptogen makes an organisation that no network knows, and returns the directory of the MSP of its
// client.
func cryptogen(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "cryptogen.yaml")
	write(t, config, "PeerOrgs:\n  - Name: stranger\n    Domain: stranger\n    EnableNodeOUs: true\n    Users:\n      Count: 1\n")
	cmd := exec.Command(filepath.Join(fabrictest.Programs(t), "cryptogen"), "generate", "--config", config, "--output", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cryptogen: %v\n%s", err, out)
	}
	return filepath.Join(dir, "peerOrganizations", "stranger", "users", "User1@stranger", "msp")
}

// stranger writes a client configuration like a department's with another identity.
func (n *network) stranger(t *testing.T, organisation, msp string) string {
	t.Helper()
	only := func(pattern string) string {
		files, err := filepath.Glob(filepath.Join(msp, pattern))
		if err != nil || len(files) != 1 {
			t.Fatalf("%d files %s in %s: %v", len(files), pattern, msp, err)
		}
		return files[0]
	}
	key, err := os.ReadFile(only("keystore/*"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "client.key"), string(key))
	text, err := os.ReadFile(n.Config(ledgertest.Marriages))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{
		"organisation": organisation, "certificate": only("signcerts/*"), "key": filepath.Join(dir, "client.key"),
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case settings[name] != "":
			line = fmt.Sprintf("%s: %q\n", name, settings[name])
		case name == "profile":
			line = fmt.Sprintf("profile: %q\n", filepath.Join(filepath.Dir(n.Config(ledgertest.Marriages)), strings.Trim(value, `"`)))
		}
		lines = append(lines, line)
	}
	file := filepath.Join(dir, "client.yaml")
	write(t, file, strings.Join(lines, ""))
	return file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
