package index

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// The store keeps the state that the rules need, and where its values come from, in Pebble. A block
// is one batch, so it is there whole or not at all. The keys, with numbers in big-endian form:
//
//	s KEY                                 a value of the state: its place, then the value
//	v KEY 00 BLOCK (8 bytes) INDEX (4)    every value of a key whose past counts, likewise
//	c KEY                                 of the key of a checkpoint: its place, the root, SM3 of the signed statement
//	m                                     format (1 byte), height (8), hash of the newest block, of the first
//
// where a place is the block (8 bytes), the index (4), the length of the transaction's id (1) and
// that id.
const (
	stateSpace   = 's'
	versionSpace = 'v'
	signedSpace  = 'c'
	metaKey      = "m"

	storeFormat = 3
)

func appendPlace(b []byte, at place) []byte {
	b = binary.BigEndian.AppendUint64(b, at.Block)
	b = binary.BigEndian.AppendUint32(b, at.Index)
	return append(append(b, byte(len(at.txID))), at.txID...)
}

// splitPlace is the inverse of appendPlace, with the value that follows.
func splitPlace(b []byte) (at place, value []byte, err error) {
	if len(b) < 13 || len(b) < 13+int(b[12]) {
		return at, nil, errors.New("a value is stored without its place")
	}
	at.Block, at.Index = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	end := 13 + int(b[12])
	at.txID = string(b[13:end])
	return at, b[end:], nil
}

// get returns a value of the state, nil if there is none.
func (s *store) get(key string) ([]byte, error) {
	_, value, err := s.getPlaced(stateSpace, key)
	return value, err
}

// getPlaced returns a value of a space, nil if there is none, and where it was written.
func (s *store) getPlaced(space byte, key string) (at place, value []byte, err error) {
	stored, closer, err := s.db.Get(append([]byte{space}, key...))
	if errors.Is(err, pebble.ErrNotFound) {
		return at, nil, nil
	}
	if err != nil {
		return at, nil, &Error{CodeStorage, "read the index", err}
	}
	defer closer.Close()
	at, value, err = splitPlace(stored)
	if err != nil {
		return at, nil, damaged(err)
	}
	return at, append(make([]byte, 0, len(value)), value...), nil
}

// versioned reports whether every value that a key had counts, not only the last.
func versioned(key string) bool {
	return key == chaincode.HeartbeatStateKey || strings.HasPrefix(key, chaincode.StatusPrefix) || strings.HasPrefix(key, chaincode.RootStatusPrefix)
}

// An extent says which blocks of which chain a store has.
type extent struct {
	head  ledger.Head
	first sm.Hash // of block 0
}

// commit writes a block.
func (s *store) commit(writes []placed, e extent) error {
	batch := s.db.NewBatch()
	var key, value []byte
	for i := range writes {
		w := &writes[i]
		value = append(appendPlace(value[:0], w.at), w.value...)
		key = append(append(key[:0], stateSpace), w.key...)
		if err := batch.Set(key, value, nil); err != nil {
			return &Error{CodeStorage, "write the index", err}
		}
		switch {
		case versioned(w.key):
			key[0] = versionSpace
			key = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(append(key, 0), w.at.Block), w.at.Index)
		case strings.HasPrefix(w.key, chaincode.CheckpointPrefix):
			key[0] = signedSpace
			value = append(value, w.statement[:]...)
		default:
			continue
		}
		if err := batch.Set(key, value, nil); err != nil {
			return &Error{CodeStorage, "write the index", err}
		}
	}
	value = binary.BigEndian.AppendUint64(append(value[:0], storeFormat), e.head.Height)
	value = append(append(value, e.head.Hash[:]...), e.first[:]...)
	err := batch.Set([]byte(metaKey), value, nil)
	if err == nil {
		err = s.apply(batch)
	}
	if err != nil {
		return &Error{CodeStorage, "write the index; is the disk full?", err}
	}
	return nil
}

// apply commits a batch.
func (s *store) apply(batch *pebble.Batch) (err error) {
	if err := s.failure(); err != nil {
		return err
	}
	defer s.survive(&err)
	if err := batch.Commit(pebble.NoSync); err != nil {
		return err
	}
	return s.failure()
}

// extent returns how far the store is. What an older version wrote is cleared: it is made again from the ledger.
func (s *store) extent() (e extent, err error) {
	b, closer, err := s.db.Get([]byte(metaKey))
	if errors.Is(err, pebble.ErrNotFound) {
		return e, s.empty()
	}
	if err != nil {
		return e, &Error{CodeStorage, "read the index", err}
	}
	defer closer.Close()
	if len(b) > 0 && b[0] < storeFormat {
		return e, s.clear()
	}
	if len(b) != 1+8+2*sm.HashSize || b[0] != storeFormat {
		return e, damaged(errors.New("it was written by another version of this software"))
	}
	e.head = ledger.Head{Height: binary.BigEndian.Uint64(b[1:]), Hash: sm.Hash(b[9:])}
	e.first = sm.Hash(b[9+sm.HashSize:])
	return e, nil
}

