package channel

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/blocktest"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// A lie is a story that is not what it should be.
type lie struct {
	name string
	tell func(testing.TB, *story)
	// The codes of all findings, in order; of the first one also where it is.
	codes              []string
	block, transaction int // -1: the block as a whole
	stops              bool
	key                string // of the state, of the first finding
}

const whole = -1

// try tells each lie and audits what comes of it.
func try(t *testing.T, lies func(s *story) []lie) {
	for i := range lies(newStory(t)) {
		s := newStory(t)
		l := lies(s)[i]
		t.Run(l.name, func(t *testing.T) {
			l.tell(t, s)
			r := s.audit(t, audit.Options{})
			var codes []string
			for _, f := range r.Findings {
				codes = append(codes, f.Code)
				if f.Message == "" || !strings.Contains(f.String(), f.Code) {
					t.Errorf("a finding says too little: %s", f)
				}
			}
			if fmt.Sprint(codes) != fmt.Sprint(l.codes) || r.Incomplete != l.stops {
				t.Fatalf("findings %v, incomplete %v\nwant %v, %v", r.Findings, r.Incomplete, l.codes, l.stops)
			}
			if f := r.Findings[0]; f.Block != int64(l.block) || f.Transaction != l.transaction || f.StateKey != l.key {
				t.Errorf("the first finding is %s\nwant it at block %d, transaction %d, key %q", f, l.block, l.transaction, l.key)
			}
			t.Log(r.Findings[0])
		})
	}
}

// flip changes one bit of the first occurrence of a part of some bytes.
func flip(t testing.TB, b, part []byte) {
	t.Helper()
	i := bytes.Index(b, part)
	if i < 0 {
		t.Fatal("what should be changed is not there")
	}
	b[i+len(part)/2] ^= 1
}

func TestAuditOfAlteredBlocks(t *testing.T) {
	try(t, func(s *story) []lie {
		return []lie{
			{"a bit of a transaction", func(t testing.TB, s *story) {
				flip(t, s.Blocks[s.changes].Data.Data[0], []byte("Submit"))
			}, []string{FindingCreator, block.CodeDataHash}, s.changes, 0, false, ""},
			{"a bit of a transaction, and its orderers lie", func(t testing.TB, s *story) {
				b := s.Blocks[s.after].Data.Data[0]
				b[len(b)-1] ^= 1 // of the signature
				s.Sign(s.after)
			}, []string{FindingCreator}, s.after, 0, false, ""},
			{"the header's hash of the data", func(t testing.TB, s *story) {
				s.Blocks[s.last()].Header.DataHash[0] ^= 1
			}, []string{block.CodeDataHash, FindingOrderers}, s.last(), whole, false, ""},
			{"the header's hash of the block before", func(t testing.TB, s *story) {
				s.Blocks[s.last()].Header.PreviousHash[0] ^= 1
			}, []string{audit.FindingChain, FindingOrderers}, s.last() - 1, whole, false, ""},
			{"no hash of the block before", func(t testing.TB, s *story) {
				s.Blocks[s.last()].Header.PreviousHash = nil
			}, []string{block.CodeMalformed}, s.last(), whole, true, ""},
			{"the number", func(t testing.TB, s *story) {
				s.Blocks[s.last()].Header.Number++
			}, []string{audit.FindingNumber}, s.last(), whole, true, ""},
			{"two blocks exchanged", func(t testing.TB, s *story) {
				s.Blocks[3], s.Blocks[4] = s.Blocks[4], s.Blocks[3]
			}, []string{audit.FindingNumber}, 3, whole, true, ""},
			{"no header", func(t testing.TB, s *story) { s.Blocks[3].Header = nil },
				[]string{audit.FindingNumber}, 3, whole, true, ""},
			{"no transactions", func(t testing.TB, s *story) { s.Blocks[3].Data = nil },
				[]string{block.CodeMalformed}, 3, whole, true, ""},
			{"no metadata", func(t testing.TB, s *story) { s.Blocks[3].Metadata = nil },
				[]string{block.CodeMalformed}, 3, whole, true, ""},
			{"an envelope hidden in front of another", func(t testing.TB, s *story) {
				b := s.Blocks[s.conflict]
				b.Data.Data = [][]byte{append(bytes.Clone(b.Data.Data[0]), b.Data.Data[1]...)}
				b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte{byte(peer.TxValidationCode_MVCC_READ_CONFLICT)}
			}, []string{block.CodeMalformed}, s.conflict, whole, true, ""},
			{"a transaction left out, and its orderers lie", func(t testing.TB, s *story) {
				b := s.Blocks[s.conflict]
				b.Data.Data = b.Data.Data[1:]
				b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = []byte{byte(peer.TxValidationCode_MVCC_READ_CONFLICT)}
				s.Sign(s.conflict)
			}, []string{FindingFlag}, s.conflict, 0, false, ""},
		}
	})
}

