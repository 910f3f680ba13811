package fabric

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/golang/protobuf/proto"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	sdkcontext "github.com/hyperledger/fabric-sdk-go/pkg/common/providers/context"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	contextimpl "github.com/hyperledger/fabric-sdk-go/pkg/context"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/txn"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk"
)

// A network is what the connections of one identity share: the peers and orderers, what is known of
// them, and the streams that tell it.
type network struct {
	instance *instance
	key      networkKey
	uses     int // under instancesMu

	client       sdkcontext.Client
	identity     *identity
	organisation string
	channel      string
	chaincode    string

	policy   policy
	needed   mark    // organisations that a transaction had to be endorsed by
	peers    []*peer // in order of preference
	orderers orderers
	commits  commits
	told     *mark // heights that somebody in this process was told of
	changed  bell  // rings when a peer goes on, comes or goes

	endorsing  pace
	overtaking mark // age at which the last taken of the transactions that are in a block was taken
	began      time.Time

	ctx  context.Context // of the streams
	stop context.CancelFunc
	work sync.WaitGroup
}

func newNetwork(in *instance, c *Config) (*network, error) {
	s, err := c.identity.signer(in.suite)
	if err != nil {
		return nil, err
	}
	client, err := in.sdk.Context(fabsdk.WithIdentity(s))()
	if err != nil {
		return nil, fail(CodeIdentity, "use the identity", err)
	}
	n := &network{
		instance: in, client: client, identity: c.identity, organisation: c.Organisation, channel: c.Channel, chaincode: c.Chaincode,
		policy: policy{c.Authority, len(c.profile.Organizations)}, told: in.told[c.Channel], began: time.Now(),
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	for _, o := range preference(c.profile, c.Organisation, c.Authority) {
		for _, name := range c.profile.Organizations[o].Peers {
			p := &peer{name: name, organisation: o}
			p.config, _ = client.EndpointConfig().PeerConfig(c.profile.Peers[name].URL)
			p.endorser, err = client.InfraProvider().CreatePeerFromConfig(&fab.NetworkPeer{PeerConfig: *p.config, MSPID: o})
			if err != nil {
				return nil, fail(CodeConfig, "use the peer "+name, err)
			}
			n.peers = append(n.peers, p)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.profile.Orderers)) {
		config, _, _ := client.EndpointConfig().OrdererConfig(c.profile.Orderers[name].URL)
		o, err := client.InfraProvider().CreateOrdererFromConfig(config)
		if err != nil {
			return nil, fail(CodeConfig, "use the orderer "+name, err)
		}
		n.orderers.add(name, o)
	}
	n.watchMajority()
	return n, nil
}

// preference lists organisations in the order in which their peers are asked: the own one, the
// authority, and the others beginning behind the own one, so that each organisation begins elsewhere.
func preference(p *profile, own, authority string) []string {
	var before, behind []string
	for _, o := range slices.Sorted(maps.Keys(p.Organizations)) {
		switch {
		case o == own || o == authority:
		case o < own:
			before = append(before, o)
		default:
			behind = append(behind, o)
		}
	}
	order := []string{authority}
	if own != authority && p.hasOrganisation(own) {
		order = []string{own, authority}
	}
	return slices.Concat(order, behind, before)
}

// watchMajority follows the peers that are asked as long as all goes well.
func (n *network) watchMajority() {
	chosen, _ := n.policy.majority().choose(n.peers, nil)
	for _, p := range chosen {
		n.watch(p)
	}
}

// watchAll follows all peers.
func (n *network) watchAll() {
	for _, p := range n.peers {
		n.watch(p)
	}
}

// age tells a time in nanoseconds since the network was opened.
func (n *network) age(at time.Time) uint64 { return uint64(max(at.Sub(n.began), 0)) }

// close ends the streams and waits for them.
func (n *network) close() {
	n.stop()
	n.work.Wait()
}

// request makes a ctx such that fabric-sdk-go finds its client in it.
func (n *network) request(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return contextimpl.NewRequest(n.client, contextimpl.WithParent(ctx), contextimpl.WithTimeout(timeout))
}

// A proposal is a call of a chaincode that was signed.
type proposal struct {
	unsigned *fab.TransactionProposal
	signed   *pb.SignedProposal
}

// propose makes a proposal, under an id of its own, to call a function of the chaincode.
func (n *network) propose(function string, args ...[]byte) (*proposal, error) {
	if err := n.identity.errExpired(time.Now()); err != nil {
		return nil, err
	}
	header, err := txn.NewHeader(n.client, n.channel)
	if err != nil {
		return nil, fail(CodeIdentity, "make a proposal", err)
	}
	p, err := txn.CreateChaincodeInvokeProposal(header, fab.ChaincodeInvokeRequest{ChaincodeID: n.chaincode, Fcn: function, Args: args})
	if err != nil {
		return nil, fail(CodeIdentity, "make a proposal", err)
	}
	b, err := proto.Marshal(p.Proposal)
	if err != nil {
		return nil, fail(CodeIdentity, "make a proposal", err)
	}
	signature, err := n.sign(b)
	return &proposal{p, &pb.SignedProposal{ProposalBytes: b, Signature: signature}}, err
}

func (n *network) sign(b []byte) ([]byte, error) {
	signature, err := n.client.SigningManager().Sign(b, n.client.PrivateKey())
	if err != nil {
		return nil, fail(CodeIdentity, "sign with the client's key", err)
	}
	return signature, nil
}

// call has a peer carry out a proposal. A failure is noted against the peer unless ctx is done, or
// the peer has spoken about the call itself.
func (n *network) call(ctx context.Context, p *peer, proposal *proposal, timeout time.Duration) (*fab.TransactionProposalResponse, error) {
	rctx, cancel := n.request(ctx, timeout)
	defer cancel()
	r, err := p.endorser.ProcessTransactionProposal(rctx, fab.ProcessProposalRequest{SignedProposal: proposal.signed})
	n.judge(ctx, p, err)
	return r, err
}

// judge notes what the end of a call says of the peer. If it is nothing good, more peers are
// followed, to be able to stand in.
func (n *network) judge(ctx context.Context, p *peer, err error) {
	switch {
	case err == nil || outcryOf(err) != nil:
		p.answered()
	case ctx.Err() == nil:
		p.failed(err, time.Now())
		n.watchAll()
	}
}
