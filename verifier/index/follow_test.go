package index_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// history gives a town some of everything, and calls between at every step.
func (w *town) history(between func()) {
	w.Helper()
	b := w.anchor("marriage", 6)
	w.beat()
	between()
	change := b.Change(0, suspended)
	w.change(b, change, b.Change(1, revoked))
	between()
	p := w.anchor("property", 2)
	seize := p.Restrict(0)
	w.restrict(p, seize)
	w.consent(p.Department, sm.Sum([]byte("a grant")), statement.ConsentGive)
	w.consent(p.Department, sm.Sum([]byte("a binding")), statement.ConsentWithdraw)
	w.beat()
	between()
	supersede, place := b.Change(3, superseded), b.Place(4)
	supersede.Successor = &place
	w.change(b, ledgertest.After(w.T, change, active), supersede)
	w.change(b, b.ChangeAll(suspended))
	between()
	w.restrict(p, ledgertest.AfterRestriction(w.T, seize, statement.RestrictionLift))
	d := p.Department
	w.submit(d.ID, ledgertest.Sign(w.T, w.city.EndKey(d.ID, d.Anchor, statement.KeyCompromise, p.Root()), d.Govern))
	w.beat()
	between()
}

// TestRestart: an index that is closed and opened again after every step says the same as one that
// was never closed, and as one that reads everything at the end.
func TestRestart(t *testing.T) {
	w := newTown(t)
	steady, dir := w.index(), t.TempDir()
	var before ledger.Head
	w.history(func() {
		x, err := index.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if x.Head() != before {
			t.Errorf("after a restart the head is %v, want %v", x.Head(), before)
		}
		stop := follow(t, x, w.as(ledgertest.Authority))
		wait(t, x, w.height())
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("follow ended with %v", err)
		}
		before = x.Head()
		wait(t, steady, w.height())
		w.sameView(x, steady)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		again := openIndex(t, dir)
		w.sameView(again, steady) // before it follows anything
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	})
	w.sameView(w.index(), steady)
}

func TestOtherLedger(t *testing.T) {
	w, dir := newTown(t), t.TempDir()
	x := openIndex(t, dir)
	stop := follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	_ = stop()

	other := newTown(t)
	err := x.Follow(t.Context(), other.as(ledgertest.Authority))
	if code(err) != index.CodeOtherLedger || x.Ledger() != w.city.ID {
		t.Errorf("follow another ledger: %v; the index is of %s", err, x.Ledger())
	}
	if err := x.WaitFor(t.Context(), 1); code(err) != index.CodeOtherLedger {
		t.Errorf("wait: %v", err)
	}
}

// TestRewrittenPast: a ledger of the same genesis that has another past.
func TestRewrittenPast(t *testing.T) {
	w := newTown(t)
	x := openIndex(t, t.TempDir())
	stop := follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	_ = stop()
	head := x.Head()

	again := newTownOf(t, w.city) // the same statements, with other signatures
	for again.height() < head.Height {
		again.beat()
	}
	d := discrepancy(t, x.Follow(t.Context(), again.as(ledgertest.Authority)))
	if d.Code != index.CodeRewritten || d.Block != head.Height-1 || x.Discrepancy() != d || x.Head() != head {
		t.Errorf("discrepancy %v, head %v", d, x.Head())
	}

	// With the ledger that it knows it goes on.
	follow(t, x, w.as(ledgertest.Authority))
	w.beat()
	wait(t, x, w.height())
	if x.Discrepancy() != nil {
		t.Errorf("the discrepancy stays: %v", x.Discrepancy())
	}
}

// A liar is a ledger that changes what a real one commits: no real one can be made to.
type liar struct {
	ledger.Ledger
	lie func(*ledger.Block)
}

