package fabric

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	ab "github.com/hyperledger/fabric-protos-go/orderer"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/credledger/credledger/sdk/fabric/block"
)

// A fakeNetwork is peers and orderers in this process, which speak Fabric's protocols over TLS and
// have one chain; what they do amiss is the test's to say. Each transaction is a block of its own.
type fakeNetwork struct {
	tb       testing.TB
	root     *issued
	peers    map[string]*fakePeer // by organisation
	clients  map[string]*identity // by organisation
	orderers []*fakeOrderer

	mu    sync.Mutex
	bell  bell
	chain []*common.Block
	ids   map[string]bool
	judge func(id string) pb.TxValidationCode // of a transaction that is no copy; nil: VALID
}

var fakeOrganisations = []string{"authority", "own", "second", "third"}

// newFakeNetwork makes a network of the four organisations with one peer each, and two orderers.
func newFakeNetwork(tb testing.TB) *fakeNetwork {
	tb.Helper()
	f := &fakeNetwork{tb: tb, root: issue(tb, "root", nil, nil), peers: map[string]*fakePeer{}, clients: map[string]*identity{}, ids: map[string]bool{}}
	f.append(&common.Envelope{Payload: []byte("configuration")}, "genesis")
	for _, o := range fakeOrganisations {
		p := &fakePeer{network: f, organisation: o, invoke: answer(`{"existing":false}`), most: never}
		p.serve = func(s *grpc.Server) { pb.RegisterEndorserServer(s, p); pb.RegisterDeliverServer(s, p) }
		p.start(tb, f.root)
		f.peers[o] = p
	}
	for range 2 {
		o := &fakeOrderer{network: f}
		o.serve = func(s *grpc.Server) { ab.RegisterAtomicBroadcastServer(s, o) }
		o.start(tb, f.root)
		f.orderers = append(f.orderers, o)
	}
	return f
}

// connect opens a connection, which is closed with the test.
func (f *fakeNetwork) connect(organisation string) *Connection {
	f.tb.Helper()
	c, err := Open(f.tb.Context(), f.config(organisation))
	if err != nil {
		f.tb.Fatal(err)
	}
	f.tb.Cleanup(func() { c.Close() })
	return c
}

// config is the configuration of a client.
func (f *fakeNetwork) config(organisation string) *Config {
	f.tb.Helper()
	endpoint := func(address string) profileEndpoint {
		return profileEndpoint{URL: "grpcs://" + address, Options: map[string]any{}, Roots: map[string]string{"pem": string(f.root.certificatePEM())}}
	}
	p := &profile{Organizations: map[string]profileOrganisation{}, Peers: map[string]profileEndpoint{}, Orderers: map[string]profileEndpoint{}}
	for o, peer := range f.peers {
		p.Organizations[o] = profileOrganisation{o, []string{"peer1." + o}}
		p.Peers["peer1."+o] = endpoint(peer.address)
	}
	for i, o := range f.orderers {
		p.Orderers[fmt.Sprint("orderer", i)] = endpoint(o.address)
	}
	if f.clients[organisation] == nil {
		client := issue(f.tb, "client", f.root, nil)
		i, err := parseIdentity(organisation, client.certificatePEM(), client.keyPEM(f.tb), time.Now())
		if err != nil {
			f.tb.Fatal(err)
		}
		f.clients[organisation] = i
	}
	return &Config{Organisation: organisation, Authority: "authority", Channel: "channel", Chaincode: "chaincode", profile: p, identity: f.clients[organisation]}
}

// append adds a block with one transaction.
func (f *fakeNetwork) append(e *common.Envelope, id string) {
	encoded, _ := proto.Marshal(e)
	sum := sha256.Sum256(encoded)
	f.mu.Lock()
	defer f.mu.Unlock()
	code := pb.TxValidationCode_VALID
	switch {
	case f.ids[id]:
		code = pb.TxValidationCode_DUPLICATE_TXID
	case f.judge != nil:
		code = f.judge(id)
	}
	f.ids[id] = true
	h := &common.BlockHeader{Number: uint64(len(f.chain)), DataHash: sum[:]}
	if len(f.chain) > 0 {
		hash := block.HeaderHash(f.chain[len(f.chain)-1].Header)
		h.PreviousHash = hash[:]
	}
	f.chain = append(f.chain, &common.Block{
		Header: h, Data: &common.BlockData{Data: [][]byte{encoded}},
		Metadata: &common.BlockMetadata{Metadata: [][]byte{{}, {}, {byte(code)}}},
	})
	f.bell.ring()
}

func (f *fakeNetwork) height() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return uint64(len(f.chain))
}

func (f *fakeNetwork) block(n uint64) *common.Block {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chain[n]
}

// grow adds blocks that nobody waits for.
func (f *fakeNetwork) grow(n int) {
	for range n {
		f.append(&common.Envelope{Payload: []byte(fmt.Sprint("block ", f.height()))}, fmt.Sprint("filler ", f.height()))
	}
}

// A fakeServer is a gRPC server that can be stopped, and started again under its address.
type fakeServer struct {
	address string
	serve   func(*grpc.Server)
	grpc    *grpc.Server
	tls     *tls.Config
}

func (s *fakeServer) start(tb testing.TB, root *issued) {
	tb.Helper()
	if s.tls == nil {
		own := issue(tb, "server", root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
		s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{own.certificate.Raw}, PrivateKey: own.key}}}
		tb.Cleanup(s.stop)
	}
	address := s.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	s.address = l.Addr().String()
	s.grpc = grpc.NewServer(grpc.Creds(credentials.NewTLS(s.tls)))
	s.serve(s.grpc)
	go s.grpc.Serve(l)
}

func (s *fakeServer) stop() { s.grpc.Stop() }
