package contract

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	pb "github.com/hyperledger/fabric-protos-go/peer"
)

// nonceSize is the size in bytes of the nonce of a proposal, as fabric-sdk-go, the command peer and
// the clients of Fabric Gateway make it.
const nonceSize = 24

// checkProposal refuses a proposal that is not in the one plain form in which clients make it.
//
// What the endorsers of a call sign holds SHA-256 of its channel header, its signature header and its
// input, one after the other. A peer that validates the transaction takes any three parts with that
// hash; it ignores fields that it does not know, and never looks into the input. Where the client
// leaves more in the proposal than belongs there, it can cut the same bytes elsewhere and have
// committed what reads as the call of somebody else, or as none at all.
//
// In the plain form there is one cut. Protobuf is read from the front, a field at a time, so every
// part that can be read ends where a field ends. The fields, in order, are those of the channel
// header, of which the extension comes last; the creator; the nonce; the input. The channel header
// needs the extension, which names the chaincode, so the first cut is behind it. The peers want a
// creator and a nonce in the signature header, and there is only one of each, so the first cut is
// before the creator, and the second one behind the nonce. The peers want an input that is not empty,
// so the second cut is before it. That is the cut that the endorsers saw. A hash of the TLS
// certificate would come behind the extension, and could change sides.
//
// The transaction's id is SHA-256 of nonce and creator, cut as freely. With a nonce of the usual size,
// and a creator that is an MSP and a certificate with nothing around it, no part of them is for the
// client to fill with another creator.
//
// The rest (that nothing inside the parts is unknown, that the input has no more than arguments, that
// these are the call's) leaves a follower nothing to read that the rules did not.
func checkProposal(stub shim.ChaincodeStubInterface) error {
	signed, err := stub.GetSignedProposal()
	if err != nil {
		return fmt.Errorf("read the proposal: %w", err)
	}
	var (
		l          layers
		proposal   pb.Proposal
		header     common.Header
		channel    common.ChannelHeader
		extension  pb.ChaincodeHeaderExtension
		signature  common.SignatureHeader
		creator    msp.SerializedIdentity
		payload    pb.ChaincodeProposalPayload
		invocation pb.ChaincodeInvocationSpec
	)
	l.read("proposal", signed.GetProposalBytes(), &proposal)
	l.read("header", proposal.Header, &header)
	l.read("channel header", header.ChannelHeader, &channel)
	l.read("extension of the channel header", channel.Extension, &extension)
	l.read("signature header", header.SignatureHeader, &signature)
	l.read("creator", signature.Creator, &creator)
	l.read("payload", proposal.Payload, &payload)
	l.read("input", payload.Input, &invocation)
	if l.err != nil {
		return l.err
	}
	spec := invocation.GetChaincodeSpec()
	function, args := stub.GetFunctionAndParameters()
	switch input := spec.GetInput(); {
	case len(proposal.Extension) > 0:
		return malformed("a proposal to submit a transaction has no extension")
	case extension.ChaincodeId.GetName() == "":
		return malformed("the channel header of a proposal names the chaincode in its extension")
	case len(channel.TlsCertHash) > 0:
		return malformed("the channel header of a proposal to submit a transaction holds no hash of a TLS certificate")
	case len(signature.Nonce) != nonceSize:
		return malformed(fmt.Sprintf("the nonce of a proposal to submit a transaction has %d bytes", nonceSize))
	case creator.Mspid == "" || !isCertificate(creator.IdBytes):
		return malformed("the creator of a proposal is an MSP and one certificate in PEM with nothing before or behind it; " +
			"take everything else out of the certificate's file")
	case len(payload.TransientMap) > 0:
		return malformed("a transaction is submitted without transient data")
	case len(input.GetDecorations()) > 0 || input.GetIsInit() || spec.GetTimeout() != 0:
		return malformed("a transaction is submitted without decorations, initialization and timeout")
	case !slices.EqualFunc(input.GetArgs(), append([]string{function}, args...), func(a []byte, b string) bool { return string(a) == b }):
		return malformed("a transaction is submitted by the proposal's own call, not through another chaincode")
	}
	return nil
}

// layers takes the layers of a proposal off; after the first that is not plain it does nothing.
type layers struct{ err error }

// read reads a message that has to be encoded as protobuf's library encodes it, without fields that
// are not known.
func (l *layers) read(name string, encoded []byte, m proto.Message) {
	if l.err != nil {
		return
	}
	if err := proto.Unmarshal(encoded, m); err == nil {
		proto.DiscardUnknown(m)
		if again, err := proto.Marshal(m); err == nil && bytes.Equal(again, encoded) {
			return
		}
	}
	l.err = malformed("the " + name + " of a proposal to submit a transaction is encoded in the plainest way, without unknown fields")
}

// isCertificate reports whether b is one certificate in PEM, as encoding/pem writes it.
func isCertificate(b []byte) bool {
	block, _ := pem.Decode(b)
	return block != nil && block.Type == "CERTIFICATE" && len(block.Headers) == 0 && bytes.Equal(pem.EncodeToMemory(block), b)
}
