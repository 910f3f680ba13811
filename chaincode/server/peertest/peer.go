package peertest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Channel is the channel that all calls are on.
const Channel = "credledger"

// A State is the state of the channel. It may be shared by peers.
type State struct {
	mu     sync.Mutex
	values map[string][]byte
	calls  int
}

// NewState returns an empty state.
func NewState() *State { return &State{values: map[string][]byte{}} }

// Values returns a copy of the state.
func (s *State) Values() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

// A Peer is a connection to a chaincode's server as a peer has it. Its calls may be concurrent; each
// reads the state as it finds it, and what it wrote becomes the state if it succeeds.
type Peer struct {
	PackageID string // what the server registered as

	// Ask, if it is not nil, is told of each thing that a call asks for, and what it returns is
	// answered; nothing if that is nil. Set it before the first call.
	Ask func(*pb.ChaincodeMessage) *pb.ChaincodeMessage

	state    *State
	identity []byte
	conn     *grpc.ClientConn
	stream   pb.Chaincode_ConnectClient
	sending  sync.Mutex

	mu    sync.Mutex
	err   error
	calls map[string]*Call
}

// A Call is what came of a call.
type Call struct {
	Response *pb.Response
	Event    *pb.ChaincodeEvent
	Writes   map[string][]byte

	done chan error
}

// Dial connects to a server and sees its registration through.
func Dial(address string, config *tls.Config, state *State, identity []byte) (*Peer, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return nil, err
	}
	p := &Peer{state: state, identity: identity, conn: conn, calls: map[string]*Call{}}
	if err := p.register(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go p.receive()
	return p, nil
}

func (p *Peer) register() (err error) {
	if p.stream, err = pb.NewChaincodeClient(p.conn).Connect(context.Background()); err != nil {
		return err
	}
	m, err := p.stream.Recv()
	if err != nil {
		return err
	}
	id := new(pb.ChaincodeID)
	if err := proto.Unmarshal(m.Payload, id); err != nil || m.Type != pb.ChaincodeMessage_REGISTER {
		return fmt.Errorf("a server began with %v: %w", m.Type, err)
	}
	p.PackageID = id.Name
	return errors.Join(
		p.Send(&pb.ChaincodeMessage{Type: pb.ChaincodeMessage_REGISTERED}),
		p.Send(&pb.ChaincodeMessage{Type: pb.ChaincodeMessage_READY}))
}

// Close drops the connection with whatever is under way.
func (p *Peer) Close() { p.conn.Close() }

// Send sends a message, whatever it is.
func (p *Peer) Send(m *pb.ChaincodeMessage) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	return p.stream.Send(m)
}

// Call calls a function for a client of an organisation.
func (p *Peer) Call(tb testing.TB, organisation string, args ...string) (*Call, error) {
	tb.Helper()
	p.state.mu.Lock()
	p.state.calls++
	id := strconv.Itoa(p.state.calls)
	p.state.mu.Unlock()
	m := &pb.ChaincodeMessage{
		Type: pb.ChaincodeMessage_TRANSACTION, ChannelId: Channel, Txid: id,
		Payload: input(tb, args), Proposal: proposal(tb, organisation, p.identity, args),
	}
	call := &Call{Writes: map[string][]byte{}, done: make(chan error, 1)}
	p.mu.Lock()
	err := p.err
	p.calls[id] = call
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := p.Send(m); err != nil {
		return nil, err
	}
	if err := <-call.done; err != nil {
		return nil, err
	}
	return call, nil
}

// receive answers what calls ask for, and ends them, until the connection does.
func (p *Peer) receive() {
	for {
		m, err := p.stream.Recv()
		if err != nil {
			p.mu.Lock()
			p.err = err
			for _, call := range p.calls {
				call.done <- err
			}
			clear(p.calls)
			p.mu.Unlock()
			return
		}
		p.mu.Lock()
		call := p.calls[m.Txid]
		if m.Type == pb.ChaincodeMessage_COMPLETED || m.Type == pb.ChaincodeMessage_ERROR {
			delete(p.calls, m.Txid)
		}
		p.mu.Unlock()
		if call != nil {
			p.handle(call, m)
		}
	}
}

