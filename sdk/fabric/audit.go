package fabric

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/events/deliverclient/seek"

	"github.com/credledger/credledger/sdk/fabric/channel"
	"github.com/credledger/credledger/sdk/ledger/audit"
)

// deliverPatience is how long a peer may take to show the next block that it has.
const deliverPatience = 30 * time.Second

// Audit audits the channel from its blocks, as package channel describes, trusting nobody: neither
// the peer that shows them nor the endorsers. They are read from one peer, the organisation's own
// (the authority's if it has none): it is that peer's copy that is audited, and no other one's is
// taken in its place. The error is that of ctx or a *ledger.Error; with channel.CodeIncomplete the
// peer did not show a block that it says it has.
func (c *Connection) Audit(ctx context.Context, o audit.Options) (*audit.Report, error) {
	bound, cancel, err := c.bind(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if err := c.network.identity.errExpired(time.Now()); err != nil {
		return nil, err
	}
	p := c.network.peers[0]
	height, _, err := c.network.info(bound, p)
	if err != nil {
		if bound.Err() != nil {
			return nil, c.ended(ctx, bound.Err())
		}
		if cry := outcryOf(err); cry != nil {
			return nil, cry.err
		}
		return nil, fail(CodeUnreachable, "the audit reads the copy of the ledger at "+p.name+", which does not answer; see whether it is up", reason(err))
	}
	report, err := channel.Audit(bound, c.network.copyAt(bound, p), height, c.network.channel, c.network.chaincode, o)
	return report, c.ended(ctx, err)
}

// copyAt yields the blocks of one peer from block 0 on as it has them, without any check.
func (n *network) copyAt(ctx context.Context, p *peer) iter.Seq2[*common.Block, error] {
	return func(yield func(*common.Block, error) bool) {
		s, err := n.open(ctx, p, wholeBlocks, seek.InfoFrom(0))
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.close()
		for {
			b, err := s.next(ctx)
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// next returns the next block of a stream.
func (s *stream) next(ctx context.Context) (*common.Block, error) {
	patience := time.NewTimer(deliverPatience)
	defer patience.Stop()
	select {
	case event, ok := <-s.events:
		r, err := response(event, ok)
		return r.GetBlock(), err
	case <-patience.C:
		return nil, errors.New("the peer shows no more blocks")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
