//go:build network

package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/protobuf/proto"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/channel"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/test/fabrictest"
)

// record names the file that a short story's blocks are written to, for package blocktest.
var record = flag.String("record", "", "write the blocks of a short story to `FILE`, and do nothing else")

const (
	patience = 2 * time.Minute
	newcomer = "housing"
)

// A world is a network with a city on it.
type world struct {
	*fabrictest.Network
	t    *testing.T
	ctx  context.Context
	city *ledgertest.City

	mu    sync.Mutex
	conns map[string]*fabric.Connection
}

func newWorld(t *testing.T, o fabrictest.Options) *world {
	t.Helper()
	w := &world{
		Network: fabrictest.Start(t, o), t: t, city: ledgertest.NewCity(t, t.Name()), conns: map[string]*fabric.Connection{},
	}
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithTimeout(t.Context(), 5*patience)
	t.Cleanup(cancel)
	ledgertest.Submit(t, w.as(ledgertest.Authority), &chaincode.Transaction{Statements: [][]byte{w.city.Genesis}})
	return w
}

// as returns the test's connection of an organisation.
func (w *world) as(org string) *fabric.Connection {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conns[org] == nil {
		w.conns[org] = w.Open(org)
	}
	return w.conns[org]
}

// audit audits the copy of an organisation's peer, as soon as that answers.
func (w *world) audit(org string, o audit.Options) *audit.Report {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Second) {
		r, err := w.as(org).Audit(w.ctx, o)
		if err == nil {
			return r
		}
		if ledger.Code(err) != fabric.CodeUnreachable || time.Now().After(deadline) {
			w.t.Fatalf("audit at %s: %v", org, err)
		}
	}
}

