package block

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/peer"
)

// An Envelope is a transaction with its outer layers taken off.
type Envelope struct {
	Payload   []byte // what Signature signs
	Signature []byte // by Creator: ECDSA, in DER
	Channel   *common.ChannelHeader
	Creator   []byte // a msp.SerializedIdentity
	Data      []byte // by Channel.Type a peer.Transaction, a common.ConfigEnvelope, ...

	header *common.Header
}

// ParseEnvelope takes an entry apart. The id of an endorsed call has to be the hash of its nonce and
// its creator. The error is a *ledger.Error with CodeMalformed.
func ParseEnvelope(entry *Entry) (*Envelope, error) {
	payload := new(common.Payload)
	if err := proto.Unmarshal(entry.Payload, payload); err != nil || payload.Header == nil {
		return nil, malformed("the payload of an envelope is none")
	}
	e := &Envelope{
		Payload: entry.Payload, Signature: entry.Signature, Data: payload.Data, header: payload.Header,
		Channel: new(common.ChannelHeader),
	}
	signature := new(common.SignatureHeader)
	if proto.Unmarshal(e.header.ChannelHeader, e.Channel) != nil || proto.Unmarshal(e.header.SignatureHeader, signature) != nil {
		return nil, malformed("a header is none")
	}
	e.Creator = signature.Creator
	if common.HeaderType(e.Channel.Type) == common.HeaderType_ENDORSER_TRANSACTION {
		if sum := sha256.Sum256(slices.Concat(signature.Nonce, signature.Creator)); e.Channel.TxId != hex.EncodeToString(sum[:]) {
			return nil, malformed("the id of a transaction is not the hash of its nonce and its creator")
		}
	}
	return e, nil
}

// A Call is an endorsed call of a chaincode.
type Call struct {
	Chaincode string // its name
	Args      [][]byte
	Creator   []byte // the submitter whom the endorsers saw: a msp.SerializedIdentity
	Actor     string // its MSP

	Response     []byte // what the endorsers sign, each before its own identity: a peer.ProposalResponsePayload
	Endorsements []*peer.Endorsement

	Action     *peer.ChaincodeAction // what the call came to, as in Response
	Namespaces []Namespace           // what it read and wrote, by chaincode

	plain bool // what was endorsed can mean nothing else
}

// A Namespace is what a call read and wrote of one chaincode.
type Namespace struct {
	Name        string
	Set         *kvrwset.KVRWSet
	Collections []Collection // of private data
}

// A Collection is what a call read and wrote of a collection of private data, as hashes.
type Collection struct {
	Name string
	Set  *kvrwset.HashedRWSet
}

// Metadata reports whether metadata of keys was written.
func (n *Namespace) Metadata() bool {
	return len(n.Set.MetadataWrites) > 0 ||
		slices.ContainsFunc(n.Collections, func(c Collection) bool { return len(c.Set.MetadataWrites) > 0 })
}

// Writes reports whether anything was written.
func (n *Namespace) Writes() bool {
	return len(n.Set.Writes) > 0 || n.Metadata() ||
		slices.ContainsFunc(n.Collections, func(c Collection) bool { return len(c.Set.HashedWrites) > 0 })
}

// ParseCall takes the data of an envelope of type ENDORSER_TRANSACTION apart. The error is a
// *ledger.Error with CodeMalformed; then no honest peer has held the transaction to be valid.
func ParseCall(e *Envelope) (*Call, error) {
	tx := new(peer.Transaction)
	if err := proto.Unmarshal(e.Data, tx); err != nil || len(tx.Actions) != 1 || tx.Actions[0] == nil {
		return nil, malformed("a transaction does not have exactly one action")
	}
	header, payload := tx.Actions[0].Header, new(peer.ChaincodeActionPayload)
	if err := proto.Unmarshal(tx.Actions[0].Payload, payload); err != nil || payload.Action == nil {
		return nil, malformed("an action has no endorsed result")
	}
	c := &Call{Response: payload.Action.ProposalResponsePayload, Endorsements: payload.Action.Endorsements, Action: new(peer.ChaincodeAction)}

	response := new(peer.ProposalResponsePayload)
	if proto.Unmarshal(c.Response, response) != nil || proto.Unmarshal(response.Extension, c.Action) != nil {
		return nil, malformed("an endorsed result is none")
	}
	proposal := sha256.New()
	for _, part := range [][]byte{e.header.ChannelHeader, header, payload.ChaincodeProposalPayload} {
		proposal.Write(part)
	}
	if !bytes.Equal(proposal.Sum(nil), response.ProposalHash) {
		return nil, malformed("what was endorsed is not what was called")
	}
	if err := c.parseProposal(e, header, payload.ChaincodeProposalPayload); err != nil {
		return nil, err
	}
	return c, c.parseResults()
}

