package fabric

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	pb "github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/txn"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// mostAttempts is how often a transaction that others were faster than is endorsed again.
const mostAttempts = 20

// submit has a transaction applied.
func (n *network) submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	b := tx.Bytes()
	if _, err := chaincode.ParseTransaction(b); err != nil {
		return ledger.Receipt{}, err
	}
	argument := base64.StdEncoding.AppendEncode(nil, b)
	q := n.policy.majority()
	q.size = max(q.size, int(n.needed.get()))
	var last pb.TxValidationCode
	for attempt := range mostAttempts {
		a, err := n.endorse(ctx, q, attempt > 0, "Submit", argument)
		if err != nil {
			return ledger.Receipt{}, err
		}
		existing, err := n.decided(ctx, a)
		if err != nil || existing {
			return ledger.Receipt{Existing: existing}, err
		}
		envelope, err := n.envelope(a)
		if err != nil {
			return ledger.Receipt{}, err
		}
		id := string(a.proposal.unsigned.TxnID)
		o, err := n.commit(ctx, id, envelope)
		if err != nil {
			return ledger.Receipt{}, err
		}
		n.told.raise(o.block + 1)
		switch last = o.code; last {
		case pb.TxValidationCode_VALID:
			n.needed.raise(uint64(q.size))
			return ledger.Receipt{Position: ledger.Position{Block: o.block, Index: o.index}, TxID: id}, nil
		case pb.TxValidationCode_MVCC_READ_CONFLICT, pb.TxValidationCode_PHANTOM_READ_CONFLICT:
			// Others were faster. Has it happened already, or does it break a rule now?
		case pb.TxValidationCode_EXPIRED_CHAINCODE, pb.TxValidationCode_CHAINCODE_VERSION_CONFLICT:
			// The chaincode was upgraded meanwhile.
		case pb.TxValidationCode_ENDORSEMENT_POLICY_FAILURE:
			if q.size == n.policy.organisations {
				return ledger.Receipt{}, invalidated(id, last)
			}
			q.size++ // the network's policy asks for more than a majority
		default:
			return ledger.Receipt{}, invalidated(id, last)
		}
	}
	return ledger.Receipt{}, notSubmitted("the transaction has no effect: what it depends on was changed again and again while it was "+
		"submitted; try again", errors.New(last.String()))
}

func invalidated(id string, code pb.TxValidationCode) error {
	return fail(CodeInvalidated, fmt.Sprintf("the peers found the transaction %s invalid, it has no effect: %s; compare the network's "+
		"endorsement policy and the certificates of its peers with the client configuration", id, code), nil)
}

// decided returns what endorsers decide alone: that a rule is broken, or that all of it had happened
// before. Either may be the effect of a block that this process was not told of yet.
func (n *network) decided(ctx context.Context, a *agreement) (existing bool, err error) {
	if err = a.outcry; err == nil {
		if existing, err = a.existing(); err != nil || !existing {
			return false, err
		}
	}
	if chaincode.Code(err) != "" || existing {
		if height, _, infoErr := n.info(ctx, a.peers[0]); infoErr == nil {
			n.told.raise(height)
		}
	}
	return existing, err
}

// action returns what was endorsed.
func (a *agreement) action() (*pb.ChaincodeAction, error) {
	payload, action := new(pb.ProposalResponsePayload), new(pb.ChaincodeAction)
	if err := proto.Unmarshal(a.responses[0].ProposalResponse.Payload, payload); err != nil {
		return nil, err
	}
	return action, proto.Unmarshal(payload.Extension, action)
}

// existing reads the answer of package contract to Submit.
func (a *agreement) existing() (bool, error) {
	action, err := a.action()
	var answer struct {
		Existing *bool `json:"existing"`
	}
	if err == nil {
		err = json.Unmarshal(action.GetResponse().GetPayload(), &answer)
	}
	if err != nil || answer.Existing == nil {
		return false, notSubmitted("the chaincode's answer to Submit is not one; compare the versions of chaincode and client", err)
	}
	return *answer.Existing, nil
}

// envelope makes and signs the transaction that orderers take.
func (n *network) envelope(a *agreement) (*fab.SignedEnvelope, error) {
	tx, err := txn.New(fab.TransactionRequest{Proposal: a.proposal.unsigned, ProposalResponses: a.responses})
	if err != nil {
		return nil, notSubmitted("make the transaction", err)
	}
	header := new(common.Header)
	if err := proto.Unmarshal(a.proposal.unsigned.Header, header); err != nil {
		return nil, notSubmitted("make the transaction", err)
	}
	data, err := proto.Marshal(tx.Transaction)
	if err != nil {
		return nil, notSubmitted("make the transaction", err)
	}
	payload, err := proto.Marshal(&common.Payload{Header: header, Data: data})
	if err != nil {
		return nil, notSubmitted("make the transaction", err)
	}
	signature, err := n.sign(payload)
	return &fab.SignedEnvelope{Payload: payload, Signature: signature}, err
}
