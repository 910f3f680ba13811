package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	network "github.com/credledger/credledger/network/fabric"
)

// topologyFile is the topology that commands work on unless another is named.
const topologyFile = "topology.yaml"

type networkOptions struct {
	topology, host string
	lines          int
}

// A networkSubcommand is a subcommand of network that works on the network of a topology.
type networkSubcommand struct {
	name, args, summary, detail string
	wants                       func(args []string) bool // nil: no arguments
	flags                       func(*call, *networkOptions)
	run                         func(context.Context, *call, *network.Network) error
}

func (s networkSubcommand) command() *command {
	args := "[--topology FILE] [--host HOST]"
	if s.args != "" {
		args += " " + s.args
	}
	return &command{
		name: "network " + s.name, args: args, summary: s.summary, detail: s.detail,
		flags: func(c *call) {
			o := new(networkOptions)
			c.options = o
			c.flags.StringVar(&o.topology, "topology", topologyFile, "the topology, a YAML `FILE`")
			c.flags.StringVar(&o.host, "host", "", "this machine is `HOST` of the topology: nothing is done for the others (default: all are this machine)")
			if s.flags != nil {
				s.flags(c, o)
			}
		},
		run: func(ctx context.Context, c *call) error {
			if c.flags.Changed("home") {
				return usagef("a network has a topology, not a home")
			}
			if s.wants == nil && len(c.args) > 0 || s.wants != nil && !s.wants(c.args) {
				return usagef("the arguments are not those of the usage line")
			}
			n, err := c.openNetwork()
			if err != nil {
				return err
			}
			return s.run(ctx, c, n)
		},
	}
}

// openNetwork reads the topology that the call names. Without one, `network up` begins with the
// default topology.
func (c *call) openNetwork() (*network.Network, error) {
	o := c.options.(*networkOptions)
	if c.command.name == "network up" && !c.flags.Changed("topology") {
		if _, err := os.Lstat(o.topology); errors.Is(err, fs.ErrNotExist) {
			if err := writeTopology(o.topology); err != nil {
				return nil, err
			}
			c.progressLine(fmt.Sprintf(c.pick("已写出默认拓扑 %s:四个部门,都在本机", "wrote the default topology to %s: four departments, all on this machine"), o.topology))
		}
	}
	t, err := network.LoadTopology(o.topology)
	if err != nil {
		return nil, err
	}
	n, err := network.New(t, "")
	if err != nil {
		return nil, err
	}
	n.Host = o.host
	return n, nil
}

// progressLine says on standard error what a long work has come to.
func (c *call) progressLine(step string) {
	if !c.json {
		fmt.Fprintln(c.stderr, printable(step))
	}
}

// writeTopology writes the default topology to a new file, in a new directory if need be.
func writeTopology(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return failf("topology-exists", "%s exists already; name another FILE", file)
	} else if err != nil {
		return err
	}
	_, err = f.Write(network.DefaultTopology())
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// networkCommands are the subcommands of network.
func networkCommands() []*command {
	out := []*command{networkInitCommand()}
	for _, s := range networkSubcommands {
		out = append(out, s.command())
	}
	return out
}

func networkInitCommand() *command {
	return &command{
		name: "network init", args: "[FILE]",
		summary: "write a commented topology to start from: four departments on this machine",
		detail:  "FILE is topology.yaml unless named, and must not exist; its directory is made.",
		run: func(_ context.Context, c *call) error {
			file := topologyFile
			switch {
			case len(c.args) > 1:
				return usagef("name one FILE")
			case len(c.args) == 1:
				file = c.args[0]
			}
			if err := writeTopology(file); err != nil {
				return err
			}
			c.answer(map[string]string{"topology": file}, func(w io.Writer) { fmt.Fprintln(w, file) })
			return nil
		},
	}
}