// head returns the end of the chain as an organisation's peer has it, once that has caught up.
func (w *world) head(org string) ledger.Head {
	w.t.Helper()
	h, err := w.as(org).Head(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// anchors anchors many batches at once.
func (w *world) anchors(many int) (positions []ledger.Position) {
	w.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range many / 16 {
				b := w.city.Digests(w.t, "property", 2, nil, nil)
				r, err := w.as(b.Issuer).Submit(w.ctx, b.Tx)
				if err != nil {
					w.t.Error(err)
					return
				}
				mu.Lock()
				positions = append(positions, r.Position)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
	return positions
}

// race submits one change of a licence several times at once: the rules take one.
func (w *world) race(b *ledgertest.Batch, i int) {
	w.t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for n := range 4 {
		change := b.Change(i, licence.Revoked)
		change.SignedAt += uint64(n) // another one each time
		tx := ledgertest.Sign(w.t, change, b.Department.Status)
		all.Go(func() {
			if _, err := w.as(b.Issuer).Submit(w.ctx, tx); err == nil {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if done != 1 {
		w.t.Errorf("of four first changes of a licence %d were taken", done)
	}
}

// change edits the topology file.
func (w *world) change(old, new string) {
	w.t.Helper()
	b, err := os.ReadFile(w.Topology)
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		w.t.Fatalf("the topology does not say %q", old)
	}
	if err := os.WriteFile(w.Topology, []byte(strings.Replace(string(b), old, new, 1)), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.Load()
}

// grow admits a department and upgrades the chaincode.
func (w *world) grow() {
	w.t.Helper()
	progress := func(step string) { w.t.Log(step) }
	w.AddToTopology(newcomer)
	if err := w.AddOrganisation(w.ctx, newcomer, progress); err != nil {
		w.t.Fatal(err)
	}
	w.change("authority:", "chaincode:\n  version: 2\nauthority:")
	if err := w.Upgrade(w.ctx, progress); err != nil {
		w.t.Fatal(err)
	}
}

// TestRecord makes the blocks of package blocktest.
func TestRecord(t *testing.T) {
	if *record == "" {
		return
	}
	w := newWorld(t, fabrictest.Options{})
	issuer := w.city.Department(t, ledgertest.Properties)
	for _, s := range append(w.city.Admit(t, issuer), w.city.Publish(t, w.city.Type(t, "property"))) {
		ledgertest.Submit(t, w.as(s.Actor), s.Tx)
	}
	b := w.city.Digests(t, "property", 16, nil, nil)
	ledgertest.Submit(t, w.as(b.Issuer), b.Tx)
	w.race(b, 1)
	w.grow()
	w.anchors(16)
	head := w.head(ledgertest.Authority)
	file, err := os.Create(*record)
	if err != nil {
		t.Fatal(err)
	}
	out := gzip.NewWriter(file)
	for b, err := range w.as(ledgertest.Authority).Blocks(w.ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := proto.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(binary.AppendUvarint(nil, uint64(len(encoded))))
		out.Write(encoded)
		if b.Header.Number+1 == head.Height {
			break
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAudit(t *testing.T) {
	w := newWorld(t, fabrictest.Options{})
	w.city.Found(t, w.Connect)
	before := w.head(ledgertest.Authority)
	w.anchors(320)
	b := w.city.Issue(t, "property", 16)
	ledgertest.Submit(t, w.as(b.Issuer), b.Tx)
	for i := range 4 {
		w.race(b, i)
	}
	w.grow()
	w.anchors(32)

	head := w.head(ledgertest.Authority)
	for _, org := range append(fabrictest.Organisations[:4:4], newcomer) {
		begun := time.Now()
		r := w.audit(org, audit.Options{Expect: &before})
		for r.Blocks < head.Height && time.Since(begun) < time.Minute { // the peer may be behind
			r = w.audit(org, audit.Options{Expect: &before})
		}
		if !r.Clean() || r.Ledger != w.city.ID || r.Transactions < 320+32+5 {
			t.Errorf("at %s: %d transactions of ledger %s, incomplete %v, findings %v", org, r.Transactions, r.Ledger, r.Incomplete, r.Findings)
		}
		if r.Head != head {
			t.Errorf("at %s: the head is %s, want %s", org, r.Head, head)
		}
		t.Logf("at %s: %d blocks, %d transactions in %.1f s", org, r.Blocks, r.Transactions, time.Since(begun).Seconds())
	}
	head.Height++
	if r := w.audit(ledgertest.Authority, audit.Options{Expect: &head}); len(r.Findings) != 1 || r.Findings[0].Code != audit.FindingShortened {
		t.Errorf("with a head that nobody has: %v", r.Findings)
	}
	t.Run("AlteredFile", func(t *testing.T) { w.altered(t) })
}

// altered changes a byte of a transaction in the block file of a peer, and then the form of a block.
func (w *world) altered(t *testing.T) {
	const org = ledgertest.Businesses
	b := w.city.Issue(t, "property", 8)
	at := ledgertest.Submit(t, w.as(b.Issuer), b.Tx).Position
	r := w.audit(org, audit.Options{})
	for r.Blocks <= at.Block { // the peer may be behind
		r = w.audit(org, audit.Options{})
	}
	argument := []byte(base64.StdEncoding.EncodeToString(b.Tx.Bytes()))

	if err := w.rewrite(t, org, func(content []byte) {
		content[bytes.Index(content, argument)+len(argument)/2] ^= 1
	}); err != nil {
		t.Fatal(err)
	}
	r = w.audit(org, audit.Options{})
	codes := map[string]bool{}
	for _, f := range r.Findings {
		t.Log(f)
		codes[f.Code] = true
		if f.Block < int64(at.Block) {
			t.Errorf("a finding before the altered block %d: %s", at.Block, f)
		}
	}
	if !codes[block.CodeDataHash] || !codes[channel.FindingCreator] || r.Findings[0].Block != int64(at.Block) || r.Findings[0].Transaction != int(at.Index) {
		t.Errorf("the findings are %v\nwant them at block %d, transaction %d", r.Findings, at.Block, at.Index)
	}
	if r := w.audit(ledgertest.Authority, audit.Options{}); !r.Clean() {
		t.Errorf("another peer's copy: %v", r.Findings)
	}

	w.anchors(16) // the newest block is read when a peer starts
	// Such a peer ends when it reads the block: when it starts, or later, before it serves the block.
	if err := w.rewrite(t, org, func(content []byte) {
		end := bytes.Index(content, argument[len(argument)-64:]) // what is before that is in many
		copy(content[end-4<<10:end], bytes.Repeat([]byte{0xff}, 4<<10))
	}); err != nil {
		if !strings.Contains(err.Error(), "ended by itself") {
			t.Error(err)
		}
		return
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		r, err := w.as(org).Audit(w.ctx, audit.Options{})
		code := ledger.Code(err)
		if code == channel.CodeIncomplete && strings.Contains(err.Error(), "did not deliver block") {
			return
		}
		if code != fabric.CodeUnreachable {
			t.Fatalf("of a block that cannot be read: %+v, %v; want %s", r, err, channel.CodeIncomplete)
		}
		if time.Now().After(deadline) {
			return // the peer is dead, and the error says so
		}
		time.Sleep(time.Second)
	}
}

// rewrite changes the block file of an organisation's peer while that is down, and tells how its start went.
func (w *world) rewrite(t *testing.T, org string, change func(content []byte)) error {
	t.Helper()
	if err := w.Stop(w.ctx, "peer1."+org); err != nil {
		t.Fatal(err)
	}
	var file string
	err := filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.Name() == "blockfile_000000" && strings.Contains(path, "peer1."+org) {
			file = path
		}
		return nil
	})
	if err != nil || file == "" {
		t.Fatalf("find the peer's blocks: %q, %v", file, err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change(content)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return w.Start(w.ctx, "peer1."+org)
}
