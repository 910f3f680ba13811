package fabric

import (
	_ "embed"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/strictyaml"
)

// A Topology says what a network consists of. Its file is documented where DefaultTopology has it.
type Topology struct {
	// Directory is the absolute path of the network's state.
	Directory string `yaml:"directory"`
	// Programs is the absolute path of the programs' directory; "" means that Build makes them.
	Programs      string         `yaml:"programs"`
	Authority     string         `yaml:"authority"`
	Endorsement   string         `yaml:"endorsement"` // as Policy returns it if the file has none
	Chaincode     Chaincode      `yaml:"chaincode"`
	Ordering      Ordering       `yaml:"ordering"`
	Heartbeat     *Heartbeat     `yaml:"heartbeat"`
	Supervisor    string         `yaml:"supervisor"` // "systemd", or "" if this package runs the processes
	Organisations []Organisation `yaml:"organisations"`
}

// Chaincode says which version of the rules is in force.
type Chaincode struct {
	Version int `yaml:"version"` // 1 or more
}

// Ordering holds what the ordering service is tuned by.
type Ordering struct {
	BatchTimeout time.Duration `yaml:"batchTimeout"` // 1 ms to 10 s; 50 ms if the file has none
}

// Heartbeat names the home whose authority sends heartbeats.
type Heartbeat struct {
	Home  string        `yaml:"home"`
	Every time.Duration `yaml:"every"` // 1 s to 1 h; 1 minute if the file has none
}

// An Organisation is a department with its processes.
type Organisation struct {
	ID           string    `yaml:"id"`
	Host         string    `yaml:"host"`         // of its processes; 127.0.0.1 if the file has none
	Listen       string    `yaml:"listen"`       // where they listen
	Certificates string    `yaml:"certificates"` // absolute path of its material; "" for trials
	Orderers     []Process `yaml:"orderers"`
	Peers        []Process `yaml:"peers"`
}

// A Process is one server of an organisation: an orderer, or a peer with its chaincode server.
type Process struct {
	Host   string `yaml:"host"`   // the organisation's if the file has none
	Listen string `yaml:"listen"` // the address to listen on
	Port   int    `yaml:"port"`   // the first of its ports
}

//go:embed topology.yaml
var defaultTopology []byte

// DefaultTopology returns the commented file to start from: four organisations with one peer each,
// three orderers, all on 127.0.0.1.
func DefaultTopology() []byte { return slices.Clone(defaultTopology) }

// supervisorSystemd says that systemd runs the processes, from the units that Render writes.
const supervisorSystemd = "systemd"

const (
	maxTopology = 1 << 20 // bytes of a file
	maxMembers  = 64      // organisations, and processes of a kind in one of them
)

var (
	idPattern   = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	hostPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
)

// LoadTopology reads a topology file strictly: unknown keys, ports that overlap, unknown names and
// policies that are too weak are refused, with an *Error that says where.
func LoadTopology(file string) (*Topology, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, failf(CodeTopology, "%w (a commented topology to start from: `credledger network init`)", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTopology+1))
	if err != nil {
		return nil, failf(CodeTopology, "%w", err)
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, failf(CodeTopology, "%w", err)
	}
	t, err := ParseTopology(b, filepath.Dir(absolute))
	if err != nil {
		return nil, failf(Code(err), "%s: %w", file, err)
	}
	return t, nil
}

