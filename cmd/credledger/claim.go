package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/filelock"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A claim is a home that is being made. It is no home before its configuration is there, which comes
// last. Besides, while it is being made it has
//
//	.init      locked by the process that makes it; left over from one that was killed
//	.genesis   the genesis for a ledger on a network, there before it is submitted
//
// What a killed init left is removed by the next one and made anew, unless there is a genesis: the
// ledger may have begun with it, and can be governed with the keys beside it alone. Then the next init
// goes on with these.
type claim struct {
	*call
	dir    string
	config config
	lock   *os.File
	made   bool // the directory was not there
	keep   bool // a ledger on a network may have begun with the genesis
}

const (
	claimFile   = ".init"
	genesisFile = ".genesis"
)

// codeInitInterrupted is the code of the error that an init cannot go on with what another has left.
const codeInitInterrupted = "init-interrupted"

// makeHome makes a home.
func (c *call) makeHome(ctx context.Context, config config, plan *cityPlan) (*madeHome, error) {
	home, err := c.claimHome(config)
	if err != nil {
		return nil, err
	}
	made, err := home.make(ctx, plan)
	return made, home.release(err)
}

// claimHome takes hold of the directory for a home.
func (c *call) claimHome(config config) (*claim, error) {
	out := &claim{call: c, dir: c.homeDir, config: config}
	_, err := os.Stat(out.dir)
	out.made = errors.Is(err, fs.ErrNotExist)
	if err := makeDir(out.dir); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(out.dir)
	if err != nil {
		return nil, err
	}
	exists := failf("home-exists", "%s exists and is not empty: a home is made in a new directory", out.dir)
	has := func(name string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
	}
	if len(entries) > 0 && !has(claimFile) || has(configFile) {
		return nil, exists
	}
	if out.lock, err = os.OpenFile(out.path(claimFile), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	free, err := filelock.Try(out.lock)
	if err == nil && !free {
		err = failf("home-in-use", "another `credledger init` is making %s", out.dir)
	} else if err == nil {
		err = out.clear(exists)
	}
	if err != nil {
		return nil, errors.Join(err, out.lock.Close())
	}
	return out, nil
}

// clear removes what an earlier init left, if nothing of it is needed.
func (c *claim) clear(exists error) error {
	if _, err := os.Lstat(c.path(configFile)); err == nil { // in this moment
		return errors.Join(exists, removeIfThere(c.path(claimFile)))
	}
	_, err := os.Lstat(c.path(genesisFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.remove()
	case err == nil && c.config.Ledger != ledgerFabric:
		return failf(codeInitInterrupted, "an init on a network was interrupted in %s, whose keys the ledger may know already: "+
			"run it again with the same flags, or make this home elsewhere", c.dir)
	}
	return err
}

// remove removes all but the lock.
func (c *claim) remove() error {
	entries, err := os.ReadDir(c.dir)
	for _, e := range entries {
		switch name := e.Name(); {
		case slices.Contains([]string{"keys", vaultsDir, "ledger", genesisFile, configFile, policySource, policyFile}, name), slices.Contains(verifierNames, name),
			strings.HasPrefix(name, unfinished):
			err = errors.Join(err, os.RemoveAll(c.path(name)))
		}
	}
	return err
}

// sweep removes the files that a killed process has not finished.
func (c *claim) sweep() error {
	return filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasPrefix(e.Name(), unfinished) {
			err = os.Remove(path)
		}
		return err
	})
}

