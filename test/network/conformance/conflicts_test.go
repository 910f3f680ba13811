//go:build network

package conformance

import (
	"sync"
	"testing"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
)

// conflicts submits at once what reads and writes the same keys, until peers have found transactions
// invalid for that. Nobody is told: each caller gets the answer that it would have got alone, a
// moment later.
func conflicts(t *testing.T, n *network) {
	const clients = 12
	connections := make([]ledger.Ledger, clients)
	for i := range connections {
		connections[i] = open(t, n.Config(ledgertest.Marriages))
	}
	from, err := connections[0].Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		b := n.city.Digests(t, "marriage", 2, nil, nil)
		answers := atOnce(t, connections, func(int) *chaincode.Transaction { return b.Tx })
		if answers["written"] != 1 || answers["existing"] != clients-1 {
			t.Errorf("round %d, one anchor: %v", round, answers)
		}
		answers = atOnce(t, connections, func(i int) *chaincode.Transaction {
			change := b.Change(0, licence.Suspended)
			change.SignedAt += uint64(i)
			return ledgertest.Sign(t, change, b.Department.Status)
		})
		if answers["written"] != 1 || answers[chaincode.CodeSequence] != clients-1 {
			t.Errorf("round %d, first changes of one licence: %v", round, answers)
		}
	}
	invalid := invalidated(t, n, from.Height)
	t.Logf("found invalid by the peers: %v", invalid)
	if invalid[peer.TxValidationCode_MVCC_READ_CONFLICT] == 0 {
		t.Errorf("no transaction met with a conflict, so that nothing was tried: %v", invalid)
	}
	for code := range invalid {
		if code != peer.TxValidationCode_MVCC_READ_CONFLICT && code != peer.TxValidationCode_PHANTOM_READ_CONFLICT {
			t.Errorf("a transaction was invalid with %v", code)
		}
	}
}

// atOnce submits one transaction on each connection and counts the answers.
func atOnce(t *testing.T, connections []ledger.Ledger, tx func(i int) *chaincode.Transaction) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[string]int{}
	start := make(chan struct{})
	for i, l := range connections {
		tx := tx(i)
		wg.Go(func() {
			<-start
			receipt, err := l.Submit(t.Context(), tx)
			answer := chaincode.Code(err)
			switch {
			case err == nil && receipt.Existing:
				answer = "existing"
			case err == nil:
				answer = "written"
			case answer == "":
				answer = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			answers[answer]++
		})
	}
	close(start)
	wg.Wait()
	return answers
}

// invalidated counts the transactions in blocks from a height on that have no effect, by the reason.
func invalidated(t *testing.T, n *network, from uint64) map[peer.TxValidationCode]int {
	t.Helper()
	l := open(t, n.Config(ledgertest.Marriages))
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[peer.TxValidationCode]int{}
	for b, err := range l.Blocks(t.Context(), from) {
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] {
			if code := peer.TxValidationCode(flag); code != peer.TxValidationCode_VALID {
				out[code]++
			}
		}
		if b.Header.Number+1 >= head.Height {
			break
		}
	}
	return out
}
