package index

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// An Export is all that an index knew after one block, for making a snapshot of it. It stays as it is
// when the index goes on, or is closed. It is safe for concurrent use; what it returns is not changed
// by either side.
type Export struct {
	head        ledger.Head
	ledger      *chaincode.Ledger
	registry    *registry
	memory      *memory
	checkpoints []logCheckpoint
}

type logCheckpoint struct {
	department, log string
	verify.Checkpoint
}

// Export takes down all that the index knows. Readers go on meanwhile; blocks wait while the anchors
// are copied, some milliseconds for 100,000 of them. The error is an *Error: CodeEmpty, CodeStorage,
// CodeDamaged or CodeClosed.
func (x *Index) Export() (*Export, error) {
	x.reading.RLock()
	defer x.reading.RUnlock()
	if x.isClosed() {
		return nil, errClosed
	}
	x.adding.Lock()
	defer x.adding.Unlock()
	value, err := x.store.get(chaincode.LedgerStateKey)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, &Error{Code: CodeEmpty, Message: "the index has seen no genesis yet; let it follow the ledger first"}
	}
	e := &Export{head: x.Head(), ledger: new(chaincode.Ledger), registry: x.memory.registry.Load(), memory: x.memory.cut()}
	if err := cbor.Unmarshal(value, e.ledger); err != nil {
		return nil, damaged(err)
	}
	e.checkpoints, err = x.newestCheckpoints()
	if err != nil {
		return nil, err
	}
	return e, nil
}

// newestCheckpoints returns the newest checkpoint of every access log, in the order of the state's
// keys.
func (x *Index) newestCheckpoints() (all []logCheckpoint, err error) {
	prefix := chaincode.LastCheckpoint + "/"
	err = x.store.scan(stateSpace, prefix, prefix, func(key string, _ place, value []byte) (more bool, err error) {
		var newest chaincode.Checkpoint
		department, log, found := strings.Cut(strings.TrimPrefix(key, prefix), "/")
		if err := cbor.Unmarshal(value, &newest); err != nil || !found {
			return false, damaged(errors.New("a newest checkpoint is not one of a log"))
		}
		at, value, err := x.store.getPlaced(signedSpace, chaincode.CheckpointStateKey(department, log, newest.Size))
		if err != nil {
			return false, err
		}
		c, err := x.checkpoint(newest.Size, value, at)
		all = append(all, logCheckpoint{department, log, c})
		return true, err
	})
	return all, err
}

// cut returns a memory that is as this one is now. What is only ever added to is shared, the rest is
// copied. It finds no anchors by their roots.
func (m *memory) cut() *memory {
	n := len(m.names.texts)
	return &memory{
		names:        names{texts: m.names.texts[:n:n]},
		heartbeats:   records[heartbeat]{slices.Clone(m.heartbeats.chunks), m.heartbeats.n},
		anchors:      m.anchors.clone(),
		strings:      arena{slices.Clone(m.strings.chunks)},
		changeTable:  m.changeTable.clone(),
		restrictions: m.restrictions.clone(),
		withdrawn:    m.withdrawn.clone(),
	}
}

func (r *records[T]) clone() records[T] {
	chunks := make([][]T, len(r.chunks))
	for i := range chunks {
		chunks[i] = slices.Clone(r.chunks[i])
	}
	return records[T]{chunks, r.n}
}

func (t *table) clone() *table {
	c := &table{seed: t.seed}
	for i := range t.shards {
		c.shards[i] = shard{slices.Clone(t.shards[i].slots), t.shards[i].used}
	}
	return c
}

// all visits every ref in the table, in no order.
func (t *table) all(yield func(ref) bool) {
	for i := range t.shards {
		for _, slot := range t.shards[i].slots {
			if slot != 0 && !yield(ref(slot)) {
				return
			}
		}
	}
}

