package accesslog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A tag finds the entries about one licence; the package comment says what it is.
type tag [16]byte

func (l *Log) tagOf(issuer string, digest sm.Hash) tag {
	named := make([]byte, 0, 64+sm.HashSize)
	named = append(append(named, issuer...), 0)
	mac := sm.HMAC(l.key, append(named, digest[:]...))
	return tag(mac[:])
}

// A record is an entry as it is stored.
type record struct {
	salt  access.Salt
	tag   tag
	entry []byte
}

// Sizes of the parts of a group, and its bounds.
const (
	groupMagic  = "CLG1"
	groupHead   = len(groupMagic) + 8 + 4 + 4 + 4
	recordHead  = 2 + len(access.Salt{}) + len(tag{})
	maxGroup    = 1024    // entries
	maxBody     = 1 << 20 // bytes
	maxRecord   = recordHead + access.MaxSize
	maxGroupLen = groupHead + maxBody
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// beginGroup makes room for the head of a group.
func beginGroup(b []byte) []byte { return append(b[:0], make([]byte, groupHead)...) }

func (r *record) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.entry)))
	b = append(append(b, r.salt[:]...), r.tag[:]...)
	return append(b, r.entry...)
}

// endGroup fills the head in.
func endGroup(b []byte, first uint64, count int) {
	copy(b, groupMagic)
	binary.BigEndian.PutUint64(b[4:], first)
	binary.BigEndian.PutUint32(b[12:], uint32(count))
	binary.BigEndian.PutUint32(b[16:], uint32(len(b)-groupHead))
	binary.BigEndian.PutUint32(b[20:], checksum(b[:20], b[groupHead:]))
}

func checksum(head, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, body)
}

// parseHead reads the head of a group; ok is false for what cannot be one.
func parseHead(b []byte) (first uint64, count, length int, sum uint32, ok bool) {
	if string(b[:4]) != groupMagic {
		return 0, 0, 0, 0, false
	}
	first = binary.BigEndian.Uint64(b[4:])
	n, size := binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:])
	return first, int(n), int(size), binary.BigEndian.Uint32(b[20:]), n > 0 && n <= maxGroup && size <= maxBody
}

// parseRecord reads a record from the front of b and returns the rest.
func parseRecord(b []byte) (r record, rest []byte, ok bool) {
	if len(b) < recordHead {
		return r, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > access.MaxSize || len(b) < recordHead+n {
		return r, nil, false
	}
	copy(r.salt[:], b[2:])
	copy(r.tag[:], b[2+len(r.salt):])
	r.entry = b[recordHead : recordHead+n]
	return r, b[recordHead+n:], true
}

// errTorn says that the last group of a segment is not whole, or not one.
var errTorn = errors.New("the last group is not whole")

// scan reads a segment whose first entry has a number, and visits its records, which are good until
// visit returns. It returns the end of the last whole group, and errTorn if something follows that is
// none. What a whole group holds and could not is an *Error with CodeDamaged.
func scan(in io.Reader, first uint64, visit func(offset int64, r *record) error) (end int64, err error) {
	var head [groupHead]byte
	var body []byte
	for next := first; ; {
		switch n, err := io.ReadFull(in, head[:]); {
		case n == 0 && errors.Is(err, io.EOF):
			return end, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return end, errTorn
		case err != nil:
			return end, storageError("read the access log", err)
		}
		from, count, length, sum, ok := parseHead(head[:])
		if !ok {
			return end, errTorn
		}
		if cap(body) < length {
			body = make([]byte, length)
		}
		body = body[:length]
		if _, err := io.ReadFull(in, body); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return end, errTorn
		} else if err != nil {
			return end, storageError("read the access log", err)
		}
		if checksum(head[:20], body) != sum {
			return end, errTorn
		}
		if from != next {
			return end, damaged("the access log goes on with entry %d where entry %d belongs", from, next)
		}
		offset := end + int64(groupHead)
		rest := body
		for range count {
			r, after, ok := parseRecord(rest)
			if !ok {
				return end, damaged("entry %d of the access log is not stored as it should be", next)
			}
			if err := visit(offset, &r); err != nil {
				return end, err
			}
			offset += int64(len(rest) - len(after))
			rest = after
			next++
		}
		if len(rest) > 0 {
			return end, damaged("something follows entry %d of the access log that belongs to no entry", next-1)
		}
		end = offset
	}
}

// goesOn reports whether there is a whole group anywhere in what follows the end of a segment: then
// that is no write that was interrupted.
func goesOn(in io.Reader) (bool, error) {
	b, err := io.ReadAll(io.LimitReader(in, int64(maxGroupLen)+1))
	if err != nil {
		return false, storageError("read the access log", err)
	}
	if len(b) > maxGroupLen {
		return true, nil
	}
	for at := 0; ; at++ {
		found := bytes.Index(b[at:], []byte(groupMagic))
		if found < 0 || len(b)-at-found < groupHead {
			return false, nil
		}
		at += found
		_, _, length, sum, ok := parseHead(b[at:])
		if body := b[at+groupHead:]; ok && length <= len(body) && checksum(b[at:at+20], body[:length]) == sum {
			return true, nil
		}
	}
}

// A segment is what a log knows of one in memory: of the one that is being filled, and of a full one
// until its index file is there.
type segment struct {
	number  uint64
	end     int64       // of the entries in its file
	offsets []uint32    // where each record begins
	tags    []tag       // of each record
	levels  [][]sm.Hash // of its tree, the leaves first: the nodes that will never change
}

func newSegment(number uint64, height uint) *segment {
	return &segment{number: number, levels: make([][]sm.Hash, height+1)}
}

// reset makes it the empty segment of a number, in the memory that it has.
func (s *segment) reset(number uint64) {
	s.number, s.end, s.offsets, s.tags = number, 0, s.offsets[:0], s.tags[:0]
	for k := range s.levels {
		s.levels[k] = s.levels[k][:0]
	}
}

func (s *segment) size() uint64 { return uint64(len(s.offsets)) }

// add takes in the next record.
func (s *segment) add(offset int64, t tag, leaf sm.Hash) {
	s.offsets = append(s.offsets, uint32(offset))
	s.tags = append(s.tags, t)
	s.levels[0] = append(s.levels[0], leaf)
	for k := 0; len(s.levels[k])%2 == 0 && k+1 < len(s.levels); k++ {
		n := len(s.levels[k])
		s.levels[k+1] = append(s.levels[k+1], sm.SumNode(&s.levels[k][n-2], &s.levels[k][n-1]))
	}
}

func segmentName(number uint64) string { return fmt.Sprintf("%010d", number) }

func segmentPath(dir string, number uint64, kind string) string {
	return filepath.Join(dir, segmentName(number)+kind)
}
