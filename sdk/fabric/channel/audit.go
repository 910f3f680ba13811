// Package channel audits a channel of Hyperledger Fabric from its blocks alone, whoever delivers
// them. It knows Fabric 2.5 with the capabilities V2_0 and a Raft ordering service, ECDSA and X.509
// as Fabric has them (a channel's own cryptography is not SM2), and the chaincode of CredLedger.
//
// The blocks of a channel carry what is needed to judge them: block 0 is the configuration that the
// channel began with, whose MSPs and policies say whose signatures count from then on. So the audit
// rests on that block and on nothing else. Which block 0 is the right one, no block can say: who knows
// its hash expects the head 1:HASH, or else any later head that was noted. Without that, who makes up
// a channel of their own can leave out and reorder what departments have signed, though not forge it.
//
// The peer notes beside each transaction whether it is valid. No orderer signs that. The audit
// judges every transaction by itself (see auditor.judge) and goes on with its own judgement; flags
// that cannot be true are findings. Believed are the flags of calls that the audit does not see
// enough of: those of other chaincodes than the audited one and _lifecycle, and those with range
// queries, which no transaction of CredLedger has. Of two reasons why a transaction is invalid it
// does not matter which one the peer has noted.
//
// What is in no block the audit cannot see: what the orderers never ordered, and what a peer answers
// to queries. Of a configuration it checks who may have changed it, not whether it is a sensible one.
//
// The package opens no connection, and keeps nothing but a temporary directory while it works.
package channel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/sm"
)

// Codes of findings of this ledger, beside those of packages audit and block, and those of package
// chaincode for broken rules. They never change.
const (
	FindingConfig      = "configuration-invalid" // a configuration that does not follow from the one before
	FindingOrderers    = "orderer-signature"     // a block without the orderers' signatures that it needs
	FindingCreator     = "submitter-signature"   // a transaction that nobody of the channel has signed
	FindingSubmitter   = "submitter-differs"     // signed by somebody else than the endorsers saw
	FindingEndorsement = "endorsements-missing"  // not endorsed by those who must
	FindingRepeated    = "transaction-repeated"  // an id that was there before
	FindingConflict    = "read-conflict"         // valid only if something had not changed before
	FindingFlag        = "flag-untrue"           // marked invalid, with nothing wrong
	FindingWrites      = "writes-differ"         // recorded are other changes than the rules make
	FindingCommit      = "commit-hash-mismatch"  // the peer's own record does not fit
	CodeUnsupported    = "channel-not-supported" // of a *ledger.Error: a channel that the audit does not understand
	CodeIncomplete     = "channel-not-delivered" // of a *ledger.Error: the peer did not deliver a block
)

// An auditor is one audit on its way.
type auditor struct {
	*audit.Replay
	channel, chaincode string

	last        sm.Hash // of the newest block
	config      *config // as it stands; nil before block 0
	configBlock uint64  // that brought it

	state       space           // by the rules
	ids         space           // of transactions
	inBlock     map[string]bool // ids: true if of one that is good but for what it has read
	versions    *versions
	definitions *definitions
	commit      commitHash
	changes     []change // by the present block
	unclear     bool     // the present block changes what changes does not show
}

// errStop ends an audit that has come to what it cannot see beyond.
var errStop = errors.New("stop")

// Audit checks the first blocks of a channel, height in number, from block 0 on:
//
//   - they follow each other without gaps, each naming the hash of the one before and that of its
//     transactions, and signed by the orderers as the configuration before asks for;
//   - each configuration follows from the one before by an update that those have signed who may
//     change what it changes;
//   - each valid transaction is signed by its submitter, endorsed by those whom the chaincode's
//     committed definition asks for, bears an id of its own, and has read nothing that was changed
//     before; and each other one is invalid for a reason;
//   - each transaction of the chaincode, in order, breaks none of the rules of package chaincode and
//     changes something where it stands, every signature of a statement verifies by either of two
//     independent crypto libraries, and the changes that the peers recorded are those that the rules
//     make: endorsers without rules are found out;
//   - what the delivering peer noted of its own state fits all that.
//
// What is wrong is a Finding; the error is what kept the audit from being made: a *ledger.Error, or
// that of ctx. After an error of blocks it is CodeIncomplete. Certificates are judged as Fabric does,
// at the moment when they became valid: an expired one does not spoil what it signed.
func Audit(ctx context.Context, blocks iter.Seq2[*common.Block, error], height uint64, channel, name string, o audit.Options) (*audit.Report, error) {
	return audit.Run(ctx, o, func(r *audit.Replay) error {
		m := memory{r.Scratch}
		a := &auditor{
			Replay: r, channel: channel, chaincode: name, state: space{m, "s/"}, ids: space{m, "t/"},
			versions: &versions{space: space{m, "v/"}}, definitions: &definitions{space: space{m, "l/"}},
		}
		err := a.blocks(blocks, height)
		if errors.Is(err, errStop) {
			a.Report.Incomplete = true
			return nil
		}
		return err
	})
}