func (l liar) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for b, err := range l.Ledger.Follow(ctx, from) {
			if err == nil {
				told := *b
				told.Transactions = append([]ledger.Transaction(nil), b.Transactions...)
				l.lie(&told)
				b = &told
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// TestDiscrepancy: a ledger that lies about one block is caught at that block, nothing of which is
// believed, and an honest one is followed on from there.
func TestDiscrepancy(t *testing.T) {
	resign := func(change func(*chaincode.Transaction)) func(*ledger.Block) {
		return func(b *ledger.Block) {
			tx, err := chaincode.ParseTransaction(b.Transactions[0].Bytes)
			if err != nil {
				panic(err)
			}
			change(tx)
			b.Transactions[0].Bytes = tx.Bytes()
		}
	}
	for _, test := range []struct {
		name string
		lie  func(*ledger.Block) // about the block of an anchor
		code string
		rule string
	}{
		{"signature", resign(func(tx *chaincode.Transaction) { s := tx.Statements[0]; s[len(s)-1] ^= 1 }),
			index.CodeRuleBroken, chaincode.CodeSignature},
		{"digest", resign(func(tx *chaincode.Transaction) { tx.Digests[0] ^= 1 }), index.CodeRuleBroken, chaincode.CodeRootMismatch},
		{"actor", func(b *ledger.Block) { b.Transactions[0].Actor = ledgertest.Properties }, index.CodeRuleBroken, chaincode.CodeWrongOrganisation},
		{"statement", resign(func(tx *chaincode.Transaction) { tx.Statements[0] = []byte{0} }), index.CodeRuleBroken, "statement-malformed"},
		{"transaction", func(b *ledger.Block) { b.Transactions[0].Bytes = b.Transactions[0].Bytes[1:] }, index.CodeTransaction, chaincode.CodeMalformed},
		{"index", func(b *ledger.Block) { b.Transactions = append(b.Transactions, b.Transactions[0]) }, index.CodeTransaction, ""},
		{"number", func(b *ledger.Block) { b.Number++ }, index.CodeBlockOrder, ""},
		{"previous", func(b *ledger.Block) { b.Previous[0]++ }, index.CodeChainBroken, ""},
		{"hash", nil, index.CodeChainBroken, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTown(t)
			w.beat()
			height := w.height()
			b := w.anchor("marriage", 3)
			w.beat()
			at := height // the block that is lied about
			lie := test.lie
			if lie == nil { // the lie shows in the block after it
				lie = func(b *ledger.Block) { b.Hash[0]++ }
				at++
			}
			x := openIndex(t, "")
			d := discrepancy(t, x.Follow(t.Context(), liar{w.as(ledgertest.Authority), func(b *ledger.Block) {
				if b.Number == height {
					lie(b)
				}
			}}))
			if d.Code != test.code || chaincode.Code(d.Err) != test.rule || x.Discrepancy() != d {
				t.Errorf("discrepancy %v", d)
			}
			if d.Block != at && test.name != "number" || x.Head().Height != at {
				t.Errorf("discrepancy in block %d, the index at %d, want %d", d.Block, x.Head().Height, at)
			}
			if test.rule != "" && d.TransactionID == "" {
				t.Error("the transaction is not named")
			}
			if err := x.WaitFor(t.Context(), at); discrepancy(t, err) != d {
				t.Errorf("wait: %v", err)
			}
			if test.name == "hash" {
				return // the index believed the hash; only another index can tell
			}

			// What it was told of the licence is not believed, nor held against it, and it grows old.
			r := verify.Request{Parsed: w.show(b, 0), Now: w.now()}
			expect(t, verify.Verify(x, r), verify.Undetermined, reasons{verify.AxisAnchor: verify.ReasonNewerThanView})
			r.Now = w.now().Add(48 * time.Hour)
			expect(t, verify.Verify(x, r), verify.Undetermined, reasons{verify.AxisFreshness: verify.ReasonStale})

			follow(t, x, w.as(ledgertest.Authority))
			expect(t, w.verdict(x, b, 0), verify.Valid, nil)
			w.sameView(w.index(), x)
		})
	}
}

// TestStaleAfterDiscrepancy: an index that stopped believing its ledger answers from what it had,
// until that is too old to say anything.
func TestStaleAfterDiscrepancy(t *testing.T) {
	w := newTown(t)
	b := w.anchor("marriage", 3)
	w.beat()
	height := w.height()
	w.beat()
	x := openIndex(t, "")
	discrepancy(t, x.Follow(t.Context(), liar{w.as(ledgertest.Authority), func(b *ledger.Block) {
		if b.Number >= height {
			b.Transactions[0].Actor = ledgertest.Marriages
		}
	}}))
	r := verify.Request{Parsed: w.show(b, 0), Now: w.now()}
	expect(t, verify.Verify(x, r), verify.Valid, nil)
	r.Now = w.now().Add(w.city.Type(t, "marriage").MaxStatusAge)
	expect(t, verify.Verify(x, r), verify.Undetermined, reasons{verify.AxisFreshness: verify.ReasonStale})
}

// TestFollowEnds: one Follow at a time, that ends with its context, its ledger or the index.
func TestFollowEnds(t *testing.T) {
	w := newTown(t)
	x := openIndex(t, "")
	stop := follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	if err := x.Follow(t.Context(), w.as(ledgertest.Authority)); code(err) != index.CodeFollowing {
		t.Errorf("a second follow: %v", err)
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("follow ended with %v", err)
	}
	if err := x.WaitFor(t.Context(), 1<<40); !errors.Is(err, context.Canceled) {
		t.Errorf("wait after that: %v", err)
	}

	connection := w.as(ledgertest.Authority)
	stop = follow(t, x, connection)
	wait(t, x, w.height())
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := x.WaitFor(ctx, 1<<40); ledger.Code(err) != ledger.CodeClosed {
		t.Errorf("wait for a closed ledger: %v", err)
	}
	_ = stop()

	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	follow(t, openIndex(t, ""), w.as(ledgertest.Authority))
	if err := openIndex(t, "").WaitFor(short, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait for nothing: %v", err)
	}

	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Follow(t.Context(), w.as(ledgertest.Authority)); code(err) != index.CodeClosed {
		t.Errorf("follow after close: %v", err)
	}
	if err := x.WaitFor(t.Context(), 1); code(err) != index.CodeClosed {
		t.Errorf("wait after close: %v", err)
	}
}

// TestReadersAndWriter: verdicts are given while blocks are applied, and only ever move forward.
func TestReadersAndWriter(t *testing.T) {
	w := newTown(t)
	w.beat()
	b := w.anchor("marriage", 8)
	x := w.index()
	done := make(chan struct{})
	var readers sync.WaitGroup
	presentations := make([]verify.Request, len(b.Digests))
	for i := range presentations {
		presentations[i] = verify.Request{Parsed: w.show(b, i), Now: w.now()}
	}
	for range 4 {
		readers.Go(func() {
			gone := map[int]bool{}
			height := uint64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				i := rand.IntN(len(presentations))
				v := verify.Verify(x, presentations[i])
				switch {
				case v.Known.Height < height:
					t.Errorf("the view went back from %d to %d", height, v.Known.Height)
				case v.Outcome == verify.NotCurrent:
					gone[i] = true
				case v.Outcome != verify.Valid || gone[i]:
					t.Errorf("licence %d is %s, %v", i, v.Outcome, v.Reasons())
				}
				height = v.Known.Height
			}
		})
	}
	for i := range b.Digests {
		w.change(b, b.Change(i, revoked))
		w.anchor("property", 1)
	}
	wait(t, x, w.height())
	close(done)
	readers.Wait()
}

