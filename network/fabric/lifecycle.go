package fabric

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A definition is a chaincode definition of the channel.
type definition struct {
	Sequence  int             `json:"sequence"`
	Version   string          `json:"version"`
	Approvals map[string]bool `json:"approvals"` // by organisation
}

// committed asks a peer for the definition in force; its sequence is 0 if there is none.
func (n *Network) committed(ctx context.Context, p *node) (definition, error) {
	out, err := n.asAdmin(ctx, p, "lifecycle", "chaincode", "querycommitted", "-C", Channel, "-n", ChaincodeName, "-O", "json")
	if err != nil && strings.Contains(err.Error(), "namespace "+ChaincodeName+" is not defined") {
		return definition{}, nil
	} else if err != nil {
		return definition{}, err
	}
	var d definition
	return d, decode(out, &d)
}

// next is the sequence number under which the network's version is or will be in force.
func (d definition) next(version int) (int, error) {
	now, err := strconv.Atoi(d.Version)
	switch {
	case d.Sequence == 0 || err == nil && now == version-1:
		return d.Sequence + 1, nil
	case err == nil && now == version:
		return d.Sequence, nil
	}
	return 0, failf(CodeVersion, "version %s of the chaincode is in force on the channel and this network runs %d: set chaincode.version to %s in the topology and run `credledger network upgrade`",
		d.Version, version, d.Version)
}

// define has the organisations of this machine approve the version that the network runs, and
// commits it where the authority's peer is, or waits for that. fresh says that the channel has no
// definition yet. The endorsement policy is the channel's (/Channel/Application/Endorsement), to
// which a definition without one refers.
func (n *Network) define(ctx context.Context, fresh bool) error {
	peers := n.firstPeers(true)
	if len(peers) == 0 {
		return nil
	}
	var d definition
	if !fresh {
		if err := n.until(ctx, "ask for the chaincode in force", peers[:1], func(ctx context.Context) (err error) {
			d, err = n.committed(ctx, peers[0])
			return err
		}); err != nil {
			return err
		}
	}
	sequence, err := d.next(n.version())
	if err != nil {
		return err
	}
	if err := forEach(ctx, peers, func(ctx context.Context, p *node) error {
		if sequence == d.Sequence && d.Approvals[p.org.ID] {
			return nil
		}
		return n.approve(ctx, p, sequence, fresh)
	}); err != nil || sequence == d.Sequence {
		return err
	}
	authority := slices.IndexFunc(peers, func(p *node) bool { return p.org.ID == n.topology.Authority })
	return n.untilAll(ctx, "the chaincode comes into force", peers, func(ctx context.Context) error {
		if authority < 0 {
			return n.inForce(ctx, peers[0], sequence)
		}
		err := n.commit(ctx, peers[authority], sequence)
		if err != nil && n.inForce(ctx, peers[authority], sequence) == nil {
			return nil // by an attempt before that seemed to fail
		}
		return err
	})
}

// inForce returns an error until the version of the network is in force under a sequence number.
func (n *Network) inForce(ctx context.Context, p *node, sequence int) error {
	d, err := n.committed(ctx, p)
	if err == nil && d.Sequence < sequence {
		err = fmt.Errorf("the authority's host has not committed it")
	}
	return err
}

// definitionArgs names the definition of the version that the network runs.
func (n *Network) definitionArgs(sequence int) []string {
	return []string{"-C", Channel, "-n", ChaincodeName, "-v", strconv.Itoa(n.version()), "--sequence", strconv.Itoa(sequence)}
}

// approve approves the definition for a peer's organisation unless that has. fresh says that it has not.
func (n *Network) approve(ctx context.Context, p *node, sequence int, fresh bool) error {
	id, _, err := chaincodePackage(n.version())
	if err != nil {
		return err
	}
	return n.untilAll(ctx, p.org.ID+" approves the chaincode", []*node{p}, func(ctx context.Context) error {
		if !fresh {
			if done, err := n.approved(ctx, p, sequence, id); err != nil || done {
				return err
			}
		}
		fresh = false // what fails now may have been done
		args := append([]string{"lifecycle", "chaincode", "approveformyorg", "--package-id", id}, n.definitionArgs(sequence)...)
		_, err := n.asAdmin(ctx, p, append(args, n.toOrderer(ctx)...)...)
		return err
	})
}

// approved reports whether an organisation has approved the version that the network runs, with a
// package. A peer that lost its data does not know: what an organisation approved of a definition
// that is in force, committed tells from the channel.
func (n *Network) approved(ctx context.Context, p *node, sequence int, id string) (bool, error) {
	out, err := n.asAdmin(ctx, p, "lifecycle", "chaincode", "queryapproved", "-C", Channel, "-n", ChaincodeName,
		"--sequence", strconv.Itoa(sequence), "-O", "json")
	if err != nil && strings.Contains(err.Error(), "could not fetch approved chaincode definition") {
		return false, nil
	} else if err != nil {
		return false, err
	}
	var d struct {
		Version string `json:"version"`
		Source  struct {
			Type struct {
				LocalPackage struct {
					PackageID string `json:"package_id"`
				}
			}
		} `json:"source"`
	}
	if err := decode(out, &d); err != nil {
		return false, err
	}
	return d.Version == strconv.Itoa(n.version()) && d.Source.Type.LocalPackage.PackageID == id, nil
}

// commit puts the definition into force, as soon as a majority with the authority has approved it.
func (n *Network) commit(ctx context.Context, p *node, sequence int) error {
	args := append([]string{"lifecycle", "chaincode", "checkcommitreadiness", "-O", "json"}, n.definitionArgs(sequence)...)
	out, err := n.asAdmin(ctx, p, args...)
	if err != nil {
		return err
	}
	var ready definition
	if err := decode(out, &ready); err != nil {
		return err
	}
	var endorsers []*node
	approved := map[string]bool{}
	for _, p := range n.firstPeers(false) {
		if ready.Approvals[p.org.ID] && n.answers(ctx, p) {
			endorsers = append(endorsers, p)
			approved[p.org.ID] = true
		}
	}
	policy, err := parsePolicy(n.topology.majority("peer"))
	if err != nil {
		return err
	}
	if !policy.satisfied(approved) {
		return fmt.Errorf("only %d of %d organisations have approved it and answer", len(endorsers), len(n.topology.Organisations))
	}
	args = append([]string{"lifecycle", "chaincode", "commit"}, n.definitionArgs(sequence)...)
	args = append(args, n.toOrderer(ctx)...)
	_, err = n.asAdmin(ctx, p, append(args, n.toPeers(endorsers)...)...)
	return err
}
