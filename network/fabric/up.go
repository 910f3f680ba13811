package fabric

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Up starts what does not run and brings the network to where the topology wants it: all processes,
// the channel with all orderers and peers in it, the chaincode in force. It returns when a
// transaction has committed on every peer. Each step is left out if its result is there already, so
// Up continues after a crash, also of Up itself, and keeps every ledger. If it fails, the processes
// that it started end. The processes run on when this program ends.
//
// Another version of the chaincode, or another organisation, is none of Up's business: the
// departments decide on these by Upgrade and AddOrganisation.
func (n *Network) Up(ctx context.Context, progress func(string)) error {
	unlock, err := n.lockDirectory(ctx, progress)
	if err != nil {
		return err
	}
	defer unlock()
	if now, wanted := n.version(), n.topology.Chaincode.Version; now != wanted {
		progress(versionHint(now, wanted))
	}
	return n.up(ctx, "", progress)
}

// AddOrganisation brings the network up with an organisation that stands in the topology and is not
// on the channel yet. It changes the channel's configuration, which a majority of the organisations'
// administrators with the authority's has to sign: those of this machine do. If they are not enough
// it fails with CodeSignaturesMissing, and says which file to take to another department's host and
// to run the same command there. After an interruption it continues; once done, it is Up.
func (n *Network) AddOrganisation(ctx context.Context, id string, progress func(string)) error {
	if n.topology.organisation(id) == nil {
		return failf(CodeOrganisation, "the topology has no organisation %q: add it to the file first", id)
	}
	unlock, err := n.lockDirectory(ctx, progress)
	if err != nil {
		return err
	}
	defer unlock()
	return n.up(ctx, id, progress)
}

// Upgrade puts the topology's version of the chaincode into force, which is one above that of the
// network, while transactions go on: servers of the new version start beside the old ones, which end
// when a transaction has committed under the new version. After an interruption both Upgrade and Up
// continue.
func (n *Network) Upgrade(ctx context.Context, progress func(string)) error {
	unlock, err := n.lockDirectory(ctx, progress)
	if err != nil {
		return err
	}
	defer unlock()
	now, known := n.recordedVersion()
	wanted := n.topology.Chaincode.Version
	if !known {
		return failf(CodeVersion, "this network has never been up: `credledger network up` begins with the topology's version %d", wanted)
	}
	if wanted != now && wanted != now+1 {
		return failf(CodeVersion, "%s", versionHint(now, wanted))
	}
	if err := n.recordVersion(wanted); err != nil {
		return err
	}
	return n.up(ctx, "", progress)
}

