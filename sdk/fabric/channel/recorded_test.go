package channel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/blocktest"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
)

func auditRecorded(t *testing.T, blocks []*common.Block) *audit.Report {
	t.Helper()
	r, err := Audit(t.Context(), seq(blocks), uint64(len(blocks)), "credledger", "credledger", audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAuditOfRealNetwork audits what a real network has made, with everything that a network does.
func TestAuditOfRealNetwork(t *testing.T) {
	blocks := blocktest.Recorded(t)
	r := auditRecorded(t, blocks)
	if !r.Clean() {
		t.Error(r.Findings)
	}
	flags := map[peer.TxValidationCode]int{}
	for _, b := range blocks {
		for _, f := range b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] {
			flags[peer.TxValidationCode(f)]++
		}
	}
	t.Logf("%d blocks, %d transactions of the ledger, flags %v", r.Blocks, r.Transactions, flags)
	if r.Transactions < 20 || flags[peer.TxValidationCode_MVCC_READ_CONFLICT] == 0 {
		t.Error("the network has done too little")
	}
}

// TestAuditOfDamage flips single bits of what a real peer has stored. Each flip is found, but for
// those in metadata that nothing follows from any more.
func TestAuditOfDamage(t *testing.T) {
	const number = 100
	rng := rand.New(rand.NewPCG(7, 8))
	blocks := blocktest.Recorded(t)[:12]
	for range number {
		i := rng.IntN(len(blocks))
		encoded, err := proto.Marshal(blocks[i])
		if err != nil {
			t.Fatal(err)
		}
		at := rng.IntN(8 * len(encoded))
		encoded[at/8] ^= 1 << (at % 8)
		damaged := new(common.Block)
		if err := proto.Unmarshal(encoded, damaged); err != nil {
			continue // no peer can show it
		}
		all := slices.Clone(blocks)
		all[i] = damaged
		r, err := Audit(t.Context(), seq(all), uint64(len(all)), "credledger", "credledger", audit.Options{MaxFindings: 1})
		switch {
		case err != nil && ledger.Code(err) == "":
			t.Errorf("block %d, bit %d: the error has no code: %v", i, at, err)
		case err == nil && r.Clean() && !harmless(blocks[i], damaged):
			t.Errorf("block %d, bit %d was flipped, and the audit says nothing", i, at)
		}
	}
}

// harmless reports whether two blocks differ only in where the orderers once noted what they now sign.
func harmless(a, b *common.Block) bool {
	a, b = proto.Clone(a).(*common.Block), proto.Clone(b).(*common.Block)
	for _, c := range []*common.Block{a, b} {
		proto.DiscardUnknown(c)
		for _, unused := range []common.BlockMetadataIndex{common.BlockMetadataIndex_LAST_CONFIG, common.BlockMetadataIndex_ORDERER} {
			if len(c.GetMetadata().GetMetadata()) > int(unused) {
				c.Metadata.Metadata[unused] = nil
			}
		}
	}
	return proto.Equal(a, b)
}

// TestAuditOfRealFlags gives one of each sort of transactions another flag.
func TestAuditOfRealFlags(t *testing.T) {
	blocks := blocktest.Recorded(t)
	tried := map[string]bool{}
	for number, b := range blocks {
		flags := b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
		for i, was := range flags {
			entries, err := block.Entries(b)
			if err != nil {
				t.Fatal(err)
			}
			e, err := block.ParseEnvelope(&entries[i])
			if err != nil {
				t.Fatal(err)
			}
			if common.HeaderType(e.Channel.Type) != common.HeaderType_ENDORSER_TRANSACTION {
				continue
			}
			call, err := block.ParseCall(e)
			if err != nil {
				t.Fatal(err)
			}
			sort := fmt.Sprintf("%s %d", call.Args[0], was)
			if tried[sort] || string(call.Args[0]) == "Query" { // which changes nothing
				continue
			}
			tried[sort] = true
			flags[i] = byte(peer.TxValidationCode_VALID)
			want := FindingConflict
			if peer.TxValidationCode(was) == peer.TxValidationCode_VALID {
				flags[i], want = byte(peer.TxValidationCode_MVCC_READ_CONFLICT), FindingFlag
			}
			r := auditRecorded(t, blocks[:number+1])
			flags[i] = was
			if len(r.Findings) != 2 || r.Findings[0].Code != want || r.Findings[0].Transaction != i || r.Findings[1].Code != FindingCommit {
				t.Errorf("transaction %d of block %d: %v, want %s", i, number, r.Findings, want)
			}
		}
	}
	if len(tried) != 4 { // approvals, definitions, submissions in time and too late
		t.Errorf("tried %v", tried)
	}
}

func TestAuditOfCommitHashes(t *testing.T) {
	for name, change := range map[string]func(*common.Metadata){
		"another": func(m *common.Metadata) { m.Value[0] ^= 1 },
		"none":    func(m *common.Metadata) { m.Value = nil },
	} {
		for _, number := range []int{1, 5} {
			blocks := blocktest.Recorded(t)[:8]
			metadata, m := blocks[number].Metadata.Metadata, new(common.Metadata)
			if err := proto.Unmarshal(metadata[common.BlockMetadataIndex_COMMIT_HASH], m); err != nil {
				t.Fatal(err)
			}
			change(m)
			metadata[common.BlockMetadataIndex_COMMIT_HASH], _ = proto.Marshal(m)
			// The block after it goes on from the true one.
			if r := auditRecorded(t, blocks); len(r.Findings) == 0 || r.Findings[0].Code != FindingCommit || r.Findings[0].Block < int64(number) {
				t.Errorf("%s in block %d: %v", name, number, r.Findings)
			}
		}
	}
	// A peer that keeps none.
	blocks := blocktest.Recorded(t)
	for _, b := range blocks {
		b.Metadata.Metadata[common.BlockMetadataIndex_COMMIT_HASH] = nil
	}
	if r := auditRecorded(t, blocks); !r.Clean() {
		t.Error(r.Findings)
	}
}
