package contract_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/hyperledger/fabric-protos-go/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go/msp"
	pb "github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode/contract"
)

// A peer is as much of a Fabric peer with one channel as a chaincode can see. A transaction reads
// the state before it, whatever it puts; what it puts and the event it emits count if it succeeds.
type peer struct {
	t         testing.TB
	chaincode shim.Chaincode
	state     map[string][]byte
	history   map[string][]*queryresult.KeyModification // newest first
	height    int
	open      int // iterators that were not closed
	cert      []byte

	alter  func(*proposal) // what a client makes of its proposals
	fails  string          // name of the method that fails
	puts   []string
	events []*pb.ChaincodeEvent // of committed transactions
}

var errPeer = errors.New("the peer is gone")

func newPeer(t testing.TB) *peer {
	t.Helper()
	cc, err := contract.New()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{
		t: t, chaincode: cc, state: map[string][]byte{}, history: map[string][]*queryresult.KeyModification{},
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
}

// creator is the identity of a client of an organisation.
func (p *peer) creator(actor string) []byte {
	p.t.Helper()
	b, err := proto.Marshal(&msp.SerializedIdentity{Mspid: actor, IdBytes: p.cert})
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// invoke runs a transaction and commits it if it succeeds.
func (p *peer) invoke(creator []byte, args ...string) pb.Response {
	p.t.Helper()
	made := newProposal(creator, args...)
	if p.alter != nil {
		p.alter(made)
	}
	s := &stub{peer: p, args: args, creator: creator, proposal: made.encode(p.t), puts: map[string][]byte{}}
	response := p.chaincode.Invoke(s)
	if p.open != 0 {
		p.t.Errorf("%s left %d iterators open", args[0], p.open)
	}
	p.puts = s.order
	if response.Status != shim.OK {
		return response
	}
	if len(s.puts) > 0 {
		p.height++
	}
	for _, key := range s.order {
		p.state[key] = s.puts[key]
		p.history[key] = append([]*queryresult.KeyModification{{TxId: strconv.Itoa(p.height), Value: s.puts[key]}}, p.history[key]...)
	}
	if s.event != nil {
		p.events = append(p.events, s.event)
	}
	return response
}

// A stub is one call; what the contract has no business with is left to the nil interface.
type stub struct {
	shim.ChaincodeStubInterface
	peer     *peer
	args     []string
	creator  []byte
	proposal []byte
	puts     map[string][]byte
	order    []string
	event    *pb.ChaincodeEvent
}

func (s *stub) fail(method string) error {
	if s.peer.fails == method {
		return errPeer
	}
	return nil
}

func (s *stub) GetFunctionAndParameters() (string, []string) { return s.args[0], s.args[1:] }

func (s *stub) GetCreator() ([]byte, error) { return s.creator, s.fail("GetCreator") }

func (s *stub) GetSignedProposal() (*pb.SignedProposal, error) {
	return &pb.SignedProposal{ProposalBytes: s.proposal}, s.fail("GetSignedProposal")
}

func (s *stub) GetState(key string) ([]byte, error) {
	if s.fail("GetState") != nil {
		return nil, errPeer
	}
	return s.peer.state[key], nil
}

func (s *stub) PutState(key string, value []byte) error {
	if key == "" || key[0] == 0 || len(value) == 0 {
		return errors.New("a key that Fabric refuses, or an empty value")
	}
	s.puts[key] = value
	s.order = append(s.order, key)
	return s.fail("PutState")
}

func (s *stub) SetEvent(name string, payload []byte) error {
	if name == "" {
		return errors.New("event name can not be empty string")
	}
	s.event = &pb.ChaincodeEvent{EventName: name, Payload: payload} // of several the last one counts
	return s.fail("SetEvent")
}

func (s *stub) GetStateByRange(start, end string) (shim.StateQueryIteratorInterface, error) {
	if s.fail("GetStateByRange") != nil {
		return nil, errPeer
	}
	it := &stateIterator{iterator: iterator[*queryresult.KV]{stub: s}}
	for _, key := range slices.Sorted(maps.Keys(s.peer.state)) {
		if start <= key && key < end {
			it.items = append(it.items, &queryresult.KV{Key: key, Value: s.peer.state[key]})
		}
	}
	s.peer.open++
	return it, nil
}

func (s *stub) GetHistoryForKey(key string) (shim.HistoryQueryIteratorInterface, error) {
	if s.fail("GetHistoryForKey") != nil {
		return nil, errPeer
	}
	s.peer.open++
	return &historyIterator{iterator[*queryresult.KeyModification]{stub: s, items: s.peer.history[key]}}, nil
}

type iterator[V any] struct {
	stub  *stub
	items []V
}

func (i *iterator[V]) HasNext() bool { return len(i.items) > 0 }

func (i *iterator[V]) Next() (V, error) {
	next := i.items[0]
	i.items = i.items[1:]
	return next, i.stub.fail("Next")
}

func (i *iterator[V]) Close() error {
	i.stub.peer.open--
	return i.stub.fail("Close")
}

type stateIterator struct {
	iterator[*queryresult.KV]
}

type historyIterator struct {
	iterator[*queryresult.KeyModification]
}