var networkSubcommands = []networkSubcommand{
	{
		name:    "up",
		summary: "bring a network of Hyperledger Fabric up, or back to what its topology says",
		detail: "Starts orderers, peers and chaincode servers as processes of this machine, makes the channel, puts the\n" +
			"chaincode into force, and returns when a transaction has committed. What is there already stays: after\n" +
			"`credledger network down` or a crash the ledger goes on. Without --topology and without a topology.yaml\n" +
			"here, the default one is written first. Fabric's programs are built from source once, which takes about\n" +
			"two minutes and needs Go, unless the topology says where they are. `credledger init --network DIR` then\n" +
			"founds the ledger.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			return c.networkUp(n, n.Up(ctx, c.progressLine))
		},
	},
	{
		name:    "down",
		summary: "end all processes of a network; its ledgers stay",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			if err := n.Down(ctx); err != nil {
				return err
			}
			return c.networkDone("down", "")
		},
	},
	{
		name:    "status",
		summary: "show how a network is: its processes, and what its operator should see to",
		detail:  "Exit code 1 if there is anything to see to.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			s, err := n.Status(ctx)
			if err != nil {
				return err
			}
			c.answer(s, func(w io.Writer) { c.printStatus(w, s) })
			if len(s.Problems) > 0 {
				c.exit = exitFailed
			}
			return nil
		},
	},
	{
		name: "logs", args: "[--lines N] [PROCESS...]",
		summary: "show the end of the logs of a network's processes",
		detail:  "PROCESS is a name that `credledger network status` lists; without any, all are shown.",
		wants:   func([]string) bool { return true },
		flags: func(c *call, o *networkOptions) {
			c.flags.IntVar(&o.lines, "lines", 20, "show the last `N` lines of each")
		},
		run: func(_ context.Context, c *call, n *network.Network) error {
			o := c.options.(*networkOptions)
			if o.lines < 1 {
				return usagef("--lines is 1 or more")
			}
			var text bytes.Buffer
			if err := n.Logs(&text, o.lines, c.args...); err != nil {
				return err
			}
			c.answer(map[string]string{"logs": text.String()}, func(w io.Writer) { w.Write(text.Bytes()) })
			return nil
		},
	},
	{
		name: "start", args: "PROCESS", wants: one,
		summary: "start one process of a network",
		detail:  "PROCESS is a name that `credledger network status` lists.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			if err := n.Start(ctx, c.args[0]); err != nil {
				return err
			}
			return c.networkDone("started", c.args[0])
		},
	},
	{
		name: "stop", args: "PROCESS", wants: one,
		summary: "end one process of a network",
		detail:  "PROCESS is a name that `credledger network status` lists.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			if err := n.Stop(ctx, c.args[0]); err != nil {
				return err
			}
			return c.networkDone("stopped", c.args[0])
		},
	},
	{
		name: "add-org", args: "ID", wants: one,
		summary: "admit an organisation that was added to the topology to a running network",
		detail: "Its processes start, join the channel and endorse from then on. A majority of the organisations with the\n" +
			"authority has to sign; where some of them are on other hosts, the command says which file to take there.\n" +
			"On the ledger the department is admitted with `credledger department admit`.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			return c.networkUp(n, n.AddOrganisation(ctx, c.args[0], c.progressLine))
		},
	},
	{
		name:    "upgrade",
		summary: "put the next version of the chaincode into force, while the network goes on",
		detail:  "The version is chaincode.version in the topology: raise it by one first.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			return c.networkUp(n, n.Upgrade(ctx, c.progressLine))
		},
	},
	{
		name:    "render",
		summary: "write everything that a network is made of, and start nothing",
		detail: "Crypto material for trials, the channel's first block, configuration, client connections and units for\n" +
			"systemd go to the directory that the topology names. Of several hosts one renders, and the others get a\n" +
			"copy of channel/genesis.block.",
		run: func(ctx context.Context, c *call, n *network.Network) error {
			if err := n.Render(ctx, c.progressLine); err != nil {
				return err
			}
			return c.networkDone("rendered", "")
		},
	},
}

// stateNames are the states of a process in Chinese; English takes their own names.
var stateNames = map[string]string{
	network.StateRunning: "运行", network.StateStopped: "未启动", network.StateDead: "异常退出", network.StateSilent: "无应答",
}

func (c *call) printStatus(w io.Writer, s *network.Status) {
	for _, p := range s.Processes {
		state := c.pick(stateNames[p.State], p.State)
		if p.Leader {
			state += c.pick(",主节点", ", leads")
		}
		fmt.Fprintf(w, "%s %s %s", pad(p.Name, 32), pad(p.Address, 21), state)
		if p.Height > 0 {
			fmt.Fprintf(w, c.pick(",%d 个区块", ", %d blocks"), p.Height)
		}
		fmt.Fprintln(w)
	}
	if s.Chaincode.Version != "" {
		fmt.Fprintf(w, c.pick("链码版本 %s\n", "chaincode version %s\n"), s.Chaincode.Version)
	}
	for _, p := range s.Problems {
		fmt.Fprintf(w, "%s %s\n", c.pick("问题:", "problem:"), printable(p.Message))
	}
	if len(s.Problems) == 0 {
		fmt.Fprintln(w, c.pick("一切正常", "all is well"))
	}
}

func one(args []string) bool { return len(args) == 1 }

// networkDone answers that something was done, to a process or to the whole network.
func (c *call) networkDone(what, process string) error {
	answer := map[string]string{"done": what}
	if process != "" {
		answer["process"] = process
	}
	c.answer(answer, func(w io.Writer) {
		words := map[string]string{"down": "网络已停止", "started": "已启动", "stopped": "已停止", "rendered": "已生成配置"}
		text := c.pick(words[what], map[string]string{"down": "the network is down"}[what])
		if text == "" {
			text = what
		}
		if process != "" {
			text += " " + process
		}
		fmt.Fprintln(w, text)
	})
	return nil
}

// networkUp answers that a network is up.
func (c *call) networkUp(n *network.Network, err error) error {
	if err != nil {
		return err
	}
	t := n.Topology()
	organisations := make([]string, len(t.Organisations))
	for i, o := range t.Organisations {
		organisations[i] = o.ID
	}
	connections := filepath.Join(t.Directory, "clients")
	c.answer(map[string]any{
		"topology": c.options.(*networkOptions).topology, "directory": t.Directory, "connections": connections,
		"authority": t.Authority, "organisations": organisations, "chaincodeVersion": t.Chaincode.Version,
	}, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("网络已运行:%s(主管部门 %s)\n目录 %s\n在其上建账本:credledger init --home HOME --network %s\n",
			"the network is up: %s (authority %s)\ndirectory %s\nto found the ledger on it: credledger init --home HOME --network %s\n"),
			c.list(organisations), t.Authority, t.Directory, t.Directory)
	})
	return nil
}
