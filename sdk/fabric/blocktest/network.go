// Package blocktest makes blocks of a channel of Hyperledger Fabric as a network would, in the
// process: organisations with CAs, orderers and peers of their own, and the rules of CredLedger for a
// chaincode. What a test changes in them, signed anew or not, is what a liar could do.
//
//	n := blocktest.New(t, "data-bureau", "civil-affairs", "natural-resources", "market-regulation")
//	n.Submit(t, city.Authority.ID, genesis)   // endorsed by a majority with the authority
//	n.Cut()                                   // a block
//
// It also holds blocks that a real network has made: Recorded.
//
// The package is for tests alone.
package blocktest

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/statement"
)

// The names of the channel and the chaincode.
const (
	Channel   = "credledger"
	Chaincode = "credledger"
)

// A Network is a channel and its blocks so far.
type Network struct {
	Departments []*Organisation // the authority first
	Ordering    []*Organisation // of the first three departments
	Blocks      []*common.Block

	Config      *common.Config // as it stands
	configBlock uint64
	state       map[string]stored
	pending     []pending
}

// A stored is a value of the state and the version of it.
type stored struct {
	value   []byte
	version *kvrwset.Version
}

// A pending is a transaction that waits for its block.
type pending struct {
	envelope []byte
	call     *Call // nil if nothing is to become of it
	flag     peer.TxValidationCode
}

// New makes a channel: a configuration, and the definition of the chaincode, for which all
// organisations' peers have signed.
func New(tb testing.TB, ids ...string) *Network {
	tb.Helper()
	n := &Network{state: map[string]stored{}}
	for i, id := range ids {
		n.Departments = append(n.Departments, NewOrganisation(tb, id, i == 1))
		if i < 3 {
			n.Ordering = append(n.Ordering, NewOrganisation(tb, id+"-orderer", false))
		}
	}
	n.Config = n.config()
	n.Add(n.configEnvelope(n.Config, nil), peer.TxValidationCode_VALID)
	n.Cut()
	n.Define(1, MajorityWith(ids...))
	return n
}

// Department returns a department.
func (n *Network) Department(id string) *Organisation {
	i := slices.IndexFunc(n.Departments, func(o *Organisation) bool { return o.ID == id })
	return n.Departments[i]
}

// Endorsers returns peers that satisfy MajorityWith: those of the first organisations.
func (n *Network) Endorsers() []*Identity {
	var ids []*Identity
	for _, o := range n.Departments[:len(n.Departments)/2+1] {
		ids = append(ids, o.Peer)
	}
	return ids
}

// key names a key of the state.
func key(namespace, name string) string { return namespace + "\x00" + name }

// A recorder is the state as a transaction sees it, noting what was read.
type recorder struct {
	n     *Network
	reads []*kvrwset.KVRead
}

// Get implements chaincode.State.
func (r *recorder) Get(name string) ([]byte, error) {
	s := r.n.state[key(Chaincode, name)]
	if !slices.ContainsFunc(r.reads, func(read *kvrwset.KVRead) bool { return read.Key == name }) {
		r.reads = append(r.reads, &kvrwset.KVRead{Key: name, Version: s.version})
	}
	return s.value, nil
}

// Simulate returns the call of Submit with a transaction, by a department's client, as honest
// endorsers answer it.
func (n *Network) Simulate(tb testing.TB, actor string, tx *chaincode.Transaction) *Call {
	tb.Helper()
	r := &recorder{n: n}
	writes, err := chaincode.Apply(r, (*statement.Statement).Verify, actor, tx)
	if err != nil {
		tb.Fatal(err)
	}
	set := &kvrwset.KVRWSet{Reads: r.reads}
	for _, w := range writes {
		set.Writes = append(set.Writes, &kvrwset.KVWrite{Key: w.Key, Value: w.Value})
	}
	c := n.Call(n.Department(actor).Client, "Submit", Argument(tx))
	c.Sets[Chaincode] = set
	return c
}

// Submit has a transaction endorsed and ordered.
func (n *Network) Submit(tb testing.TB, actor string, tx *chaincode.Transaction) {
	tb.Helper()
	n.Order(n.Simulate(tb, actor, tx), peer.TxValidationCode_VALID)
}

