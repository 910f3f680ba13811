package blocktest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-protos-go/peer/lifecycle"

	"github.com/credledger/credledger/chaincode"
)

// A Call is an endorsed call in the making.
type Call struct {
	Channel     string
	Chaincode   string
	Args        [][]byte
	By          *Identity // who calls, and signs the envelope
	Nonce       []byte
	Sets        map[string]*kvrwset.KVRWSet                // what was read and written, by chaincode
	Collections map[string]map[string]*kvrwset.HashedRWSet // the same of private data, by chaincode and collection
	Endorsers   []*Identity
	Change      func(*Parts) // if not nil, changes what was endorsed before the envelope is signed
}

// Parts is what an envelope is made of.
type Parts struct {
	ChannelHeader []byte // common.ChannelHeader
	Header        []byte // common.SignatureHeader of the envelope
	CallHeader    []byte // common.SignatureHeader of the call
	Proposal      []byte // peer.ChaincodeProposalPayload
	Response      []byte // peer.ProposalResponsePayload
	Endorsements  []*peer.Endorsement
	By            *Identity // signs the envelope
	High          bool      // with the higher value of s
}

// Argument is a transaction as the argument of Submit.
func Argument(tx *chaincode.Transaction) string { return base64.StdEncoding.EncodeToString(tx.Bytes()) }

// Call returns the call of a function of the chaincode that reads and writes nothing yet but what
// Fabric reads for every call.
func (n *Network) Call(by *Identity, args ...string) *Call {
	c := &Call{
		Channel: Channel, Chaincode: Chaincode, By: by, Nonce: n.nonce(), Endorsers: n.Endorsers(),
		Sets: map[string]*kvrwset.KVRWSet{}, Collections: map[string]map[string]*kvrwset.HashedRWSet{},
	}
	for _, a := range args {
		c.Args = append(c.Args, []byte(a))
	}
	sequence := "namespaces/fields/" + Chaincode + "/Sequence"
	c.Sets["_lifecycle"] = &kvrwset.KVRWSet{Reads: []*kvrwset.KVRead{
		{Key: sequence, Version: n.state[key("_lifecycle", sequence)].version},
	}}
	return c
}

// Define orders the definition of the chaincode with a sequence number and an endorsement policy,
// endorsed by all departments, in a block of its own.
func (n *Network) Define(sequence int64, policy *common.SignaturePolicyEnvelope) {
	n.Order(n.Definition(sequence, policy), peer.TxValidationCode_VALID)
	n.Cut()
}

// Definition returns the call that defines the chaincode.
func (n *Network) Definition(sequence int64, policy *common.SignaturePolicyEnvelope) *Call {
	c := n.Call(n.Departments[0].Admin, "CommitChaincodeDefinition")
	c.Chaincode, c.Endorsers = "_lifecycle", nil
	for _, o := range n.Departments {
		c.Endorsers = append(c.Endorsers, o.Peer)
	}
	field := func(name string, data *lifecycle.StateData) *kvrwset.KVWrite {
		return &kvrwset.KVWrite{Key: "namespaces/fields/" + Chaincode + "/" + name, Value: encode(data)}
	}
	info := &lifecycle.ChaincodeValidationInfo{ValidationPlugin: "vscc", ValidationParameter: ApplicationPolicy(policy)}
	c.Sets["_lifecycle"].Writes = []*kvrwset.KVWrite{
		field("Sequence", &lifecycle.StateData{Type: &lifecycle.StateData_Int64{Int64: sequence}}),
		field("ValidationInfo", &lifecycle.StateData{Type: &lifecycle.StateData_Bytes{Bytes: encode(info)}}),
	}
	return c
}

// changes notes the keys that a call changes.
func (c *Call) changes(changed map[string]bool) {
	for namespace, set := range c.Sets {
		for _, w := range set.Writes {
			changed[key(namespace, w.Key)] = true
		}
	}
}

// Seal has the call endorsed and makes the envelope.
func (c *Call) Seal() []byte {
	header := signatureHeader(c.By, c.Nonce)
	id := sha256.Sum256(slices.Concat(c.Nonce, c.By.Serialized()))
	chaincodeID := &peer.ChaincodeID{Name: c.Chaincode, Version: "1"}
	p := &Parts{Header: header, CallHeader: header, By: c.By}
	p.ChannelHeader = encode(&common.ChannelHeader{
		Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: c.Channel, TxId: hex.EncodeToString(id[:]),
		Extension: encode(&peer.ChaincodeHeaderExtension{ChaincodeId: &peer.ChaincodeID{Name: c.Chaincode}}),
	})
	p.Proposal = encode(&peer.ChaincodeProposalPayload{Input: encode(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		ChaincodeId: &peer.ChaincodeID{Name: c.Chaincode}, Input: &peer.ChaincodeInput{Args: c.Args},
	}})})
	p.Response = encode(&peer.ProposalResponsePayload{
		ProposalHash: p.ProposalHash(),
		Extension: encode(&peer.ChaincodeAction{
			ChaincodeId: chaincodeID, Response: &peer.Response{Status: 200}, Results: encode(c.results()),
			Events: encode(&peer.ChaincodeEvent{ChaincodeId: c.Chaincode, TxId: hex.EncodeToString(id[:]), EventName: "credledger.event"}),
		}),
	})
	p.Endorse(c.Endorsers...)
	if c.Change != nil {
		c.Change(p)
	}
	return p.Envelope()
}

