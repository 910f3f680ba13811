package fabric

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang/protobuf/proto"
	mspproto "github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

// A ballot is a peer's answer to a proposal.
type ballot struct {
	peer          *peer
	response      *fab.TransactionProposalResponse
	err           error
	before, after uint64 // height of the peer
}

// A round counts the ballots on one proposal.
type round struct {
	quorum   quorum
	proposal *proposal
	peers    []*peer
	ballots  chan ballot

	asked   map[*peer]bool
	pending map[*peer]bool
	late    map[*peer]bool      // pending for long
	votes   map[string][]ballot // that agree, by what they say
	failed  []ballot
}

func newRound(q quorum, p *proposal, peers []*peer) *round {
	return &round{
		quorum: q, proposal: p, peers: peers, ballots: make(chan ballot, len(peers)),
		asked: map[*peer]bool{}, pending: map[*peer]bool{}, late: map[*peer]bool{}, votes: map[string][]ballot{},
	}
}

func (r *round) begin(p *peer) { r.asked[p], r.pending[p] = true, true }
func (r *round) open() bool    { return len(r.pending) > 0 }

// count takes notice of a ballot and returns the agreement that it makes, if any.
func (r *round) count(b ballot) *agreement {
	delete(r.pending, b.peer)
	delete(r.late, b.peer)
	cry := outcryOf(b.err)
	if b.err == nil {
		b.err = r.check(b)
	}
	var key string
	switch {
	case cry != nil:
		key = cry.key
	case b.err != nil:
		r.failed = append(r.failed, b)
		return nil
	default:
		key = "result " + string(b.response.ProposalResponse.Payload)
	}
	r.votes[key] = append(r.votes[key], b)
	if !r.quorum.met(organisationsOf(r.votes[key])) {
		return nil
	}
	a := &agreement{proposal: r.proposal}
	for _, b := range r.votes[key] {
		a.responses = append(a.responses, b.response)
		a.peers = append(a.peers, b.peer)
	}
	if cry != nil {
		a.responses, a.outcry = nil, cry.err
	}
	return a
}

var errNotEndorsed = errors.New("the peer's answer is not endorsed by its organisation")

// check looks whether an answer that is no error can be used.
func (r *round) check(b ballot) error {
	endorser := new(mspproto.SerializedIdentity)
	response := b.response.ProposalResponse
	if len(response.GetPayload()) == 0 || proto.Unmarshal(response.GetEndorsement().GetEndorser(), endorser) != nil ||
		endorser.Mspid != b.peer.organisation {
		return errNotEndorsed
	}
	return nil
}

func organisationsOf(ballots []ballot) map[string]bool {
	out := map[string]bool{}
	for _, b := range ballots {
		out[b.peer.organisation] = true
	}
	return out
}

// lacks reports whether somebody has to stand in for others.
func (r *round) lacks() bool { return len(r.failed)+len(r.late) > 0 }

// substitutes returns whom to ask instead of those that have failed or are slow.
func (r *round) substitutes(told uint64) []*peer {
	have := map[string]bool{}
	for _, ballots := range r.votes {
		for _, b := range ballots {
			have[b.peer.organisation] = true
		}
	}
	for p := range r.pending {
		if !r.late[p] {
			have[p.organisation] = true
		}
	}
	candidates := slices.DeleteFunc(fittest(r.peers, told, fitDown), func(p *peer) bool { return r.asked[p] })
	chosen, ok := r.quorum.choose(candidates, have)
	if !ok {
		return nil
	}
	return chosen
}

// slow returns the peers that have not answered yet.
func (r *round) slow() []*peer {
	var out []*peer
	for p := range r.pending {
		r.late[p] = true
		out = append(out, p)
	}
	return out
}

// failure says why the round came to no agreement: a *ledger.Error.
func (r *round) failure() error {
	if len(r.votes) > 1 {
		return fail(CodeDiffer, "the peers come to different results, nothing was submitted; compare the chaincode that they run", r.difference())
	}
	var errs several
	for _, b := range r.failed {
		errs = append(errs, fmt.Errorf("%s: %w", b.peer.name, reason(b.err)))
	}
	return notSubmitted("the transaction was not submitted: not enough peers could endorse it; try again", errs)
}

// A difference is what peers do not agree on. Those at different heights may not.
type difference struct {
	atOneHeight bool // all of them, all the time
	results     []string
}

func (d *difference) Error() string { return strings.Join(d.results, "; ") }

func (r *round) difference() *difference {
	d := &difference{atOneHeight: true}
	var height *uint64
	for _, ballots := range r.votes {
		what := "a result of its own"
		switch {
		case ballots[0].err != nil:
			what = reason(ballots[0].err).Error()
		case len(ballots) > 1:
			what = fmt.Sprintf("the same result as %d others", len(ballots)-1)
		}
		for _, b := range ballots {
			if height == nil {
				height = &b.before
			}
			d.atOneHeight = d.atOneHeight && b.before == *height && b.after == *height
			d.results = append(d.results, fmt.Sprintf("%s at height %d: %s", b.peer.name, b.after, what))
		}
	}
	slices.Sort(d.results)
	return d
}