// Order seals a call and orders it. It will be noted as valid, if it is so but for what it has read,
// or with the flag given.
func (n *Network) Order(c *Call, flag peer.TxValidationCode) {
	n.pending = append(n.pending, pending{c.Seal(), c, flag})
}

// Add orders an envelope that changes nothing.
func (n *Network) Add(envelope []byte, flag peer.TxValidationCode) {
	n.pending = append(n.pending, pending{envelope, nil, flag})
}

// Cut makes a block of what was ordered.
func (n *Network) Cut() *common.Block {
	b := &common.Block{
		Header: &common.BlockHeader{Number: uint64(len(n.Blocks))}, Data: &common.BlockData{},
		Metadata: &common.BlockMetadata{Metadata: make([][]byte, len(common.BlockMetadataIndex_name))},
	}
	var flags []byte
	changed := map[string]bool{}
	for i, p := range n.pending {
		b.Data.Data = append(b.Data.Data, p.envelope)
		if p.flag == peer.TxValidationCode_VALID && p.call != nil {
			if p.flag = n.commit(p.call, b.Header.Number, uint64(i), changed); p.flag == peer.TxValidationCode_VALID {
				p.call.changes(changed)
			}
		}
		flags = append(flags, byte(p.flag))
	}
	b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = flags
	n.pending, n.Blocks = nil, append(n.Blocks, b)
	n.Sign(len(n.Blocks) - 1)
	return b
}

// commit changes the state if nothing that a call has read was changed since.
func (n *Network) commit(c *Call, number, index uint64, changed map[string]bool) peer.TxValidationCode {
	for namespace, set := range c.Sets {
		for _, read := range set.Reads {
			k := key(namespace, read.Key)
			if changed[k] || !proto.Equal(n.state[k].version, read.Version) {
				return peer.TxValidationCode_MVCC_READ_CONFLICT
			}
		}
	}
	for namespace, set := range c.Sets {
		for _, w := range set.Writes {
			n.state[key(namespace, w.Key)] = stored{w.Value, &kvrwset.Version{BlockNum: number, TxNum: index}}
		}
	}
	return peer.TxValidationCode_VALID
}

// Sign makes a block and all behind it follow the ones before, with a signature of an orderer each:
// what a lying orderer can do.
func (n *Network) Sign(from int) {
	for i := from; i < len(n.Blocks); i++ {
		b := n.Blocks[i]
		if i > 0 {
			hash := block.HeaderHash(n.Blocks[i-1].Header)
			b.Header.PreviousHash = hash[:]
		}
		sum := sha256.Sum256(slices.Concat(b.Data.Data...))
		b.Header.DataHash = sum[:]
		if i > 0 {
			n.SignBlock(b, n.lastConfig(i), n.Ordering[i%len(n.Ordering)].Orderer)
		}
	}
}

// lastConfig returns the number of the newest block with a configuration, up to the i-th.
func (n *Network) lastConfig(i int) uint64 {
	if uint64(i) < n.configBlock {
		return 0
	}
	return n.configBlock
}

// SignBlock puts orderers' signatures on a block, over the number of the newest configuration.
func (n *Network) SignBlock(b *common.Block, lastConfig uint64, by ...*Identity) {
	m := &common.Metadata{Value: encode(&common.OrdererBlockMetadata{LastConfig: &common.LastConfig{Index: lastConfig}})}
	for _, id := range by {
		header := signatureHeader(id, []byte("a nonce"))
		m.Signatures = append(m.Signatures, &common.MetadataSignature{
			SignatureHeader: header, Signature: id.Sign(m.Value, header, block.HeaderBytes(b.Header)),
		})
	}
	b.Metadata.Metadata[common.BlockMetadataIndex_SIGNATURES] = encode(m)
}

// Clone returns the network with blocks of its own, to be changed.
func (n *Network) Clone() *Network {
	c := *n
	c.Blocks = nil
	for _, b := range n.Blocks {
		c.Blocks = append(c.Blocks, proto.Clone(b).(*common.Block))
	}
	c.state = map[string]stored{}
	for k, s := range n.state {
		c.state[k] = s
	}
	return &c
}

// nonce returns another nonce each time, and the same ones in every run.
func (n *Network) nonce() []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(len(n.Blocks))<<32|uint64(len(n.pending))))
	return sum[:24]
}
