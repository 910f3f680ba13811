package channel

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"

	"github.com/credledger/credledger/sdk/fabric/block"
)

// A memory is what an audit has to remember of the blocks before, on disk. Its keys:
//
//	s/KEY                          a value of the state, as the rules have it
//	v/CHAINCODE 00 COLLECTION 00 KEY   the version of a key, as the peers have it: block and transaction
//	t/ID                           the transaction has been
//	l/KEY                          a value of the chaincode _lifecycle: the definitions of chaincodes
type memory struct{ db *pebble.DB }

func (m memory) get(key []byte) ([]byte, error) {
	stored, closer, err := m.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	value := append([]byte{}, stored...)
	return value, closer.Close()
}

func (m memory) set(key, value []byte) error { return m.db.Set(key, value, pebble.NoSync) }

// A space is a part of a memory with keys that begin alike.
type space struct {
	memory
	prefix string
}

func (s space) key(key string) []byte { return append([]byte(s.prefix), key...) }

// Get implements chaincode.State.
func (s space) Get(key string) ([]byte, error) { return s.get(s.key(key)) }

// put sets a key; an empty value deletes it.
func (s space) put(key string, value []byte) error {
	if len(value) == 0 {
		return s.db.Delete(s.key(key), pebble.NoSync)
	}
	return s.set(s.key(key), value)
}

// A version is the transaction that wrote a key last.
type version struct{ block, transaction uint64 }

func (v version) bytes() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, v.block), v.transaction)
}

// keyName is what a key of a chaincode, or of a collection of it, is called here.
func keyName(chaincode, collection, key string) string {
	return chaincode + "\x00" + collection + "\x00" + key
}

// A versions is the versions of all keys, with those that the present block has changed so far.
type versions struct {
	space
	changed map[string]bool
}

// current reports whether a key still is as a call has read it: not changed since.
func (v *versions) current(name string, read *kvrwset.Version) (bool, error) {
	if v.changed[name] {
		return false, nil
	}
	stored, err := v.Get(name)
	if err != nil || stored == nil || read == nil {
		return stored == nil && read == nil, err
	}
	return string(stored) == string(version{read.BlockNum, read.TxNum}.bytes()), nil
}

// A change is what a transaction made of a key; a nil value deletes it.
type change struct {
	chaincode, collection, key string
	value                      []byte // of private data, its hash
	by                         version
}

// changes lists what a call wrote.
func changes(call *block.Call, by version) []change {
	var out []change
	for i := range call.Namespaces {
		n := &call.Namespaces[i]
		for _, w := range n.Set.Writes {
			out = append(out, change{n.Name, "", w.GetKey(), present(w.GetValue(), w.GetIsDelete()), by})
		}
		for _, c := range n.Collections {
			for _, w := range c.Set.HashedWrites {
				value := present(w.GetValueHash(), w.GetIsDelete() || w.GetIsPurge())
				out = append(out, change{n.Name, c.Name, string(w.GetKeyHash()), value, by})
			}
		}
	}
	return out
}

func present(value []byte, deleted bool) []byte {
	if deleted || len(value) == 0 {
		return nil
	}
	return value
}

// apply notes changes.
func (v *versions) apply(list []change) error {
	for _, c := range list {
		name := keyName(c.chaincode, c.collection, c.key)
		v.changed[name] = true
		by := c.by.bytes()
		if c.value == nil {
			by = nil
		}
		if err := v.put(name, by); err != nil {
			return err
		}
	}
	return nil
}
