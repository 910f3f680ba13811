package fabric

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	sdkchannel "github.com/hyperledger/fabric-sdk-go/pkg/fab/channel"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// How long a query may take.
const (
	queryTimeout  = 5 * time.Second         // one peer
	lookupTimeout = 1500 * time.Millisecond // one peer, to look a transaction up
)

// ask has one peer after the other try something, the fittest first, until one of those that know
// all that this process was told of succeeds, or two organisations make the same outcry. The error
// is that of ctx, of try (*chaincode.Error, *ledger.Error), or a *ledger.Error.
func (n *network) ask(ctx context.Context, try func(ctx context.Context, p *peer) error) error {
	if err := n.identity.errExpired(time.Now()); err != nil {
		return err
	}
	timer := time.NewTimer(queryPatience)
	defer timer.Stop()
	pause := retryPause
	for {
		changed := n.changed.next()
		var denial error
		candidates := fittest(n.peers, n.told.get(), fitDown)
		for _, p := range candidates {
			err := try(ctx, p)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				return nil
			}
			switch cry := outcryOf(err); {
			case ledger.Code(err) == CodeIdentity:
				return err
			case cry == nil: // it is the peer's
			case ledger.Code(cry.err) != CodeDenied:
				return cry.err
			case denial != nil:
				return denial
			default:
				denial = cry.err
			}
		}
		if denial == nil {
			denial = n.denied()
		}
		if denial != nil {
			return denial
		}
		n.watchAll()
		if len(candidates) > 0 {
			changed = nil // they have failed, and need time
		}
		retry := time.NewTimer(jitter(pause))
		pause = min(2*pause, time.Second)
		select {
		case <-changed:
		case <-retry.C:
		case <-timer.C:
			return fail(CodeUnreachable, "no peer that is up, and knows what is known already, has answered; see whether the network is up", n.peerErrors())
		case <-ctx.Done():
			return ctx.Err()
		}
		retry.Stop()
	}
}

// evaluate answers a query.
func (n *network) evaluate(ctx context.Context, q chaincode.Query) (answer []byte, err error) {
	arguments, err := json.Marshal(append([]string{}, q.Args...))
	if err != nil {
		return nil, err
	}
	err = n.ask(ctx, func(ctx context.Context, p *peer) error {
		proposal, err := n.propose("Query", []byte(q.Name), arguments)
		if err != nil {
			return err
		}
		r, err := n.call(ctx, p, proposal, queryTimeout)
		if err != nil {
			return err
		}
		answer = r.ProposalResponse.GetResponse().GetPayload()
		return nil
	})
	return answer, err
}

// head returns the end of the chain.
func (n *network) head(ctx context.Context) (head ledger.Head, err error) {
	err = n.ask(ctx, func(ctx context.Context, p *peer) error {
		height, hash, err := n.info(ctx, p)
		if err != nil {
			return err
		}
		head = ledger.Head{Height: height, Hash: hash}
		return nil
	})
	n.told.raise(head.Height)
	return head, err
}

// info returns the end of a peer's chain.
func (n *network) info(ctx context.Context, p *peer) (height uint64, hash sm.Hash, err error) {
	rctx, cancel := n.request(ctx, queryTimeout)
	defer cancel()
	l, err := sdkchannel.NewLedger(n.channel)
	if err != nil {
		return 0, hash, err
	}
	infos, err := l.QueryInfo(rctx, []fab.ProposalProcessor{p.endorser}, nil)
	if err == nil && (len(infos) != 1 || infos[0].BCI.GetHeight() == 0 || len(infos[0].BCI.GetCurrentBlockHash()) != len(hash)) {
		err = errors.New("the peer's information on its chain is none")
	}
	n.judge(ctx, p, err)
	if err != nil {
		return 0, hash, err
	}
	copy(hash[:], infos[0].BCI.CurrentBlockHash)
	return infos[0].BCI.Height, hash, nil
}

// lookUp asks the peers that live for the block that a transaction stands in, until one has it.
func (n *network) lookUp(ctx context.Context, id string) (outcome, bool) {
	l, err := sdkchannel.NewLedger(n.channel)
	if err != nil {
		return outcome{}, false
	}
	for _, p := range fittest(n.peers, 0, fitDown) {
		rctx, cancel := n.request(ctx, lookupTimeout)
		blocks, err := l.QueryBlockByTxID(rctx, fab.TransactionID(id), []fab.ProposalProcessor{p.endorser}, nil)
		cancel()
		if err != nil || len(blocks) != 1 {
			continue // it does not have it, or does not answer: which of the two has no code
		}
		if o, ok := find(blocks[0], id); ok {
			return o, true
		}
	}
	return outcome{}, false
}

// find looks for a transaction in a block. Of several with its id the first counts.
func find(b *common.Block, id string) (outcome, bool) {
	flags := b.GetMetadata().GetMetadata()
	if len(flags) <= int(common.BlockMetadataIndex_TRANSACTIONS_FILTER) {
		return outcome{}, false
	}
	for i, encoded := range b.GetData().GetData() {
		if !bytes.Contains(encoded, []byte(id)) || i >= len(flags[common.BlockMetadataIndex_TRANSACTIONS_FILTER]) {
			continue
		}
		envelope, payload, header := new(common.Envelope), new(common.Payload), new(common.ChannelHeader)
		if proto.Unmarshal(encoded, envelope) == nil && proto.Unmarshal(envelope.Payload, payload) == nil &&
			proto.Unmarshal(payload.GetHeader().GetChannelHeader(), header) == nil && header.TxId == id {
			code := pb.TxValidationCode(flags[common.BlockMetadataIndex_TRANSACTIONS_FILTER][i])
			return outcome{b.GetHeader().GetNumber(), uint32(i), code}, code != pb.TxValidationCode_DUPLICATE_TXID
		}
	}
	return outcome{}, false
}
