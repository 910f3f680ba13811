package contract_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes/timestamp"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/txn"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
)

// A proposal is a client's proposal with its layers apart; what is nil in a layer comes from the layer
// inside it. The command peer makes it so.
type proposal struct {
	proposal   pb.Proposal
	header     common.Header
	channel    common.ChannelHeader
	extension  pb.ChaincodeHeaderExtension
	signature  common.SignatureHeader
	payload    pb.ChaincodeProposalPayload
	invocation pb.ChaincodeInvocationSpec

	raw []byte // in the place of all that
}

var nonce = bytes.Repeat([]byte{0x0a}, 24)

func newProposal(creator []byte, args ...string) *proposal {
	p := new(proposal)
	id := sha256.Sum256(slices.Concat(nonce, creator))
	p.channel.Type, p.channel.ChannelId, p.channel.TxId = int32(common.HeaderType_ENDORSER_TRANSACTION), "credledger", hex.EncodeToString(id[:])
	p.channel.Timestamp = &timestamp.Timestamp{Seconds: 1800000000, Nanos: 1}
	p.extension.ChaincodeId = &pb.ChaincodeID{Name: "credledger"}
	p.signature.Creator, p.signature.Nonce = creator, nonce
	input := new(pb.ChaincodeInput)
	for _, a := range args {
		input.Args = append(input.Args, []byte(a))
	}
	p.invocation.ChaincodeSpec = &pb.ChaincodeSpec{Type: pb.ChaincodeSpec_GOLANG, ChaincodeId: &pb.ChaincodeID{Name: "credledger"}, Input: input}
	return p
}

