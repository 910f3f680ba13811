package embedded

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

const (
	blockVersion = 1
	// maxBlock bounds an encoded block in bytes: a group and one transaction more, with 64 bytes
	// for the actor and the heads of each.
	maxBlock = maxGroupBytes + chaincode.MaxTransaction + 64*(maxGroup+1)
)

// wireBlock is the encoded form of a block.
type wireBlock struct {
	_            struct{} `cbor:",toarray"`
	Version      uint64
	Number       uint64
	Previous     sm.Hash
	Transactions []wireTransaction
}

type wireTransaction struct {
	_     struct{} `cbor:",toarray"`
	Actor string
	Bytes []byte
}

// decMode reads blocks, with bounds; statement.Marshal writes them.
var decMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  4,
		MaxArrayElements: maxGroup,
		MaxMapPairs:      16,
	}.DecMode()
	if err != nil {
		panic(err) // options fixed at compile time
	}
	return m
}()

// txID names a transaction: its block and its place there.
func txID(p ledger.Position) string { return fmt.Sprintf("%d-%d", p.Block, p.Index) }

// blockHash is the hash of an encoded block.
func blockHash(encoded []byte) sm.Hash { return sm.Sum(encoded) }

// formatBlock encodes a block. Its hash, and the transactions' ID and Index, follow from the rest
// and are not in it.
func formatBlock(b *ledger.Block) ([]byte, error) {
	w := wireBlock{Version: blockVersion, Number: b.Number, Previous: b.Previous, Transactions: make([]wireTransaction, len(b.Transactions))}
	for i := range b.Transactions {
		w.Transactions[i] = wireTransaction{Actor: b.Transactions[i].Actor, Bytes: b.Transactions[i].Bytes}
	}
	encoded, err := statement.Marshal(&w)
	if err != nil {
		return nil, fmt.Errorf("encode a block: %w", err)
	}
	return encoded, nil
}

// parseBlock is the inverse of formatBlock: it accepts nothing else, so there is one encoding of a
// block. That its transactions can be parsed, and stand where they may, is for others to find out.
func parseBlock(encoded []byte) (*ledger.Block, error) {
	if len(encoded) > maxBlock {
		return nil, corrupt("a stored block is too large", nil)
	}
	var w wireBlock
	if err := decMode.Unmarshal(encoded, &w); err != nil {
		return nil, corrupt("a stored block does not have the form of a block", nil)
	}
	if w.Version != blockVersion || len(w.Transactions) == 0 {
		return nil, corrupt("a stored block does not have the form of a block", nil)
	}
	again, err := statement.Marshal(&w)
	if err != nil || !bytes.Equal(again, encoded) {
		return nil, corrupt("a stored block is not in the one encoding of a block", nil)
	}
	b := &ledger.Block{Number: w.Number, Previous: w.Previous, Hash: blockHash(encoded), Transactions: make([]ledger.Transaction, len(w.Transactions))}
	for i, t := range w.Transactions {
		id := txID(ledger.Position{Block: w.Number, Index: uint32(i)})
		b.Transactions[i] = ledger.Transaction{ID: id, Index: uint32(i), Actor: t.Actor, Bytes: t.Bytes}
	}
	return b, nil
}
