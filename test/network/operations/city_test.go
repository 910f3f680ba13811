//go:build network

package operations

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/test/fabrictest"
)

// A city is a network that is run as the guide says, by its commands: the paths and ports in them are
// those of the test.
type city struct {
	*testing.T
	network *fabrictest.Network
	paths   *strings.Replacer
	ports   map[string]string // of the default topology to those of this one
	issued  int               // runs of issue
}

// patience bounds everything that is waited for.
const patience = 2 * time.Minute

// newCity makes the city's topology; nothing runs yet.
func newCity(t *testing.T) *city {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "openssl", "tar", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the guide's commands need %s: install it", tool)
		}
	}
	home := filepath.Join(t.TempDir(), "home")
	c := &city{T: t, network: fabrictest.New(t, fabrictest.Options{Heartbeat: home}), ports: map[string]string{}}
	dir := c.network.Dir
	c.paths = strings.NewReplacer(
		"/etc/credledger/topology.yaml", c.network.Topology,
		"/etc/credledger", dir,
		"/var/lib/credledger/network", c.directory(),
		"/var/lib/credledger/home", home,
		"/var/lib/credledger", dir,
		"/var/backups/credledger", filepath.Join(dir, "backups"),
		"/usr/lib/credledger", c.programs(),
	)
	for _, name := range []string{"backups", "programs"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	standard, err := fabric.ParseTopology(fabric.DefaultTopology(), "/")
	if err != nil {
		t.Fatal(err)
	}
	map1 := func(from, to []fabric.Process) {
		for i := range from {
			for j := range 5 {
				c.ports[strconv.Itoa(from[i].Port+j)] = strconv.Itoa(to[i].Port + j)
			}
		}
	}
	for i, o := range c.network.Network.Topology().Organisations {
		map1(standard.Organisations[i].Orderers, o.Orderers)
		map1(standard.Organisations[i].Peers, o.Peers)
	}
	return c
}

func (c *city) directory() string { return c.network.Network.Topology().Directory }
func (c *city) programs() string  { return filepath.Join(c.network.Dir, "programs") }

// home is the authority's, which holds the keys of all departments.
func (c *city) home() string { return c.paths.Replace("/var/lib/credledger/home") }

// node is a path in the directory of a process.
func (c *city) node(name, path string) string {
	return filepath.Join(c.directory(), "nodes", name, path)
}

var defaultPort = regexp.MustCompile(`\b7[1-4]\d\d\b`)

// sh runs commands with bash, in the root of the source tree, and returns what they wrote to standard
// output. They must succeed.
func (c *city) sh(script string) string {
	c.Helper()
	out, err := c.try(script)
	if err != nil {
		c.Fatalf("%s\n%v", script, err)
	}
	return out
}

func (c *city) try(script string) (string, error) {
	ctx, cancel := context.WithTimeout(c.Context(), 2*patience)
	defer cancel()
	script = defaultPort.ReplaceAllStringFunc(c.paths.Replace(script), func(port string) string {
		if p := c.ports[port]; p != "" {
			return p
		}
		return port
	})
	cmd := exec.CommandContext(ctx, "bash", "-eu", "-c", script)
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "PATH="+c.programs()+string(filepath.ListSeparator)+os.Getenv("PATH"), "LANG=C")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String(), nil
}

// follow runs a block of commands of the guide.
func (c *city) follow(heading string, block int) string {
	c.Helper()
	return c.sh(commands(c.T, heading, block))
}

// status is what `credledger network status` says.
func (c *city) status() *fabric.Status {
	c.Helper()
	out, _ := c.try("credledger network status --json --topology /etc/credledger/topology.yaml || true")
	s := new(fabric.Status)
	if err := json.Unmarshal([]byte(out), s); err != nil {
		c.Fatalf("read the status: %v in %s", err, out)
	}
	return s
}

// well waits until the status has nothing to see to: all processes run and have all blocks.
func (c *city) well() {
	c.Helper()
	var s *fabric.Status
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(time.Second) {
		if s = c.status(); len(s.Problems) == 0 {
			return
		}
	}
	c.Fatalf("the network is not well: %+v", s)
}

// issue has a department issue so many marriage certificates that nobody has had yet, each anchored
// on its own, and returns the directory with the credentials.
func (c *city) issue(licences int) string {
	c.Helper()
	dir, err := c.tryIssue(c.home(), "civil-affairs", c.licences(licences))
	if err != nil {
		c.Fatal(err)
	}
	return dir
}

// licences writes the input of a run: samples with numbers of their own.
func (c *city) licences(n int) (file string) {
	c.Helper()
	all, err := samples.Files.ReadFile("marriage.jsonl")
	if err != nil {
		c.Fatal(err)
	}
	c.issued++
	var out []string
	for line := range strings.Lines(string(all)) {
		if len(out) < n {
			out = append(out, strings.Replace(line, "J990101-", fmt.Sprintf("J99%04d-", c.issued), 1))
		}
	}
	file = filepath.Join(c.network.Dir, fmt.Sprintf("input-%d.jsonl", c.issued))
	if err := os.WriteFile(file, []byte(strings.Join(out, "")), 0o644); err != nil {
		c.Fatal(err)
	}
	return file
}

func (c *city) tryIssue(home, department, input string) (dir string, err error) {
	c.Helper()
	c.issued++
	dir = filepath.Join(c.network.Dir, fmt.Sprintf("issued-%d", c.issued))
	out, err := c.try(fmt.Sprintf("credledger issue --home %s --department %s --type marriage --batch 1 --out %s %s", home, department, dir, input))
	if err == nil && !strings.Contains(out, "rejected: 0") {
		err = fmt.Errorf("not all were issued: %s", out)
	}
	return dir, err
}

// valid requires the first credential of a run to be valid, once the peer that the verifier asks has what was issued: it can be
// another department's, and still be looking for an orderer.
func (c *city) valid(home, dir string) {
	c.Helper()
	for begun := time.Now(); ; time.Sleep(time.Second) {
		out, err := c.try("credledger verify --home " + home + " " + filepath.Join(dir, "licence-0000001.cred"))
		if err == nil && strings.HasPrefix(out, "Verified: genuine and in force") {
			return
		}
		if !strings.Contains(out, "newer-than-view") || time.Since(begun) > patience {
			c.Fatalf("the verdict is\n%s%v", out, err)
		}
	}
}

// same requires the peer of a department to have the very chain that the authority's has.
func (c *city) same(department string) {
	c.Helper()
	c.well()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	head, err := c.network.Open("data-bureau").Head(ctx)
	if err != nil {
		c.Fatal(err)
	}
	l := c.network.Open(department)
	for {
		report, err := l.Audit(ctx, audit.Options{Expect: &head})
		switch {
		case err != nil:
			c.Fatalf("audit %s's copy: %v", department, err)
		case report.Head.Height < head.Height: // by the last heartbeats
			time.Sleep(time.Second)
			continue
		case !report.Clean() || report.Transactions == 0:
			c.Fatalf("the audit of %s's copy: %+v", department, report)
		}
		return
	}
}
