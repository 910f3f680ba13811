package blocktest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-protos-go/common"
)

// recorded is what TestRecord of test/network/audit wrote: each block behind its length, compressed.
//
//go:embed testdata/blocks.gz
var recorded []byte

// Recorded returns the blocks of a channel of a real network (Fabric 2.5.9): four departments found a
// ledger, one anchors, changes of one status race each other, a fifth department is admitted, the
// chaincode upgraded, and sixteen more anchors follow.
func Recorded(tb testing.TB) []*common.Block {
	tb.Helper()
	z, err := gzip.NewReader(bytes.NewReader(recorded))
	if err != nil {
		tb.Fatal(err)
	}
	var blocks []*common.Block
	for in := bufio.NewReader(z); ; {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return blocks
		}
		encoded := make([]byte, size)
		if err == nil {
			_, err = io.ReadFull(in, encoded)
		}
		b := new(common.Block)
		if err == nil {
			err = proto.Unmarshal(encoded, b)
		}
		if err != nil {
			tb.Fatal(err)
		}
		blocks = append(blocks, b)
	}
}
