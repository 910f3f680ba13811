package load

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
)

// after edits the transactions of the block at some height, in which something of the load stands.
func after(height uint64, edit func(b *ledger.Block)) func(*ledger.Block) *ledger.Block {
	return func(b *ledger.Block) *ledger.Block {
		if b.Number == height {
			edit(b)
		}
		return b
	}
}

// TestCopies: every way in which a copy can differ from what was acknowledged is found.
func TestCopies(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	l := w.start(t)
	await(t, l, 100)
	r := stop(t, l)
	var at uint64 // of an acknowledged anchor
	for _, e := range r.Entries {
		if e.Outcome == Written && e.Kind == Single {
			at = e.Receipt.Position.Block
		}
	}
	for _, test := range []struct {
		name string
		edit func(*ledger.Block) *ledger.Block
		want []string
	}{
		{"a transaction is missing", after(at, func(b *ledger.Block) { b.Transactions = nil }), []string{FindingMissing}},
		{"other bytes", after(at, func(b *ledger.Block) {
			other := w.city.Digests(t, "marriage", 1, nil, nil)
			b.Transactions[0].Bytes = other.Tx.Bytes()
		}), []string{FindingMissing}},
		{"another index", after(at, func(b *ledger.Block) { b.Transactions[0].Index += 7 }), []string{FindingMoved}},
		{"another name", after(at, func(b *ledger.Block) { b.Transactions[0].ID = "x" }), []string{FindingMoved}},
		{"another actor", after(at, func(b *ledger.Block) { b.Transactions[0].Actor = ledgertest.Authority }), []string{FindingMoved}},
		{"twice", after(at, func(b *ledger.Block) {
			b.Transactions = append(b.Transactions, b.Transactions[0])
		}), []string{FindingTwice}},
		{"another hash", after(at, func(b *ledger.Block) { b.Hash = sm.Hash{1} }), []string{FindingFork}},
		{"no transaction", after(at, func(b *ledger.Block) { b.Transactions[0].Bytes = []byte("x") }), []string{FindingMissing, FindingUnreadable}},
		{"out of order", after(at, func(b *ledger.Block) { b.Number++ }), []string{FindingBehind}},
		{"behind", func(b *ledger.Block) *ledger.Block {
			if b.Number >= at {
				return nil
			}
			return b
		}, []string{FindingBehind, FindingMissing}},
	} {
		t.Run(test.name, func(t *testing.T) {
			patience := time.Minute
			if slices.Contains(test.want, FindingBehind) {
				patience = 5 * time.Second // which it will take
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			codes := map[string]bool{}
			good := w.store.As(ledgertest.Authority)
			for _, f := range r.Check(ctx, Peer{"first", good}, Peer{"second", edited{good, test.edit}}) {
				if f.Peer != "second" {
					t.Errorf("%v", f)
				}
				codes[f.Code] = true
			}
			for _, code := range test.want {
				if !codes[code] {
					t.Errorf("not found: %s, only %v", code, codes)
				}
			}
		})
	}
}

// TestTwiceSigned: the same licences anchored under another signature are found, whoever did it.
func TestTwiceSigned(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	b := w.city.Digests(t, "marriage", 2, nil, nil)
	first := ledgertest.Submit(t, w.store.As(b.Issuer), b.Tx)
	again := ledgertest.Sign(t, b.Head, b.Department.Anchor)
	again.Digests = b.Tx.Digests
	chain := edited{w.store.As(b.Issuer), after(first.Position.Block, func(b *ledger.Block) {
		b.Transactions = append(b.Transactions, ledger.Transaction{ID: "x", Index: 9, Actor: ledgertest.Marriages, Bytes: again.Bytes()})
	})}
	findings := new(Record).Check(t.Context(), Peer{"peer", chain})
	if len(findings) != 1 || findings[0].Code != FindingTwice {
		t.Errorf("%v", findings)
	}
}

// TestAnswers: every way in which the answers can be wrong is found.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		disturb func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error)
		want    string
	}{
		{"acknowledged, not submitted", func(context.Context, ledger.Ledger, *chaincode.Transaction) (ledger.Receipt, error) {
			return ledger.Receipt{Position: ledger.Position{Block: 1}, TxID: "x"}, nil
		}, FindingMissing},
		{"acknowledged as existing, not submitted", func(context.Context, ledger.Ledger, *chaincode.Transaction) (ledger.Receipt, error) {
			return ledger.Receipt{Existing: true}, nil
		}, FindingDenied},
		{"submitted, and denied", func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error) {
			receipt, err := l.Submit(ctx, tx)
			if err == nil && !receipt.Existing {
				return ledger.Receipt{}, notSubmitted()
			}
			return receipt, err
		}, FindingDenied},
		{"submitted, and refused", func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error) {
			if _, err := l.Submit(ctx, tx); err != nil {
				return ledger.Receipt{}, err
			}
			return ledger.Receipt{}, &chaincode.Error{Code: chaincode.CodeSignature, Message: "a lie"}
		}, FindingUnwanted},
		{"refused", func(context.Context, ledger.Ledger, *chaincode.Transaction) (ledger.Receipt, error) {
			return ledger.Receipt{}, &chaincode.Error{Code: chaincode.CodeSequence, Message: "a lie"}
		}, FindingRefused},
		{"no code", func(context.Context, ledger.Ledger, *chaincode.Transaction) (ledger.Receipt, error) {
			return ledger.Receipt{}, errors.New("something went wrong")
		}, FindingUncoded},
		{"another place", func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error) {
			receipt, err := l.Submit(ctx, tx)
			receipt.Position.Index++
			return receipt, err
		}, FindingMoved},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			var submitted atomic.Int32
			w.disturb = func(ctx context.Context, l ledger.Ledger, tx *chaincode.Transaction) (ledger.Receipt, error) {
				receipt, err := test.disturb(ctx, l, tx)
				submitted.Add(1)
				return receipt, err
			}
			l := w.start(t)
			until(t, "some are submitted", func() bool { return submitted.Load() >= 10 })
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // some are never settled
			defer cancel()
			findings := w.check(t, l.Stop(ctx))
			if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == test.want }) {
				t.Errorf("not found: %s, only %v", test.want, findings)
			}
		})
	}
}
