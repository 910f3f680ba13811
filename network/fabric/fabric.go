// Package fabric runs a CredLedger network on Hyperledger Fabric: it reads a topology, renders from
// it all that Fabric's programs need, starts them as processes of this machine, makes the channel
// and puts the chaincode into force. It uses no container engine and needs no special rights.
//
// It speaks to a network only as its operator does, through Fabric's programs and the orderers'
// administration, and links none of Fabric's code; package sdk/fabric is how an application uses the
// network. It never changes a topology file and never removes a ledger.
package fabric

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A Network is the network of a topology, as far as it is on this machine. Its methods may be called
// at the same time, also by several programs: those that change something wait for each other, but
// for Kill.
type Network struct {
	// Host, if set, limits the network to the processes of this host of the topology, and to the steps
	// of the organisations that have them here; what others have to do is waited for. Without it,
	// all processes are this machine's.
	Host string

	// Wrap, if set, returns the command line that starts a process in place of the given one, such
	// as one that enters a network namespace first. It must not leave a process in between.
	Wrap func(process string, argv []string) []string

	topology *Topology
	mu       sync.Mutex // guards what follows
	programs string
	lacking  bool // programs has no credledger: Build leaves it out
}

// New returns the network of a topology. programs is the directory of its programs; "" means that
// of the topology, or else what Build makes as soon as it is needed.
func New(t *Topology, programs string) (*Network, error) {
	if programs == "" {
		programs = t.Programs
	}
	if programs != "" {
		absolute, err := filepath.Abs(programs)
		if err != nil {
			return nil, failf(CodeProgramsMissing, "%w", err)
		}
		programs = absolute
		needed := []string{programPeer, programOrderer, programConfigtxgen, programConfigtxlator,
			programCryptogen, programBuilder, programChaincode}
		if t.Heartbeat != nil {
			needed = append(needed, programCredledger)
		}
		if err := checkPrograms(programs, needed...); err != nil {
			return nil, err
		}
	}
	return &Network{topology: t, programs: programs}, nil
}

// Topology returns the topology that the network was made of.
func (n *Network) Topology() *Topology { return n.topology }

// ClientConfig returns the path of an organisation's client configuration, which sdk/fabric reads.
func (n *Network) ClientConfig(org string) string {
	return filepath.Join(n.clients(), org+".yaml")
}

// local reports whether a process is this machine's.
func (n *Network) local(p *node) bool { return n.Host == "" || p.Host == n.Host }

// nodes lists the processes of a kind, "" for all: of the whole network.
func (n *Network) nodes(kind string) []*node {
	var out []*node
	for _, p := range n.topology.nodes(n.version()) {
		if kind == "" || p.kind == kind {
			out = append(out, p)
		}
	}
	return out
}

// localNodes lists those of this machine.
func (n *Network) localNodes(kind string) []*node {
	return slices.DeleteFunc(n.nodes(kind), func(p *node) bool { return !n.local(p) })
}

// lockDirectory makes the network's directory and keeps other commands out of it.
func (n *Network) lockDirectory(ctx context.Context, progress func(string)) (unlock func(), err error) {
	if err := n.checkHost(); err != nil {
		return nil, err
	}
	dir := n.topology.Directory
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, failf(CodeDirectory, "%w", err)
	}
	return lock(ctx, filepath.Join(dir, "lock"), func() {
		progress("waiting for another command that works on " + dir)
	})
}

func (n *Network) checkHost() error {
	if len(n.localNodes("")) == 0 {
		return failf(CodeHostUnknown, "no process of the topology is on the host %q: name a host as the topology does", n.Host)
	}
	return nil
}

// program is the path of a program; all are built first if the topology does not say where they are.
func (n *Network) program(ctx context.Context, name string, progress func(string)) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.programs == "" {
		dir, err := Build(ctx, progressWriter(progress))
		if err != nil {
			return "", err
		}
		n.programs, n.lacking = dir, true
	}
	if name == programCredledger && n.lacking {
		root, err := sourceTree()
		if err != nil {
			return "", err
		}
		if err := buildInto(ctx, root, n.programs, name); err != nil {
			return "", err
		}
		n.lacking = false
	}
	return filepath.Join(n.programs, name), nil
}

func silent(string) {}

// progressWriter makes lines of what is written.
type progressWriter func(string)

func (w progressWriter) Write(b []byte) (int, error) {
	w(strings.TrimSpace(string(b)))
	return len(b), nil
}

var _ io.Writer = progressWriter(nil)

// run runs one of the programs to its end and returns what it printed on its standard output.
func (n *Network) run(ctx context.Context, env []string, program string, args ...string) ([]byte, error) {
	path, err := n.program(ctx, program, silent)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(environment(), env...)
	cmd.Dir = n.topology.Directory
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, failf(CodeCommand, "%s %s: %w: %s", program, firstWords(args), err, lastLine(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// environment is what every process gets of this one's environment: nothing that configures Fabric.
func environment() []string {
	var env []string
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "LANG", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// firstWords are the words before the options.
func firstWords(args []string) string {
	for i, a := range args {
		if strings.HasPrefix(a, "-") {
			args = args[:i]
			break
		}
	}
	return strings.Join(args, " ")
}

// lastLine is the last line of an output that says something.
func lastLine(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		line := bytes.TrimSpace(lines[i])
		if i := bytes.Index(line, []byte("Error: ")); i >= 0 {
			return string(line[i+len("Error: "):])
		}
	}
	return string(bytes.TrimSpace(lines[len(lines)-1]))
}

// pidFile, logFile: of a process, of its version if it is a chaincode server.
func (n *Network) pidFile(p *node) string { return n.stateFile(p, "pid") }
func (n *Network) logFile(p *node) string { return n.stateFile(p, "log") }

func (n *Network) stateFile(p *node, name string) string {
	if p.kind == kindChaincode {
		name = fmt.Sprintf("%d.%s", p.version, name)
	}
	return filepath.Join(n.topology.dir(p), name)
}
