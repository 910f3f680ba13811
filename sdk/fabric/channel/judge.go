package channel

import (
	"fmt"
	"slices"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/ledger"
)

// A problem is why a transaction is not valid.
type problem struct{ code, message string }

func because(code, format string, args ...any) *problem {
	return &problem{code, fmt.Sprintf(format, args...)}
}

// A judgement is what the audit itself holds of a transaction, whatever the peer has noted.
type judgement struct {
	call    *block.Call // nil if it cannot be read
	problem *problem    // nil if none was found
	final   bool        // without a problem the transaction is valid; else only its flag can say
	passed  bool        // it has passed, or may have, what comes before the check of what it has read
}

// judge checks a transaction as a peer does when it validates a block: the submitter's signature, the
// id, what was endorsed and by whom, and that nothing it has read was changed since. Where it
// stands makes the difference: transactions are judged in order.
//
// Whatever writes keys of the audited chaincode or of _lifecycle has to be endorsed as these ask for,
// and to have read of these what still holds. Final are judgements of calls of the two that touch
// nothing else: of other chaincodes, which may have policies for single keys and private data that
// expire, and of range queries the audit does not see enough.
func (a *auditor) judge(e *block.Envelope) (judgement, error) {
	if e.Channel.ChannelId != a.channel {
		return judgement{problem: because(block.CodeMalformed, "it is for the channel %.64q", e.Channel.ChannelId)}, nil
	}
	if p := a.checkCreator(e); p != nil {
		return judgement{problem: p}, nil
	}
	call, err := block.ParseCall(e)
	if err != nil {
		return judgement{problem: because(ledger.Code(err), "%v", err)}, nil
	}
	j := judgement{call: call, final: a.seesAll(call)}
	if before, err := a.ids.Get(e.Channel.TxId); err != nil {
		return j, err
	} else if before != nil || a.inBlock[e.Channel.TxId] {
		j.problem = because(FindingRepeated, "a transaction with this id was there before")
		return j, nil
	}
	if j.problem, err = a.checkEndorsed(call); err != nil || j.problem != nil {
		return j, err
	}
	j.passed = true
	unchanged, err := a.unchanged(call)
	if err == nil && !unchanged {
		j.problem = because(FindingConflict, "what the transaction has read was changed before it")
	}
	return j, err
}

// checkCreator checks who has signed the envelope.
func (a *auditor) checkCreator(e *block.Envelope) *problem {
	id, err := a.config.identity(e.Creator)
	if err == nil {
		err = id.err
	}
	switch {
	case err != nil:
		return because(FindingCreator, "the submitter is nobody of the channel: %v", err)
	case !verifySignature(id.key, e.Payload, e.Signature):
		return because(FindingCreator, "the signature of the submitter, of %s, does not verify", id.of.id)
	}
	return nil
}

// judges reports whether the audit knows who has to endorse what a chaincode writes.
func (a *auditor) judges(chaincode string) bool {
	return chaincode == a.chaincode || chaincode == lifecycleName
}

// follows reports whether the audit knows the versions of a chaincode's keys: lscc, which kept the
// definitions before _lifecycle did, is asked before every change of these.
func (a *auditor) follows(chaincode string) bool { return a.judges(chaincode) || chaincode == "lscc" }

// seesAll reports whether a call touches nothing but what the audit follows.
func (a *auditor) seesAll(call *block.Call) bool {
	if !a.judges(call.Chaincode) {
		return false
	}
	for i := range call.Namespaces {
		n := &call.Namespaces[i]
		if !a.follows(n.Name) || n.Writes() && !a.judges(n.Name) || n.Metadata() || len(n.Set.RangeQueriesInfo) > 0 {
			return false
		}
	}
	return true
}

// unchanged reports whether everything that a call has read, of what the audit follows, still is as
// it was.
func (a *auditor) unchanged(call *block.Call) (bool, error) {
	for i := range call.Namespaces {
		n := &call.Namespaces[i]
		if !a.follows(n.Name) {
			continue
		}
		for _, read := range n.Set.Reads {
			if ok, err := a.versions.current(keyName(n.Name, "", read.GetKey()), read.GetVersion()); !ok || err != nil {
				return false, err
			}
		}
		for _, c := range n.Collections {
			for _, read := range c.Set.HashedReads {
				if ok, err := a.versions.current(keyName(n.Name, c.Name, string(read.GetKeyHash())), read.GetVersion()); !ok || err != nil {
					return false, err
				}
			}
		}
	}
	return true, nil
}

// checkEndorsed checks that those have endorsed a call whom the definition of each chaincode asks
// for that it calls or writes to, of the two that the audit judges.
func (a *auditor) checkEndorsed(call *block.Call) (*problem, error) {
	if call.Action.ChaincodeId.GetVersion() == "" {
		return because(block.CodeMalformed, "the endorsed result names no version of the chaincode"), nil
	}
	if len(call.Action.Events) > 0 {
		event := new(peer.ChaincodeEvent)
		if proto.Unmarshal(call.Action.Events, event) != nil || event.ChaincodeId != call.Chaincode {
			return because(block.CodeMalformed, "the event is of another chaincode"), nil
		}
	}
	set := make([]signed, 0, len(call.Endorsements))
	for _, e := range call.Endorsements {
		set = append(set, signed{e.GetEndorser(), slices.Concat(call.Response, e.GetEndorser()), e.GetSignature()})
	}
	ids := a.config.signers(set)
	asked := []string{call.Chaincode}
	for i := range call.Namespaces {
		if n := &call.Namespaces[i]; n.Writes() && n.Name != call.Chaincode {
			asked = append(asked, n.Name)
		}
	}
	for _, chaincode := range asked {
		if !a.judges(chaincode) {
			continue
		}
		whose, err := a.unmet(ids, chaincode, call.Namespace(chaincode))
		if err != nil {
			return nil, err
		}
		if whose != "" {
			return because(FindingEndorsement, "the transaction is endorsed by %s, which does not satisfy the policy of %s", names(ids), whose), nil
		}
	}
	return nil, nil
}

// unmet returns whose policy a set of endorsers does not satisfy, "" if there is none: that of each
// collection that was written, and that of the chaincode unless nothing but collections was.
func (a *auditor) unmet(ids []*identity, chaincode string, n *block.Namespace) (string, error) {
	collections := 0
	if n != nil {
		for _, c := range n.Collections {
			if len(c.Set.HashedWrites) == 0 {
				continue
			}
			collections++
			if enough, err := a.config.collection(c.Name); err != nil || !enough(ids) {
				return fmt.Sprintf("the collection %.64q", c.Name), nil
			}
		}
		if collections > 0 && len(n.Set.Writes) == 0 && !n.Metadata() {
			return "", nil
		}
	}
	enough, err := a.definitions.policy(a.config, chaincode)
	if err != nil || enough(ids) {
		return "", err
	}
	return "the chaincode " + chaincode, nil
}
