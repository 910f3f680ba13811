package accesslog

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A reader reads from a view, whatever part of it is in memory and whatever in files, of which it has
// those of one segment open at a time. It implements access.Nodes.
type reader struct {
	v      *view
	number uint64 // of the segment that the files are of
	files  map[string]*os.File
}

func (v *view) reader() *reader { return &reader{v: v, files: map[string]*os.File{}} }

func (r *reader) close() {
	for kind, f := range r.files {
		f.Close()
		delete(r.files, kind)
	}
}

// open returns a file of a segment, which close closes.
func (r *reader) open(number uint64, kind string) (*os.File, error) {
	if number != r.number {
		r.close()
		r.number = number
	}
	if f := r.files[kind]; f != nil {
		return f, nil
	}
	f, err := os.Open(r.v.path(number, kind))
	if isMissing(err) {
		return nil, damaged("segment %d of the access log is missing", number)
	} else if err != nil {
		return nil, storageError("read the access log", err)
	}
	r.files[kind] = f
	return f, nil
}

// readAt fills b from a file of a segment.
func (r *reader) readAt(number uint64, kind string, b []byte, at int64) error {
	f, err := r.open(number, kind)
	if err != nil {
		return err
	}
	switch _, err = f.ReadAt(b, at); {
	case err == io.EOF:
		return damaged("segment %d of the access log is cut short", number)
	case err != nil:
		return storageError("read the access log", err)
	}
	return nil
}

// inMemory returns a segment if that is in memory. The caller holds the lock of the view.
func (v *view) inMemory(number uint64) *segment {
	if number == v.active.number {
		return v.active
	}
	return v.full[number]
}

// Node implements access.Nodes, for the nodes over durable entries.
func (r *reader) Node(level uint, index uint64) (h sm.Hash, err error) {
	if level >= r.v.height {
		r.v.mu.RLock()
		defer r.v.mu.RUnlock()
		return r.v.upper[level-r.v.height][index], nil
	}
	number, place := index>>(r.v.height-level), index&(1<<(r.v.height-level)-1)
	r.v.mu.RLock()
	s := r.v.inMemory(number)
	if s != nil {
		h = s.levels[level][place]
	}
	r.v.mu.RUnlock()
	if s == nil {
		err = r.readAt(number, indexFile, h[:], indexLayout(r.v.height).node(level, int64(place)))
	}
	return h, err
}

// tree returns the tree of the log at a size, which can be used as long as the reader.
func (r *reader) tree(size uint64) (*access.Tree, error) {
	if now := r.v.Size(); size > now {
		return nil, errorf(CodeRange, nil, "the access log has %d entries, not %d", now, size)
	}
	return access.NewTree(r, size)
}

// record reads an entry that is durable, and checks that it is the one whose leaf is in the tree.
func (r *reader) record(index uint64) (record, error) {
	number, place := index>>r.v.height, index&(1<<r.v.height-1)
	from, to := int64(0), int64(math.MaxInt64) // the record is between these
	r.v.mu.RLock()
	s := r.v.inMemory(number)
	if s != nil {
		from, to = int64(s.offsets[place]), s.end
		if place+1 < s.size() {
			to = int64(s.offsets[place+1])
		}
	}
	r.v.mu.RUnlock()
	if s == nil {
		var offset [2 * offsetSize]byte // with the next one, behind which something else comes after the last
		if err := r.readAt(number, indexFile, offset[:], indexLayout(r.v.height).offset(int64(place))); err != nil {
			return record{}, err
		}
		from = int64(binary.BigEndian.Uint32(offset[:]))
		if place+1 < 1<<r.v.height {
			to = int64(binary.BigEndian.Uint32(offset[offsetSize:]))
		}
	}
	stored, err := r.recordAt(number, from, to)
	if err != nil {
		return record{}, err
	}
	leaf, err := r.Node(0, index)
	if err != nil {
		return record{}, err
	}
	if access.Leaf(stored.entry) != leaf {
		return record{}, damaged("entry %d of the access log is not the one that was recorded", index)
	}
	return stored, nil
}

// recordAt reads a record from between two places of a segment's file.
func (r *reader) recordAt(number uint64, from, to int64) (record, error) {
	f, err := r.open(number, entriesFile)
	if err != nil {
		return record{}, err
	}
	if to < from {
		return record{}, damaged("the index of segment %d of the access log is not in order", number)
	}
	b := make([]byte, min(to-from, int64(maxRecord)))
	n, err := f.ReadAt(b, from)
	if err != nil && err != io.EOF {
		return record{}, storageError("read the access log", err)
	}
	stored, _, ok := parseRecord(b[:n])
	if !ok {
		return record{}, damaged("an entry in segment %d of the access log is not stored as it should be", number)
	}
	return stored, nil
}

// tagged returns the places of the entries of a segment that have a tag, in ascending order.
func (r *reader) tagged(number uint64, t tag) ([]uint64, error) {
	var places []uint64
	r.v.mu.RLock()
	s := r.v.inMemory(number)
	if s != nil {
		for i := range s.tags {
			if s.tags[i] == t {
				places = append(places, uint64(i))
			}
		}
	}
	r.v.mu.RUnlock()
	if s != nil {
		return places, nil
	}
	layout := indexLayout(r.v.height)
	var row [tagRow]byte
	read := func(i int64) error { return r.readAt(number, indexFile, row[:], layout.tag(i)) }
	low, high := int64(0), layout.entries() // the first row of the tag, if there is one, is in between
	for low < high {
		middle := (low + high) / 2
		if err := read(middle); err != nil {
			return nil, err
		}
		if slices.Compare(row[:len(t)], t[:]) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	for ; low < layout.entries(); low++ {
		if err := read(low); err != nil {
			return nil, err
		}
		if tag(row[:len(t)]) != t {
			break
		}
		places = append(places, uint64(binary.BigEndian.Uint16(row[len(t):])))
	}
	return places, nil
}
