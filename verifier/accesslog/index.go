package accesslog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"os"
	"slices"

	"github.com/credledger/credledger/sdk/sm"
)

// An index file has, of a full segment of n entries,
//
//	"CLGIDX 1"
//	n times the offset (4) of a record in the segment's file
//	the nodes of its tree, level by level, the n leaves first: 2n-1 hashes
//	n times the tag (16) and the place in the segment (2) of an entry, in ascending order of both
//
// It is made from the segment, and made again if it is not there or does not have its size.
const indexMagic = "CLGIDX 1"

const (
	offsetSize = 4
	tagRow     = len(tag{}) + 2
)

// An indexLayout tells where things are in the index file of a segment with 2^height entries.
type indexLayout uint

func (h indexLayout) entries() int64           { return 1 << h }
func (h indexLayout) offset(place int64) int64 { return int64(len(indexMagic)) + offsetSize*place }

func (h indexLayout) node(level uint, place int64) int64 {
	before := 2*h.entries() - 2*h.entries()>>level // nodes of the levels below
	return h.offset(h.entries()) + sm.HashSize*(before+place)
}

func (h indexLayout) tag(row int64) int64 { return h.node(uint(h), 1) + int64(tagRow)*row }
func (h indexLayout) size() int64         { return h.tag(h.entries()) }

// indexRoot returns the root of a full segment from its index file; found is false if there is none
// that could be one.
func (v *view) indexRoot(number uint64) (root sm.Hash, found bool, err error) {
	f, err := os.Open(v.path(number, indexFile))
	if isMissing(err) {
		return root, false, nil
	} else if err != nil {
		return root, false, storageError("read the access log", err)
	}
	defer f.Close()
	layout := indexLayout(v.height)
	info, err := f.Stat()
	if err != nil || info.Size() != layout.size() {
		return root, false, err
	}
	magic := make([]byte, len(indexMagic))
	if _, err = f.ReadAt(magic, 0); err == nil && string(magic) == indexMagic {
		found = true
		_, err = f.ReadAt(root[:], layout.node(v.height, 0))
	}
	if err != nil {
		return root, false, storageError("read the access log", err)
	}
	return root, found, nil
}

// writeIndex writes the index file of a full segment.
func (v *view) writeIndex(s *segment) error {
	return writeFile(v.path(s.number, indexFile), s.index())
}

func (s *segment) index() []byte {
	return s.appendIndex(make([]byte, 0, indexLayout(len(s.levels)-1).size()))
}

func (s *segment) appendIndex(b []byte) []byte {
	b = append(b, indexMagic...)
	for _, offset := range s.offsets {
		b = binary.BigEndian.AppendUint32(b, offset)
	}
	for _, level := range s.levels {
		for i := range level {
			b = append(b, level[i][:]...)
		}
	}
	for _, i := range s.byTag() {
		b = binary.BigEndian.AppendUint16(append(b, s.tags[i][:]...), i)
	}
	return b
}

// byTag returns the places of the entries in ascending order of their tags, and of themselves.
func (s *segment) byTag() []uint16 {
	type placed struct {
		front uint64 // of the tag: nearly always this tells
		place uint16
	}
	order := make([]placed, len(s.tags))
	for i := range order {
		order[i] = placed{binary.BigEndian.Uint64(s.tags[i][:]), uint16(i)}
	}
	slices.SortFunc(order, func(x, y placed) int {
		if x.front != y.front {
			return cmp.Compare(x.front, y.front)
		}
		return cmp.Or(bytes.Compare(s.tags[x.place][:], s.tags[y.place][:]), cmp.Compare(x.place, y.place))
	})
	places := make([]uint16, len(order))
	for i, p := range order {
		places[i] = p.place
	}
	return places
}