// up does the work of Up; admitted is the organisation that AddOrganisation admits, or "".
func (n *Network) up(ctx context.Context, admitted string, progress func(string)) (err error) {
	if err := n.renderAll(ctx, n.Host == "", progress); err != nil {
		return err
	}
	if err := n.recordVersion(n.version()); err != nil {
		return err
	}
	var started []*node
	defer func() {
		if err != nil {
			err = errors.Join(err, n.stopAll(context.WithoutCancel(ctx), started))
		}
	}()
	start := func(nodes []*node) error {
		for _, p := range nodes {
			did, err := n.start(ctx, p)
			if did {
				started = append(started, p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	progress("starting the processes")
	if err := start(n.localServers()); err != nil {
		return err
	}
	if err := n.awaitUnits(ctx, progress); err != nil {
		return err
	}
	if err := n.join(ctx, admitted, progress); err != nil {
		return err
	}
	progress("waiting for a transaction to commit")
	if err := n.prove(ctx); err != nil {
		return err
	}
	if err := n.settle(ctx); err != nil {
		return err
	}
	if err := start(n.localNodes(kindHeartbeat)); err != nil {
		return err
	}
	return n.stopOldVersions(ctx)
}

// awaitUnits waits until systemd runs what it has to run, if it does.
func (n *Network) awaitUnits(ctx context.Context, progress func(string)) error {
	if !n.supervised() {
		return nil
	}
	for _, p := range n.localServers() {
		if n.running(p) {
			continue
		}
		progress("waiting for " + unitName(p) + " to be started")
		if err := n.until(ctx, "start "+unitName(p), nil, func(ctx context.Context) error { return n.listening(ctx, p) }); err != nil {
			return err
		}
	}
	return nil
}

// join makes the orderers and peers of this machine join the channel, and puts the chaincode into force.
func (n *Network) join(ctx context.Context, admitted string, progress func(string)) error {
	progress("joining the channel")
	height := uint64(1)
	err := together(ctx, func(ctx context.Context) (err error) {
		height, err = n.joinOrderers(ctx)
		if err != nil || height == 1 && admitted == "" && n.Host == "" {
			return err // whose first block was made of this topology
		}
		return n.reconcile(ctx, admitted, progress)
	}, func(ctx context.Context) error {
		return forEach(ctx, n.localNodes(kindPeer), func(ctx context.Context, p *node) error {
			if err := n.joinPeer(ctx, p); err != nil {
				return err
			}
			return n.install(ctx, p)
		})
	})
	if err != nil {
		return err
	}
	if height > 1 {
		progress("waiting for the peers to have all blocks")
		if err := forEach(ctx, n.localNodes(kindPeer), func(ctx context.Context, p *node) error {
			return n.catchUp(ctx, p, height)
		}); err != nil {
			return err
		}
	}
	progress("putting the chaincode into force")
	return n.define(ctx, height == 1 && n.Host == "")
}

// joinOrderers makes the orderers of this machine join the channel unless they have, and returns the
// greatest number of blocks that one of them has; at least 1.
func (n *Network) joinOrderers(ctx context.Context) (height uint64, err error) {
	block, err := os.ReadFile(n.genesisFile())
	if err != nil {
		return 0, failf(CodeDirectory, "%w", err)
	}
	height = 1
	var mu sync.Mutex
	err = forEach(ctx, n.localNodes(kindOrderer), func(ctx context.Context, p *node) error {
		return n.until(ctx, p.name+" joins the channel", []*node{p}, func(ctx context.Context) error {
			part, known, err := n.participation(ctx, p)
			if err != nil {
				return err
			}
			if !known {
				return n.participate(ctx, p, block)
			}
			if part.Relation != "consenter" {
				return failf(CodeChannelDiffers, "%s is not among the channel's orderers: these are fixed when the channel is made; take it out of the topology", p.name)
			}
			mu.Lock()
			height = max(height, part.Height)
			mu.Unlock()
			return nil
		})
	})
	return height, err
}

// stopAll ends processes at the same time.
func (n *Network) stopAll(ctx context.Context, nodes []*node) error {
	return n.stopFiles(ctx, mapSlice(nodes, n.pidFile))
}

func (n *Network) stopFiles(ctx context.Context, pidFiles []string) error {
	errs := make([]error, len(pidFiles))
	var wg sync.WaitGroup
	for i, file := range pidFiles {
		wg.Go(func() { errs[i] = stopFile(ctx, file) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// stopFile ends the process of a pid file, and removes the file: its process has not died.
func stopFile(ctx context.Context, pidFile string) error {
	if err := readProcess(pidFile).stop(ctx); err != nil {
		return failf(CodeNodeDied, "end the process of %s: %w", pidFile, err)
	}
	if err := os.Remove(pidFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return failf(CodeDirectory, "%w", err)
	}
	return nil
}

// stopOldVersions ends chaincode servers of other versions than the network's.
func (n *Network) stopOldVersions(ctx context.Context) error {
	var old []string
	for _, p := range n.localNodes(kindChaincode) {
		files, err := filepath.Glob(filepath.Join(n.topology.dir(p), "*.pid"))
		if err != nil {
			return err
		}
		old = append(old, slices.DeleteFunc(files, func(file string) bool { return file == n.pidFile(p) })...)
	}
	return n.stopFiles(ctx, old)
}
