package fabric

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	mspproto "github.com/hyperledger/fabric-protos-go/msp"
	ab "github.com/hyperledger/fabric-protos-go/orderer"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"

	"github.com/credledger/credledger/sdk/fabric/block"
)

// An invocation is what a chaincode is asked to do.
type invocation struct {
	id, creator, function string
	args                  []string
}

// never is the number of a block that a fakePeer does not come to.
const never = 1 << 60

// A fakePeer is a peer.
type fakePeer struct {
	fakeServer
	network      *fakeNetwork
	organisation string

	mu       sync.Mutex
	invoke   func(invocation) *pb.Response // instead of the chaincode
	most     uint64                        // its height is at most that
	denies   string                        // organisation that it does not know
	mute     bool                          // it shows no blocks
	forge    func(*common.Block) *common.Block
	asked    []invocation
	endorsed string // MSP id in its endorsements, if not the organisation
}

// with changes the peer.
func (p *fakePeer) with(change func(*fakePeer)) {
	p.mu.Lock()
	change(p)
	p.mu.Unlock()
	p.network.bell.ring()
}

// calls counts the calls of the chaincode's functions.
func (p *fakePeer) calls(function string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.asked {
		if i.function == function {
			n++
		}
	}
	return n
}

func (p *fakePeer) height() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(p.most, p.network.height())
}

func answer(payload string) func(invocation) *pb.Response {
	return func(invocation) *pb.Response { return &pb.Response{Status: 200, Payload: []byte(payload)} }
}

func refusalOf(code string) func(invocation) *pb.Response {
	return func(invocation) *pb.Response {
		return &pb.Response{Status: 500, Message: fmt.Sprintf(`{"code":%q,"message":"broken"}`, code)}
	}
}

// ProcessProposal implements pb.EndorserServer.
func (p *fakePeer) ProcessProposal(ctx context.Context, signed *pb.SignedProposal) (*pb.ProposalResponse, error) {
	proposal, header, payload := new(pb.Proposal), new(common.Header), new(pb.ChaincodeProposalPayload)
	channel, creator, spec := new(common.ChannelHeader), new(mspproto.SerializedIdentity), new(pb.ChaincodeInvocationSpec)
	signature := new(common.SignatureHeader)
	must(proto.Unmarshal(signed.ProposalBytes, proposal))
	must(proto.Unmarshal(proposal.Header, header))
	must(proto.Unmarshal(proposal.Payload, payload))
	must(proto.Unmarshal(header.ChannelHeader, channel))
	must(proto.Unmarshal(header.SignatureHeader, signature))
	must(proto.Unmarshal(signature.Creator, creator))
	must(proto.Unmarshal(payload.Input, spec))
	i := invocation{id: channel.TxId, creator: creator.Mspid}
	for n, arg := range spec.ChaincodeSpec.Input.Args {
		if n == 0 {
			i.function = string(arg)
		} else {
			i.args = append(i.args, string(arg))
		}
	}
	p.mu.Lock()
	p.asked = append(p.asked, i)
	invoke, denies, endorsed := p.invoke, p.denies, p.endorsed
	p.mu.Unlock()
	if denies == i.creator {
		return nil, fmt.Errorf("error validating proposal: access denied: channel [channel] creator org [%s]", denies)
	}
	var r *pb.Response
	if spec.ChaincodeSpec.ChaincodeId.Name == "qscc" {
		r = p.system(i)
	} else if r = invoke(i); r == nil {
		<-ctx.Done() // it hangs
		return nil, ctx.Err()
	}
	if r.Status >= 400 {
		return &pb.ProposalResponse{Response: r}, nil
	}
	if endorsed == "" {
		endorsed = p.organisation
	}
	action := encode(&pb.ChaincodeAction{Response: r, ChaincodeId: spec.ChaincodeSpec.ChaincodeId})
	return &pb.ProposalResponse{
		Response: r, Payload: encode(&pb.ProposalResponsePayload{ProposalHash: []byte(i.id), Extension: action}),
		Endorsement: &pb.Endorsement{Endorser: encode(&mspproto.SerializedIdentity{Mspid: endorsed}), Signature: []byte("s")},
	}, nil
}

// system answers for the system chaincode qscc.
func (p *fakePeer) system(i invocation) *pb.Response {
	height := p.height()
	switch i.function {
	case "GetChainInfo":
		hash := block.HeaderHash(p.network.block(height - 1).Header)
		return &pb.Response{Status: 200, Payload: encode(&common.BlockchainInfo{Height: height, CurrentBlockHash: hash[:]})}
	case "GetBlockByTxID":
		for n := range height {
			if b := p.network.block(n); idIn(b.Data.Data[0]) == i.args[1] {
				return &pb.Response{Status: 200, Payload: encode(b)}
			}
		}
	}
	return &pb.Response{Status: 500, Message: "no such transaction ID"}
}

// Deliver implements pb.DeliverServer.
func (p *fakePeer) Deliver(s pb.Deliver_DeliverServer) error {
	return p.deliver(s, func(b *common.Block) *pb.DeliverResponse {
		return &pb.DeliverResponse{Type: &pb.DeliverResponse_Block{Block: b}}
	})
}

