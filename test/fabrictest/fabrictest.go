// Package fabrictest brings up networks on Hyperledger Fabric for tests, each with a ledger of its
// own, on free ports of the loopback interface, and takes them down.
package fabrictest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
)

// Options say what the network is like. The zero value is the default topology.
type Options struct {
	Organisations []string                                  // the first is the authority; default: the four of the default topology
	Orderers      int                                       // one each of the first organisations; default 3
	Hosts         map[string]string                         // of organisations that are not on 127.0.0.1
	Chaincode     map[string]string                         // organisations that run another chaincode server: path of the program
	Endorsement   string                                    // default: a majority that includes the authority
	BatchTimeout  time.Duration                             // default: the topology's
	Heartbeat     string                                    // home whose authority sends heartbeats
	Wrap          func(node string, argv []string) []string // see fabric.Network
}

// Organisations are those of the default network, the authority first.
var Organisations = []string{"data-bureau", "civil-affairs", "natural-resources", "market-regulation"}

// A Network is a running network.
type Network struct {
	*fabric.Network
	Dir      string // where the topology file and the network's directory are
	Topology string // the topology file

	tb   testing.TB
	wrap func(process string, argv []string) []string
}

const (
	upPatience   = 3 * time.Minute
	downPatience = 30 * time.Second
	logLines     = 40 // of each process, if the test has failed
)

// Start brings up a fresh network. The test's cleanup takes it down, and prints the end of every
// process's log if the test has failed.
func Start(tb testing.TB, o Options) *Network {
	tb.Helper()
	n := New(tb, o)
	n.Up()
	return n
}

// New makes a network that is not up yet.
func New(tb testing.TB, o Options) *Network {
	tb.Helper()
	dir, err := os.MkdirTemp("", "cl") // short, and not removed before the processes have ended
	if err != nil {
		tb.Fatal(err)
	}
	n := &Network{Dir: dir, Topology: filepath.Join(dir, "topology.yaml"), tb: tb, wrap: o.wrap}
	if err := os.WriteFile(n.Topology, o.File(tb), 0o644); err != nil {
		tb.Fatal(err)
	}
	n.Load()
	tb.Cleanup(func() {
		n.Down()
		if tb.Failed() {
			n.Logs(tb.Output(), logLines)
		}
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return n
}

// Load reads the topology file again, after a test has changed it.
func (n *Network) Load() {
	n.tb.Helper()
	t, err := fabric.LoadTopology(n.Topology)
	if err != nil {
		n.tb.Fatal(err)
	}
	programs := Programs(n.tb)
	if t.Heartbeat != nil {
		programs = withHeartbeat(n.tb, programs)
	}
	network, err := fabric.New(t, programs)
	if err != nil {
		n.tb.Fatal(err)
	}
	network.Wrap = n.wrap
	n.Network = network
}

// Up brings the network up.
func (n *Network) Up() {
	n.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), upPatience)
	defer cancel()
	begun := time.Now()
	err := n.Network.Up(ctx, func(step string) { n.tb.Logf("%6.2f s  %s", time.Since(begun).Seconds(), step) })
	if err != nil {
		n.tb.Fatalf("bring the network up: %v", err)
	}
	n.tb.Logf("%6.2f s  the network is up", time.Since(begun).Seconds())
}

// Down takes the network down; its ledgers stay until the test has ended.
func (n *Network) Down() {
	n.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), downPatience)
	defer cancel()
	if err := n.Network.Down(ctx); err != nil {
		n.tb.Errorf("take the network down: %v", err)
	}
}

// Config is the path of an organisation's client configuration.
func (n *Network) Config(org string) string { return n.ClientConfig(org) }

func (o Options) wrap(node string, argv []string) []string {
	if name, org, _ := strings.Cut(node, "."); strings.HasPrefix(name, "chaincode") && o.Chaincode[org] != "" {
		argv = append([]string{o.Chaincode[org]}, argv[1:]...)
	}
	if o.Wrap != nil {
		argv = o.Wrap(node, argv)
	}
	return argv
}

// AddToTopology appends an organisation with one peer to the topology file, and reads that again.
func (n *Network) AddToTopology(org string) {
	n.tb.Helper()
	f, err := os.OpenFile(n.Topology, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		n.tb.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, organisationFormat+peersFormat, org, "127.0.0.1", FreePorts(n.tb)); err != nil {
		n.tb.Fatal(err)
	}
	n.Load()
}

const (
	organisationFormat = "  - id: %s\n    host: %s\n"
	peersFormat        = "    peers:\n      - port: %d\n"
)

// File is the topology file of a network with these options, on free ports.
func (o Options) File(tb testing.TB) []byte {
	organisations := o.Organisations
	if organisations == nil {
		organisations = Organisations
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "directory: n\nauthority: %s\n", organisations[0])
	if o.Endorsement != "" {
		fmt.Fprintf(&b, "endorsement: %s\n", o.Endorsement)
	}
	if o.BatchTimeout != 0 {
		fmt.Fprintf(&b, "ordering:\n  batchTimeout: %s\n", o.BatchTimeout)
	}
	if o.Heartbeat != "" {
		fmt.Fprintf(&b, "heartbeat:\n  home: %q\n  every: 1s\n", o.Heartbeat)
	}
	b.WriteString("organisations:\n")
	for i, id := range organisations {
		fmt.Fprintf(&b, organisationFormat, id, cmp.Or(o.Hosts[id], "127.0.0.1"))
		if i < cmp.Or(o.Orderers, 3) {
			fmt.Fprintf(&b, "    orderers:\n      - port: %d\n", FreePorts(tb))
		}
		fmt.Fprintf(&b, peersFormat, FreePorts(tb))
	}
	return b.Bytes()
}

var ports struct {
	sync.Mutex
	next int
}

// FreePorts finds a port that is free together with the four behind it, as many as a process of a
// topology takes, and that it has not returned before. Ports that clients get from the system are
// above 32767; these are below.
func FreePorts(tb testing.TB) int {
	tb.Helper()
	ports.Lock()
	defer ports.Unlock()
	const first, count, width = 10000, 20000, 5
	if ports.next == 0 {
		ports.next = os.Getpid() * 97 % count // so that test programs that run together rarely meet
	}
	for range count {
		port := first + ports.next%count
		ports.next += width
		if free(port, width) {
			return port
		}
	}
	tb.Fatalf("no %d successive ports are free", width)
	return 0
}

func free(port, width int) bool {
	for i := range width {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port+i))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
