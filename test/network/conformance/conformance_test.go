//go:build network

package conformance

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/network/load"
	"github.com/credledger/credledger/verifier/index"
)

// A network is a city on a real network; each department has a peer.
type network struct {
	*fabrictest.Network
	city *ledgertest.City
}

// open opens a connection with a client configuration.
func open(t *testing.T, file string) *fabric.Connection {
	t.Helper()
	config, err := fabric.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, err := fabric.Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // again, in most tests, which is allowed
	return l
}

// on returns what the suite needs, for one test.
func (n *network) on(t *testing.T) *ledgertest.Network {
	return &ledgertest.Network{City: n.city, As: func(department string) ledger.Ledger { return open(t, n.Config(department)) }}
}

// TestConformance runs the suite on one network, from the empty channel on.
func TestConformance(t *testing.T) {
	n := &network{Network: fabrictest.Start(t, fabrictest.Options{}), city: ledgertest.NewCity(t, t.Name())}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *network)
	}{
		{"BeforeGenesis", beforeGenesis},
		{"Genesis", genesis},
		{"Founding", func(t *testing.T, n *network) { ledgertest.RunFounding(t, n.on(t)) }},
	} {
		if !t.Run(test.name, func(t *testing.T) { test.run(t, n) }) {
			t.FailNow() // what follows rests on it
		}
	}
	t.Run("Strangers", func(t *testing.T) { strangers(t, n) })
	t.Run("Conflicts", func(t *testing.T) { conflicts(t, n) })
	suite := n.on(t)
	ledgertest.Run(t, func(*testing.T) *ledgertest.Network { return suite })
	t.Run("Copies", func(t *testing.T) { copies(t, n) })
}

// beforeGenesis submits to a channel on which no ledger has begun.
func beforeGenesis(t *testing.T, n *network) {
	for _, typ := range []string{"marriage", "property", "business"} {
		b := n.city.Digests(t, typ, 1, nil, nil)
		l := open(t, n.Config(b.Issuer))
		if _, err := l.Submit(t.Context(), b.Tx); chaincode.Code(err) != chaincode.CodeNoLedger {
			t.Errorf("anchor as %s: %v, want %s", b.Issuer, err, chaincode.CodeNoLedger)
		}
		if _, err := l.Submit(t.Context(), n.city.Begin().Tx); chaincode.Code(err) != chaincode.CodeWrongOrganisation {
			t.Errorf("the genesis as %s: %v, want %s", b.Issuer, err, chaincode.CodeWrongOrganisation)
		}
		if answer, err := l.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); chaincode.Code(err) != chaincode.CodeNotFound {
			t.Errorf("query ledger: %s, %v; want %s", answer, err, chaincode.CodeNotFound)
		}
		head, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range l.Follow(t.Context(), 0) { // of the channel's configuration and the chaincode
			if err != nil || len(b.Transactions) > 0 {
				t.Fatalf("before the genesis: %+v, %v", b, err)
			}
			if b.Number+1 == head.Height {
				break
			}
		}
	}
}

// genesis begins the ledger from several connections at once: one of them does.
func genesis(t *testing.T, n *network) {
	const clients = 4
	codes := make([]string, clients)
	var wg sync.WaitGroup
	for i := range clients {
		l := open(t, n.Config(ledgertest.Authority))
		wg.Go(func() {
			_, err := l.Submit(t.Context(), n.city.Begin().Tx)
			if codes[i] = chaincode.Code(err); err != nil && codes[i] == "" {
				codes[i] = err.Error()
			}
		})
	}
	wg.Wait()
	count := map[string]int{}
	for _, code := range codes {
		count[code]++
	}
	if count[""] != 1 || count[chaincode.CodeLedgerExists] != clients-1 {
		t.Errorf("%d times the genesis at once: %v; want one of them written", clients, count)
	}
}

// copies compares the peers after all that, and has every block followed by the rules.
func copies(t *testing.T, n *network) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var peers []load.Peer
	for _, d := range n.city.All() {
		peers = append(peers, load.Peer{Name: d.ID, Chain: open(t, n.Config(d.ID))})
	}
	for _, f := range new(load.Record).Check(ctx, peers...) {
		t.Error(f)
	}

	x, err := index.Open("")
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, n.Config(ledgertest.Marriages))
	head, err := l.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	following, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- x.Follow(following, l) }()
	if err := x.WaitFor(ctx, head.Height); err != nil {
		t.Errorf("a verifier does not follow %d blocks: %v", head.Height, err)
	}
	stop()
	<-ended
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
