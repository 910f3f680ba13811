package index

import (
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// Checkpoints are asked for seldom, and a log has one a minute for years: they are read from the
// store, not kept in memory.

// Checkpoint returns the checkpoint of an access log of a department at a size; ok is false if the
// ledger has none, as far as the index has applied it. The error is an *Error: CodeStorage,
// CodeDamaged or CodeClosed.
func (x *Index) Checkpoint(department, log string, size uint64) (c verify.Checkpoint, ok bool, err error) {
	at, value, err := x.read(signedSpace, chaincode.CheckpointStateKey(department, log, size))
	if value == nil {
		return c, false, err
	}
	c, err = x.checkpoint(size, value, at)
	return c, err == nil, err
}

// LatestCheckpoint returns the newest checkpoint of an access log of a department; ok and err are as
// with Checkpoint.
func (x *Index) LatestCheckpoint(department, log string) (c verify.Checkpoint, ok bool, err error) {
	_, value, err := x.read(stateSpace, chaincode.LastCheckpointStateKey(department, log))
	if value == nil {
		return c, false, err
	}
	var newest chaincode.Checkpoint
	if err := cbor.Unmarshal(value, &newest); err != nil {
		return c, false, damaged(err)
	}
	return x.Checkpoint(department, log, newest.Size)
}

// Checkpoints returns every checkpoint of an access log of a department, in ascending order of size:
// those that were there when it was called, and perhaps later ones. It ends with the first error,
// which is as with Checkpoint.
func (x *Index) Checkpoints(department, log string) iter.Seq2[verify.Checkpoint, error] {
	return func(yield func(verify.Checkpoint, error) bool) {
		for from := uint64(0); ; {
			page, err := x.checkpoints(department, log, from)
			if err != nil {
				yield(verify.Checkpoint{}, err)
				return
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
			if len(page) < checkpointPage {
				return
			}
			from = page[len(page)-1].Size + 1
		}
	}
}

// checkpointPage is the number of checkpoints that are read at a time: no iterator of the store is
// open while a caller looks at them.
const checkpointPage = 1000

// checkpoints returns the next checkpoints from a size on.
func (x *Index) checkpoints(department, log string, from uint64) (page []verify.Checkpoint, err error) {
	x.reading.RLock()
	defer x.reading.RUnlock()
	if x.isClosed() {
		return nil, errClosed
	}
	first := chaincode.CheckpointStateKey(department, log, from)
	prefix := first[:len(first)-sizeDigits]
	err = x.store.scan(signedSpace, first, prefix, func(key string, at place, value []byte) (more bool, err error) {
		size, err := strconv.ParseUint(strings.TrimPrefix(key, prefix), 16, 64)
		if err != nil {
			return false, damaged(errors.New("a checkpoint is not one of a size"))
		}
		c, err := x.checkpoint(size, value, at)
		page = append(page, c)
		return len(page) < checkpointPage, err
	})
	return page, err
}

// sizeDigits is the number of digits of the size in the state key of a checkpoint.
const sizeDigits = 16

// checkpoint reads the value that the store has of a checkpoint.
func (x *Index) checkpoint(size uint64, value []byte, at place) (c verify.Checkpoint, err error) {
	if len(value) != 2*sm.HashSize {
		return c, damaged(errors.New("a checkpoint is not a root and the digest of a statement"))
	}
	m := x.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	before := m.heartbeatsBefore(at.Position)
	return verify.Checkpoint{
		Size: size, Root: sm.Hash(value), Position: verify.Position{Block: at.Block, Index: at.Index},
		Before: m.heartbeat(before), After: m.heartbeat(before + 1), Statement: sm.Hash(value[sm.HashSize:]),
	}, nil
}

// read returns a value of a space of the store and where it was written; nil if there is none.
func (x *Index) read(space byte, key string) (place, []byte, error) {
	x.reading.RLock()
	defer x.reading.RUnlock()
	if x.isClosed() {
		return place{}, nil, errClosed
	}
	return x.store.getPlaced(space, key)
}
