package channel

import (
	"bytes"
	"slices"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"

	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/blocktest"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
)

// configurations returns those of the recorded network.
func configurations(tb testing.TB) []*common.ConfigEnvelope {
	tb.Helper()
	var all []*common.ConfigEnvelope
	for _, b := range blocktest.Recorded(tb) {
		entries, err := block.Entries(b)
		if err != nil {
			tb.Fatal(err)
		}
		if e := configIn(entries); e != nil {
			c := new(common.ConfigEnvelope)
			if err := proto.Unmarshal(e.Data, c); err != nil {
				tb.Fatal(err)
			}
			all = append(all, c)
		}
	}
	return all
}

// FuzzConfig reads any bytes as a configuration, and as one that follows.
func FuzzConfig(f *testing.F) {
	all := configurations(f)
	first, err := newConfig("credledger", all[0].Config)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		encoded, err := proto.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded)
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		e := new(common.ConfigEnvelope)
		if err := proto.Unmarshal(encoded, e); err != nil {
			return
		}
		if c, err := newConfig("credledger", e.Config); err == nil {
			c.identity(encoded)
		}
		if next, err := first.update(e); err == nil && next.sequence != first.sequence+1 {
			t.Errorf("the number %d follows %d", next.sequence, first.sequence)
		}
	})
}

// FuzzAudit audits a recorded channel with any bytes in the place of a block.
func FuzzAudit(f *testing.F) {
	blocks := blocktest.Recorded(f)
	for i, b := range blocks[:10] {
		encoded, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, byte(i))
	}
	f.Fuzz(func(t *testing.T, encoded []byte, at byte) {
		b, i := new(common.Block), int(at)%8
		if err := proto.Unmarshal(encoded, b); err != nil {
			return
		}
		all := append(blocks[:i:i], b)
		r, err := Audit(t.Context(), seq(all), uint64(len(all)), "credledger", "credledger", audit.Options{})
		switch {
		case err != nil && ledger.Code(err) == "":
			t.Errorf("the error has no code: %v", err)
		case err == nil && r.Clean() && !same(b, blocks[i]):
			t.Error("the audit says nothing")
		}
	})
}

// same reports whether two blocks are the same but for the proof that they are.
func same(a, b *common.Block) bool {
	flags := func(b *common.Block) []byte {
		return b.GetMetadata().GetMetadata()[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
	}
	return block.HeaderHash(a.GetHeader()) == block.HeaderHash(b.GetHeader()) &&
		slices.EqualFunc(a.GetData().GetData(), b.GetData().GetData(), bytes.Equal) && bytes.Equal(flags(a), flags(b))
}

func BenchmarkAudit(b *testing.B) {
	blocks := blocktest.Recorded(b)
	transactions := uint64(0)
	for b.Loop() {
		r, err := Audit(b.Context(), seq(blocks), uint64(len(blocks)), "credledger", "credledger", audit.Options{})
		if err != nil || !r.Clean() {
			b.Fatal(r, err)
		}
		transactions += r.Transactions
	}
	b.ReportMetric(float64(transactions)/b.Elapsed().Seconds(), "transactions/s")
}
