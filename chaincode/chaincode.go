// Package chaincode is the rules of the ledger: which statements change its state, and how.
//
// Apply is a pure function of the state, the submitter and the transaction. The very same code runs
// in Fabric's chaincode, in the embedded ledger, in the audit and in the verifier's index, so each
// of them reaches the same state from the same transactions and none has to take another's word.
// The rules read no clock, draw no random numbers, iterate over no map, and know neither block nor
// transaction numbers: what came first is the order in which transactions are applied.
//
// The package never touches a network, a file or Fabric; package contract adapts it to Fabric.
package chaincode

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// State is what the ledger holds before a transaction.
type State interface {
	// Get returns the value of a key, nil if there is none. An error is the store's; Apply returns
	// it as it is, wrapped.
	Get(key string) ([]byte, error)
}

// A Write is one change of the state.
type Write struct {
	Key   string // printable ASCII
	Value []byte
}

// A Verifier checks the signature of a statement; (*statement.Statement).Verify is the one to use,
// an audit adds a second opinion.
type Verifier func(*statement.Statement, *sm.PublicKey) bool

// Limits of a transaction.
const (
	MaxChanges     = 500     // status changes in one transaction
	MaxTransaction = 4 << 20 // bytes of an encoded transaction
)

// A Transaction is what an organisation submits: statements of one kind and, with a head, the
// digests under it. Where several keys sign one statement, their COSE_Sign1 messages have the same
// payload and stand side by side.
type Transaction struct {
	_          struct{} `cbor:",toarray"`
	Statements [][]byte
	Digests    []byte // 32 bytes each; empty except with a head
}

// Bytes encodes the transaction: deterministic CBOR [[statement, ...], digests].
func (t *Transaction) Bytes() []byte {
	b, err := statement.Marshal(t)
	if err != nil {
		panic(err) // byte strings always encode
	}
	return b
}

// ParseTransaction is the inverse of Bytes; other encodings are refused.
func ParseTransaction(b []byte) (*Transaction, error) {
	if len(b) > MaxTransaction {
		return nil, errorf(CodeTooLarge, "a transaction has at most %d bytes", MaxTransaction)
	}
	t := new(Transaction)
	if err := transactionMode.Unmarshal(b, t); err != nil || !bytes.Equal(t.Bytes(), b) {
		return nil, errorf(CodeMalformed, "not a transaction: expected [[statement, ...], digests] in deterministic CBOR")
	}
	return t, nil
}

// transactionMode reads transactions, with bounds.
var transactionMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 4, MaxArrayElements: 4 * MaxChanges, MaxMapPairs: 16,
	}.DecMode()
	if err != nil {
		panic(err) // options fixed at compile time
	}
	return m
}()

// An act is one statement with all its signatures.
type act struct {
	body    statement.Body
	payload []byte
	signed  []*statement.Statement
}

// Apply checks a transaction against the rules and returns the writes that it makes, in ascending
// order of their keys; none if all of it has happened before, which is not an error. actor is the
// department id of the organisation that submitted the transaction. A broken rule is an *Error and
// changes nothing.
func Apply(state State, verify Verifier, actor string, tx *Transaction) ([]Write, error) {
	acts, err := parseActs(tx)
	if err != nil {
		return nil, err
	}
	a := &application{State: state, verify: verify, actor: actor, digests: tx.Digests, pending: map[string][]byte{}}
	if genesis, ok := acts[0].body.(*statement.Genesis); ok {
		err = a.genesis(acts[0], genesis)
	} else {
		err = a.applyAll(acts)
	}
	if err != nil {
		return nil, err
	}
	return a.writes(), nil
}

// parseActs parses the statements and puts those of one payload together.
func parseActs(tx *Transaction) ([]*act, error) {
	var acts []*act
	for _, b := range tx.Statements {
		s, err := statement.Parse(b)
		if err != nil {
			return nil, asError(err)
		}
		if n := len(acts); n > 0 && bytes.Equal(acts[n-1].payload, s.Payload) && acts[n-1].body.Kind() == s.Body.Kind() {
			acts[n-1].signed = append(acts[n-1].signed, s)
			continue
		}
		acts = append(acts, &act{body: s.Body, payload: s.Payload, signed: []*statement.Statement{s}})
	}
	switch {
	case len(acts) == 0:
		return nil, errorf(CodeMalformed, "a transaction has at least one statement")
	case len(acts) > MaxChanges:
		return nil, errorf(CodeTooMany, "a transaction makes at most %d changes, this one %d: send several", MaxChanges, len(acts))
	}
	kind := acts[0].body.Kind()
	for _, a := range acts[1:] {
		if a.body.Kind() != kind || kind != statement.KindStatus {
			return nil, errorf(CodeTooMany, "only status changes come several to a transaction")
		}
	}
	for _, a := range acts {
		for i, s := range a.signed {
			for _, other := range a.signed[:i] {
				if s.KeyID == other.KeyID {
					return nil, errorf(CodeSigners, "two signatures on one statement must be by different keys")
				}
			}
		}
	}
	if len(tx.Digests) > 0 && kind != statement.KindHead {
		return nil, errorf(CodeMalformed, "digests come with a head only")
	}
	return acts, nil
}
