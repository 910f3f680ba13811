package channel

import (
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/fabric/blocktest"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// A story is a channel with something of everything, and the numbers of the blocks that tests change.
type story struct {
	*blocktest.Network
	city  *ledgertest.City
	batch *ledgertest.Batch

	genesis  int // of the ledger, in its transaction 0
	anchor   int // transaction 0: of batch
	changes  int // transaction 0: five status changes
	conflict int // transactions 0 and 1: the same change, one of them too late
	refused  int // transactions that are invalid, 0: endorsed by too few
	config   int // a department more
	policy   int // another endorsement policy
	after    int // transaction 0: an anchor endorsed as by that
}

var (
	storyOnce sync.Once
	theStory  *story
)

// newStory returns the story to be changed.
func newStory(t testing.TB) *story {
	t.Helper()
	storyOnce.Do(func() { theStory = tell(t) })
	s := *theStory
	s.Network = theStory.Clone()
	return &s
}

var departments = []string{ledgertest.Authority, ledgertest.Marriages, ledgertest.Properties, ledgertest.Businesses}

func tell(t testing.TB) *story {
	s := &story{Network: blocktest.New(t, departments...), city: ledgertest.NewCity(t, "a story")}
	step := func(actor string, tx *chaincode.Transaction) int {
		s.Submit(t, actor, tx)
		s.Cut()
		return len(s.Blocks) - 1
	}
	s.genesis = step(ledgertest.Authority, &chaincode.Transaction{Statements: [][]byte{s.city.Genesis}})
	issuer := s.city.Department(t, ledgertest.Properties)
	for _, f := range append(s.city.Admit(t, issuer), s.city.Publish(t, s.city.Type(t, "property"))) {
		step(f.Actor, f.Tx)
	}

	s.batch = s.city.Digests(t, "property", 16, nil, nil)
	s.Submit(t, s.batch.Issuer, s.batch.Tx)
	s.Order(s.foreign(), peer.TxValidationCode_VALID)
	s.Order(s.query(), peer.TxValidationCode_PHANTOM_READ_CONFLICT)
	s.anchor = len(s.Blocks)
	s.Cut()

	d := s.batch.Department
	var all []*statement.Status
	for i := range 5 {
		all = append(all, s.batch.Change(i, licence.Revoked))
	}
	s.changes = step(s.batch.Issuer, ledgertest.SignAll(t, all, d.Status))

	s.conflict = len(s.Blocks)
	for range 2 {
		s.Submit(t, s.batch.Issuer, s.revoke(t, 7))
	}
	s.Cut()

	s.refused = len(s.Blocks)
	few := s.Simulate(t, s.batch.Issuer, s.revoke(t, 8))
	few.Endorsers = few.Endorsers[1:]
	s.Order(few, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE)
	s.Add(s.Blocks[s.anchor].Data.Data[0], peer.TxValidationCode_DUPLICATE_TXID)
	forged := s.Simulate(t, s.batch.Issuer, s.revoke(t, 8))
	forged.Change = func(p *blocktest.Parts) { p.By = s.Departments[0].Client }
	s.Order(forged, peer.TxValidationCode_BAD_CREATOR_SIGNATURE)
	stranger := s.Simulate(t, s.batch.Issuer, s.revoke(t, 9))
	stranger.By = blocktest.NewOrganisation(t, s.batch.Issuer, false).Client
	s.Order(stranger, peer.TxValidationCode_BAD_CREATOR_SIGNATURE)
	s.Cut()

	housing := blocktest.NewOrganisation(t, "housing", false)
	s.config = len(s.Blocks)
	s.Update(admit(housing), s.Departments[0].Admin, s.Departments[1].Admin, s.Departments[2].Admin)
	s.Departments = append(s.Departments, housing)
	s.policy = len(s.Blocks)
	s.Define(2, blocktest.MajorityWith(append(slices.Clone(departments), "housing")...))
	later := s.city.Issue(t, "property", 3)
	s.after = step(later.Issuer, later.Tx)
	return s
}

// admit changes a configuration such that there is one department more.
func admit(o *blocktest.Organisation) func(*common.ConfigGroup) {
	return func(root *common.ConfigGroup) {
		application := root.Groups["Application"]
		application.Version++
		application.Groups[o.ID] = o.Group()
	}
}

// revoke is the first change of a licence of the batch.
func (s *story) revoke(t testing.TB, i int) *chaincode.Transaction {
	return ledgertest.Sign(t, s.batch.Change(i, licence.Revoked), s.batch.Department.Status)
}

// foreign is the call of another chaincode.
func (s *story) foreign() *blocktest.Call {
	c := s.Call(s.Departments[1].Client, "put")
	c.Chaincode = "other"
	c.Sets["other"] = &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "key", Value: []byte("value")}}}
	c.Endorsers = c.Endorsers[:1]
	return c
}

// query is a call that changes nothing.
func (s *story) query() *blocktest.Call {
	c := s.Call(s.Departments[1].Client, "Query", "types", "[]")
	c.Sets[blocktest.Chaincode] = &kvrwset.KVRWSet{RangeQueriesInfo: []*kvrwset.RangeQueryInfo{{StartKey: "type/", EndKey: "type0"}}}
	return c
}

// order seals a call into a block of its own, as valid.
func (s *story) order(c *blocktest.Call) {
	s.Order(c, peer.TxValidationCode_VALID)
	s.Cut()
}

// last returns the number of the newest block.
func (s *story) last() int { return len(s.Blocks) - 1 }

func (s *story) head() ledger.Head {
	return ledger.Head{Height: uint64(len(s.Blocks)), Hash: block.HeaderHash(s.Blocks[s.last()].Header)}
}

// seq yields blocks.
func seq(blocks []*common.Block) iter.Seq2[*common.Block, error] {
	return func(yield func(*common.Block, error) bool) {
		for _, b := range blocks {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// audit audits what has become of the story.
func (s *story) audit(t testing.TB, o audit.Options) *audit.Report {
	t.Helper()
	r, err := Audit(t.Context(), seq(s.Blocks), uint64(len(s.Blocks)), blocktest.Channel, blocktest.Chaincode, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// flag sets the flag of a transaction.
func (s *story) flag(number, index int, code peer.TxValidationCode) {
	s.Blocks[number].Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER][index] = byte(code)
}
