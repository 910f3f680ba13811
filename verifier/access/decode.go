package access

import (
	"math"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/sm"
)

// An audit and a report read entries by the ten million, so their decoder is written out. It knows only
// what an entry is made of, and of each item only the one encoding of deterministic CBOR: what it reads,
// written again, gives the same bytes.

// Major types of CBOR (RFC 8949, section 3.1), as the three high bits of an item's first byte.
const (
	majorUnsigned = 0 << 5
	majorNegative = 1 << 5
	majorBytes    = 2 << 5
	majorText     = 3 << 5
	majorArray    = 4 << 5
)

// elements is how many the array of an entry has.
const elements = 20

// maxItems bounds lists before they are made; Validate bounds them more tightly.
const maxItems = 1 << 10

// A decoder reads the items of an entry one after another. After something that is not what it should
// be, wrong is true and stays so, and everything else is zero.
type decoder struct {
	rest  string // not read yet; the texts that are read are parts of it
	wrong bool
}

// decode takes an entry apart into e, whose lists it uses again; false if the bytes are not one. It does not
// check bounds.
func (e *Entry) decode(b string) bool {
	d := &decoder{rest: b}
	if d.head(majorArray) != elements || d.head(majorUnsigned) != version {
		return false
	}
	*e = Entry{
		Time: d.head(majorUnsigned), Call: d.call(),
		Agency: d.text(), Clerk: d.text(), Unit: d.text(), Matter: d.text(), Case: d.text(), OnBehalf: d.text(), Asked: d.text(),
		Type: d.text(), Licence: d.hash(), Presentation: d.hash(),
		Fields: d.texts(e.Fields), Outcome: d.text(), Reasons: d.texts(e.Reasons),
		Day: d.day(), Height: d.head(majorUnsigned), Heartbeat: d.head(majorUnsigned), Overall: d.text(),
	}
	return !d.wrong && d.rest == ""
}

// fail notes that the entry is not one.
func (d *decoder) fail() uint64 {
	d.rest, d.wrong = "", true
	return 0
}

// head reads the head of an item of a major type, and returns its argument, which is to be in the
// shortest form.
func (d *decoder) head(major byte) uint64 {
	if d.rest == "" || d.rest[0]&^0x1f != major {
		return d.fail()
	}
	short := d.rest[0] & 0x1f
	d.rest = d.rest[1:]
	if short < 24 {
		return uint64(short)
	}
	if short > 27 {
		return d.fail()
	}
	size := 1 << (short - 24) // bytes of the argument
	if len(d.rest) < size {
		return d.fail()
	}
	n := uint64(0)
	for i := range size {
		n = n<<8 | uint64(d.rest[i])
	}
	d.rest = d.rest[size:]
	if n < 24 || size > 1 && n>>(4*size) == 0 {
		return d.fail()
	}
	return n
}

// bytes reads what follows the head of a byte or text string.
func (d *decoder) bytes(major byte) string {
	n := d.head(major)
	if n > uint64(len(d.rest)) {
		n = d.fail()
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) text() string {
	s := d.bytes(majorText)
	if !utf8.ValidString(s) {
		d.fail()
	}
	return s
}

func (d *decoder) call() (c Call) {
	s := d.bytes(majorBytes)
	if len(s) != len(c) {
		d.fail()
	}
	copy(c[:], s)
	return c
}

func (d *decoder) hash() (h sm.Hash) {
	s := d.bytes(majorBytes)
	if len(s) != sm.HashSize {
		d.fail()
	}
	copy(h[:], s)
	return h
}

// texts reads a list of texts into one that is used again.
func (d *decoder) texts(list []string) []string {
	n := d.head(majorArray)
	if n > maxItems || n > uint64(len(d.rest)) {
		n = d.fail()
	}
	if list == nil {
		list = make([]string, 0, n)
	}
	list = list[:0]
	for range n {
		list = append(list, d.text())
	}
	return list
}

func (d *decoder) day() int32 {
	if d.rest == "" || d.rest[0]&^0x1f == majorUnsigned {
		if n := d.head(majorUnsigned); n <= math.MaxInt32 {
			return int32(n)
		}
	} else if n := d.head(majorNegative); n <= math.MaxInt32 {
		return -1 - int32(n)
	}
	d.fail()
	return 0
}
