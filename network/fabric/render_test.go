package fabric

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// example is a topology of two hosts with what every kind of process can have.
const example = `
authority: data-bureau
endorsement: AND('data-bureau.peer', 'civil-affairs.peer')
ordering:
  batchTimeout: 75ms
heartbeat:
  home: the home
  every: 30s
organisations:
  - id: data-bureau
    host: ledger.example
    certificates: certificates of the bureau
    orderers:
      - port: 7110
    peers:
      - port: 7120
      - port: 7140
        host: 127.0.0.2
  - id: civil-affairs
    certificates: certificates of "affairs"
    peers:
      - port: 7220
`

// newExample makes the network of the example, with material, and programs that do nothing but that
// configtxgen leaves a block.
func newExample(t *testing.T) *Network {
	t.Helper()
	base := t.TempDir()
	topology, err := ParseTopology([]byte(example), base)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	for i := range topology.Organisations {
		a.organisation(topology.Organisations[i].Certificates, &topology.Organisations[i])
	}
	programs := filepath.Join(base, "programs")
	if err := os.Mkdir(programs, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{programPeer, programOrderer, programConfigtxgen, programConfigtxlator, programCryptogen,
		programBuilder, programChaincode, programCredledger} {
		script := "#!/bin/sh\nexit 1\n"
		if name == programConfigtxgen {
			script = "#!/bin/sh\nfor last; do :; done\necho block >\"$last\"\n"
		}
		if err := os.WriteFile(filepath.Join(programs, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	n, err := New(topology, programs)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// certificates are in files by their text where these are copied to other hosts.
var certificates = regexp.MustCompile(`-----BEGIN CERTIFICATE-----\\n[^"]*`)

func TestRenderedFiles(t *testing.T) {
	n := newExample(t)
	if err := n.Render(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	base := filepath.Dir(n.topology.Directory)
	self, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"nodes/orderer1.data-bureau/orderer.yaml",
		"nodes/peer2.data-bureau/core.yaml",
		"channel/configtx.yaml",
		"clients/connection_profile.yaml",
		"clients/civil-affairs.yaml",
		"systemd/credledger-orderer1.data-bureau.service",
		"systemd/credledger-peer1.civil-affairs.service",
		"systemd/credledger-chaincode2.data-bureau-1.service",
		"systemd/credledger-heartbeat.service",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(n.topology.Directory, name))
			if err != nil {
				t.Fatal(err)
			}
			var any any
			if err := yaml.Unmarshal(b, &any); err != nil && filepath.Ext(name) == ".yaml" {
				t.Error(err)
			}
			b = bytes.ReplaceAll(b, []byte(base), []byte("/base"))
			b = bytes.ReplaceAll(b, []byte("User="+self.Username+"\n"), []byte("User=somebody\n"))
			b = certificates.ReplaceAll(b, []byte("CERTIFICATE"))
			golden(t, filepath.Base(name), b)
		})
	}
}

func TestCryptogenInput(t *testing.T) {
	n := newExample(t)
	file := filepath.Join(t.TempDir(), "cryptogen.yaml")
	if err := n.render(file, "cryptogen.yaml.tmpl", &n.topology.Organisations[0]); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "cryptogen.yaml", b)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden file (go test -update writes it); it is now\n%s", name, got)
	}
}

// What holds keys is readable by its owner only; what a peer knows of its chaincode server is
// complete, for the version in force and the one before.
func TestRenderedSecrets(t *testing.T) {
	n := newExample(t)
	if err := n.recordVersion(3); err != nil {
		t.Fatal(err)
	}
	if err := n.Render(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"clients/data-bureau/client.key", "nodes/peer2.data-bureau/connection.json"} {
		if info, err := os.Stat(filepath.Join(n.topology.Directory, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	b, err := os.ReadFile(filepath.Join(n.topology.Directory, "nodes/peer2.data-bureau/connection.json"))
	if err != nil {
		t.Fatal(err)
	}
	var connections map[string]connection
	if err := json.Unmarshal(b, &connections); err != nil {
		t.Fatal(err)
	}
	for label, address := range map[string]string{"credledger_3": "127.0.0.2:7143", "credledger_2": "127.0.0.2:7144"} {
		c := connections[label]
		if c.Address != address || !c.TLSRequired || !c.ClientAuthRequired || c.DialTimeout == "" ||
			!strings.Contains(c.ClientKey, "PRIVATE KEY") || !strings.Contains(c.ClientCert, "CERTIFICATE") || !strings.Contains(c.RootCert, "CERTIFICATE") {
			t.Errorf("%s: %+v", label, c)
		}
	}
	if len(connections) != 2 {
		t.Errorf("%d connections", len(connections))
	}
}

// On one of several hosts, only that host's processes are rendered, and nothing is made that all
// have to share.
func TestRenderedHost(t *testing.T) {
	n := newExample(t)
	n.Host = "127.0.0.9"
	if err := n.Render(t.Context(), silent); Code(err) != CodeHostUnknown {
		t.Errorf("%v", err)
	}
	n.Host = "127.0.0.2"
	if err := n.renderAll(t.Context(), false, silent); Code(err) != CodeGenesisMissing {
		t.Fatalf("%v", err)
	}
	nodes, err := os.ReadDir(filepath.Join(n.topology.Directory, "nodes"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range nodes {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "chaincode2.data-bureau peer2.data-bureau" {
		t.Errorf("rendered %s", got)
	}
	block := n.genesisFile()
	if err := os.WriteFile(block, []byte("the others'"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := n.renderAll(t.Context(), true, silent); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(block); err != nil || string(b) != "the others'" {
		t.Errorf("the first block was made again: %q, %v", b, err)
	}
}

func TestUnitQuoting(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b":    `"/a/b"`,
		"/a b":    `"/a b"`,
		`/a"b\c`:  `"/a\"b\\c"`,
		"/50%/$x": `"/50%%/$$x"`,
	} {
		if got := unitWord(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
