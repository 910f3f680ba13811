package index

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/credledger/credledger/sdk/sm"
)

// What the index keeps of millions of anchors and changes lies in large pieces of memory without
// pointers, which the garbage collector does not look into, and is found by hash tables of numbers.

// A ref says where something lies; 0 is nowhere.
type ref uint32

// records is a list of fixed-size records that grows without moving them.
type records[T any] struct {
	chunks [][]T
	n      int
}

const chunkRecords = 1024

// add appends a record.
func (r *records[T]) add(record T) ref {
	if r.n%chunkRecords == 0 {
		r.chunks = append(r.chunks, make([]T, 0, chunkRecords))
	}
	last := len(r.chunks) - 1
	r.chunks[last] = append(r.chunks[last], record)
	r.n++
	return ref(r.n)
}

// at returns the record of a ref, which is not 0.
func (r *records[T]) at(i ref) *T { return &r.chunks[(i-1)/chunkRecords][(i-1)%chunkRecords] }

// arena is a list of byte strings of various lengths. Refs count in units of 4 bytes.
type arena struct {
	chunks [][]byte
}

const (
	arenaChunk = 1 << 16
	arenaUnit  = 4
	arenaLimit = 1 << 32 / (arenaChunk / arenaUnit) // chunks
)

// add copies b, which is no longer than a chunk, into the arena; 0 if that is full.
func (a *arena) add(b []byte) ref {
	last := len(a.chunks) - 1
	if last < 0 || arenaChunk-len(a.chunks[last]) < len(b) {
		if len(a.chunks) == arenaLimit {
			return 0
		}
		first := 0
		if last < 0 {
			first = arenaUnit // so that no ref is 0
		}
		a.chunks = append(a.chunks, make([]byte, first, arenaChunk))
		last++
	}
	chunk := a.chunks[last]
	at := len(chunk)
	chunk = append(chunk, b...)
	a.chunks[last] = chunk[:min((len(chunk)+arenaUnit-1)/arenaUnit*arenaUnit, arenaChunk)]
	return ref((last*arenaChunk + at) / arenaUnit)
}

// at returns the bytes from a ref on: those of its string, and whatever follows.
func (a *arena) at(r ref) []byte {
	at := int(r) * arenaUnit
	return a.chunks[at/arenaChunk][at%arenaChunk:]
}

// addText is add for a text of at most 255 bytes, textAt its inverse.
func (a *arena) addText(s string) ref {
	if len(s) > 255 {
		return 0
	}
	return a.add(append([]byte{byte(len(s))}, s...))
}

func (a *arena) textAt(r ref) string {
	b := a.at(r)
	return string(b[1 : 1+int(b[0])])
}

// A table finds the ref of a hash: open addressing, in shards that grow one at a time, so that no
// insertion takes long. Several entries may have one hash; the caller tells them apart.
type table struct {
	shards [256]shard
	seed   maphash.Seed
}

type shard struct {
	slots []uint64 // hash in the upper half, ref in the lower; 0 is free
	used  int
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

// hash is seeded, because issuers choose what is hashed.
func (t *table) hash(h *sm.Hash) uint32 { return uint32(maphash.Bytes(t.seed, h[:]) >> 32) }

// start returns the slot where the search for a hash begins. The upper 8 bits choose the shard.
func (s *shard) start(hash uint32) int {
	return int(uint64(hash<<8) * uint64(len(s.slots)) >> 32)
}

// find returns the ref with the hash of which same is true, 0 if there is none.
func (t *table) find(key *sm.Hash, same func(ref) bool) ref {
	hash := t.hash(key)
	s := &t.shards[hash>>24]
	if i, found := s.find(hash, same); found {
		return ref(s.slots[i])
	}
	return 0
}

func (s *shard) find(hash uint32, same func(ref) bool) (slot int, found bool) {
	if len(s.slots) == 0 {
		return 0, false
	}
	for i := s.start(hash); ; i++ {
		if i == len(s.slots) {
			i = 0
		}
		switch slot := s.slots[i]; {
		case slot == 0:
			return i, false
		case uint32(slot>>32) == hash && same(ref(slot)):
			return i, true
		}
	}
}

// set makes a ref the one that find returns.
func (t *table) set(key *sm.Hash, r ref, same func(ref) bool) {
	hash := t.hash(key)
	s := &t.shards[hash>>24]
	if (s.used+1)*5 > len(s.slots)*4 {
		s.grow()
	}
	i, found := s.find(hash, same)
	if !found {
		s.used++
	}
	s.slots[i] = uint64(hash)<<32 | uint64(r)
}

// grow makes room for a fifth more: a shard is between two thirds and four fifths full.
func (s *shard) grow() {
	old := s.slots
	s.slots = make([]uint64, max(8, len(old)*6/5))
	for _, slot := range old {
		if slot != 0 {
			i, _ := s.find(uint32(slot>>32), func(ref) bool { return false })
			s.slots[i] = slot
		}
	}
}

// names gives texts that recur small numbers.
type names struct {
	numbers map[string]uint32
	texts   []string
}

func (n *names) add(s string) uint32 {
	if i, ok := n.numbers[s]; ok {
		return i
	}
	if n.numbers == nil {
		n.numbers = map[string]uint32{}
	}
	i := uint32(len(n.texts))
	n.numbers[s], n.texts = i, append(n.texts, s)
	return i
}

func uint32At(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
