//go:build network

package operations

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
)

// TestGuide does with one network, one after the other, what the guide says, by its own commands.
// Each step leaves the network well, with transactions in between.
func TestGuide(t *testing.T) {
	c := newCity(t)
	for _, step := range []struct {
		name string
		run  func(*city)
	}{
		{"BringUp", bringUp},
		{"Monitor", monitor},
		{"RestorePeer", restorePeer},
		{"RebuildPeer", rebuildPeer},
		{"ReplaceOrderer", replaceOrderer},
		{"RenewPeer", renewPeer},
		{"RenewOrderer", renewOrderer},
		{"RestoreHome", restoreHome},
		{"OwnHome", ownHome},
		{"AddDepartment", addDepartment},
		{"Upgrade", upgrade},
		{"Systemd", systemd},
	} {
		t.Run(step.name, func(t *testing.T) {
			part := *c
			part.T = t
			step.run(&part)
			c.issued, c.network = part.issued, part.network
		})
		if t.Failed() {
			t.FailNow() // later steps rest on this one
		}
	}
}

// bringUp builds the programs, starts a network and founds the ledger.
func bringUp(c *city) {
	c.follow("## One host", 0)
	b, err := os.ReadFile(c.network.Topology)
	if err != nil {
		c.Fatal(err)
	}
	c.write("topology.yaml", "programs: "+c.programs()+"\n"+string(b))
	out := c.follow("## One host", 1)
	for _, want := range []string{"the network is up", "all is well", "heartbeat", "department civil-affairs"} {
		if !strings.Contains(out, want) {
			c.Errorf("bringing the network up says nothing of %q:\n%s", want, out)
		}
	}
	c.well()
	c.valid(c.home(), c.issue(2))
}

func (c *city) write(name, content string) {
	c.Helper()
	if err := os.WriteFile(filepath.Join(c.network.Dir, name), []byte(content), 0o644); err != nil {
		c.Fatal(err)
	}
}

// monitor takes the guide's word on what can be watched.
func monitor(c *city) {
	heartbeat := c.follow("## Monitoring", 0)
	stamp := regexp.MustCompile(`"time": "([^"]+)"`).FindStringSubmatch(heartbeat)
	if stamp == nil {
		c.Fatalf("the newest heartbeat is not shown: %s", heartbeat)
	}
	if at, err := time.Parse(time.RFC3339, stamp[1]); err != nil || time.Since(at) > time.Minute {
		c.Errorf("the newest heartbeat is of %s: %v", stamp[1], err)
	}
	lines := strings.Split(strings.TrimSpace(commands(c.T, "## Monitoring", 1)), "\n")
	if len(lines) != 4 {
		c.Fatalf("the guide shows %d lines to ask a peer and an orderer, not 4", len(lines))
	}
	get := func(line string) string { return c.sh(lines[0] + "\n" + line) }
	if health := get(lines[1]); !strings.Contains(health, `"status":"OK"`) {
		c.Errorf("the health of a peer is %s", health)
	}
	served := map[string]string{"peer": get(lines[2]), "orderer": get(lines[3])}
	rows := regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\| (orderer|peer|both) \\|").FindAllStringSubmatch(section(c.T, "## Monitoring"), -1)
	if len(rows) < 8 {
		c.Fatalf("the guide names %d metrics", len(rows))
	}
	for _, row := range rows {
		for _, metric := range codeSpan.FindAllStringSubmatch(row[1], -1) {
			for kind, text := range served {
				if (row[2] == kind || row[2] == "both") && !regexp.MustCompile(`(?m)^`+metric[1]+`(_bucket|_count)?[{ ]`).MatchString(text) {
					c.Errorf("a %s has no metric %s", kind, metric[1])
				}
			}
		}
	}
}

const lostPeer = "peer1.civil-affairs"

// kill ends a process as a fault would, and loses its disk.
func (c *city) kill(process string) {
	c.Helper()
	if err := c.network.Kill(process); err != nil {
		c.Fatal(err)
	}
	if err := os.RemoveAll(c.node(process, "data")); err != nil {
		c.Fatal(err)
	}
}

func restorePeer(c *city) {
	c.follow("### A peer", 0)
	c.issue(3)
	c.kill(lostPeer)
	c.issue(3) // the others go on
	c.follow("### A peer", 1)
	c.same("civil-affairs")
	c.valid(c.home(), c.issue(1))
}

func rebuildPeer(c *city) {
	c.kill(lostPeer)
	c.follow("### A peer", 2)
	c.same("civil-affairs")
	c.valid(c.home(), c.issue(1))
	c.onlyWith(lostPeer)
}

