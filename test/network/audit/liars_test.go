//go:build network

package audit

import (
	"errors"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/verifier/index"
)

// chaincodes is where the chaincodes are that the real one is not.
const chaincodes = "github.com/credledger/credledger/test/chaincodes/"

// TestLyingChaincode has every peer run a chaincode without rules. What it commits is found out by
// the verifier's index, at the first lie, and by the audit, each lie at its place.
func TestLyingChaincode(t *testing.T) {
	programs := map[string]string{}
	for _, org := range fabrictest.Organisations {
		programs[org] = fabrictest.Program(t, chaincodes+"liar")
	}
	w := newWorld(t, fabrictest.Options{Chaincode: programs})
	w.city.Found(t, w.Connect)
	honest := w.city.Digests(t, "property", 4, nil, nil)
	last := ledgertest.Submit(t, w.as(honest.Issuer), honest.Tx).Position
	if r := w.audit(ledgertest.Authority, audit.Options{}); !r.Clean() {
		t.Fatalf("nobody has lied yet: %v", r.Findings)
	}
	x, err := index.Open("")
	if err != nil {
		t.Fatal(err)
	}
	followed := make(chan error, 1)
	go func() { followed <- x.Follow(w.ctx, w.as(ledgertest.Businesses)) }()
	if err := x.WaitFor(w.ctx, last.Block+1); err != nil {
		t.Fatal(err)
	}

	// Signed by another department's key, and submitted by that.
	intruder := w.city.Department(t, ledgertest.Marriages)
	forged := w.city.Digests(t, "property", 4, nil, intruder.Anchor)
	first := ledgertest.Submit(t, w.as(intruder.ID), forged.Tx).Position
	// Signed by nobody.
	unsigned := w.city.Digests(t, "property", 4, nil, nil)
	signed := unsigned.Tx.Statements[0]
	signed[len(signed)-1] ^= 1
	second := ledgertest.Submit(t, w.as(unsigned.Issuer), unsigned.Tx).Position

	select {
	case err := <-followed:
		var d *index.Discrepancy
		if !errors.As(err, &d) || d.Block != first.Block || d.Index != first.Index || chaincode.Code(d) != chaincode.CodeWrongOrganisation {
			t.Errorf("the index: %v, want a discrepancy at %v", err, first)
		}
	case <-time.After(patience):
		t.Error("the index has noticed nothing")
	}
	for _, org := range []string{ledgertest.Authority, ledgertest.Businesses} {
		var r *audit.Report
		for r == nil || r.Blocks <= second.Block {
			r = w.audit(org, audit.Options{})
		}
		want := []audit.Finding{
			{Block: int64(first.Block), Transaction: int(first.Index), Kind: statement.KindHead, Code: chaincode.CodeWrongOrganisation},
			{Block: int64(second.Block), Transaction: int(second.Index), Kind: statement.KindHead, Code: chaincode.CodeSignature},
		}
		if len(r.Findings) != len(want) || r.Incomplete {
			t.Fatalf("at %s: findings %v", org, r.Findings)
		}
		for i, f := range r.Findings {
			if f.Message = ""; f != want[i] {
				t.Errorf("at %s: finding %+v, want %+v", org, f, want[i])
			}
		}
	}
}

// TestDifferingChaincode has one organisation's peer run a chaincode that differs. What it endorses
// together with others is refused before it is ordered; only where the client happened to ask a
// majority without it is something committed.
func TestDifferingChaincode(t *testing.T) {
	const different = ledgertest.Marriages
	w := newWorld(t, fabrictest.Options{Chaincode: map[string]string{different: fabrictest.Program(t, chaincodes+"other")}})
	accepted, refused := 0, 0
	for _, s := range w.city.Admit(t, w.city.Department(t, different)) {
		receipt, err := w.as(s.Actor).Submit(w.ctx, s.Tx)
		switch {
		case err == nil && !receipt.Existing:
			accepted++
		case ledger.Code(err) == fabric.CodeDiffer:
			refused++
		default:
			t.Fatalf("submit as %s: %+v, %v", s.Actor, receipt, err)
		}
	}
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused", accepted, refused)
	}
	for _, org := range []string{ledgertest.Authority, different} {
		var r *audit.Report
		for r == nil || r.Transactions < uint64(accepted)+1 {
			r = w.audit(org, audit.Options{})
		}
		if !r.Clean() || r.Transactions != uint64(accepted)+1 { // nothing with the key that differs
			t.Errorf("at %s: %d transactions, findings %v", org, r.Transactions, r.Findings)
		}
	}
}
