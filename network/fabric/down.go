package fabric

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"
)

// Down ends every process of the network's directory, also those that the topology no longer has. It
// removes nothing: Up continues with the same ledgers.
func (n *Network) Down(ctx context.Context) error {
	if err := n.unsupervised(); err != nil {
		return err
	}
	unlock, err := n.lockDirectory(ctx, silent)
	if err != nil {
		return err
	}
	defer unlock()
	files, err := filepath.Glob(filepath.Join(n.topology.Directory, "nodes", "*", "*pid"))
	if err != nil {
		return err
	}
	return n.stopFiles(ctx, files)
}

func (n *Network) unsupervised() error {
	if n.supervised() {
		return failf(CodeSupervised, "the topology says that systemd runs the processes: use systemctl with the units credledger-*")
	}
	return nil
}

// find looks a process of this machine up by its name.
func (n *Network) find(name string) (*node, error) {
	if err := n.unsupervised(); err != nil {
		return nil, err
	}
	nodes := n.localNodes("")
	i := slices.IndexFunc(nodes, func(p *node) bool { return p.name == name })
	if i < 0 {
		return nil, failf(CodeNodeUnknown, "there is no process %q here; there are %v", name, mapSlice(nodes, func(p *node) string { return p.name }))
	}
	return nodes[i], nil
}

// Start starts one process unless it runs, with newly rendered configuration: so renewed certificates
// come into use. It returns when the process accepts connections.
func (n *Network) Start(ctx context.Context, name string) error {
	p, err := n.find(name)
	if err != nil {
		return err
	}
	unlock, err := n.lockDirectory(ctx, silent)
	if err != nil {
		return err
	}
	defer unlock()
	if err := n.checkNode(p, time.Now()); err != nil {
		return err
	}
	if err := n.renderNode(ctx, p); err != nil {
		return err
	}
	if _, err := n.start(ctx, p); err != nil || len(p.ports()) == 0 {
		return err
	}
	return n.until(ctx, name+" starts", []*node{p}, func(ctx context.Context) error { return n.listening(ctx, p) })
}

// Stop ends one process in order; it returns when it is gone.
func (n *Network) Stop(ctx context.Context, name string) error {
	p, err := n.find(name)
	if err != nil {
		return err
	}
	unlock, err := n.lockDirectory(ctx, silent)
	if err != nil {
		return err
	}
	defer unlock()
	return stopFile(ctx, n.pidFile(p))
}

// Kill ends one process with SIGKILL, as a fault would; it returns when it is gone.
func (n *Network) Kill(name string) error {
	p, err := n.find(name)
	if err != nil {
		return err
	}
	return readProcess(n.pidFile(p)).kill()
}

// Logs writes the last lines, of at most 1 MiB, of the logs of the named processes of this machine, of
// all if none is named.
func (n *Network) Logs(w io.Writer, lines int, names ...string) error {
	nodes := n.localNodes("")
	if len(names) > 0 {
		nodes = nil
		for _, name := range names {
			p, err := n.find(name)
			if err != nil {
				return err
			}
			nodes = append(nodes, p)
		}
	}
	for _, p := range nodes {
		text := bytes.TrimRight(tail(n.logFile(p), maxLogs), "\n")
		if _, err := fmt.Fprintf(w, "== %s (%s)\n%s\n", p.name, n.logFile(p), lastLines(text, lines)); err != nil {
			return err
		}
	}
	return nil
}

const maxLogs = 1 << 20