func TestAuditOfOrderersThatDidNotSign(t *testing.T) {
	resign := func(by func(s *story) []*blocktest.Identity) func(testing.TB, *story) {
		return func(t testing.TB, s *story) { s.SignBlock(s.Blocks[s.last()], uint64(s.config), by(s)...) }
	}
	signatures := func(change func(*story, *common.Metadata)) func(testing.TB, *story) {
		return func(t testing.TB, s *story) {
			list, m := s.Blocks[s.last()].Metadata.Metadata, new(common.Metadata)
			if err := proto.Unmarshal(list[0], m); err != nil {
				t.Fatal(err)
			}
			change(s, m)
			var err error
			if list[0], err = proto.Marshal(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	try(t, func(s *story) []lie {
		found := func(name string, tell func(testing.TB, *story)) lie {
			return lie{name, tell, []string{FindingOrderers}, s.last(), whole, false, ""}
		}
		return []lie{
			found("nobody", resign(func(*story) []*blocktest.Identity { return nil })),
			found("a department", resign(func(s *story) []*blocktest.Identity { return []*blocktest.Identity{s.Departments[0].Peer} })),
			found("somebody of the orderers' name", resign(func(s *story) []*blocktest.Identity {
				return []*blocktest.Identity{blocktest.NewOrganisation(t, s.Ordering[0].ID, false).Orderer}
			})),
			found("another configuration", func(t testing.TB, s *story) {
				s.SignBlock(s.Blocks[s.last()], 0, s.Ordering[0].Orderer)
			}),
			found("a signature of another block", func(t testing.TB, s *story) {
				s.Blocks[s.last()].Metadata.Metadata[0] = s.Blocks[s.last()-1].Metadata.Metadata[0]
			}),
			found("a signature's last bit", signatures(func(s *story, m *common.Metadata) {
				m.Signatures[0].Signature[len(m.Signatures[0].Signature)-1] ^= 1
			})),
			found("the signer", signatures(func(s *story, m *common.Metadata) {
				m.Signatures[0].SignatureHeader = s.Ordering[0].Orderer.Serialized()
			})),
			found("what was signed", signatures(func(s *story, m *common.Metadata) { m.Value = append(m.Value, 0x12, 0) })),
			found("a signature that is none", signatures(func(s *story, m *common.Metadata) { m.Signatures[0].Signature = []byte("signature") })),
			found("high s", signatures(func(s *story, m *common.Metadata) {
				by := s.Ordering[s.last()%len(s.Ordering)].Orderer
				m.Signatures[0].Signature = by.SignHigh(m.Value, m.Signatures[0].SignatureHeader, block.HeaderBytes(s.Blocks[s.last()].Header))
			})),
			found("metadata that are none", func(t testing.TB, s *story) { s.Blocks[s.last()].Metadata.Metadata[0] = []byte{0xff} }),
		}
	})
}

func TestAuditOfFlags(t *testing.T) {
	try(t, func(s *story) []lie {
		mark := func(name string, number, index int, code peer.TxValidationCode, codes ...string) lie {
			return lie{name, func(t testing.TB, s *story) { s.flag(number, index, code) }, codes, number, index, false, ""}
		}
		return []lie{
			mark("a good one refused", s.changes, 0, peer.TxValidationCode_MVCC_READ_CONFLICT, FindingFlag),
			mark("a good one refused for another reason", s.after, 0, peer.TxValidationCode_BAD_CREATOR_SIGNATURE, FindingFlag),
			mark("the definition refused", s.policy, 0, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, FindingFlag),
			mark("the late one of two taken", s.conflict, 1, peer.TxValidationCode_VALID, FindingConflict),
			mark("endorsed by too few", s.refused, 0, peer.TxValidationCode_VALID, FindingEndorsement),
			mark("one that was there before", s.refused, 1, peer.TxValidationCode_VALID, FindingRepeated),
			mark("a forged one", s.refused, 2, peer.TxValidationCode_VALID, FindingCreator),
			mark("a stranger's", s.refused, 3, peer.TxValidationCode_VALID, FindingCreator),
		}
	})
}

// TestAuditBelieves lists flags of which the audit cannot know better, and for which nothing follows.
func TestAuditBelieves(t *testing.T) {
	s := newStory(t)
	s.flag(s.anchor, 1, peer.TxValidationCode_MVCC_READ_CONFLICT) // of another chaincode
	s.flag(s.anchor, 2, peer.TxValidationCode_VALID)              // of a query
	s.flag(s.refused, 0, peer.TxValidationCode_INVALID_OTHER_REASON)
	if r := s.audit(t, audit.Options{}); !r.Clean() {
		t.Error(r.Findings)
	}
}

func TestAuditOfForeignWrites(t *testing.T) {
	write := &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "department/nobody", Value: []byte("value")}}}
	try(t, func(s *story) []lie {
		found := func(name string, make func(*story) *blocktest.Call) lie {
			return lie{name, func(t testing.TB, s *story) {
				c := make(s)
				for _, d := range s.Departments {
					c.Endorsers = append(c.Endorsers[:0:0], append(c.Endorsers, d.Peer)...)
				}
				s.order(c)
			}, []string{block.CodeForeignWrite}, s.last() + 1, 0, false, ""}
		}
		call := func(change func(*story, *blocktest.Call), args ...string) func(*story) *blocktest.Call {
			return func(s *story) *blocktest.Call {
				c := s.Call(s.Departments[1].Client, args...)
				c.Sets[blocktest.Chaincode] = write
				if change != nil {
					change(s, c)
				}
				return c
			}
		}
		argument := blocktest.Argument(s.batch.Tx)
		return []lie{
			found("another function", call(nil, "Query", "types")),
			found("a function in lower case", call(nil, "submit", argument)),
			found("no argument", call(nil, "Submit")),
			found("two arguments", call(nil, "Submit", argument, "")),
			found("no base64", call(nil, "Submit", "*")),
			found("base64 on two lines", call(nil, "Submit", argument[:4]+"\n"+argument[4:])),
			found("base64 without padding", call(nil, "Submit", "AAA")),
			found("another chaincode", func(s *story) *blocktest.Call {
				c := s.foreign()
				c.Sets[blocktest.Chaincode] = write
				return c
			}),
			found("private data", call(func(s *story, c *blocktest.Call) {
				c.Collections[blocktest.Chaincode] = map[string]*kvrwset.HashedRWSet{
					"_implicit_org_" + s.Departments[0].ID: {HashedWrites: []*kvrwset.KVWriteHash{{KeyHash: []byte("k"), ValueHash: []byte("v")}}},
				}
			}, "Submit", argument)),
			found("a policy for a key", call(func(_ *story, c *blocktest.Call) {
				c.Sets[blocktest.Chaincode] = &kvrwset.KVRWSet{MetadataWrites: []*kvrwset.KVMetadataWrite{{Key: "ledger"}}}
			}, "Submit", argument)),
			found("what can be read in two ways", call(func(_ *story, c *blocktest.Call) {
				c.Change = func(p *blocktest.Parts) { reendorse(c, p, func() { p.Proposal = append(p.Proposal, 0x7a, 0) }) }
			}, "Submit", argument)),
		}
	})
}