// ParseTopology reads the bytes of a topology file whose relative paths begin at base.
func ParseTopology(b []byte, base string) (*Topology, error) {
	if len(b) > maxTopology {
		return nil, failf(CodeTopology, "a topology has at most %d bytes", maxTopology)
	}
	t := new(Topology)
	if err := strictyaml.Decode(b, t); err != nil {
		return nil, failf(CodeTopology, "%v", err)
	}
	t.complete(base)
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// complete fills in what the file leaves out.
func (t *Topology) complete(base string) {
	if t.Directory == "" {
		t.Directory = "fabric-network"
	}
	t.Directory = resolve(base, t.Directory)
	t.Programs = resolve(base, t.Programs)
	if t.Chaincode.Version == 0 {
		t.Chaincode.Version = 1
	}
	if t.Ordering.BatchTimeout == 0 {
		t.Ordering.BatchTimeout = 50 * time.Millisecond
	}
	if t.Heartbeat != nil {
		t.Heartbeat.Home = resolve(base, t.Heartbeat.Home)
		if t.Heartbeat.Every == 0 {
			t.Heartbeat.Every = time.Minute
		}
	}
	for i := range t.Organisations {
		o := &t.Organisations[i]
		o.Certificates = resolve(base, o.Certificates)
		if o.Host == "" {
			o.Host = "127.0.0.1"
		}
		for _, p := range o.processes() {
			if p.Listen == "" && p.Host == "" {
				p.Listen = o.Listen
			}
			if p.Host == "" {
				p.Host = o.Host
			}
			if p.Listen == "" {
				p.Listen = "0.0.0.0"
				if net.ParseIP(p.Host) != nil {
					p.Listen = p.Host
				}
			}
		}
	}
}

func resolve(base, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// processes are all of an organisation's.
func (o *Organisation) processes() []*Process {
	var all []*Process
	for i := range o.Orderers {
		all = append(all, &o.Orderers[i])
	}
	for i := range o.Peers {
		all = append(all, &o.Peers[i])
	}
	return all
}

// organisation finds one by its id.
func (t *Topology) organisation(id string) *Organisation {
	for i := range t.Organisations {
		if t.Organisations[i].ID == id {
			return &t.Organisations[i]
		}
	}
	return nil
}

func (t *Topology) check() error {
	if t.Chaincode.Version < 1 || t.Chaincode.Version > 1_000_000 {
		return failf(CodeTopology, "chaincode.version is 1 at first, and one more with each upgrade")
	}
	if d := t.Ordering.BatchTimeout; d < time.Millisecond || d > 10*time.Second {
		return failf(CodeTopology, "ordering.batchTimeout is 1ms to 10s; without it, 50ms")
	}
	if h := t.Heartbeat; h != nil {
		if h.Home == "" {
			return failf(CodeTopology, "heartbeat.home names the home of the authority")
		}
		if h.Every < time.Second || h.Every > time.Hour {
			return failf(CodeTopology, "heartbeat.every is 1s to 1h; without it, 1m")
		}
	}
	if t.Supervisor != "" && t.Supervisor != supervisorSystemd {
		return failf(CodeTopology, "supervisor is %s, or is left out", supervisorSystemd)
	}
	if n := len(t.Organisations); n < 2 || n > maxMembers {
		return failf(CodeTopology, "a network has 2 to %d organisations: one alone could write what it likes", maxMembers)
	}
	for i := range t.Organisations {
		if err := t.Organisations[i].check(); err != nil {
			return err
		}
	}
	if err := t.checkNames(); err != nil {
		return err
	}
	if err := t.checkPorts(); err != nil {
		return err
	}
	return t.checkEndorsement()
}

func (o *Organisation) check() error {
	if !idPattern.MatchString(o.ID) {
		return failf(CodeTopology, "organisations: the id %q is not a department's: 1 to 32 of a-z, 0-9 and -", o.ID)
	}
	if len(o.Peers) < 1 || len(o.Peers) > maxMembers || len(o.Orderers) > maxMembers {
		return failf(CodeTopology, "organisation %s: it has 1 to %d peers and at most %d orderers", o.ID, maxMembers, maxMembers)
	}
	for _, p := range o.processes() {
		if !hostPattern.MatchString(p.Host) {
			return failf(CodeTopology, "organisation %s: %q is not the name or IPv4 address of a host", o.ID, p.Host)
		}
		if ip := net.ParseIP(p.Listen); ip == nil || ip.To4() == nil {
			return failf(CodeTopology, "organisation %s: listen: %q is not an IPv4 address", o.ID, p.Listen)
		}
		if p.Port < 1 || p.Port > 65535-maxPorts {
			return failf(CodeTopology, "organisation %s: each of its processes names its first port, 1 to %d", o.ID, 65535-maxPorts)
		}
	}
	return nil
}

func (t *Topology) checkNames() error {
	orderers := 0
	seen := map[string]bool{}
	for _, o := range t.Organisations {
		if seen[o.ID] {
			return failf(CodeTopology, "organisation %s stands twice in the file", o.ID)
		}
		seen[o.ID] = true
		orderers += len(o.Orderers)
	}
	for _, o := range t.Organisations {
		if seen[o.ID+ordererSuffix] {
			return failf(CodeTopology, "organisation %s%s: the orderers of %s go by this name", o.ID, ordererSuffix, o.ID)
		}
	}
	if t.organisation(t.Authority) == nil {
		return failf(CodeTopology, "authority: %q is none of the organisations", t.Authority)
	}
	if orderers == 0 {
		return failf(CodeTopology, "no organisation has orderers; three, at three organisations, survive the loss of one")
	}
	return nil
}

// checkPorts refuses two processes of one host that would take the same port.
func (t *Topology) checkPorts() error {
	taken := map[string]string{}
	for _, n := range t.nodes(t.Chaincode.Version) {
		for _, i := range n.reserved() {
			if other := taken[n.address(i)]; other != "" {
				return failf(CodeTopology, "%s and %s both take %s: an orderer takes its port and the two behind it, a peer with its chaincode server the four behind it",
					other, n.name, n.address(i))
			}
			taken[n.address(i)] = n.name
		}
	}
	return nil
}