func (p *Peer) handle(call *Call, m *pb.ChaincodeMessage) {
	switch m.Type {
	case pb.ChaincodeMessage_COMPLETED:
		call.Response, call.Event = new(pb.Response), m.ChaincodeEvent
		err := proto.Unmarshal(m.Payload, call.Response)
		if err == nil && call.Response.Status < 400 {
			p.state.mu.Lock()
			maps.Copy(p.state.values, call.Writes)
			p.state.mu.Unlock()
		}
		call.done <- err
	case pb.ChaincodeMessage_ERROR:
		call.done <- errors.New(string(m.Payload))
	default:
		answer := p.answer(call, m)
		if p.Ask != nil {
			answer = p.Ask(m)
		}
		if answer != nil {
			answer.ChannelId, answer.Txid = m.ChannelId, m.Txid
			p.Send(answer) // if that fails, Recv will
		}
	}
}

// answer gives a call what it asks for. Ranges and histories are not to be had.
func (p *Peer) answer(call *Call, m *pb.ChaincodeMessage) *pb.ChaincodeMessage {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	get, put := new(pb.GetState), new(pb.PutState)
	switch {
	case m.Type == pb.ChaincodeMessage_GET_STATE && proto.Unmarshal(m.Payload, get) == nil:
		return &pb.ChaincodeMessage{Type: pb.ChaincodeMessage_RESPONSE, Payload: p.state.values[get.Key]}
	case m.Type == pb.ChaincodeMessage_PUT_STATE && proto.Unmarshal(m.Payload, put) == nil:
		call.Writes[put.Key] = put.Value
		return &pb.ChaincodeMessage{Type: pb.ChaincodeMessage_RESPONSE}
	}
	return &pb.ChaincodeMessage{Type: pb.ChaincodeMessage_ERROR, Payload: []byte("the peer of the test has no " + m.Type.String())}
}

func input(tb testing.TB, args []string) []byte { return marshal(tb, chaincodeInput(args)) }

func chaincodeInput(args []string) *pb.ChaincodeInput {
	in := new(pb.ChaincodeInput)
	for _, a := range args {
		in.Args = append(in.Args, []byte(a))
	}
	return in
}

// proposal is the client's proposal, as far as a chaincode sees it: the client's signature is left out.
func proposal(tb testing.TB, organisation string, identity []byte, args []string) *pb.SignedProposal {
	name := &pb.ChaincodeID{Name: "credledger"}
	creator, nonce := marshal(tb, &msp.SerializedIdentity{Mspid: organisation, IdBytes: identity}), make([]byte, 24)
	rand.Read(nonce)
	id := sha256.Sum256(slices.Concat(nonce, creator))
	header := marshal(tb, &common.Header{
		ChannelHeader: marshal(tb, &common.ChannelHeader{
			Type: int32(common.HeaderType_ENDORSER_TRANSACTION), Timestamp: ptypes.TimestampNow(), ChannelId: Channel,
			TxId: hex.EncodeToString(id[:]), Extension: marshal(tb, &pb.ChaincodeHeaderExtension{ChaincodeId: name}),
		}),
		SignatureHeader: marshal(tb, &common.SignatureHeader{Creator: creator, Nonce: nonce}),
	})
	payload := marshal(tb, &pb.ChaincodeProposalPayload{Input: marshal(tb, &pb.ChaincodeInvocationSpec{
		ChaincodeSpec: &pb.ChaincodeSpec{Type: pb.ChaincodeSpec_GOLANG, ChaincodeId: name, Input: chaincodeInput(args)},
	})})
	return &pb.SignedProposal{ProposalBytes: marshal(tb, &pb.Proposal{Header: header, Payload: payload})}
}

func marshal(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
