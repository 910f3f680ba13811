package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"time"

	network "github.com/credledger/credledger/network/fabric"
)

// downPatience is how long the demo's network may take to end.
const downPatience = 30 * time.Second

// end takes the network down when the story has broken off.
func (d *demo) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downPatience)
	defer cancel()
	_, err := d.quietly(ctx, exitDone, "network", "down")
	return err
}

// writeTopology writes the default topology, with ports that are free.
func (d *demo) writeTopology() error {
	topology, err := onFreePorts(network.DefaultTopology())
	if err != nil {
		return err
	}
	return os.WriteFile(d.path(topologyFile), topology, 0o644)
}

var portLine = regexp.MustCompile(`(?m)^( +- port: )([0-9]+)$`)

// portsOfProcess is how many successive ports a process of a topology takes at most.
const portsOfProcess = 5

// onFreePorts moves all ports of a topology by as much as it takes for them to be free.
func onFreePorts(topology []byte) ([]byte, error) {
	for offset := 0; offset < 24_000; offset += 1000 {
		free := true
		moved := portLine.ReplaceAllFunc(topology, func(line []byte) []byte {
			parts := portLine.FindSubmatch(line)
			port, err := strconv.Atoi(string(parts[2]))
			for i := range portsOfProcess {
				free = free && err == nil && isFree(port+offset+i)
			}
			return fmt.Appendf(nil, "%s%d", parts[1], port+offset)
		})
		if free {
			return moved, nil
		}
	}
	return nil, failf("port-in-use", "no ports for a network are free on this machine")
}

func isFree(port int) bool {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}

// bringUp brings the network up.
func (d *demo) bringUp(ctx context.Context) error {
	if err := d.writeTopology(); err != nil {
		return err
	}
	d.head("四个部门组成网络", "Four departments bring up a network")
	d.say("真实的 Hyperledger Fabric:每个部门一个记账节点和一个链码服务,三个排序节点,都是本机进程。",
		"It is real Hyperledger Fabric: a peer and a chaincode server for each department, and three orderers, all of them\n"+
			"processes of this machine.")
	return d.do(ctx, exitDone, "network", "up")
}

// takeDown takes it down.
func (d *demo) takeDown(ctx context.Context) error {
	d.head("停止网络,账本保留", "The network is taken down, its ledger stays")
	return d.do(ctx, exitDone, "network", "down")
}
