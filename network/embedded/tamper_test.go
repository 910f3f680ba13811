package embedded

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/statement"
)

// rewrite decodes a stored block, lets it be changed, and stores it again.
func rewrite(t *testing.T, db *pebble.DB, number uint64, change func(*ledger.Block)) {
	t.Helper()
	block, found, err := readBlock(db, number)
	if err != nil || !found {
		t.Fatalf("block %d: %v, %v", number, found, err)
	}
	change(block)
	encoded, err := formatBlock(block)
	if err != nil {
		t.Fatal(err)
	}
	set(t, db, blockKey(number), encoded)
}

func set(t *testing.T, db *pebble.DB, key, value []byte) {
	t.Helper()
	if err := db.Set(key, value, pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

// edit changes one byte of a statement of a transaction.
func edit(t *testing.T, b *ledger.Block, index uint32, i int, change func(signed []byte)) {
	t.Helper()
	tx, err := chaincode.ParseTransaction(b.Transactions[index].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	tx.Statements[i] = bytes.Clone(tx.Statements[i])
	change(tx.Statements[i])
	b.Transactions[index].Bytes = tx.Bytes()
}

func TestAuditNamesWhatWasChanged(t *testing.T) {
	lastByte := func(b []byte) { b[len(b)-1] ^= 1 }
	for _, test := range []struct {
		name      string
		change    func(*testing.T, *aStory, *pebble.DB)
		at        func(*aStory) audit.Finding // one of the findings, but for its message
		justThese []string                    // codes of all findings, in order; nil: whatever they are
	}{
		{
			"signature of a head",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.anchor.Position.Block, func(b *ledger.Block) { edit(t, b, s.anchor.Position.Index, 0, lastByte) })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.anchor.Position.Block), Kind: statement.KindHead, Code: chaincode.CodeSignature}
			},
			[]string{chaincode.CodeSignature, FindingState, audit.FindingChain},
		},
		{
			"signature of the fourth of five changes",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.changes.Position.Block, func(b *ledger.Block) { edit(t, b, s.changes.Position.Index, 3, lastByte) })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.changes.Position.Block), Statement: 3, Kind: statement.KindStatus, Code: chaincode.CodeSignature}
			},
			[]string{chaincode.CodeSignature, audit.FindingChain},
		},
		{
			"the second signature of two",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.second.Position.Block, func(b *ledger.Block) { edit(t, b, s.second.Position.Index, 1, lastByte) })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.second.Position.Block), Statement: 1, Kind: statement.KindStatus, Code: chaincode.CodeSignature}
			},
			[]string{chaincode.CodeSignature, audit.FindingChain},
		},
		{
			"payload of the third of five changes",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.changes.Position.Block, func(b *ledger.Block) {
					edit(t, b, s.changes.Position.Index, 2, func(signed []byte) {
						i := bytes.Index(signed, []byte("revoked"))
						copy(signed[i:], "revoket")
					})
				})
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.changes.Position.Block), Statement: 2, Kind: statement.KindStatus, Code: chaincode.CodeTransition}
			},
			nil,
		},
		{
			"a statement that cannot be parsed any more",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.changes.Position.Block, func(b *ledger.Block) {
					edit(t, b, s.changes.Position.Index, 4, func(signed []byte) { signed[len(signed)-66] ^= 0x20 })
				})
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.changes.Position.Block), Statement: 4, Kind: statement.KindStatus, Code: statement.CodeMalformed}
			},
			nil,
		},
		{
			"a digest under a head",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.anchor.Position.Block, func(b *ledger.Block) { lastByte(b.Transactions[s.anchor.Position.Index].Bytes) })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.anchor.Position.Block), Kind: statement.KindHead, Code: chaincode.CodeRootMismatch}
			},
			nil,
		},
		{
			"the submitter",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.anchor.Position.Block, func(b *ledger.Block) { b.Transactions[0].Actor = ledgertest.Marriages })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.anchor.Position.Block), Kind: statement.KindHead, Code: chaincode.CodeWrongOrganisation}
			},
			nil,
		},
		{
			"a transaction twice",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, s.anchor.Position.Block, func(b *ledger.Block) { b.Transactions = append(b.Transactions, b.Transactions[0]) })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.anchor.Position.Block), Transaction: 1, Statement: -1, Code: audit.FindingNoEffect}
			},
			[]string{audit.FindingNoEffect, audit.FindingChain},
		},
		{
			"more than the genesis in block 0",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				rewrite(t, db, 0, func(b *ledger.Block) { b.Transactions = append(b.Transactions, b.Transactions[0]) })
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Transaction: -1, Statement: -1, Code: FindingGenesis}
			},
			nil,
		},
		{
			"encoding of a block",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				b, err := get(db, blockKey(s.anchor.Position.Block))
				if err != nil {
					t.Fatal(err)
				}
				set(t, db, blockKey(s.anchor.Position.Block), append(b, 0))
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.anchor.Position.Block), Transaction: -1, Statement: -1, Code: CodeCorrupt}
			},
			nil,
		},
		{
			"a block taken away",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				if err := db.Delete(blockKey(s.second.Position.Block), pebble.Sync); err != nil {
					t.Fatal(err)
				}
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.second.Position.Block), Transaction: -1, Statement: -1, Code: audit.FindingMissing}
			},
			nil,
		},
		{
			"the last block taken away",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				if err := db.Delete(blockKey(s.head.Height-1), pebble.Sync); err != nil {
					t.Fatal(err)
				}
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.head.Height) - 2, Transaction: -1, Statement: -1, Code: FindingHead}
			},
			nil,
		},
		{
			"the stored head",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				set(t, db, []byte(headKey), formatHead(ledger.Head{Height: s.head.Height}))
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.head.Height) - 1, Transaction: -1, Statement: -1, Code: FindingHead}
			},
			[]string{FindingHead},
		},
		{
			"a value of the state",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				key := stateKey(chaincode.AnchorStateKey(s.batch.Issuer, s.batch.Root()))
				value, err := get(db, key)
				if err != nil {
					t.Fatal(err)
				}
				lastByte(value)
				set(t, db, key, value)
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.anchor.Position.Block), Statement: -1, Code: FindingState,
					StateKey: chaincode.AnchorStateKey(s.batch.Issuer, s.batch.Root())}
			},
			[]string{FindingState},
		},
		{
			"a status taken away",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				key := stateKey(chaincode.StatusStateKey(s.batch.Issuer, s.batch.Digests[2], "property"))
				if err := db.Delete(key, pebble.Sync); err != nil {
					t.Fatal(err)
				}
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.changes.Position.Block), Statement: -1, Code: FindingState,
					StateKey: chaincode.StatusStateKey(s.batch.Issuer, s.batch.Digests[2], "property")}
			},
			[]string{FindingState},
		},
		{
			"the former value of a status",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				key := historyKey(chaincode.StatusStateKey(s.batch.Issuer, s.batch.Digests[0], "property"), s.changes.Position)
				value, err := get(db, key)
				if err != nil || value == nil {
					t.Fatalf("no former value: %v", err)
				}
				lastByte(value)
				set(t, db, key, value)
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: int64(s.changes.Position.Block), Statement: -1, Code: FindingState,
					StateKey: chaincode.StatusStateKey(s.batch.Issuer, s.batch.Digests[0], "property")}
			},
			[]string{FindingState},
		},
		{
			"a key slipped in",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				set(t, db, stateKey("key/slipped-in"), version{ledger.Position{Block: 3}, []byte("value")}.bytes())
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: 3, Statement: -1, Code: FindingState, StateKey: "key/slipped-in"}
			},
			[]string{FindingState},
		},
		{
			"a key of no space",
			func(t *testing.T, s *aStory, db *pebble.DB) {
				set(t, db, []byte("aside"), nil)
				set(t, db, []byte("meta/aside"), nil)
				set(t, db, []byte("zzz"), nil)
				set(t, db, []byte("block/aside"), nil)
			},
			func(s *aStory) audit.Finding {
				return audit.Finding{Block: -1, Transaction: -1, Statement: -1, Code: FindingState, StateKey: "aside"}
			},
			[]string{FindingState, FindingState, FindingState, FindingState},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStory(t)
			s.tamper(t, func(db *pebble.DB) { test.change(t, s, db) })
			r := s.audit(t, audit.Options{})
			want := test.at(s)
			found := false
			var codes []string
			for _, f := range r.Findings {
				if f.Message == "" || !strings.Contains(f.String(), f.Code) {
					t.Errorf("a finding says too little: %s", f)
				}
				codes = append(codes, f.Code)
				f.Message = ""
				found = found || f == want
			}
			if !found {
				t.Errorf("findings %v\nwant among them %+v", r.Findings, want)
			}
			if test.justThese != nil && fmt.Sprint(codes) != fmt.Sprint(test.justThese) {
				t.Errorf("findings %v\nwant %v", r.Findings, test.justThese)
			}
			if r.Clean() {
				t.Error("the report is clean")
			}
		})
	}
}