// onlyWith makes sure that a peer endorses: with another one down, a majority needs it.
func (c *city) onlyWith(peer string) {
	c.Helper()
	const other = "peer1.market-regulation"
	c.sh("credledger network stop " + other + " --topology /etc/credledger/topology.yaml")
	c.issue(2)
	if s := c.processOf(peer); s.State != fabric.StateRunning {
		c.Errorf("%s is %s", peer, s.State)
	}
	c.sh("credledger network start " + other + " --topology /etc/credledger/topology.yaml")
	c.well()
}

func (c *city) processOf(name string) fabric.ProcessStatus {
	c.Helper()
	for _, p := range c.status().Processes {
		if p.Name == name {
			return p
		}
	}
	c.Fatalf("there is no process %s", name)
	return fabric.ProcessStatus{}
}

func replaceOrderer(c *city) {
	c.kill("orderer1.natural-resources")
	c.issue(3) // two orderers of three are enough
	c.follow("### An orderer", 0)
	c.well()
	c.valid(c.home(), c.issue(3))
	c.well()
}

// served is the certificate that a process shows on its first port.
func (c *city) served(name string) *x509.Certificate {
	c.Helper()
	conn, err := tls.Dial("tcp", c.processOf(name).Address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		c.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func renewPeer(c *city) {
	before := c.served(lostPeer)
	c.follow("### Renewal", 0)
	c.well()
	after := c.served(lostPeer)
	if after.Equal(before) || time.Until(after.NotAfter) > 366*24*time.Hour {
		c.Errorf("the peer shows a certificate that ends %v", after.NotAfter)
	}
	b, err := os.ReadFile(c.node(lostPeer, "connection.json"))
	if err != nil {
		c.Fatal(err)
	}
	renewed, err := os.ReadFile(filepath.Join(c.directory(), "crypto", "civil-affairs", "peer1", "tls", "server.crt"))
	if err != nil {
		c.Fatal(err)
	}
	if !strings.Contains(string(b), strings.ReplaceAll(string(renewed), "\n", `\n`)) {
		c.Error("the connection with the chaincode server has the old certificate")
	}
	c.onlyWith(lostPeer)
	c.same("civil-affairs")
}

func renewOrderer(c *city) {
	const orderer = "orderer1.civil-affairs"
	before := c.served(orderer)
	c.follow("### Renewal", 1)
	c.well()
	if after := c.served(orderer); after.Equal(before) || !samePublicKey(after, before) {
		c.Errorf("the orderer shows a certificate that ends %v", after.NotAfter)
	}
	// With another one down, a majority needs it.
	c.sh("credledger network stop orderer1.natural-resources --topology /etc/credledger/topology.yaml")
	c.valid(c.home(), c.issue(2))
	c.sh("credledger network up --topology /etc/credledger/topology.yaml")
	c.well()
}

func samePublicKey(a, b *x509.Certificate) bool {
	return string(a.RawSubjectPublicKeyInfo) == string(b.RawSubjectPublicKeyInfo)
}

func restoreHome(c *city) {
	old := c.issue(2)
	c.follow("### A home", 0)
	input := c.licences(2)
	later, err := c.tryIssue(c.home(), "civil-affairs", input)
	if err != nil {
		c.Fatal(err)
	}
	c.valid(c.home(), later)
	if _, err := os.Stat(filepath.Join(c.home(), "index")); err != nil {
		c.Error(err)
	}
	if err := os.RemoveAll(c.home()); err != nil {
		c.Fatal(err)
	}
	c.follow("### A home", 1)
	if _, err := os.Stat(filepath.Join(c.home(), "index")); err == nil {
		c.Error("the copy holds the index")
	}
	c.valid(c.home(), old)
	c.valid(c.home(), later) // with an index that was made again

	// What the guide says of an older vault: it learns states from the ledger, and issues nothing of the type before what
	// it has lost is back. Then it knows that the same licences were issued.
	credential := filepath.Join(later, "licence-0000001.cred")
	c.sh("credledger status set --home " + c.home() + " --department civil-affairs --to suspended --reason court " + credential)
	if out, err := c.try("credledger verify --home " + c.home() + " " + credential); err == nil || !strings.Contains(out, "suspended") {
		c.Errorf("the verdict on a licence that the vault has lost is %v\n%s", err, out)
	}
	if _, err := c.tryIssue(c.home(), "civil-affairs", c.licences(1)); err == nil || !strings.Contains(err.Error(), "bring their contents back") {
		c.Errorf("a vault that has lost licences issues more: %v", err)
	}
	c.sh("credledger vault recover --home " + c.home() + " --department civil-affairs " + filepath.Join(later, "*.cred"))
	if _, err := c.tryIssue(c.home(), "civil-affairs", input); err == nil {
		c.Error("a vault issues the same licences twice")
	}
	if _, err := c.tryIssue(c.home(), "civil-affairs", c.licences(1)); err != nil {
		c.Errorf("when all is back, nothing is issued: %v", err)
	}
}

const ownHomePath = "/var/lib/credledger/civil-affairs"

func ownHome(c *city) {
	stolen := filepath.Join(c.network.Dir, "stolen")
	c.sh("cp -a " + c.home() + " " + stolen)
	c.follow("## Keys of departments", 0)
	own := c.paths.Replace(ownHomePath)
	dir, err := c.tryIssue(own, "civil-affairs", c.licences(2))
	if err != nil {
		c.Fatal(err)
	}
	c.valid(own, dir)
	c.valid(c.home(), dir)
	if _, err := c.tryIssue(stolen, "civil-affairs", c.licences(1)); err == nil {
		c.Error("keys that were rotated still issue")
	}
	if entries, err := os.ReadDir(filepath.Join(c.home(), "keys", "civil-affairs")); err == nil {
		c.Errorf("the authority's home still has keys of the department: %v", entries)
	}
}

func addDepartment(c *city) {
	const newcomer = "transport"
	c.network.AddToTopology(newcomer)
	b, err := os.ReadFile("../../../sdk/licence/catalog/departments.json")
	if err != nil {
		c.Fatal(err)
	}
	c.write("departments.json", strings.TrimRight(strings.TrimSpace(string(b)), "]")+`, {"id": "transport", "uscc": "11990100MB00000057",
		"name": {"zh": "示范市交通运输局", "en": "Demo City Transport Bureau"}, "issues": ["marriage"],
		"units": [{"id": "counter", "divisionCode": "990101", "name": {"zh": "窗口", "en": "Counter"}}]}]`)
	c.follow("## Adding a department", 0)
	c.well()
	dir, err := c.tryIssue(c.home(), newcomer, c.licences(2))
	if err != nil {
		c.Fatal(err)
	}
	c.valid(c.home(), dir)
	c.same(newcomer)
}

func upgrade(c *city) {
	b, err := os.ReadFile(c.network.Topology)
	if err != nil {
		c.Fatal(err)
	}
	c.write("topology.yaml", "chaincode:\n  version: 2\n"+string(b))
	if s := c.status(); len(s.Problems) != 1 || s.Problems[0].Code != fabric.ProblemUpgrade {
		c.Errorf("before the upgrade the problems are %+v", s.Problems)
	}
	c.follow("## Upgrading the chaincode", 0)
	c.well()
	if s := c.status(); s.Chaincode.Version != "2" || s.Chaincode.Sequence != 2 {
		c.Errorf("after the upgrade the chaincode is %+v", s.Chaincode)
	}
	dir, err := c.tryIssue(c.paths.Replace(ownHomePath), "civil-affairs", c.licences(2))
	if err != nil {
		c.Fatal(err)
	}
	c.valid(c.home(), dir)
}

// systemd renders units, starts what they say in systemd's place, and lets up do the rest.
func systemd(c *city) {
	c.sh("credledger network down --topology /etc/credledger/topology.yaml")
	b, err := os.ReadFile(c.network.Topology)
	if err != nil {
		c.Fatal(err)
	}
	c.write("topology.yaml", "supervisor: systemd\n"+string(b))
	script := commands(c.T, "## systemd", 0)
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		switch command, ours := strings.CutPrefix(line, "sudo -u credledger "); {
		case ours:
			c.sh(command)
		case strings.Contains(line, "systemctl enable"):
			units, err := filepath.Glob(filepath.Join(c.directory(), "systemd", "credledger-*.service"))
			if err != nil || len(units) == 0 {
				c.Fatalf("there are no units: %v", err)
			}
			for _, unit := range units {
				c.startUnit(unit)
			}
		case !strings.HasPrefix(line, "sudo cp ") && line != "sudo systemctl daemon-reload":
			c.Errorf("a command for systemd that is not tested: %s", line)
		}
	}
	dir, err := c.tryIssue(c.paths.Replace(ownHomePath), "civil-affairs", c.licences(2))
	if err != nil {
		c.Fatal(err)
	}
	c.valid(c.home(), dir)
	if out, err := c.try("credledger network stop peer1.civil-affairs --topology /etc/credledger/topology.yaml"); err == nil || !strings.Contains(fmt.Sprint(err), "systemctl") {
		c.Errorf("a process of systemd's is stopped: %s, %v", out, err)
	}
}
