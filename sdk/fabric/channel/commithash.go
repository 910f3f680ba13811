package channel

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
)

// A commitHash follows the chain of hashes in which each peer notes what it made of the blocks: of
// the flags, the changes to the state, and the hash before. No orderer signs it, but what was
// altered in a peer's store behind its back does not fit it.
type commitHash struct {
	hash []byte // after the block before; nil: the peer keeps none
}

// recorded returns the hash that a peer noted in a block, nil if none.
func recorded(b *common.Block) []byte {
	list := b.GetMetadata().GetMetadata()
	m := new(common.Metadata)
	if len(list) <= int(common.BlockMetadataIndex_COMMIT_HASH) ||
		proto.Unmarshal(list[common.BlockMetadataIndex_COMMIT_HASH], m) != nil {
		return nil
	}
	return m.Value
}

// next returns the hash that a block must have, given what it changed.
func (c *commitHash) next(flags []byte, all []change) []byte {
	h := sha256.New()
	h.Write(proto.EncodeVarint(uint64(len(flags))))
	h.Write(flags)
	h.Write(encodeChanges(all))
	h.Write(c.hash)
	return h.Sum(nil)
}

// encodeChanges encodes the last change of each key as Fabric's peers do (txmgr.Updates): by
// chaincode, the public keys before those of collections, in ascending order; the name of a
// chaincode, and that of a collection, stands with the first of its keys only.
func encodeChanges(all []change) []byte {
	last := map[[3]string]change{}
	for _, c := range all {
		last[[3]string{c.chaincode, c.collection, c.key}] = c
	}
	sorted := make([]change, 0, len(last))
	for _, c := range last {
		sorted = append(sorted, c)
	}
	slices.SortFunc(sorted, func(a, b change) int {
		if o := strings.Compare(a.chaincode, b.chaincode); o != 0 {
			return o
		}
		if o := strings.Compare(a.collection, b.collection); o != 0 {
			return o
		}
		return strings.Compare(a.key, b.key)
	})
	whole, one := proto.NewBuffer(nil), proto.NewBuffer(nil)
	var before change
	for i, c := range sorted {
		one.Reset()
		if i == 0 || c.chaincode != before.chaincode {
			appendField(one, 1, []byte(c.chaincode))
		}
		if i == 0 || c.chaincode != before.chaincode || c.collection != before.collection {
			appendField(one, 2, []byte(c.collection))
		}
		appendField(one, 3, []byte(c.key))
		if c.value == nil {
			_ = one.EncodeVarint(4<<3 | 0) // to memory, without fail
			_ = one.EncodeVarint(1)
		}
		appendField(one, 5, c.value)
		appendField(one, 6, append(orderedNumber(c.by.block), orderedNumber(c.by.transaction)...))
		appendField(whole, 1, one.Bytes())
		before = c
	}
	return whole.Bytes()
}

// appendField appends a field of bytes, unless it is empty.
func appendField(to *proto.Buffer, number uint64, value []byte) {
	if len(value) > 0 {
		_ = to.EncodeVarint(number<<3 | 2) // to memory, without fail
		_ = to.EncodeRawBytes(value)
	}
}

// orderedNumber encodes a number in big-endian form without its leading zeros, behind their number.
func orderedNumber(n uint64) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, n), "\x00")
	return append([]byte{byte(len(b))}, b...)
}