// reendorse changes what was called, and has it endorsed as it is then.
func reendorse(c *blocktest.Call, p *blocktest.Parts, change func()) {
	change()
	r := new(peer.ProposalResponsePayload)
	if err := proto.Unmarshal(p.Response, r); err != nil {
		panic(err) // it was made just now
	}
	r.ProposalHash = p.ProposalHash()
	p.Response, _ = proto.Marshal(r)
	p.Endorse(c.Endorsers...)
}

func TestAuditOfLyingChaincode(t *testing.T) {
	try(t, func(s *story) []lie {
		key := chaincode.StatusStateKey(s.batch.Issuer, s.batch.Digests[9], "property")
		lying := func(name, code, key string, change func(set *kvrwset.KVRWSet, c *blocktest.Call)) lie {
			return lie{name, func(t testing.TB, s *story) {
				c := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
				change(c.Sets[blocktest.Chaincode], c)
				s.order(c)
			}, []string{code}, s.last() + 1, 0, false, key}
		}
		argument := func(c *blocktest.Call, tx *chaincode.Transaction) { c.Args[1] = []byte(blocktest.Argument(tx)) }
		return []lie{
			lying("another value", FindingWrites, key, func(set *kvrwset.KVRWSet, _ *blocktest.Call) { set.Writes[0].Value = []byte("value") }),
			lying("another key", FindingWrites, key, func(set *kvrwset.KVRWSet, _ *blocktest.Call) { set.Writes[0].Key = "status/x" }),
			lying("deleted", FindingWrites, key, func(set *kvrwset.KVRWSet, _ *blocktest.Call) { set.Writes[0].IsDelete = true }),
			lying("a key more", FindingWrites, "zzz", func(set *kvrwset.KVRWSet, _ *blocktest.Call) {
				set.Writes = append(set.Writes, &kvrwset.KVWrite{Key: "zzz", Value: []byte("value")})
			}),
			lying("a key more, in front", FindingWrites, key, func(set *kvrwset.KVRWSet, _ *blocktest.Call) {
				set.Writes = append([]*kvrwset.KVWrite{{Key: "anchor/x", Value: []byte("value")}}, set.Writes...)
			}),
			lying("a key of another chaincode", FindingWrites, "key", func(_ *kvrwset.KVRWSet, c *blocktest.Call) {
				c.Sets["other"] = &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "key", Value: []byte("value")}}}
			}),
			lying("another transaction", FindingWrites, chaincode.StatusStateKey(s.batch.Issuer, s.batch.Digests[10], "property"),
				func(_ *kvrwset.KVRWSet, c *blocktest.Call) { argument(c, s.revoke(t, 10)) }),
			lying("one that broke a rule", chaincode.CodeSequence, "", func(_ *kvrwset.KVRWSet, c *blocktest.Call) { argument(c, s.revoke(t, 7)) }),
			lying("one that changes nothing", audit.FindingNoEffect, "", func(_ *kvrwset.KVRWSet, c *blocktest.Call) { argument(c, s.batch.Tx) }),
			lying("one that is none", chaincode.CodeMalformed, "", func(_ *kvrwset.KVRWSet, c *blocktest.Call) { c.Args[1] = []byte("AAAA") }),
			lying("another submitter", chaincode.CodeWrongOrganisation, "", func(_ *kvrwset.KVRWSet, c *blocktest.Call) { c.By = s.Departments[1].Client }),
		}
	})
}

// TestAuditNamesStatements asks for the statement within a transaction, too.
func TestAuditNamesStatements(t *testing.T) {
	s := newStory(t)
	var all []*statement.Status
	for i := 8; i < 12; i++ {
		all = append(all, s.batch.Change(i, licence.Revoked))
	}
	tx := ledgertest.SignAll(t, all, s.batch.Department.Status)
	c := s.Simulate(t, s.batch.Issuer, tx)
	bad := bytes.Clone(tx.Statements[2])
	bad[len(bad)-1] ^= 1
	tx.Statements[2] = bad
	c.Args[1] = []byte(blocktest.Argument(tx))
	s.order(c)
	r := s.audit(t, audit.Options{})
	want := audit.Finding{Block: int64(s.last()), Statement: 2, Kind: statement.KindStatus, Code: chaincode.CodeSignature}
	if len(r.Findings) != 1 {
		t.Fatal(r.Findings)
	}
	got := r.Findings[0]
	got.Message = ""
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