// DeliverFiltered implements pb.DeliverServer.
func (p *fakePeer) DeliverFiltered(s pb.Deliver_DeliverFilteredServer) error {
	return p.deliver(s, func(b *common.Block) *pb.DeliverResponse {
		code := pb.TxValidationCode(b.Metadata.Metadata[2][0])
		return &pb.DeliverResponse{Type: &pb.DeliverResponse_FilteredBlock{FilteredBlock: &pb.FilteredBlock{
			Number: b.Header.Number, FilteredTransactions: []*pb.FilteredTransaction{{Txid: idIn(b.Data.Data[0]), TxValidationCode: code}},
		}}}
	})
}

// DeliverWithPrivateData implements pb.DeliverServer.
func (p *fakePeer) DeliverWithPrivateData(pb.Deliver_DeliverWithPrivateDataServer) error { return nil }

type deliverServer interface {
	Context() context.Context
	Send(*pb.DeliverResponse) error
	Recv() (*common.Envelope, error)
}

func (p *fakePeer) deliver(s deliverServer, response func(*common.Block) *pb.DeliverResponse) error {
	e, err := s.Recv()
	if err != nil {
		return err
	}
	payload, seek, signature, creator := new(common.Payload), new(ab.SeekInfo), new(common.SignatureHeader), new(mspproto.SerializedIdentity)
	must(proto.Unmarshal(e.Payload, payload))
	must(proto.Unmarshal(payload.Data, seek))
	must(proto.Unmarshal(payload.Header.SignatureHeader, signature))
	must(proto.Unmarshal(signature.Creator, creator))
	status := func(status common.Status) error {
		return s.Send(&pb.DeliverResponse{Type: &pb.DeliverResponse_Status{Status: status}})
	}
	next := p.height() - 1
	if specified := seek.Start.GetSpecified(); specified != nil {
		if next = specified.Number; next > p.height() {
			return status(common.Status_NOT_FOUND)
		}
	}
	for {
		ring := p.network.bell.next()
		p.mu.Lock()
		denied, mute, forge := p.denies == creator.Mspid, p.mute, p.forge
		p.mu.Unlock()
		if denied {
			return status(common.Status_FORBIDDEN)
		}
		if next < p.height() && !mute {
			b := p.network.block(next)
			if forge != nil {
				b = forge(b)
			}
			if err := s.Send(response(b)); err != nil {
				return err
			}
			next++
			continue
		}
		select {
		case <-ring:
		case <-s.Context().Done():
			return s.Context().Err()
		}
	}
}

// A fakeOrderer is an orderer.
type fakeOrderer struct {
	fakeServer
	network *fakeNetwork

	mu   sync.Mutex
	take func(*common.Envelope) *ab.BroadcastResponse // nil response: it hangs
	got  []string                                     // the envelopes, encoded
}

func (o *fakeOrderer) with(change func(*fakeOrderer)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o)
}

// envelopes returns what it got.
func (o *fakeOrderer) envelopes() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.got)
}

// Deliver implements ab.AtomicBroadcastServer.
func (o *fakeOrderer) Deliver(ab.AtomicBroadcast_DeliverServer) error { return nil }

// Broadcast implements ab.AtomicBroadcastServer.
func (o *fakeOrderer) Broadcast(s ab.AtomicBroadcast_BroadcastServer) error {
	for {
		e, err := s.Recv()
		if err != nil {
			return nil
		}
		o.mu.Lock()
		o.got = append(o.got, string(encode(e)))
		take := o.take
		o.mu.Unlock()
		r := &ab.BroadcastResponse{Status: common.Status_SUCCESS}
		if take != nil {
			r = take(e)
		} else {
			o.network.append(e, idIn(encode(e)))
		}
		if r == nil {
			<-s.Context().Done()
			return s.Context().Err()
		}
		if err := s.Send(r); err != nil {
			return err
		}
	}
}

// loses is an orderer that takes a transaction and loses it.
func loses(*common.Envelope) *ab.BroadcastResponse {
	return &ab.BroadcastResponse{Status: common.Status_SUCCESS}
}

// says is an orderer that answers with a status.
func says(status common.Status, info string) func(*common.Envelope) *ab.BroadcastResponse {
	return func(*common.Envelope) *ab.BroadcastResponse { return &ab.BroadcastResponse{Status: status, Info: info} }
}

// idIn returns the transaction id in an envelope, or the payload of one that has none.
func idIn(envelope []byte) string {
	e, payload, header := new(common.Envelope), new(common.Payload), new(common.ChannelHeader)
	must(proto.Unmarshal(envelope, e))
	if proto.Unmarshal(e.Payload, payload) != nil || payload.Header == nil {
		return string(e.Payload)
	}
	must(proto.Unmarshal(payload.Header.ChannelHeader, header))
	return header.TxId
}

func encode(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	must(err)
	return b
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// endorsed is an organisation's answer to a proposal.
func endorsed(organisation, result string) *fab.TransactionProposalResponse {
	return &fab.TransactionProposalResponse{ProposalResponse: &pb.ProposalResponse{
		Payload: []byte(result), Endorsement: &pb.Endorsement{Endorser: encode(&mspproto.SerializedIdentity{Mspid: organisation})},
	}}
}
