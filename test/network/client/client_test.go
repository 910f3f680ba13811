//go:build network

package client

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/test/fabrictest"
)

// open connects an organisation; the test closes the connection if it has not done so.
func open(t testing.TB, n *fabrictest.Network, organisation string) *fabric.Connection {
	t.Helper()
	return openFile(t, n.Config(organisation))
}

func openFile(t testing.TB, file string) *fabric.Connection {
	t.Helper()
	config, err := fabric.LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := fabric.Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// begin brings up a network with a city on its ledger. No connection is left open.
func begin(t *testing.T) (*fabrictest.Network, *ledgertest.City) {
	t.Helper()
	n := fabrictest.Start(t, fabrictest.Options{})
	city := ledgertest.NewCity(t, t.Name())
	var opened []*fabric.Connection
	connect := func(department string) ledger.Ledger {
		c := open(t, n, department)
		opened = append(opened, c)
		return c
	}
	ledgertest.Submit(t, connect(ledgertest.Authority), &chaincode.Transaction{Statements: [][]byte{city.Genesis}})
	city.Found(t, connect)
	for _, c := range opened {
		c.Close()
	}
	return n, city
}

// A load submits single anchors, some at a time, and keeps what was acknowledged.
type load struct {
	t    *testing.T
	stop context.CancelFunc
	work sync.WaitGroup

	mu       sync.Mutex
	receipts map[string]ledger.Receipt // by the transaction's bytes
	last     time.Time
	gap      time.Duration // the longest without an acknowledgement since it was read
}

func start(t *testing.T, l ledger.Ledger, city *ledgertest.City, inFlight int) *load {
	ctx, cancel := context.WithCancel(t.Context())
	x := &load{t: t, stop: cancel, receipts: map[string]ledger.Receipt{}, last: time.Now()}
	for range inFlight {
		x.work.Go(func() {
			for ctx.Err() == nil {
				tx := city.Digests(t, "marriage", 1, nil, nil).Tx
				receipt, err := l.Submit(t.Context(), tx)
				if err != nil || receipt.Existing {
					t.Errorf("submit: %+v, %v", receipt, err)
					continue
				}
				x.mu.Lock()
				x.gap = max(x.gap, time.Since(x.last))
				x.last = time.Now()
				x.receipts[string(tx.Bytes())] = receipt
				x.mu.Unlock()
			}
		})
	}
	return x
}

// goOn waits for n more acknowledgements and logs the longest time without one.
func (x *load) goOn(what string, n int) {
	x.t.Helper()
	x.mu.Lock()
	x.gap = 0
	n += len(x.receipts)
	x.mu.Unlock()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		x.mu.Lock()
		done, gap := len(x.receipts) >= n, x.gap
		x.mu.Unlock()
		if done {
			x.t.Logf("%s: at most %v without an acknowledgement", what, gap.Round(time.Millisecond))
			return
		}
		if time.Now().After(deadline) {
			x.t.Fatalf("%s: submissions do not go on", what)
		}
	}
}

// A chain follows the ledger, and begins anew where it was whenever it is told to.
type chain struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{}
	open   func() ledger.Ledger

	mu     sync.Mutex
	blocks []*ledger.Block
}

func (x *chain) follow() {
	var ctx context.Context
	ctx, x.cancel = context.WithCancel(x.t.Context())
	x.done = make(chan struct{})
	l, from := x.open(), uint64(len(x.blocks))
	go func() {
		defer close(x.done)
		defer l.Close()
		for b, err := range l.Follow(ctx, from) {
			if err != nil {
				if ctx.Err() == nil {
					x.t.Errorf("follow from %d: %v", from, err)
				}
				return
			}
			x.mu.Lock()
			if n := len(x.blocks); b.Number != uint64(n) || n > 0 && b.Previous != x.blocks[n-1].Hash {
				x.t.Errorf("block %d does not follow the %dth", b.Number, n)
			}
			x.blocks = append(x.blocks, b)
			x.mu.Unlock()
		}
	}()
}

func (x *chain) restart() {
	x.cancel()
	<-x.done
	x.follow()
}

func (x *chain) height() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return uint64(len(x.blocks))
}

// TestRestarts kills and starts whatever the client talks to, one after the other, while it submits,
// asks and follows: no call fails, and the blocks that were followed hold what was acknowledged, once
// and where the receipts say.
func TestRestarts(t *testing.T) {
	n, city := begin(t)
	l := open(t, n, ledgertest.Marriages)
	followed := &chain{t: t, open: func() ledger.Ledger { return open(t, n, ledgertest.Marriages) }}
	followed.follow()
	x := start(t, l, city, 8)
	x.goOn("nothing yet", 20)
	nodes := []string{
		"peer1." + ledgertest.Marriages, "peer1." + ledgertest.Authority, "peer1." + ledgertest.Properties, "peer1." + ledgertest.Businesses,
		"chaincode1." + ledgertest.Marriages, "chaincode1." + ledgertest.Authority,
		"orderer1." + ledgertest.Authority, "orderer1." + ledgertest.Marriages, "orderer1." + ledgertest.Properties,
	}
	for i, node := range nodes {
		if err := n.Kill(node); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(node, ledgertest.Authority) || strings.HasPrefix(node, "orderer") { // without it nothing is endorsed
			x.goOn(node+" is dead", 20)
		} else {
			time.Sleep(time.Second)
		}
		if _, err := l.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); err != nil {
			t.Errorf("%s is dead: %v", node, err)
		}
		if i%2 == 0 {
			followed.restart()
		}
		if err := n.Start(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		x.goOn(node+" is back", 20)
		if i%2 == 1 {
			followed.restart()
		}
	}
	x.stop()
	x.work.Wait()
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); followed.height() < head.Height; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the follower is at %d of %d", followed.height(), head.Height)
		}
	}
	followed.cancel()
	<-followed.done
	if got := followed.blocks[head.Height-1].Hash; got != head.Hash {
		t.Errorf("the head is %v, the block that was followed %v", head, got)
	}
	seen := map[string]int{}
	for _, b := range followed.blocks {
		for _, tx := range b.Transactions {
			seen[string(tx.Bytes)]++
			receipt, ok := x.receipts[string(tx.Bytes)]
			if ok && (receipt.TxID != tx.ID || receipt.Position != ledger.Position{Block: b.Number, Index: tx.Index}) {
				t.Errorf("at %d-%d stands what is said to be at %v", b.Number, tx.Index, receipt.Position)
			}
		}
	}
	for tx := range x.receipts {
		if seen[tx] != 1 {
			t.Errorf("what was acknowledged is %d times in the blocks", seen[tx])
		}
	}
	t.Logf("%d acknowledged, in %d blocks", len(x.receipts), head.Height)
}

