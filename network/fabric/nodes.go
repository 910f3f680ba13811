package fabric

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
)

// Kinds of processes.
const (
	kindOrderer   = "orderer"
	kindPeer      = "peer"
	kindChaincode = "chaincode"
	kindHeartbeat = "heartbeat"
)

// ordererSuffix makes the MSP id of an organisation's orderers: an MSP beside its own, so that who
// runs an orderer cannot submit by that.
const ordererSuffix = "-orderer"

// A node is a process of the topology. The chaincode server of a peer has the same number as the peer,
// and its host and port.
type node struct {
	Process
	kind    string
	name    string        // unique in the network: "peer1.civil-affairs", "heartbeat"
	org     *Organisation // nil for the heartbeat
	version int           // of a chaincode server
}

// nodes lists the processes: orderers first, then peers, chaincode servers of a version and the
// heartbeat.
func (t *Topology) nodes(version int) []*node {
	var orderers, peers, chaincodes []*node
	for i := range t.Organisations {
		o := &t.Organisations[i]
		for j, p := range o.Orderers {
			orderers = append(orderers, &node{Process: p, kind: kindOrderer, name: fmt.Sprintf("orderer%d.%s", j+1, o.ID), org: o})
		}
		for j, p := range o.Peers {
			peers = append(peers, &node{Process: p, kind: kindPeer, name: fmt.Sprintf("peer%d.%s", j+1, o.ID), org: o})
			chaincodes = append(chaincodes, &node{Process: p, kind: kindChaincode, name: fmt.Sprintf("chaincode%d.%s", j+1, o.ID), org: o, version: version})
		}
	}
	all := append(append(orderers, peers...), chaincodes...)
	if t.Heartbeat != nil {
		authority := t.organisation(t.Authority)
		all = append(all, &node{Process: Process{Host: authority.Host}, kind: kindHeartbeat, name: kindHeartbeat})
	}
	return all
}

// peersOf lists an organisation's peers.
func (t *Topology) peersOf(o *Organisation) []*node { return t.nodesOf(o, kindPeer) }

// orderersOf lists an organisation's orderers.
func (t *Topology) orderersOf(o *Organisation) []*node { return t.nodesOf(o, kindOrderer) }

func (t *Topology) nodesOf(o *Organisation, kind string) []*node {
	var out []*node
	for _, p := range t.nodes(0) {
		if p.kind == kind && p.org == o {
			out = append(out, p)
		}
	}
	return out
}

// address is where others reach the i-th port of the process.
func (n *node) address(i int) string { return net.JoinHostPort(n.Host, strconv.Itoa(n.Port+i)) }

// listenAddress is where the process listens with its i-th port.
func (n *node) listenAddress(i int) string {
	return net.JoinHostPort(n.Listen, strconv.Itoa(n.Port+i))
}

// A process's ports are numbered from the topology's port on: 0 is that of everybody.
const (
	administrationPort  = 1 // of an orderer
	chaincodePort       = 1 // of a peer: where chaincode would call that it had started itself
	operationsPort      = 2
	chaincodeServerPort = 3 // of a peer's chaincode server, and the next, in turns
	maxPorts            = 5
)

// port is the one on which the process serves.
func (n *node) port() int {
	if n.kind == kindChaincode {
		return chaincodeServerPort + (n.version+1)%2
	}
	return 0
}

// ports are those on which the process listens.
func (n *node) ports() []int {
	switch n.kind {
	case kindOrderer, kindPeer:
		return []int{0, 1, 2}
	case kindChaincode:
		return []int{n.port()}
	}
	return nil
}

// reserved are those that nobody else may have.
func (n *node) reserved() []int {
	if n.kind == kindChaincode {
		return []int{chaincodeServerPort, chaincodeServerPort + 1}
	}
	return n.ports()
}

// short is the name within the organisation: "peer1".
func (n *node) short() string { return n.name[:len(n.name)-len(n.org.ID)-1] }

// dir is the directory of a process: configuration, data, log, pid.
func (t *Topology) dir(n *node) string { return filepath.Join(t.Directory, "nodes", n.name) }
