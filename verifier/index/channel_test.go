package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// link gives blocks their numbers, and hashes that depend on all before them.
func (b blocks) link(seed string) blocks {
	previous := sm.Hash{}
	for n, block := range b {
		block.Number, block.Previous = uint64(n), previous
		text := binary.BigEndian.AppendUint64([]byte(seed), block.Number)
		text = append(text, previous[:]...)
		for _, t := range block.Transactions {
			text = append(text, t.Bytes...)
		}
		previous = sm.Sum(text)
		block.Hash = previous
	}
	return b
}

// channel returns the transactions of a chain in blocks as they come from a channel of Fabric: it
// begins with its configuration, has blocks that hold nothing of the ledger's, several in a row, and
// in those that do there may be something else before and between.
func (b blocks) channel(name string) blocks {
	out := blocks{{}, {}, {}} // the configuration, the chaincode's definition
	for n, block := range b {
		copied := &ledger.Block{}
		for i, t := range block.Transactions {
			t.Index = uint32(3*i + n%3)
			t.ID = fmt.Sprintf("%064x", n*100+i)
			copied.Transactions = append(copied.Transactions, t)
		}
		out = append(out, copied)
		for range max(n%5-2, 0) {
			out = append(out, &ledger.Block{})
		}
	}
	return append(out, &ledger.Block{}, &ledger.Block{}).link(name)
}

