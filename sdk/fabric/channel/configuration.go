package channel

import (
	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/sdk/fabric/block"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
)

// configIn returns the configuration in a block, which is alone there; nil if there is none.
func configIn(entries []block.Entry) *block.Envelope {
	if len(entries) != 1 {
		return nil
	}
	e, err := block.ParseEnvelope(&entries[0])
	if err != nil || common.HeaderType(e.Channel.Type) != common.HeaderType_CONFIG {
		return nil
	}
	return e
}

// configuration checks a block that holds a configuration, which is the one that counts from then on.
func (a *auditor) configuration(b *common.Block, e *block.Envelope, flag peer.TxValidationCode) error {
	number := b.Header.Number
	here := audit.InBlock(int64(number))
	if flag != peer.TxValidationCode_VALID {
		if err := a.Find(here.Because(FindingFlag, "the configuration is marked %s, but no block holds one that is not valid", flag)); err != nil {
			return err
		}
	}
	envelope := new(common.ConfigEnvelope)
	if e == nil || proto.Unmarshal(e.Data, envelope) != nil || e.Channel.ChannelId != a.channel {
		if err := a.Find(here.Because(FindingConfig, "the block does not hold a configuration of the channel %s", a.channel)); err != nil {
			return err
		}
		return errStop
	}
	if number == 0 {
		c, err := newConfig(a.channel, envelope.Config)
		switch {
		case err != nil && len(a.Report.Findings) > 0:
			return errStop // it was altered
		case err != nil:
			return unsupported(err)
		}
		a.config = c
		return nil
	}
	if err := a.config.checkOrderers(b, number); err != nil {
		if err := a.Find(here.Because(FindingOrderers, "%v", err)); err != nil {
			return err
		}
	}
	if p := a.checkCreator(e); p != nil {
		if err := a.Find(here.Because(p.code, "%s", p.message)); err != nil {
			return err
		}
	}
	c, err := a.config.update(envelope)
	switch {
	case ledger.Code(err) == CodeUnsupported:
		return err
	case err != nil:
		if err := a.Find(here.Because(FindingConfig, "the configuration does not follow from the one before: %v", err)); err != nil {
			return err
		}
		return errStop
	}
	a.config, a.configBlock = c, number
	return nil
}

func unsupported(err error) *ledger.Error {
	return &ledger.Error{Code: CodeUnsupported, Message: "the audit does not understand the configuration of this channel", Err: err}
}