// TestDirectory: what an index says of a directory that it cannot use.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	x := openIndex(t, dir)
	if _, err := index.Open(dir); code(err) != index.CodeInUse {
		t.Errorf("open twice: %v", err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Errorf("close twice: %v", err)
	}
	if again, err := index.Open(dir); err != nil {
		t.Errorf("open after close: %v", err)
	} else if err := again.Close(); err != nil {
		t.Error(err)
	}
	// A ledger's own directory is no index.
	city := ledgertest.NewCity(t, "a ledger")
	other := t.TempDir()
	store, err := embedded.Create(other, city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := index.Open(other); code(err) != index.CodeDamaged {
		t.Errorf("open a ledger as an index: %v", err)
	}
}

// TestOtherVersion: an index of an older version is made again from the ledger; one of a newer is not touched.
func TestOtherVersion(t *testing.T) {
	w := newTown(t)
	d := w.city.Department(t, ledgertest.Marriages)
	w.checkpoint(d, "log", 10)
	dir := t.TempDir()
	x := openIndex(t, dir)
	stop := follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	_ = stop() // why it ended is that it was stopped
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	version := func(change int) {
		t.Helper()
		db, err := pebble.Open(dir, &pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		meta, closer, err := db.Get([]byte("m"))
		if err != nil {
			t.Fatal(err)
		}
		b := append([]byte{meta[0] + byte(change)}, meta[1:]...)
		if err := errors.Join(closer.Close(), db.Set([]byte("m"), b, pebble.Sync), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	version(1)
	if _, err := index.Open(dir); code(err) != index.CodeDamaged {
		t.Errorf("an index of a newer version: %v", err)
	}
	version(-2)
	x = openIndex(t, dir)
	if _, ok, err := x.Checkpoint(d.ID, "log", 10); x.Head().Height != 0 || ok || err != nil {
		t.Errorf("an index of an older version is used: %d, %v, %v", x.Head().Height, ok, err)
	}
	follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	if c, ok, err := x.Checkpoint(d.ID, "log", 10); err != nil || !ok || c.Root != logRoot("log", 10) {
		t.Errorf("made again: %+v, %v, %v", c, ok, err)
	}
}
