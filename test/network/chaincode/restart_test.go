//go:build network

package chaincode

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
)

// The authority has to endorse everything: without its peer, or its chaincode server, nothing is
// committed.
const (
	peer   = "peer1." + ledgertest.Authority
	server = "chaincode1." + ledgertest.Authority
)

// patience is how long the ledger may take to be back after what it missed is there again.
const patience = 20 * time.Second

// A bench is a network with a city, and one department's connection.
type bench struct {
	*testing.T
	network    *fabrictest.Network
	city       *ledgertest.City
	connection ledger.Ledger
}

func newBench(t *testing.T) *bench {
	n := fabrictest.Start(t, fabrictest.Options{})
	b := &bench{T: t, network: n, city: ledgertest.NewCity(t, "chaincode servers")}
	begin := b.city.Begin()
	ledgertest.Submit(t, n.Connect(begin.Actor), begin.Tx)
	b.city.Found(t, n.Connect)
	b.connection = n.Connect(ledgertest.Marriages)
	b.anchor(patience)
	return b
}

// on is the bench in a subtest.
func (b *bench) on(t *testing.T) *bench {
	own := *b
	own.T = t
	return &own
}

// anchor submits a head until it is anchored, and returns how long that took.
func (b *bench) anchor(patience time.Duration) time.Duration {
	b.Helper()
	tx := b.city.Digests(b, "marriage", 1, nil, nil).Tx
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	begun := time.Now()
	for {
		_, err := b.connection.Submit(ctx, tx)
		if err == nil {
			return time.Since(begun)
		}
		if code := ledger.Code(err); ctx.Err() != nil || code != ledger.CodeNotSubmitted && code != ledger.CodeOutcomeUnknown {
			b.Fatalf("submit, %v after it: %v", time.Since(begun), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// refused submits a head that cannot be endorsed, and wants to be told so.
func (b *bench) refused() {
	b.Helper()
	tx := b.city.Digests(b, "marriage", 1, nil, nil).Tx
	ctx, cancel := context.WithTimeout(b.Context(), 3*time.Second)
	defer cancel()
	if _, err := b.connection.Submit(ctx, tx); ledger.Code(err) != ledger.CodeNotSubmitted {
		b.Errorf("submit without %s: %v, want %s", server, err, ledger.CodeNotSubmitted)
	}
}

// pid is the process number of a process, 0 if it does not run.
func (b *bench) pid(name string) int {
	b.Helper()
	s, err := b.network.Status(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	i := slices.IndexFunc(s.Processes, func(p fabric.ProcessStatus) bool { return p.Name == name })
	if i < 0 {
		b.Fatalf("there is no process %s", name)
	}
	return s.Processes[i].PID
}

// log is what the authority's chaincode server has logged.
func (b *bench) log() string {
	b.Helper()
	var out bytes.Buffer
	if err := b.network.Logs(&out, 10000, server); err != nil {
		b.Fatal(err)
	}
	return out.String()
}

// start starts a process, and returns after how long it accepted connections.
func (b *bench) start(name string) time.Duration {
	b.Helper()
	begun := time.Now()
	if err := b.network.Network.Start(b.Context(), name); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

func TestRestarts(t *testing.T) {
	b := newBench(t)
	for name, end := range map[string]func(string) error{
		"killed":  b.network.Kill,
		"stopped": func(name string) error { return b.network.Stop(context.Background(), name) },
	} {
		t.Run("peer "+name, func(t *testing.T) { b.on(t).peerRestarts(end) })
		t.Run("chaincode server "+name, func(t *testing.T) { b.on(t).serverRestarts(end) })
	}
	if log := b.log(); strings.Count(log, "msg=stopped") != 1 || strings.Contains(log, "level=ERROR") {
		t.Errorf("the chaincode server's log:\n%s", log)
	}
}

// peerRestarts: a peer that was ended dials the chaincode server, which has run on, when it is back.
func (b *bench) peerRestarts(end func(string) error) {
	pid, before := b.pid(server), b.log()
	if err := end(peer); err != nil {
		b.Fatal(err)
	}
	listens := b.start(peer)
	b.Logf("it accepts connections again after %v, a head is anchored %v later", listens, b.anchor(patience))
	if again := b.pid(server); again != pid {
		b.Errorf("the chaincode server is process %d, and was %d", again, pid)
	}
	after := b.log()
	for _, event := range []string{`msg="peer connected"`, `msg="peer disconnected"`} {
		if got := strings.Count(after, event) - strings.Count(before, event); got != 1 {
			b.Errorf("the chaincode server logged %s %d times:\n%s", event, got, after)
		}
	}
}

// serverRestarts: without the authority's chaincode server a submission is refused, as one that was
// not submitted. When the server is back the next one is committed, by the peer that has run on.
func (b *bench) serverRestarts(end func(string) error) {
	pid := b.pid(peer)
	if err := end(server); err != nil {
		b.Fatal(err)
	}
	b.refused()
	listens := b.start(server)
	b.Logf("it listens again after %v, a head is anchored %v later", listens, b.anchor(patience))
	if again := b.pid(peer); again != pid {
		b.Errorf("the peer is process %d, and was %d", again, pid)
	}
}