// encode puts the layers together.
func (p *proposal) encode(t testing.TB) []byte {
	t.Helper()
	if p.raw != nil {
		return p.raw
	}
	set := func(field *[]byte, m proto.Message) {
		if b, err := proto.Marshal(m); err != nil {
			t.Fatal(err)
		} else if *field == nil {
			*field = b
		}
	}
	set(&p.channel.Extension, &p.extension)
	set(&p.header.ChannelHeader, &p.channel)
	set(&p.header.SignatureHeader, &p.signature)
	set(&p.proposal.Header, &p.header)
	set(&p.payload.Input, &p.invocation)
	set(&p.proposal.Payload, &p.payload)
	b, err := proto.Marshal(&p.proposal)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unknown is a field that no message has: 100, empty.
var unknown = []byte{0xa2, 0x06, 0}

// certificate changes the certificate of the creator.
func certificate(change func([]byte) []byte) func(*proposal) {
	return func(p *proposal) {
		id := new(msp.SerializedIdentity)
		if err := proto.Unmarshal(p.signature.Creator, id); err != nil {
			panic(err)
		}
		id.IdBytes = change(slices.Clone(id.IdBytes))
		p.signature.Creator, _ = proto.Marshal(id)
	}
}

// block changes the PEM block of the certificate.
func block(change func(*pem.Block)) func(*proposal) {
	return certificate(func(b []byte) []byte {
		block, _ := pem.Decode(b)
		change(block)
		return pem.EncodeToMemory(block)
	})
}

// A proposal that is not plain is refused, whatever it is that it has too much of; nothing is written.
func TestAlteredProposals(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	tx := c.Batch(rulestest.Issuer, "batch", 3).Tx(c, rulestest.Issuer+"/anchor")
	issuer, call := p.creator(rulestest.Issuer), []string{"Submit", base64.StdEncoding.EncodeToString(tx.Bytes())}
	state := maps.Clone(p.state)
	const encoding = "plainest"
	twice := func(b []byte) []byte { return slices.Concat(b, b) }
	for _, bad := range []struct {
		name    string
		alter   func(*proposal)
		message string
	}{
		{"no proposal", func(p *proposal) { p.raw = []byte{} }, "header"},
		{"not protobuf", func(p *proposal) { p.raw = []byte{0xff} }, "the proposal of"},
		{"an unknown field of the proposal", func(p *proposal) { p.proposal.XXX_unrecognized = unknown }, encoding},
		{"an extension of the proposal", func(p *proposal) { p.proposal.Extension = []byte{1} }, "extension"},
		{"the proposal twice", func(p *proposal) { p.raw = twice(p.encode(t)) }, encoding},
		{"an unknown field of the header", func(p *proposal) { p.header.XXX_unrecognized = unknown }, encoding},
		{"an unknown field of the channel header", func(p *proposal) { p.channel.XXX_unrecognized = unknown }, encoding},
		{"a creator in the channel header", func(p *proposal) { p.channel.XXX_unrecognized = []byte{0x0a, 1, 'c'} }, encoding},
		{"the channel header twice", func(p *proposal) { b, _ := proto.Marshal(&p.channel); p.header.ChannelHeader = twice(b) }, encoding},
		{"a channel header with a zero written out", func(p *proposal) {
			b, _ := proto.Marshal(&p.channel)
			p.header.ChannelHeader = append(b, 0x30, 0)
		}, encoding},
		{"a channel header with a longer number", func(p *proposal) {
			p.encode(t)
			p.proposal.Header, p.header.ChannelHeader = nil, slices.Concat([]byte{0x08, 0x83, 0}, p.header.ChannelHeader[2:])
		}, encoding},
		{"an unknown field of the time", func(p *proposal) { p.channel.Timestamp.ProtoReflect().SetUnknown(unknown) }, encoding},
		{"the hash of a TLS certificate", func(p *proposal) { p.channel.TlsCertHash = make([]byte, 32) }, "TLS"},
		{"no extension of the channel header", func(p *proposal) { p.extension.ChaincodeId = nil }, "names the chaincode"},
		{"an unknown field of the extension", func(p *proposal) { p.extension.XXX_unrecognized = unknown }, encoding},
		{"an unknown field of the chaincode's id", func(p *proposal) { p.extension.ChaincodeId.XXX_unrecognized = unknown }, encoding},
		{"an unknown field of the signature header", func(p *proposal) { p.signature.XXX_unrecognized = unknown }, encoding},
		{"the signature header twice", func(p *proposal) { b, _ := proto.Marshal(&p.signature); p.header.SignatureHeader = twice(b) }, encoding},
		{"no nonce", func(p *proposal) { p.signature.Nonce = nil }, "nonce"},
		{"a short nonce", func(p *proposal) { p.signature.Nonce = nonce[1:] }, "nonce"},
		{"a long nonce", func(p *proposal) { p.signature.Nonce = make([]byte, 25) }, "nonce"},
		{"no creator", func(p *proposal) { p.signature.Creator = nil }, "creator"},
		{"an unknown field of the creator", func(p *proposal) { p.signature.Creator = append(slices.Clone(p.signature.Creator), unknown...) }, encoding},
		{"the creator twice", func(p *proposal) { p.signature.Creator = twice(p.signature.Creator) }, encoding},
		{"text behind the certificate", certificate(func(b []byte) []byte { return append(b, "more"...) }), "certificate"},
		{"text before the certificate", certificate(func(b []byte) []byte { return append([]byte("more\n"), b...) }), "certificate"},
		{"two certificates", certificate(twice), "certificate"},
		{"a certificate without its last line break", certificate(func(b []byte) []byte { return b[:len(b)-1] }), "certificate"},
		{"a certificate with other line breaks", certificate(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }), "certificate"},
		{"no certificate", certificate(func([]byte) []byte { return nil }), "certificate"},
		{"a certificate with a header", block(func(b *pem.Block) { b.Headers = map[string]string{"a": "b"} }), "certificate"},
		{"a block of another type", block(func(b *pem.Block) { b.Type = "PUBLIC KEY" }), "certificate"},
		{"an unknown field of the payload", func(p *proposal) { p.payload.XXX_unrecognized = unknown }, encoding},
		{"transient data", func(p *proposal) { p.payload.TransientMap = map[string][]byte{"a": {1}} }, "transient"},
		{"the input twice", func(p *proposal) { b, _ := proto.Marshal(&p.invocation); p.payload.Input = twice(b) }, encoding},
		{"an unknown field of the invocation", func(p *proposal) { p.invocation.XXX_unrecognized = unknown }, encoding},
		{"an unknown field of the spec", func(p *proposal) { p.invocation.ChaincodeSpec.XXX_unrecognized = unknown }, encoding},
		{"an unknown field of the input", func(p *proposal) { p.invocation.ChaincodeSpec.Input.XXX_unrecognized = unknown }, encoding},
		{"decorations", func(p *proposal) { p.invocation.ChaincodeSpec.Input.Decorations = map[string][]byte{"a": {1}} }, "decorations"},
		{"an initialization", func(p *proposal) { p.invocation.ChaincodeSpec.Input.IsInit = true }, "initialization"},
		{"a timeout", func(p *proposal) { p.invocation.ChaincodeSpec.Timeout = 1 }, "timeout"},
		{"other arguments", func(p *proposal) { p.invocation.ChaincodeSpec.Input.Args[1] = []byte("other") }, "another chaincode"},
		{"more arguments", func(p *proposal) {
			p.invocation.ChaincodeSpec.Input.Args = append(p.invocation.ChaincodeSpec.Input.Args, nil)
		}, "another chaincode"},
		{"no input", func(p *proposal) { p.invocation.ChaincodeSpec = nil }, "another chaincode"},
	} {
		p.alter = bad.alter
		e := brokenRule(t, p.invoke(issuer, call...))
		if e == nil || e.Code != chaincode.CodeMalformed || !strings.Contains(e.Message, bad.message) {
			t.Errorf("%s: got %v, want %s about %q", bad.name, e, chaincode.CodeMalformed, bad.message)
		}
		if r := p.invoke(issuer, "Query", "types", "[]"); r.Status != shim.OK {
			t.Errorf("%s: a query is refused: %s", bad.name, r.Message)
		}
	}
	if !maps.EqualFunc(p.state, state, bytes.Equal) {
		t.Error("a refused proposal changed the state")
	}
	p.alter = nil
	if r := p.invoke(issuer, call...); r.Status != shim.OK {
		t.Errorf("the proposal as the command peer makes it: %s", r.Message)
	}
}