// TestStranger connects as an organisation that the network does not know, and with the certificate
// of another one.
func TestStranger(t *testing.T) {
	n, city := begin(t)
	for name, organisation := range map[string]string{
		"unknown":              "strangers",
		"another organisation": ledgertest.Properties,
	} {
		t.Run(name, func(t *testing.T) {
			own := n.Config(ledgertest.Marriages)
			b, err := os.ReadFile(own)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Split(string(b), "\n")
			line := slices.IndexFunc(text, func(s string) bool { return strings.HasPrefix(s, "organisation:") })
			text[line] = "organisation: " + organisation
			file := filepath.Join(filepath.Dir(own), "stranger.yaml")
			if err := os.WriteFile(file, []byte(strings.Join(text, "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
			l := openFile(t, file)
			begun := time.Now()
			_, err = l.Submit(t.Context(), city.Digests(t, "marriage", 1, nil, nil).Tx)
			if ledger.Code(err) != fabric.CodeDenied {
				t.Errorf("submit: %v, want %s", err, fabric.CodeDenied)
			}
			if _, err := l.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); ledger.Code(err) != fabric.CodeDenied {
				t.Errorf("evaluate: %v, want %s", err, fabric.CodeDenied)
			}
			if _, err := l.Head(t.Context()); ledger.Code(err) != fabric.CodeDenied {
				t.Errorf("head: %v, want %s", err, fabric.CodeDenied)
			}
			for _, err := range l.Follow(t.Context(), 0) {
				if ledger.Code(err) != fabric.CodeDenied {
					t.Errorf("follow: %v, want %s", err, fabric.CodeDenied)
				}
			}
			took := time.Since(begun).Round(time.Millisecond)
			if t.Logf("denied four times in %v", took); took > 20*time.Second {
				t.Error("that is too long")
			}
		})
	}
}

// TestNothingStaysBehind opens and closes connections that are used in every way.
func TestNothingStaysBehind(t *testing.T) {
	n, city := begin(t)
	before := runtime.NumGoroutine()
	for range 3 {
		var connections []*fabric.Connection
		for _, department := range fabrictest.Organisations {
			for range 4 {
				connections = append(connections, open(t, n, department))
			}
		}
		var work sync.WaitGroup
		for _, c := range connections {
			work.Go(func() {
				if _, err := c.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); err != nil {
					t.Error(err)
				}
				var last error
				for _, err := range c.Follow(t.Context(), 0) {
					last = err
				}
				if ledger.Code(last) != ledger.CodeClosed {
					t.Errorf("following ended with %v", last)
				}
			})
		}
		ledgertest.Submit(t, connections[4], city.Digests(t, "marriage", 1, nil, nil).Tx)
		time.AfterFunc(500*time.Millisecond, func() {
			for _, c := range connections {
				c.Close()
			}
		})
		work.Wait()
	}
	after := runtime.NumGoroutine()
	for deadline := time.Now().Add(time.Minute); after > before && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		after = runtime.NumGoroutine()
	}
	if after > before {
		buffer := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, buffer[:runtime.Stack(buffer, true)])
	}
}

// TestWholeNetworkRestarts takes everything down and up again under a connection that stays open.
func TestWholeNetworkRestarts(t *testing.T) {
	n, city := begin(t)
	l := open(t, n, ledgertest.Marriages)
	followed := &chain{t: t, open: func() ledger.Ledger { return open(t, n, ledgertest.Marriages) }}
	followed.follow()
	ledgertest.Submit(t, l, city.Digests(t, "marriage", 1, nil, nil).Tx)
	n.Down()
	begun := time.Now()
	_, err := l.Submit(t.Context(), city.Digests(t, "marriage", 1, nil, nil).Tx)
	if ledger.Code(err) != ledger.CodeNotSubmitted {
		t.Errorf("submit while all is down: %v, want %s", err, ledger.CodeNotSubmitted)
	}
	if _, err := l.Evaluate(t.Context(), chaincode.Query{Name: "ledger"}); ledger.Code(err) != fabric.CodeUnreachable {
		t.Errorf("evaluate while all is down: %v, want %s", err, fabric.CodeUnreachable)
	}
	t.Logf("it took %v to say that all is down", time.Since(begun).Round(time.Millisecond))
	n.Up()
	for range 3 {
		begun := time.Now()
		tx := city.Digests(t, "marriage", 1, nil, nil).Tx
		receipt, err := l.Submit(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("submitted in %v", time.Since(begun).Round(time.Millisecond))
		for deadline := time.Now().Add(time.Minute); followed.height() <= receipt.Position.Block; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the follower does not go on")
			}
		}
	}
	followed.cancel()
	<-followed.done
}