// parseProposal reads what was called.
//
// The endorsers sign the hash of channel header, signature header and input, one after the other,
// without the places where one ends and the next begins. Whoever made the call could put into these
// what reads otherwise once it is taken apart elsewhere. If each of the three is in the one encoding
// that protobuf's library gives it, with no fields beside those that are known, then no other three
// with the same hash mean anything else: the call is plain.
func (c *Call) parseProposal(e *Envelope, header, proposal []byte) error {
	signature, creator, input := new(common.SignatureHeader), new(msp.SerializedIdentity), new(peer.ChaincodeProposalPayload)
	if proto.Unmarshal(header, signature) != nil || proto.Unmarshal(signature.Creator, creator) != nil {
		return malformed("a call has no creator")
	}
	if proto.Unmarshal(proposal, input) != nil || len(signature.Creator) == 0 || len(signature.Nonce) == 0 {
		return malformed("a call has no creator, no nonce or no input")
	}
	c.Creator, c.Actor = signature.Creator, creator.Mspid
	c.plain = plain(e.header.ChannelHeader, new(common.ChannelHeader)) && plain(header, new(common.SignatureHeader)) &&
		len(input.TransientMap) == 0 && plain(proposal, new(peer.ChaincodeProposalPayload))
	extension := new(peer.ChaincodeHeaderExtension)
	if proto.Unmarshal(e.Channel.Extension, extension) != nil || extension.ChaincodeId.GetName() == "" {
		return malformed("a call does not name a chaincode")
	}
	if c.Chaincode = extension.ChaincodeId.Name; c.Chaincode != c.Action.ChaincodeId.GetName() {
		return malformed("the chaincode that was called is not the one that answered")
	}
	invocation := new(peer.ChaincodeInvocationSpec)
	if err := proto.Unmarshal(input.Input, invocation); err != nil {
		return malformed("the input of a call is none")
	}
	c.Args = invocation.GetChaincodeSpec().GetInput().GetArgs()
	return nil
}

// parseResults reads what was read and written.
func (c *Call) parseResults() error {
	results := new(rwset.TxReadWriteSet)
	if err := proto.Unmarshal(c.Action.Results, results); err != nil {
		return malformed("the results of a call are none")
	}
	seen := map[string]bool{}
	for _, n := range results.NsRwset {
		namespace := Namespace{Name: n.GetNamespace(), Set: new(kvrwset.KVRWSet)}
		if seen[namespace.Name] || proto.Unmarshal(n.GetRwset(), namespace.Set) != nil {
			return malformed("the results of a call are none")
		}
		seen[namespace.Name] = true
		for _, p := range n.GetCollectionHashedRwset() {
			c := Collection{p.GetCollectionName(), new(kvrwset.HashedRWSet)}
			if err := proto.Unmarshal(p.GetHashedRwset(), c.Set); err != nil {
				return malformed("the results of a call are none")
			}
			namespace.Collections = append(namespace.Collections, c)
		}
		c.Namespaces = append(c.Namespaces, namespace)
	}
	return nil
}

// Namespace returns what a call read and wrote of a chaincode, nil if nothing.
func (c *Call) Namespace(name string) *Namespace {
	for i := range c.Namespaces {
		if c.Namespaces[i].Name == name {
			return &c.Namespaces[i]
		}
	}
	return nil
}

// Writes reports whether a call wrote anything of a chaincode.
func (c *Call) Writes(name string) bool {
	n := c.Namespace(name)
	return n != nil && n.Writes()
}

// canonical reads a message and reports whether its encoding is the one that protobuf's library
// gives it, unknown fields at the end.
func canonical(encoded []byte, m proto.Message) bool {
	return proto.Unmarshal(encoded, m) == nil && encodes(m, encoded)
}

// plain is canonical without unknown fields.
func plain(encoded []byte, m proto.Message) bool {
	if err := proto.Unmarshal(encoded, m); err != nil {
		return false
	}
	proto.DiscardUnknown(m)
	return encodes(m, encoded)
}

func encodes(m proto.Message, encoded []byte) bool {
	again, err := proto.Marshal(m)
	return err == nil && bytes.Equal(again, encoded)
}
