// Package block reads blocks of Hyperledger Fabric: what a ledger.Ledger over Fabric yields to those
// who follow it, and what an audit looks at.
//
// A block of Fabric is protobuf (fabric-protos-go, common.Block). Its header names the hash of the
// header before, and SHA-256 of all envelopes, one after the other; its hash is SHA-256 of the
// header in DER:
//
//	SEQUENCE { number INTEGER, previousHash OCTET STRING, dataHash OCTET STRING }
//
// The hash does not cover the metadata, where the peer notes which transactions are valid: a byte
// for each, a peer.TxValidationCode. Whoever reads a block believes its peer in that; package
// channel does not.
//
// The hash of the data covers the envelopes without the places where one ends and the next begins.
// Of two protobuf messages side by side the later one's fields win, so that an envelope could hide
// in front of another: an envelope is read only if it is encoded exactly as an orderer encodes it.
//
// A transaction of CredLedger is what package contract says: a call of its chaincode's function
// Submit with one argument, the base64 (RFC 4648, section 4, padded) of the bytes of a
// chaincode.Transaction. What else a client can put into such a call, and the peers take no notice
// of, is taken no notice of here either, lest a client could stop those who follow. The submitter is
// the one whom the endorsers saw, which is not always the one who signed the envelope.
//
// The package is pure: it opens no connection, checks no signature and keeps nothing.
package block

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// Codes of the *ledger.Error of this package. They never change.
const (
	CodeMalformed    = "block-malformed"    // not what an orderer and a peer make of a block
	CodeDataHash     = "data-hash-mismatch" // the data are not those that the header names
	CodeForeignWrite = "foreign-write"      // the chaincode's keys are written otherwise than by a plain Submit
)

// HeaderHash returns the hash of a block, which the next one names: SHA-256 of its header in DER.
func HeaderHash(h *common.BlockHeader) sm.Hash {
	return sha256.Sum256(HeaderBytes(h))
}

// HeaderBytes returns the DER of a header, which the orderers sign.
func HeaderBytes(h *common.BlockHeader) []byte {
	der, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(h.GetNumber()), h.GetPreviousHash(), h.GetDataHash()})
	if err != nil {
		panic(err) // an integer and two byte strings always encode
	}
	return der
}

// Read returns what a block of a channel holds of a chaincode: the valid transactions that write its
// keys, in order, with Index the place among all transactions of the block. What else is in the
// block (configuration, other chaincodes, calls that write nothing, invalid transactions) is passed
// over.
//
// It checks that the data are those that the header names, and the form of everything that it reads;
// whether the block follows the one before is the caller's to check. The error is a *ledger.Error:
// after CodeForeignWrite, keys of the chaincode were written by what is no plain call of Submit, and
// whoever replays the transactions has to stop there.
func Read(b *common.Block, channel, name string) (*ledger.Block, error) {
	entries, err := Entries(b)
	if err != nil {
		return nil, err
	}
	out := &ledger.Block{Number: b.Header.Number, Hash: HeaderHash(b.Header)}
	copy(out.Previous[:], b.Header.PreviousHash)
	for i := range entries {
		if entries[i].Flag != peer.TxValidationCode_VALID {
			continue
		}
		tx, err := read(&entries[i], channel, name)
		if err != nil {
			return nil, within(err, out.Number, i)
		}
		if tx != nil {
			tx.Index = uint32(i)
			out.Transactions = append(out.Transactions, *tx)
		}
	}
	return out, nil
}

// read returns the transaction in an entry, nil if it writes no key of the chaincode.
func read(entry *Entry, channel, name string) (*ledger.Transaction, error) {
	e, err := ParseEnvelope(entry)
	if err != nil {
		return nil, err
	}
	if e.Channel.ChannelId != channel {
		return nil, malformed("it is for the channel %.64q", e.Channel.ChannelId)
	}
	if common.HeaderType(e.Channel.Type) != common.HeaderType_ENDORSER_TRANSACTION {
		return nil, nil
	}
	call, err := ParseCall(e)
	if err != nil || !call.Writes(name) {
		return nil, err
	}
	b, err := call.Submitted(name)
	if err != nil {
		return nil, err
	}
	return &ledger.Transaction{ID: e.Channel.TxId, Actor: call.Actor, Bytes: b}, nil
}