// ProposalHash is what the endorsers sign of what was called.
func (p *Parts) ProposalHash() []byte {
	sum := sha256.Sum256(slices.Concat(p.ChannelHeader, p.CallHeader, p.Proposal))
	return sum[:]
}

// Endorse signs the response anew.
func (p *Parts) Endorse(by ...*Identity) {
	p.Endorsements = nil
	for _, id := range by {
		p.Endorsements = append(p.Endorsements, &peer.Endorsement{Endorser: id.Serialized(), Signature: id.Sign(p.Response, id.Serialized())})
	}
}

// Envelope puts the parts together and signs them.
func (p *Parts) Envelope() []byte {
	payload := encode(&common.Payload{
		Header: &common.Header{ChannelHeader: p.ChannelHeader, SignatureHeader: p.Header},
		Data: encode(&peer.Transaction{Actions: []*peer.TransactionAction{{
			Header: p.CallHeader,
			Payload: encode(&peer.ChaincodeActionPayload{
				ChaincodeProposalPayload: p.Proposal,
				Action:                   &peer.ChaincodeEndorsedAction{ProposalResponsePayload: p.Response, Endorsements: p.Endorsements},
			}),
		}}}),
	})
	return encode(&common.Envelope{Payload: payload, Signature: p.By.sign(p.High, payload)})
}

// results is what the call read and wrote, in the order of the chaincodes' names.
func (c *Call) results() *rwset.TxReadWriteSet {
	out := &rwset.TxReadWriteSet{}
	for _, name := range slices.Sorted(maps.Keys(c.Sets)) {
		n := &rwset.NsReadWriteSet{Namespace: name, Rwset: encode(c.Sets[name])}
		for _, collection := range slices.Sorted(maps.Keys(c.Collections[name])) {
			n.CollectionHashedRwset = append(n.CollectionHashedRwset, &rwset.CollectionHashedReadWriteSet{
				CollectionName: collection, HashedRwset: encode(c.Collections[name][collection]),
			})
		}
		out.NsRwset = append(out.NsRwset, n)
	}
	return out
}

func signatureHeader(by *Identity, nonce []byte) []byte {
	return encode(&common.SignatureHeader{Creator: by.Serialized(), Nonce: nonce})
}

// configEnvelope is the envelope of a configuration, signed by an orderer unless it is the first.
func (n *Network) configEnvelope(c *common.Config, update []byte) []byte {
	envelope := &common.ConfigEnvelope{Config: c}
	header := &common.Header{ChannelHeader: encode(&common.ChannelHeader{Type: int32(common.HeaderType_CONFIG), ChannelId: Channel})}
	payload := &common.Payload{Header: header}
	if update == nil {
		payload.Data = encode(envelope)
		return encode(&common.Envelope{Payload: encode(payload)})
	}
	by := n.Ordering[0].Orderer
	header.SignatureHeader = signatureHeader(by, n.nonce())
	envelope.LastUpdate = &common.Envelope{Payload: encode(&common.Payload{
		Header: &common.Header{ChannelHeader: encode(&common.ChannelHeader{Type: int32(common.HeaderType_CONFIG_UPDATE), ChannelId: Channel})},
		Data:   update,
	})}
	payload.Data = encode(envelope)
	b := encode(payload)
	return encode(&common.Envelope{Payload: b, Signature: by.Sign(b)})
}

// Update orders a change of the configuration, signed by some, in a block of its own. change raises
// the versions of what it changes.
func (n *Network) Update(change func(*common.ConfigGroup), by ...*Identity) *common.Block {
	next := cloneConfig(n.Config)
	change(next.ChannelGroup)
	next.Sequence++
	update := encode(&common.ConfigUpdate{ChannelId: Channel, ReadSet: n.Config.ChannelGroup, WriteSet: next.ChannelGroup})
	return n.Reconfigure(next, Signed(update, by...))
}

// Signed is a ConfigUpdate with signatures.
func Signed(update []byte, by ...*Identity) []byte {
	e := &common.ConfigUpdateEnvelope{ConfigUpdate: update}
	for i, id := range by {
		header := signatureHeader(id, fmt.Appendf(nil, "nonce %d", i))
		e.Signatures = append(e.Signatures, &common.ConfigSignature{SignatureHeader: header, Signature: id.Sign(header, update)})
	}
	return encode(e)
}

// Reconfigure orders a configuration that a signed update is said to lead to.
func (n *Network) Reconfigure(next *common.Config, update []byte) *common.Block {
	n.Add(n.configEnvelope(next, update), peer.TxValidationCode_VALID)
	n.Config, n.configBlock = next, uint64(len(n.Blocks))
	return n.Cut()
}
