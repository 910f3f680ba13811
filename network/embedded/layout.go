package embedded

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// The spaces of keys; the package comment says what is in them.
const (
	blockSpace   = "block/"
	stateSpace   = "state/"
	historySpace = "history/"
	metaSpace    = "meta/"
	formatKey    = metaSpace + "format"
	headKey      = metaSpace + "head"
)

// formatVersion is the version of this layout, of blocks included.
const formatVersion = 1

const positionSize = 8 + 4

func blockKey(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(blockSpace), number)
}

func stateKey(key string) []byte {
	return append(append(make([]byte, 0, len(stateSpace)+len(key)), stateSpace...), key...)
}

// historyKeys returns what the history keys of a state key begin with. No state key contains the
// zero byte, so no other key's begin with it.
func historyKeys(key string) []byte {
	b := make([]byte, 0, len(historySpace)+len(key)+1+positionSize)
	b = append(append(b, historySpace...), key...)
	return append(b, 0)
}

func historyKey(key string, p ledger.Position) []byte {
	return appendPosition(historyKeys(key), p)
}

func appendPosition(b []byte, p ledger.Position) []byte {
	b = binary.BigEndian.AppendUint64(b, p.Block)
	return binary.BigEndian.AppendUint32(b, p.Index)
}

// position reads the 12 bytes of appendPosition; b has at least as many.
func position(b []byte) ledger.Position {
	return ledger.Position{Block: binary.BigEndian.Uint64(b), Index: binary.BigEndian.Uint32(b[8:])}
}

// A version is a value of the state and the position of the transaction that wrote it.
type version struct {
	position ledger.Position
	value    []byte
}

func (v version) bytes() []byte {
	return append(appendPosition(make([]byte, 0, positionSize+len(v.value)), v.position), v.value...)
}

// parseVersion is the inverse of bytes; the result shares its memory with b.
func parseVersion(key string, b []byte) (version, error) {
	if len(b) < positionSize {
		return version{}, corrupt("state "+key+" is stored without its position", nil)
	}
	return version{position: position(b), value: b[positionSize:]}, nil
}

func formatHead(h ledger.Head) []byte {
	return append(binary.BigEndian.AppendUint64(nil, h.Height), h.Hash[:]...)
}

func parseHead(b []byte) (ledger.Head, error) {
	if len(b) != 8+sm.HashSize {
		return ledger.Head{}, corrupt("the head of the chain is not stored as it should be", nil)
	}
	return ledger.Head{Height: binary.BigEndian.Uint64(b), Hash: sm.Hash(b[8:])}, nil
}

// get returns a copy of a stored value, nil if there is none.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	stored, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, storageError("read the ledger", err)
	}
	value := append(make([]byte, 0, len(stored)), stored...)
	if err := closer.Close(); err != nil {
		return nil, storageError("read the ledger", err)
	}
	return value, nil
}

// scan visits the keys from lower up to, but not including, upper in ascending order, until visit
// says that it has enough. Key and value are good until visit returns.
func scan(r pebble.Reader, lower, upper []byte, visit func(key, value []byte) (more bool, err error)) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return storageError("read the ledger", err)
	}
	defer func() {
		if closeErr := it.Close(); err == nil && closeErr != nil {
			err = storageError("read the ledger", closeErr)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return storageError("read the ledger", err)
		}
		if more, err := visit(it.Key(), value); err != nil || !more {
			return err
		}
	}
	return nil
}

// after returns the first key that comes after every key with a prefix, which ends in a byte below
// 0xff.
func after(prefix []byte) []byte {
	end := append(make([]byte, 0, len(prefix)), prefix...)
	end[len(end)-1]++
	return end
}

// readBlock returns the block of a number and whether there is one.
func readBlock(r pebble.Reader, number uint64) (*ledger.Block, bool, error) {
	b, err := get(r, blockKey(number))
	if err != nil || b == nil {
		return nil, false, err
	}
	block, err := parseBlock(b)
	if err != nil {
		return nil, true, err
	}
	if block.Number != number {
		return nil, true, corrupt("a stored block bears the number of another", nil)
	}
	return block, true, nil
}
