package snapshot

import (
	"encoding/binary"
	"math"

	"github.com/credledger/credledger/sdk/licence"
)

// A column is numbers one after the other, of many anchors or licences: each in groups of seven bits,
// the least significant first, all but the last group with the high bit set, in as few groups as there
// can be. Like things beside each other compress; as rows, between roots and signatures, they would
// not. A number that may be negative is first folded: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
type column []byte

func (c *column) add(n uint64)      { *c = binary.AppendUvarint(*c, n) }
func (c *column) addSigned(n int64) { *c = binary.AppendVarint(*c, n) }

// take takes the next number, which is at most max, off the front. At the first one that is not there,
// not in its shortest form or too large, ok is set to false.
func (c *column) take(max uint64, ok *bool) uint64 {
	n, size := binary.Uvarint(*c)
	if size <= 0 || size > 1 && (*c)[size-1] == 0 || n > max {
		*c, *ok = nil, false
		return 0
	}
	*c = (*c)[size:]
	return n
}

// takeSum takes the next number and adds it to one before it; the sum is at most max.
func (c *column) takeSum(before, max uint64, ok *bool) uint64 {
	if before > max {
		*c, *ok = nil, false
		return 0
	}
	return before + c.take(max-before, ok)
}

// takeSigned takes the next folded number.
func (c *column) takeSigned(ok *bool) int64 {
	n := c.take(1<<64-1, ok)
	return int64(n>>1) ^ -int64(n&1)
}

// states are the states of a change in the order of their numbers.
var states = [...]licence.State{licence.Active, licence.Suspended, licence.Superseded, licence.Revoked}

// changes are changes of status, those of one batch or licence after those of another.
type changes struct {
	_      struct{} `cbor:",toarray"`
	States column   // number in states
	Days   column   // first day of the state, less the day of the newest heartbeat, folded
}

// lowerSize is the number of bytes of the lower part of a name.
const lowerSize = 6

// addName adds what one of ascending names is more than the one before. Its lower six bytes, big-endian,
// are as random as can be; the upper two are mostly zero.
func addName(upper *column, lower *[]byte, gap uint64) {
	upper.add(gap >> (8 * lowerSize))
	*lower = append(*lower, binary.BigEndian.AppendUint64(nil, gap)[8-lowerSize:]...)
}

// takeNames returns the names of which addName added the differences; ok is false if they do not ascend.
func takeNames(upper column, lower []byte) (names []uint64, ok bool) {
	ok = len(lower)%lowerSize == 0
	names = make([]uint64, 0, len(lower)/lowerSize)
	for last := uint64(0); ok && len(lower) > 0; lower = lower[lowerSize:] {
		var b [8]byte
		copy(b[8-lowerSize:], lower[:lowerSize])
		gap := upper.take(math.MaxUint16, &ok)<<(8*lowerSize) | binary.BigEndian.Uint64(b[:])
		if len(names) > 0 && gap == 0 || gap > math.MaxUint64-last {
			return nil, false
		}
		last += gap
		names = append(names, last)
	}
	return names, ok && len(upper) == 0
}