// clear removes all that the store holds.
func (s *store) clear() error {
	batch := s.db.NewBatch()
	err := batch.DeleteRange([]byte{0}, []byte{0xFF}, nil)
	if err == nil {
		err = s.apply(batch)
	}
	if err != nil {
		return &Error{CodeStorage, "clear an index of an older version", err}
	}
	return nil
}

// empty requires the store to hold nothing: it may be somebody else's.
func (s *store) empty() error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return &Error{CodeStorage, "read the index", err}
	}
	found := it.First()
	if err := it.Close(); err != nil {
		return &Error{CodeStorage, "read the index", err}
	}
	if found {
		return &Error{Code: CodeDamaged, Message: "the directory holds something else than an index; use another"}
	}
	return nil
}

// loadOrder is the order in which a restart reads: heartbeats before the anchors that they bracket,
// anchors before what is said about them.
var loadOrder = []string{
	chaincode.LedgerStateKey, chaincode.DepartmentPrefix, chaincode.KeyPrefix, chaincode.DefinitionPrefix,
	chaincode.HeartbeatStateKey, chaincode.AnchorPrefix, chaincode.DisownedPrefix,
	chaincode.RootStatusPrefix, chaincode.StatusPrefix, chaincode.RestrictionPrefix, chaincode.ConsentPrefix,
}

// load fills the memory with what the store holds.
func (s *store) load(m *memory) error {
	for _, prefix := range loadOrder {
		space := byte(stateSpace)
		if versioned(prefix) {
			space = versionSpace
		}
		if err := s.loadPrefix(m, append([]byte{space}, prefix...)); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) loadPrefix(m *memory, prefix []byte) error {
	return s.scan(prefix[0], string(prefix[1:]), string(prefix[1:]), func(key string, at place, value []byte) (bool, error) {
		key, _, _ = strings.Cut(key, "\x00")
		if err := m.apply(key, value, at); err != nil {
			return false, damaged(err)
		}
		return true, nil
	})
}

// scan visits the keys of a space that have a prefix, from the first one given on, in ascending order
// until visit has enough. The value is good only during the visit.
func (s *store) scan(space byte, first, prefix string, visit func(key string, at place, value []byte) (more bool, err error)) (err error) {
	upper := append([]byte{space}, prefix...)
	upper[len(upper)-1]++
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: append([]byte{space}, first...), UpperBound: upper})
	if err != nil {
		return &Error{CodeStorage, "read the index", err}
	}
	defer func() {
		if closeErr := it.Close(); err == nil && closeErr != nil {
			err = &Error{CodeStorage, "read the index", closeErr}
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		stored, err := it.ValueAndErr()
		if err != nil {
			return &Error{CodeStorage, "read the index", err}
		}
		at, value, err := splitPlace(stored)
		if err != nil {
			return damaged(err)
		}
		if more, err := visit(string(it.Key()[1:]), at, value); err != nil || !more {
			return err
		}
	}
	return nil
}

// A placed write is one with the place where it was made.
type placed struct {
	key       string
	value     []byte
	at        place
	statement sm.Hash // of a checkpoint: SM3 of the signed statement
}

// A draft is the state with the writes of the block that is being applied.
type draft struct {
	store  *store
	newest map[string][]byte
	writes []placed
}

// Get implements chaincode.State.
func (d *draft) Get(key string) ([]byte, error) {
	if value, ok := d.newest[key]; ok {
		return value, nil
	}
	return d.store.get(key)
}

// write takes in what a transaction writes.
func (d *draft) write(tx *chaincode.Transaction, writes []chaincode.Write, at place) {
	for _, w := range writes {
		d.newest[w.Key] = w.Value
		p := placed{key: w.Key, value: w.Value, at: at}
		if strings.HasPrefix(w.Key, chaincode.CheckpointPrefix) {
			p.statement = checkpointStatement(tx, w.Key)
		}
		d.writes = append(d.writes, p)
	}
}

// checkpointStatement returns SM3 of the statement of a transaction that puts a checkpoint under a state key.
func checkpointStatement(tx *chaincode.Transaction, key string) sm.Hash {
	for _, b := range tx.Statements {
		c, _, err := statement.ParseAs[*statement.Checkpoint](b)
		if err == nil && chaincode.CheckpointStateKey(c.Department, c.Log, c.Size) == key {
			return sm.Sum(b)
		}
	}
	return sm.Hash{}
}