// header is what fabric-sdk-go knows of a transaction before its proposal.
type header struct{ creator, nonce []byte }

func (h header) Creator() []byte                  { return h.creator }
func (h header) Nonce() []byte                    { return h.nonce }
func (h header) ChannelID() string                { return "credledger" }
func (h header) TransactionID() fab.TransactionID { return "id" }

// A proposal that fabric-sdk-go makes is taken.
func TestProposalOfSDK(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	argument := base64.StdEncoding.EncodeToString(c.Batch(rulestest.Issuer, "batch", 3).Tx(c, rulestest.Issuer+"/anchor").Bytes())
	creator := p.creator(rulestest.Issuer)
	made, err := txn.CreateChaincodeInvokeProposal(header{creator, nonce}, fab.ChaincodeInvokeRequest{
		ChaincodeID: "credledger", Fcn: "Submit", Args: [][]byte{[]byte(argument)}, Lang: pb.ChaincodeSpec_GOLANG,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(made.Proposal)
	if err != nil {
		t.Fatal(err)
	}
	p.alter = func(p *proposal) { p.raw = b }
	if r := p.invoke(creator, "Submit", argument); r.Status != shim.OK {
		t.Errorf("refused: %s", r.Message)
	}
}

// A reading is what a peer that validates a transaction, and who follows, take its parts for.
type reading struct{ creator, input string }

// readings cuts what the endorsers signed the hash of in all ways that a peer's validation takes
// (core/common/validation and the dispatcher of validation plugins, v2.5).
func readings(p *proposal) []reading {
	signed := slices.Concat(p.header.ChannelHeader, p.header.SignatureHeader, p.proposal.Payload)
	var out []reading
	for i := range signed {
		channel, extension := new(common.ChannelHeader), new(pb.ChaincodeHeaderExtension)
		if proto.Unmarshal(signed[:i], channel) != nil || channel.Type != int32(common.HeaderType_ENDORSER_TRANSACTION) || channel.Epoch != 0 ||
			channel.TxId == "" || proto.Unmarshal(channel.Extension, extension) != nil || extension.ChaincodeId.GetName() == "" {
			continue
		}
		for j := i; j < len(signed); j++ { // the input may be anything, but not empty
			signature, payload := new(common.SignatureHeader), new(pb.ChaincodeProposalPayload)
			if proto.Unmarshal(signed[i:j], signature) != nil || len(signature.Creator) == 0 || len(signature.Nonce) == 0 {
				continue
			}
			proto.Unmarshal(signed[j:], payload)
			out = append(out, reading{string(signature.Creator), string(payload.Input)})
		}
	}
	return out
}

// The attack: a client puts another's creator, and a nonce, behind its channel header. The endorsers
// see the client's own; cut behind the channel header's last known field, the same bytes are a call of
// the other's, which the peers would commit. A hash of a TLS certificate, too, can be on either side.
// The plain proposal has one reading.
func TestTwoReadings(t *testing.T) {
	p := newPeer(t)
	c := city(t, p)
	argument := base64.StdEncoding.EncodeToString(c.Batch(rulestest.Issuer, "batch", 1).Tx(c, rulestest.Issuer+"/anchor").Bytes())
	own, others := p.creator(rulestest.Issuer), p.creator(rulestest.Other)
	hidden, err := proto.Marshal(&common.SignatureHeader{Creator: others, Nonce: nonce})
	if err != nil {
		t.Fatal(err)
	}
	for name, attack := range map[string]struct {
		alter func(*proposal)
		reads []string // as the creators of
	}{
		"plain":               {func(*proposal) {}, []string{rulestest.Issuer}},
		"another's creator":   {func(p *proposal) { p.channel.XXX_unrecognized = hidden }, []string{rulestest.Other, rulestest.Issuer}},
		"a TLS hash":          {func(p *proposal) { p.channel.TlsCertHash = make([]byte, 32) }, []string{rulestest.Issuer, rulestest.Issuer}},
		"unknown fields last": {func(p *proposal) { p.signature.XXX_unrecognized = unknown }, []string{rulestest.Issuer, rulestest.Issuer}},
	} {
		made := newProposal(own, "Submit", argument)
		attack.alter(made)
		made.encode(t)
		creators := map[string]bool{}
		got := readings(made)
		for _, r := range got {
			creators[r.creator] = true
			if r.input != string(made.payload.Input) {
				t.Errorf("%s: other arguments can be read", name)
			}
		}
		for _, organisation := range attack.reads {
			if !creators[string(p.creator(organisation))] {
				t.Errorf("%s: no reading by %s", name, organisation)
			}
		}
		plain := name == "plain"
		if plain && len(got) != 1 || len(got) < len(attack.reads) {
			t.Errorf("%s: %d readings, want %d", name, len(got), len(attack.reads))
		}
		p.alter = attack.alter
		p.fails = "SetEvent" // so that nothing is committed
		e := brokenRule(t, p.invoke(own, "Submit", argument))
		if refused := e != nil && e.Code == chaincode.CodeMalformed; refused == plain {
			t.Errorf("%s: %v", name, e)
		}
	}
}