// release ends the claim: of a home that is made nothing but the home is left, of one that is not
// nothing at all, unless the ledger may have begun.
func (c *claim) release(err error) error {
	if err != nil && c.keep {
		if errorCode(err) != codeInitInterrupted {
			err = fmt.Errorf("%w (the ledger may have begun: its keys are kept in %s; run the same command again to go on)", err, c.dir)
		}
		return errors.Join(err, c.lock.Close())
	}
	if err != nil {
		err = errors.Join(err, c.remove())
	} else {
		err = removeIfThere(c.path(genesisFile))
	}
	err = errors.Join(err, removeIfThere(c.path(claimFile)), c.lock.Close())
	if err != nil && c.made {
		_ = os.Remove(c.dir) // unless there is something in it
	}
	return err
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (c *claim) path(name string) string { return filepath.Join(c.dir, name) }

// make makes the home.
func (c *claim) make(ctx context.Context, plan *cityPlan) (*madeHome, error) {
	f, err := c.begin(ctx, plan)
	if err != nil {
		return nil, err
	}
	made := &madeHome{Home: c.dir, Ledger: f.id, Authority: plan.authority.ID, Connections: c.config.Connections}
	for _, t := range plan.types {
		made.Types = append(made.Types, t.ID)
	}
	for _, d := range plan.departments {
		made.Departments = append(made.Departments, d.ID)
		if b, ok := f.backend.(*fabricBackend); ok && !b.has(d.ID) {
			made.NotJoined = append(made.NotJoined, d.ID)
		}
	}
	if err = f.all(ctx, plan); err == nil {
		err = f.makeVerifier()
	}
	if err == nil && plan.builtin {
		err = f.makePolicy(ctx)
	}
	if err = errors.Join(err, f.close()); err == nil {
		err = c.sweep()
	}
	if err != nil {
		return nil, err
	}
	if err := writeOutput(c.path(configFile), c.config.text()); err != nil {
		return nil, err
	}
	return made, syncDir(c.dir)
}

// begin begins the ledger of a new home with its genesis, or finds that it has begun with it.
func (c *claim) begin(ctx context.Context, plan *cityPlan) (*founding, error) {
	h := newHome(c.dir, c.call.now)
	h.config, h.author = c.config, plan.authority.ID
	key, err := h.ownKeyNamed(h.author, governKey)
	if err != nil {
		return nil, err
	}
	f := &founding{home: h, govern: key}
	if h.config.Ledger == ledgerEmbedded {
		genesis, id, err := govern.Genesis(plan.name, plan.authority, statement.PurposeGovern, f.govern, h.now())
		if err != nil {
			return nil, err
		}
		store, err := embedded.Create(h.ledgerDir(), genesis)
		if err != nil {
			return nil, err
		}
		f.authority = store.As(h.author)
		h.id, h.backend, h.ledger = id, embeddedBackend{store}, f.authority
		return f, nil
	}
	h.backend = newFabricBackend(h.config.Connections)
	if err := c.beginOnNetwork(ctx, f, plan); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return f, nil
}

// beginOnNetwork submits the genesis. It is in the home before: whether a submission that was
// interrupted took effect shows when the ledger's genesis is compared with it.
func (c *claim) beginOnNetwork(ctx context.Context, f *founding, plan *cityPlan) error {
	var err error
	if f.authority, err = f.as(ctx, f.author); err != nil {
		return err
	}
	f.ledger = f.authority
	genesis, id, err := c.genesis(f, plan)
	if err != nil {
		return err
	}
	f.id = id
	for {
		var founded struct {
			ID        sm.Hash `json:"id"`
			Name      string  `json:"name"`
			Authority string  `json:"authority"`
		}
		switch err := f.query(ctx, &founded, "ledger"); {
		case err == nil && founded.ID == id:
			c.keep = true
			return nil
		case err == nil:
			return failf("ledger-founded", "a ledger was founded on this network before: %s by %s, %s; the home that founded it goes on with it, "+
				"and a ledger of another begins on a network of its own", printable(strconv.Quote(founded.Name)), founded.Authority, founded.ID)
		case chaincode.Code(err) != chaincode.CodeNotFound:
			return err
		}
		c.keep = true
		_, err := f.authority.Submit(ctx, &chaincode.Transaction{Statements: [][]byte{genesis}})
		if hasNoEffect(err) {
			c.keep = false
		}
		if err != nil && chaincode.Code(err) != chaincode.CodeLedgerExists {
			return fmt.Errorf("submit the genesis: %w", err)
		}
	}
}

// genesis reads the genesis in the home, or makes it and puts it there.
func (c *claim) genesis(f *founding, plan *cityPlan) (signed []byte, id sm.Hash, err error) {
	path := c.path(genesisFile)
	signed, err = readBounded(path, statement.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		if signed, id, err = govern.Genesis(plan.name, plan.authority, statement.PurposeGovern, f.govern, c.now()); err != nil {
			return nil, id, err
		}
		if err = writeOutput(path, signed); err == nil {
			err = syncDir(c.dir)
		}
		return signed, id, err
	} else if err != nil {
		return nil, id, err
	}
	g, s, err := statement.ParseAs[*statement.Genesis](signed)
	if err != nil {
		return nil, id, fmt.Errorf("%s: %w", path, err)
	}
	if g.Name != plan.name || g.Authority.ID != plan.authority.ID {
		c.keep = true // another run may have submitted it
		return nil, id, failf(codeInitInterrupted, "an init was interrupted in %s that founds the ledger %s by %s: run it again with the same flags",
			c.dir, printable(strconv.Quote(g.Name)), g.Authority.ID)
	}
	return signed, sm.Sum(s.Payload), nil
}
