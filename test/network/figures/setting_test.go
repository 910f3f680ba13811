//go:build network

package figures

import (
	"context"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
)

// A setting is a running network with a city on it, and an empty chaincode beside the real one.
type setting struct {
	testing.TB
	network *fabrictest.Network
	city    *ledgertest.City
	empty   ledger.Ledger // submits to the empty chaincode, as the department that issues marriage certificates
	issuer  ledger.Ledger // submits to the real one, as the same

	emptyServers []int            // pids
	processes    map[string][]int // pids by kind
}

// patience bounds everything that is waited for.
const patience = 10 * time.Minute

func newSetting(tb testing.TB) *setting {
	tb.Helper()
	s := &setting{TB: tb, network: fabrictest.Start(tb, fabrictest.Options{}), city: ledgertest.NewCity(tb, "figures")}
	begin := s.city.Begin()
	ledgertest.Submit(tb, s.network.Connect(begin.Actor), begin.Tx)
	s.city.Found(tb, s.network.Connect)
	s.issuer = s.network.Connect(ledgertest.Marriages)
	s.empty = s.connect(s.deployEmpty(ledgertest.Marriages))
	s.processes = s.pids()
	return s
}

// with is the setting as a part of the benchmark sees it.
func (s *setting) with(tb testing.TB) *setting {
	part := *s
	part.TB = tb
	return &part
}

// connect opens a connection from a client configuration.
func (s *setting) connect(config string) ledger.Ledger {
	s.Helper()
	c, err := fabric.LoadConfig(config)
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := fabric.Open(ctx, c)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { l.Close() })
	return l
}

// head is the end of the chain as a connection tells it.
func (s *setting) head(l ledger.Ledger) ledger.Head {
	s.Helper()
	h, err := l.Head(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return h
}

// signed makes an anchor of so many licences: random digests, their tree, a signed head.
func (s *setting) signed(size int) *chaincode.Transaction {
	return s.city.Digests(s, "marriage", size, nil, nil).Tx
}