// An Entry is one transaction as it stands in a block.
type Entry struct {
	Payload   []byte // a common.Payload, if it can be read at all
	Signature []byte // over Payload
	Flag      peer.TxValidationCode
}

// Entries takes the outermost layer of a block off. It checks the header, that each transaction is
// encoded as an orderer encodes it and has a flag, and, last, that they are those that the header
// names: with CodeDataHash the entries are there too. The error is a *ledger.Error.
func Entries(b *common.Block) ([]Entry, error) {
	h := b.GetHeader()
	if h == nil {
		return nil, malformed("a block has no header")
	}
	if n := len(h.PreviousHash); n != sha256.Size && (h.Number > 0 || n > 0) {
		return nil, malformed("block %d names no hash of the block before it", h.Number)
	}
	data, metadata := b.GetData().GetData(), b.GetMetadata().GetMetadata()
	if len(data) == 0 {
		return nil, malformed("block %d is empty", h.Number)
	}
	const flags = int(common.BlockMetadataIndex_TRANSACTIONS_FILTER)
	if len(metadata) <= flags || len(metadata[flags]) != len(data) {
		return nil, malformed("block %d does not say of each transaction whether it is valid", h.Number)
	}
	entries, hash := make([]Entry, len(data)), sha256.New()
	for i, encoded := range data {
		hash.Write(encoded)
		e := new(common.Envelope)
		if !canonical(encoded, e) || len(e.Payload) == 0 {
			return nil, within(malformed("it is not encoded as an orderer encodes it"), h.Number, i)
		}
		entries[i] = Entry{e.Payload, e.Signature, peer.TxValidationCode(metadata[flags][i])}
	}
	if !bytes.Equal(hash.Sum(nil), h.DataHash) {
		return entries, fail(CodeDataHash, "the transactions of block %d are not those that its header names: they were altered; "+
			"audit the ledger through another peer, and restore this one from its copy", h.Number)
	}
	return entries, nil
}

// Submitted returns the bytes of the chaincode.Transaction that a plain call of a chaincode's Submit
// hands over. The error is a *ledger.Error with CodeForeignWrite if the call is anything else, or
// leaves behind what Submit never does: private data or metadata of keys.
func (c *Call) Submitted(name string) ([]byte, error) {
	foreign := func(what string) error {
		return fail(CodeForeignWrite, "keys of the chaincode %s are written by %s: what the ledger holds from here on does not follow "+
			"from the transactions; find out who committed it, and upgrade to the right chaincode", name, what)
	}
	switch n := c.Namespace(name); {
	case c.Chaincode != name:
		return nil, foreign("another chaincode")
	case !c.plain:
		return nil, foreign("a call that could be read in two ways")
	case len(c.Args) != 2 || string(c.Args[0]) != "Submit":
		return nil, foreign("a call that is no plain Submit")
	case n != nil && (len(n.Collections) > 0 || n.Metadata()):
		return nil, foreign("a call that writes more than values")
	}
	text := c.Args[1]
	if len(text) > base64.StdEncoding.EncodedLen(chaincode.MaxTransaction) || bytes.ContainsAny(text, "\r\n") {
		return nil, foreign("a Submit whose argument is no transaction")
	}
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return nil, foreign("a Submit whose argument is no transaction")
	}
	return b, nil
}

func fail(code, format string, args ...any) *ledger.Error {
	return &ledger.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *ledger.Error { return fail(CodeMalformed, format, args...) }

// within names the transaction that an error is about.
func within(err error, number uint64, i int) error {
	e, ok := errors.AsType[*ledger.Error](err)
	if !ok {
		return err
	}
	return fail(e.Code, "block %d, transaction %d: %s", number, i, e.Message)
}