// TestChannel: an index that stops after any block of a channel, with or without transactions, goes
// on there, and says what one that never stopped says, before and after the genesis.
func TestChannel(t *testing.T) {
	plain, batches := aLedger(t)
	chain := plain.channel(t.Name())
	want := chain.steadily(t, batches)
	if reflect.DeepEqual(want[0], want[len(chain)]) {
		t.Fatal("nothing happens on the ledger")
	}
	id, _ := genesisOf(plain[0])
	fs := vfs.NewMem()
	for n := 1; n <= len(chain); n++ {
		x, err := open(fs, "index")
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Follow(t.Context(), chain[:n]); !errors.Is(err, errNoMore) {
			t.Fatalf("follow to height %d: %v", n, err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := open(fs, "index")
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Head(); got != (ledger.Head{Height: uint64(n), Hash: chain[n-1].Hash}) {
			t.Errorf("after a restart at height %d the head is %v", n, got)
		}
		if !reflect.DeepEqual(licences(batches, again), want[n]) {
			t.Errorf("after a restart at height %d the index says other things", n)
		}
		if begun := again.Ledger() != (sm.Hash{}); begun != (n > 3) || begun && again.Ledger() != id {
			t.Errorf("at height %d the ledger is %s", n, again.Ledger())
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChannelPosition: positions are those on the channel.
func TestChannelPosition(t *testing.T) {
	plain, batches := aLedger(t)
	chain := plain.channel(t.Name())
	x, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := x.Follow(t.Context(), chain); !errors.Is(err, errNoMore) {
		t.Fatal(err)
	}
	for _, b := range batches {
		got := x.Licence(b.Issuer, b.Root(), b.Digests[0])
		want := verify.Position{}
		for _, block := range chain {
			for _, tx := range block.Transactions {
				if string(tx.Bytes) == string(b.Tx.Bytes()) {
					want = verify.Position{Block: block.Number, Index: tx.Index}
				}
			}
		}
		if got.Anchor.Position != want || want.Block == 0 {
			t.Errorf("anchored at %v, want %v", got.Anchor.Position, want)
		}
		if got.Anchor.Before.Block >= want.Block || got.Height != uint64(len(chain)-1) {
			t.Errorf("the heartbeat before block %d is in block %d; height %d", want.Block, got.Anchor.Before.Block, got.Height)
		}
	}
}

// TestRecognise: an index knows its ledger again by its first block and its newest one, whether the
// first holds the genesis or not, and whether there was a genesis yet or not.
func TestRecognise(t *testing.T) {
	plain, _ := aLedger(t)
	other, _ := aLedger(t)
	chain := plain.channel("channel")
	const before, after = 2, 20 // heights

	// The channel with another past: what is in it is the same, the blocks are not.
	rewrittenFrom := func(n int) blocks {
		out := append(blocks(nil), chain...)
		for i := n; i < len(out); i++ {
			changed := *out[i]
			changed.Hash[0] ^= 1
			if i > n {
				changed.Previous[0] ^= 1
			}
			out[i] = &changed
		}
		return out
	}
	resigned := append(blocks(nil), plain...)
	resigned[0] = resignGenesis(t, plain[0])

	for _, test := range []struct {
		name    string
		first   blocks
		heights []int
		then    blocks
		code    string // of the *Error, or of the *Discrepancy
		block   int    // of the *Discrepancy, from the end of what the index has if it is negative
	}{
		{"the same channel", chain, []int{before, after}, chain, "", 0},
		{"another channel", chain, []int{before, after}, other.channel("other channel"), CodeOtherLedger, 0},
		{"another channel with the same ledger", chain, []int{before, after}, plain.channel("other channel"), CodeOtherLedger, 0},
		{"a ledger that begins with the genesis", chain, []int{before, after}, other, CodeOtherLedger, 0},
		{"a channel, not a ledger that begins with the genesis", plain, []int{after}, chain, CodeOtherLedger, 0},
		{"another ledger", plain, []int{1, after}, other, CodeOtherLedger, 0},
		{"a past rewritten after the genesis", chain, []int{after}, rewrittenFrom(10), CodeRewritten, -1},
		{"a past rewritten before the genesis", chain, []int{before, after}, rewrittenFrom(1), CodeRewritten, -1},
		{"the genesis signed anew", plain, []int{1, after}, resigned, CodeRewritten, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, height := range test.heights {
				fs := vfs.NewMem()
				x, err := open(fs, "index")
				if err != nil {
					t.Fatal(err)
				}
				if err := x.Follow(t.Context(), test.first[:height]); !errors.Is(err, errNoMore) {
					t.Fatal(err)
				}
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
				if x, err = open(fs, "index"); err != nil {
					t.Fatal(err)
				}
				err = x.Follow(t.Context(), test.then)
				var plainly *Error
				var d *Discrepancy
				switch {
				case test.code == "":
					if !errors.Is(err, errNoMore) {
						t.Errorf("from height %d: %v", height, err)
					}
				case errors.As(err, &d):
					want := test.block
					if want < 0 {
						want += height
					}
					if d.Code != test.code || d.Block != uint64(want) {
						t.Errorf("from height %d: %v, want %s in block %d", height, err, test.code, want)
					}
				case !errors.As(err, &plainly) || plainly.Code != test.code:
					t.Errorf("from height %d: %v, want %s", height, err, test.code)
				}
				if test.code != "" && x.Head().Height != uint64(height) {
					t.Errorf("the index went on to height %d", x.Head().Height)
				}
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// resignGenesis signs a genesis again: the ledger's id is the same, its first block another.
func resignGenesis(t *testing.T, b *ledger.Block) *ledger.Block {
	t.Helper()
	tx, err := chaincode.ParseTransaction(b.Transactions[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	g, _, err := statement.ParseAs[*statement.Genesis](tx.Statements[0])
	if err != nil {
		t.Fatal(err)
	}
	signed, err := statement.Sign(g, ledgertest.NewCity(t, "keys").Authority.Govern)
	if err != nil {
		t.Fatal(err)
	}
	tx.Statements[0] = signed
	out := *b
	out.Transactions = []ledger.Transaction{b.Transactions[0]}
	out.Transactions[0].Bytes = tx.Bytes()
	return blocks{&out}.link("embedded")[0]
}

// BenchmarkEmptyBlocks follows a channel on which nothing happens.
func BenchmarkEmptyBlocks(b *testing.B) {
	const n = 100_000
	chain := make(blocks, n)
	for i := range chain {
		chain[i] = &ledger.Block{}
	}
	chain.link(b.Name())
	for b.Loop() {
		x, err := Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		if err := x.Follow(b.Context(), chain); !errors.Is(err, errNoMore) {
			b.Fatal(err)
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "blocks/s")
}
