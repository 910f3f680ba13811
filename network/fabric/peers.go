package fabric

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// asAdmin runs the peer program against a peer, as the administrator of its organisation.
func (n *Network) asAdmin(ctx context.Context, p *node, args ...string) ([]byte, error) {
	t := n.topology
	out, err := n.run(ctx, []string{
		"FABRIC_CFG_PATH=" + t.dir(p),
		"FABRIC_LOGGING_SPEC=fatal",
		"CORE_PEER_MSPCONFIGPATH=" + t.material(p.org, "admin", "msp"),
		"CORE_PEER_TLS_ROOTCERT_FILE=" + t.rootOf(p.org, p.kind),
	}, programPeer, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return out, nil
}

// answers reports whether a process can be expected to: the own processes are known, others are tried.
func (n *Network) answers(ctx context.Context, p *node) bool {
	if n.local(p) && !n.supervised() {
		return n.running(p)
	}
	return n.listening(ctx, p) == nil
}

// toOrderer are the options that name an orderer that answers.
func (n *Network) toOrderer(ctx context.Context) []string {
	orderers := n.nodes(kindOrderer)
	i := max(0, slices.IndexFunc(orderers, func(p *node) bool { return n.answers(ctx, p) }))
	return []string{"-o", orderers[i].address(0), "--tls", "--cafile", n.topology.rootOf(orderers[i].org, kindOrderer)}
}

// toPeers are the options that name peers as endorsers.
func (n *Network) toPeers(peers []*node) []string {
	var args []string
	for _, p := range peers {
		args = append(args, "--peerAddresses", p.address(0), "--tlsRootCertFiles", n.topology.rootOf(p.org, kindPeer))
	}
	return args
}

// firstPeers is one peer of each organisation, of those on this machine only if local.
func (n *Network) firstPeers(local bool) []*node {
	var peers []*node
	for i := range n.topology.Organisations {
		p := n.topology.peersOf(&n.topology.Organisations[i])[0]
		if !local || n.local(p) {
			peers = append(peers, p)
		}
	}
	return peers
}

// joinPeer makes a peer join the channel unless it has.
func (n *Network) joinPeer(ctx context.Context, p *node) error {
	return n.until(ctx, p.name+" joins the channel", []*node{p}, func(ctx context.Context) error {
		if err := n.listening(ctx, p); err != nil {
			return err
		}
		_, err := n.asAdmin(ctx, p, "channel", "join", "-b", n.genesisFile())
		if err != nil && strings.Contains(err.Error(), "ledger ["+Channel+"] already exists") {
			return nil
		}
		return err
	})
}

// install puts the chaincode package on a peer unless it is there.
func (n *Network) install(ctx context.Context, p *node) error {
	return n.until(ctx, p.name+" installs the chaincode", []*node{p}, func(ctx context.Context) error {
		_, err := n.asAdmin(ctx, p, "lifecycle", "chaincode", "install", n.packageFile())
		if err != nil && strings.Contains(err.Error(), "chaincode already successfully installed") {
			return nil
		}
		return err
	})
}

// peerHeight is the name of a peer's figure of its number of blocks.
const peerHeight = "ledger_blockchain_height"

// catchUp waits until a peer has a number of blocks.
func (n *Network) catchUp(ctx context.Context, p *node, height uint64) error {
	return n.untilAll(ctx, p.name+" gets the blocks that it misses", []*node{p}, func(ctx context.Context) error {
		h, _, err := n.metric(ctx, p, peerHeight)
		if err == nil && h < height {
			err = fmt.Errorf("%s has %d blocks of %d", p.name, h, height)
		}
		return err
	})
}

// prove returns when a transaction that every peer of this machine endorsed, and as many others as
// the policy asks for, has committed on all of them. It calls a query, so that it writes nothing.
func (n *Network) prove(ctx context.Context) error {
	local := n.localNodes(kindPeer)
	if len(local) == 0 {
		return nil
	}
	return n.untilAll(ctx, "a transaction commits", n.localServers(), func(ctx context.Context) error {
		peers := slices.DeleteFunc(n.nodes(kindPeer), func(p *node) bool { return !n.local(p) && !n.answers(ctx, p) })
		args := []string{"chaincode", "invoke", "-C", Channel, "-n", ChaincodeName, "-c", `{"Args":["Query","types","[]"]}`, "--waitForEvent"}
		args = append(args, n.toOrderer(ctx)...)
		_, err := n.asAdmin(ctx, local[0], append(args, n.toPeers(peers)...)...)
		return err
	})
}

// settle returns when every orderer of this machine has the blocks that its first peer has: one that
// cannot take part again has died of it by then.
func (n *Network) settle(ctx context.Context) error {
	local := n.localNodes(kindPeer)
	if len(local) == 0 {
		return nil
	}
	height, _, err := n.metric(ctx, local[0], peerHeight)
	if err != nil {
		return err
	}
	return forEach(ctx, n.localNodes(kindOrderer), func(ctx context.Context, p *node) error {
		return n.untilAll(ctx, p.name+" gets the blocks that it misses", []*node{p}, func(ctx context.Context) error {
			part, _, err := n.participation(ctx, p)
			if err == nil && part.Height < height {
				err = fmt.Errorf("%s has %d blocks of %d", p.name, part.Height, height)
			}
			return err
		})
	})
}

// localServers are the processes of this machine but for the heartbeat.
func (n *Network) localServers() []*node {
	return slices.DeleteFunc(n.localNodes(""), func(p *node) bool { return p.kind == kindHeartbeat })
}

// builds is where a peer keeps what its external builder made.
func (n *Network) builds(p *node) string {
	return filepath.Join(n.topology.dir(p), "data", "externalbuilder", "builds")
}

// decode reads the JSON that a program printed.
func decode(out []byte, v any) error {
	if err := json.Unmarshal(out, v); err != nil {
		return fmt.Errorf("read the answer of Fabric's program: %w", err)
	}
	return nil
}