// blocks checks the blocks, in order.
func (a *auditor) blocks(blocks iter.Seq2[*common.Block, error], height uint64) error {
	next := uint64(0)
	for b, err := range blocks {
		if err != nil {
			if ctxErr := a.Context.Err(); ctxErr != nil {
				return ctxErr
			}
			return undelivered(next, err)
		}
		number := b.GetHeader().GetNumber()
		if number != next {
			err := a.Find(audit.InBlock(int64(next)).Because(audit.FindingNumber, "the peer delivers the block %d in its place", number))
			if err != nil {
				return err
			}
			return errStop
		}
		hash := block.HeaderHash(b.GetHeader())
		if err := a.Block(number, hash, height, func() error { return a.block(b, number) }); err != nil {
			return err
		}
		a.last = hash
		if next++; next >= height {
			return a.End()
		}
	}
	return undelivered(next, nil)
}

func undelivered(number uint64, err error) *ledger.Error {
	return &ledger.Error{
		Code: CodeIncomplete, Err: err,
		Message: fmt.Sprintf("the peer did not deliver block %d, so that nothing can be said of it and of what follows; "+
			"audit through another peer, and restore this one from a copy", number),
	}
}

// block checks one block.
func (a *auditor) block(b *common.Block, number uint64) error {
	here := audit.InBlock(int64(number))
	entries, err := block.Entries(b)
	if err != nil {
		if err := a.Find(here.Because(ledger.Code(err), "%v", err)); err != nil {
			return err
		}
		if entries == nil {
			return errStop
		}
	}
	if number > 0 && string(b.Header.PreviousHash) != string(a.last[:]) {
		err := a.Find(audit.InBlock(int64(number)-1).Because(audit.FindingChain,
			"block %d names %x as the hash of this block, which is %s: one of the two was changed", number, b.Header.PreviousHash, a.last))
		if err != nil {
			return err
		}
	}
	a.versions.changed, a.inBlock, a.changes, a.unclear = map[string]bool{}, map[string]bool{}, nil, false
	a.definitions.begin()
	if err := a.content(b, entries); err != nil {
		return err
	}
	for id := range a.inBlock {
		if err := a.ids.put(id, []byte{1}); err != nil {
			return err
		}
	}
	if err := a.definitions.settle(); err != nil {
		return err
	}
	return a.checkCommit(b)
}

