//go:build network

package faults

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/network/load"
	"github.com/credledger/credledger/verifier/index"
)

// patience bounds whatever a test waits for.
const patience = time.Minute

// A city is a founded ledger on a network, and the sites of its organisations.
type city struct {
	*ledgertest.City
	network *fabrictest.Network
	sites   map[string]*site
	chains  []*chain
	known   []load.Peer // what was read of each chain so far
	jobs    uint64      // of issuing processes
}

func newCity(t *testing.T) *city {
	t.Helper()
	c := &city{City: ledgertest.NewCity(t, "faults"), sites: sites(t, fabrictest.Organisations)}
	hosts := map[string]string{}
	for org, s := range c.sites {
		hosts[org] = s.address
	}
	c.network = fabrictest.Start(t, fabrictest.Options{Hosts: hosts, Wrap: func(node string, argv []string) []string {
		_, org, _ := strings.Cut(node, ".")
		return c.sites[org].within(argv...)
	}})
	c.chains = chains(t, c.network.Config(ledgertest.Marriages))
	for _, chain := range c.chains {
		c.known = append(c.known, load.Peer{Name: chain.name, Chain: &kept{chain: chain}})
	}
	authority := c.connect(ledgertest.Authority)
	ledgertest.Submit(t, authority, c.Begin().Tx)
	c.Found(t, c.connect)
	return c
}

func (c *city) connect(department string) ledger.Ledger { return c.network.Connect(department) }

// peers are the chains as they are now, read from their beginning.
func (c *city) peers() []load.Peer {
	var out []load.Peer
	for _, chain := range c.chains {
		out = append(out, load.Peer{Name: chain.name, Chain: chain})
	}
	return out
}

// watch has verifiers judge licences all the time: one for each department, by its connection, and
// one for each peer, which has nothing to go by but that peer.
func (c *city) watch(t *testing.T) *load.Watcher {
	t.Helper()
	sources := map[string]index.Source{}
	for _, d := range c.All() {
		sources["of "+d.ID] = c.connect(d.ID)
	}
	for _, chain := range c.chains {
		sources["at "+chain.name] = chain
	}
	return load.Watch(t, load.WatchOptions{City: c.City, Connect: c.connect, Sources: sources})
}

// status asks how the network is.
func (c *city) status(t *testing.T) *fabric.Status {
	t.Helper()
	s, err := c.network.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// nodes are the names of all processes of a kind.
func (c *city) nodes(t *testing.T, kind string) []string {
	t.Helper()
	var out []string
	for _, p := range c.status(t).Processes {
		if p.Kind == kind {
			out = append(out, p.Name)
		}
	}
	return out
}

// leader is the name of the leading orderer, which all others follow.
func (c *city) leader(t *testing.T) string {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		for _, p := range c.status(t).Processes {
			if p.Leader {
				return p.Name
			}
		}
		if time.Now().After(end) {
			t.Fatal("no orderer leads")
		}
	}
}

// wellAgain waits until nothing is wrong with the network.
func (c *city) wellAgain(t *testing.T) {
	t.Helper()
	c.caughtUp(t)
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		problems := c.status(t).Problems
		if len(problems) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the network does not get well: %v", problems)
		}
	}
}

// kill ends processes at once with SIGKILL.
func (c *city) kill(t *testing.T, nodes ...string) {
	t.Helper()
	c.each(t, nodes, c.network.Kill)
}

// start starts processes again.
func (c *city) start(t *testing.T, nodes ...string) {
	t.Helper()
	c.each(t, nodes, func(node string) error { return c.network.Start(t.Context(), node) })
}

func (c *city) each(t *testing.T, nodes []string, do func(string) error) {
	t.Helper()
	var wg sync.WaitGroup
	for _, node := range nodes {
		wg.Go(func() {
			if err := do(node); err != nil {
				t.Errorf("%s: %v", node, err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// caughtUp waits until every peer has what the foremost of them has now, and returns how long that took.
func (c *city) caughtUp(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	var target uint64
	for _, chain := range c.chains {
		if height, err := chain.height(t.Context()); err == nil {
			target = max(target, height)
		}
	}
	for _, chain := range c.chains {
		for {
			height, err := chain.height(t.Context())
			if err == nil && height >= target && target > 0 {
				break
			}
			if time.Since(begun) > patience {
				t.Fatalf("%s does not get to height %d: %d, %v", chain.name, target, height, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return time.Since(begun)
}
