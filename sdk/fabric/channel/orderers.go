package channel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"

	"github.com/credledger/credledger/sdk/fabric/block"
)

// checkOrderers checks that a block is signed as the configuration before it asks for, and that what
// was signed names the newest configuration: the block itself if it brings one.
func (c *config) checkOrderers(b *common.Block, lastConfig uint64) error {
	list := b.GetMetadata().GetMetadata()
	m, said := new(common.Metadata), new(common.OrdererBlockMetadata)
	if len(list) == 0 || proto.Unmarshal(list[common.BlockMetadataIndex_SIGNATURES], m) != nil || proto.Unmarshal(m.Value, said) != nil {
		return errors.New("the signatures of the orderers are none")
	}
	header := block.HeaderBytes(b.Header)
	var set []signed
	for _, s := range m.Signatures {
		by := new(common.SignatureHeader)
		if err := proto.Unmarshal(s.GetSignatureHeader(), by); err != nil {
			return errors.New("the signatures of the orderers are none")
		}
		set = append(set, signed{by.Creator, slices.Concat(m.Value, s.GetSignatureHeader(), header), s.GetSignature()})
	}
	ids := c.signers(set)
	if enough, _ := c.policy(blockValidation); !enough(ids) {
		return fmt.Errorf("the block is signed by %s, which does not satisfy the policy %s", names(ids), blockValidation)
	}
	if said.GetLastConfig().GetIndex() != lastConfig {
		return fmt.Errorf("the orderers name block %d as the newest configuration, which is in block %d",
			said.GetLastConfig().GetIndex(), lastConfig)
	}
	return nil
}