// subjectAt returns the subject of what lies at a ref.
func (m *memory) subjectAt(r ref) (s subject) {
	b := m.strings.at(r)
	s.hash, b = sm.Hash(b), b[sm.HashSize:]
	issuer, n := binary.Uvarint(b)
	typ, _ := binary.Uvarint(b[n:])
	s.issuer, s.typ = uint32(issuer), uint32(typ)
	return s
}

// Head returns the block that the export is as of.
func (e *Export) Head() ledger.Head { return e.head }

// Ledger returns the ledger's id.
func (e *Export) Ledger() sm.Hash { return e.ledger.ID }

// Genesis returns the signed genesis of the ledger.
func (e *Export) Genesis() []byte { return e.ledger.Genesis }

// Heartbeat returns the newest heartbeat.
func (e *Export) Heartbeat() verify.Heartbeat {
	return e.memory.heartbeat(uint32(e.memory.heartbeats.n))
}

// Bracket returns the newest heartbeat before a place on the ledger and the first after it.
func (e *Export) Bracket(p verify.Position) (before, after verify.Heartbeat) {
	n := e.memory.heartbeatsBefore(ledger.Position{Block: p.Block, Index: p.Index})
	return e.memory.heartbeat(n), e.memory.heartbeat(n + 1)
}

// Departments returns all departments.
func (e *Export) Departments() []*verify.Department {
	return slices.Collect(maps.Values(e.registry.departments))
}

// Keys returns all keys, whatever became of them.
func (e *Export) Keys() []*verify.Key { return slices.Collect(maps.Values(e.registry.keys)) }

// Types returns all versions of all licence types.
func (e *Export) Types() []*licence.Type {
	return slices.Concat(slices.Collect(maps.Values(e.registry.types))...)
}

// Checkpoints visits the newest checkpoint of every access log.
func (e *Export) Checkpoints(yield func(department, log string, c verify.Checkpoint) bool) {
	for i := range e.checkpoints {
		c := &e.checkpoints[i]
		if !yield(c.department, c.log, c.Checkpoint) {
			return
		}
	}
}

// Anchors visits all anchors in the order of the ledger, with the changes of the status of all
// licences under each, oldest first.
func (e *Export) Anchors(yield func(a verify.Anchor, changes []verify.Change) bool) {
	m := e.memory
	order := make([]ref, m.anchors.n)
	for i := range order {
		order[i] = ref(i + 1)
	}
	slices.SortFunc(order, func(x, y ref) int { return m.anchors.at(x).position().Compare(m.anchors.at(y).position()) })
	for _, r := range order {
		a := m.anchors.at(r)
		s := subject{issuer: a.issuer, typ: a.typ, hash: a.root}
		if !yield(m.describe(a, e.ledger.ID), m.changes(&s, a.changes)) {
			return
		}
	}
}

func (a *anchor) position() ledger.Position { return ledger.Position{Block: a.block, Index: a.index} }

// Licences visits, in no order, every licence whose status was ever changed by itself, or on which a
// restriction is open, with the changes, oldest first, and the restrictions.
func (e *Export) Licences(yield func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool) {
	m := e.memory
	tell := func(s *subject, newest ref) bool {
		changes, restrictions := m.changes(s, newest), m.openRestrictions(s)
		if len(changes)+len(restrictions) == 0 {
			return true
		}
		return yield(m.names.texts[s.issuer], m.names.texts[s.typ], s.hash, changes, restrictions)
	}
	for r := range m.changeTable.all {
		s := m.subjectAt(r)
		if !tell(&s, r) {
			return
		}
	}
	for r := range m.restrictions.all {
		s := m.subjectAt(r)
		if m.changeTable.find(&s.hash, m.same(&s)) == 0 && !tell(&s, 0) {
			return
		}
	}
}

// Withdrawn visits, in no order, every digest for which Index.Withdrawn is true.
func (e *Export) Withdrawn(yield func(department string, binding sm.Hash) bool) {
	m := e.memory
	for r := range m.withdrawn.all {
		s := m.subjectAt(r)
		if !yield(m.names.texts[s.issuer], s.hash) {
			return
		}
	}
}