// content checks who has signed a block, and what is in it.
func (a *auditor) content(b *common.Block, entries []block.Entry) error {
	number := b.Header.Number
	if update := configIn(entries); update != nil || number == 0 {
		return a.configuration(b, update, entries[0].Flag)
	}
	if err := a.config.checkOrderers(b, a.configBlock); err != nil {
		if err := a.Find(audit.InBlock(int64(number)).Because(FindingOrderers, "%v", err)); err != nil {
			return err
		}
	}
	for i := range entries {
		at := ledger.Position{Block: number, Index: uint32(i)}
		if err := a.transaction(at, &entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// transaction checks one transaction.
func (a *auditor) transaction(at ledger.Position, entry *block.Entry) error {
	here, marked := audit.InTransaction(at), entry.Flag == peer.TxValidationCode_VALID
	e, err := block.ParseEnvelope(entry)
	if err == nil && common.HeaderType(e.Channel.Type) != common.HeaderType_ENDORSER_TRANSACTION {
		err = &ledger.Error{Code: block.CodeMalformed, Message: "it is not the call of a chaincode"}
	}
	if err != nil {
		if marked {
			return a.Find(here.Because(ledger.Code(err), "the transaction is marked valid, but: %v", err))
		}
		return nil
	}
	j, err := a.judge(e)
	if err != nil {
		return err
	}
	if j.passed = j.passed && (j.final || passed(entry.Flag)); j.passed || !a.inBlock[e.Channel.TxId] {
		a.inBlock[e.Channel.TxId] = j.passed
	}
	switch {
	case j.problem != nil && marked:
		return a.Find(here.Because(j.problem.code, "the transaction is marked valid, but: %s", j.problem.message))
	case j.problem != nil || !j.final && !marked:
		return nil
	case !marked:
		if err := a.Find(here.Because(FindingFlag, "the transaction is marked %s, but nothing is wrong with it", entry.Flag)); err != nil {
			return err
		}
	}
	return a.apply(at, e, j.call)
}

// passed reports whether a flag is that of a transaction that is good but for what it has read.
func passed(flag peer.TxValidationCode) bool {
	switch flag {
	case peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT:
		return true
	}
	return false
}

// apply takes a valid transaction for what it is.
func (a *auditor) apply(at ledger.Position, e *block.Envelope, call *block.Call) error {
	made := changes(call, version{at.Block, uint64(at.Index)})
	if err := a.versions.apply(made); err != nil {
		return err
	}
	a.changes = append(a.changes, made...)
	for i := range call.Namespaces {
		a.unclear = a.unclear || call.Namespaces[i].Metadata()
	}
	for _, c := range made {
		if c.chaincode == lifecycleName && c.collection == "" {
			a.definitions.pending = append(a.definitions.pending, c)
		}
	}
	if !call.Writes(a.chaincode) {
		return nil
	}
	here := audit.InTransaction(at)
	if string(e.Creator) != string(call.Creator) {
		err := a.Find(here.Because(FindingSubmitter, "the endorsers saw another submitter, of %.64q, than the one who has signed", call.Actor))
		if err != nil {
			return err
		}
	}
	b, err := call.Submitted(a.chaincode)
	if err != nil {
		return a.Find(here.Because(ledger.Code(err), "%v", err))
	}
	writes, err := a.Apply(a.state, at, &ledger.Transaction{ID: e.Channel.TxId, Index: at.Index, Actor: call.Actor, Bytes: b})
	if err != nil || len(writes) == 0 {
		return err
	}
	return a.compare(here, writes, made)
}

// compare compares what the rules write with what the peers recorded, which is in the same order.
func (a *auditor) compare(here audit.Finding, writes []chaincode.Write, made []change) error {
	differs := func(key, how string) error {
		here.StateKey = strings.ToValidUTF8(key, "?")
		return a.Find(here.Because(FindingWrites, "%s", how))
	}
	for i, w := range writes {
		if err := a.state.put(w.Key, w.Value); err != nil {
			return err
		}
		switch {
		case here.StateKey != "": // found already
		case i >= len(made) || made[i].chaincode != a.chaincode || made[i].key != w.Key:
			if err := differs(w.Key, "the rules change this key, and the peers recorded that they did not"); err != nil {
				return err
			}
		case !bytes.Equal(made[i].value, w.Value):
			if err := differs(w.Key, "the peers recorded another value than the rules give"); err != nil {
				return err
			}
		default:
			a.Report.Keys++
		}
	}
	if len(made) > len(writes) && here.StateKey == "" {
		return differs(made[len(writes)].key, "the peers recorded a change that the rules do not make")
	}
	return nil
}

// checkCommit checks the hash that the peer noted of what it has come to, which goes on from block 1.
func (a *auditor) checkCommit(b *common.Block) error {
	number, noted := b.Header.Number, recorded(b)
	var want []byte
	if a.commit.hash != nil || number == 1 && noted != nil {
		want = a.commit.next(b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER], a.changes)
	}
	a.commit.hash = noted
	if number == 0 || a.unclear || bytes.Equal(noted, want) {
		return nil
	}
	return a.Find(audit.InBlock(int64(number)).Because(FindingCommit,
		"the peer has noted the hash %x of what the block changed, but it comes to %x", noted, want))
}
