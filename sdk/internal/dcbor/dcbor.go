// Package dcbor writes and reads, item by item, the small part of deterministic CBOR (RFC 8949,
// section 4.2.1) that credentials, codes and statement envelopes are made of: integers, byte and
// text strings, arrays and null, each with its shortest head. It never builds a tree and never
// allocates; package statement leaves the bodies of statements to a full CBOR library.
package dcbor

import (
	"encoding/binary"
	"unicode/utf8"
)

// Major types, RFC 8949 section 3.1.
const (
	majorUint  = 0 << 5
	majorNint  = 1 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
	null       = 0xf6
)

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}

// AppendUint appends an unsigned integer.
func AppendUint(b []byte, n uint64) []byte { return appendHead(b, majorUint, n) }

// AppendInt appends an integer.
func AppendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, majorNint, uint64(-(n + 1)))
	}
	return appendHead(b, majorUint, uint64(n))
}

// AppendBytes appends a byte string.
func AppendBytes(b, s []byte) []byte { return append(appendHead(b, majorBytes, uint64(len(s))), s...) }

// AppendText appends a text string, which must be valid UTF-8.
func AppendText(b []byte, s string) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

// AppendArray appends the head of an array of n items.
func AppendArray(b []byte, n int) []byte { return appendHead(b, majorArray, uint64(n)) }

// AppendNull appends null.
func AppendNull(b []byte) []byte { return append(b, null) }

// A Reader takes items off the front of a buffer. After the first item that is not there, or not in
// its shortest form, it fails for good: callers read on and ask once, at the end.
type Reader struct {
	b      []byte
	failed bool
}

// NewReader returns a Reader of b. Strings that it returns are parts of b.
func NewReader(b []byte) Reader { return Reader{b: b} }

// OK reports whether every item so far was there.
func (r *Reader) OK() bool { return !r.failed }

// Rest returns what has not been read.
func (r *Reader) Rest() []byte { return r.b }

// Fail makes the reader fail, for a value that the caller refuses.
func (r *Reader) Fail() { r.failed, r.b = true, nil }

// head reads one head; the argument is in its shortest form.
func (r *Reader) head() (major byte, n uint64) {
	b := r.b
	if len(b) == 0 {
		r.Fail()
		return 0, 0
	}
	major = b[0] & 0xe0
	info := b[0] & 0x1f
	if info < 24 {
		r.b = b[1:]
		return major, uint64(info)
	}
	var size int
	var least uint64
	switch {
	case info == 24 && len(b) >= 2:
		size, n, least = 2, uint64(b[1]), 24
	case info == 25 && len(b) >= 3:
		size, n, least = 3, uint64(binary.BigEndian.Uint16(b[1:])), 1<<8
	case info == 26 && len(b) >= 5:
		size, n, least = 5, uint64(binary.BigEndian.Uint32(b[1:])), 1<<16
	case info == 27 && len(b) >= 9:
		size, n, least = 9, binary.BigEndian.Uint64(b[1:]), 1<<32
	default:
		r.Fail()
		return 0, 0
	}
	if n < least {
		r.Fail()
		return 0, 0
	}
	r.b = b[size:]
	return major, n
}

func (r *Reader) argument(major byte, max uint64) uint64 {
	m, n := r.head()
	if m != major || n > max {
		r.Fail()
		return 0
	}
	return n
}

// Uint reads an unsigned integer of at most max.
func (r *Reader) Uint(max uint64) uint64 { return r.argument(majorUint, max) }

// Int reads an integer between -max-1 and max.
func (r *Reader) Int(max uint64) int64 {
	major, n := r.head()
	switch {
	case n > max:
	case major == majorUint:
		return int64(n)
	case major == majorNint:
		return -1 - int64(n)
	}
	r.Fail()
	return 0
}

func (r *Reader) take(major byte, max int) []byte {
	n := r.argument(major, uint64(max))
	if n > uint64(len(r.b)) {
		r.Fail()
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

// Bytes reads a byte string of at most max bytes.
func (r *Reader) Bytes(max int) []byte { return r.take(majorBytes, max) }

// Fixed reads a byte string of exactly len(dst) bytes into dst.
func (r *Reader) Fixed(dst []byte) {
	s := r.take(majorBytes, len(dst))
	if len(s) != len(dst) {
		r.Fail()
		return
	}
	copy(dst, s)
}

// Text reads a text string of at most max bytes of valid UTF-8.
func (r *Reader) Text(max int) []byte {
	s := r.take(majorText, max)
	if !utf8.Valid(s) {
		r.Fail()
		return nil
	}
	return s
}

// Array reads the head of an array of at most max items and returns their number.
func (r *Reader) Array(max int) int { return int(r.argument(majorArray, uint64(max))) }

// ArrayOf reads the head of an array of exactly n items.
func (r *Reader) ArrayOf(n int) {
	if r.Array(n) != n {
		r.Fail()
	}
}

// Null reads null if it comes next, and reports whether it did.
func (r *Reader) Null() bool {
	if len(r.b) == 0 || r.b[0] != null {
		return false
	}
	r.b = r.b[1:]
	return true
}

// TextNext reports whether a text string comes next.
func (r *Reader) TextNext() bool { return len(r.b) > 0 && r.b[0]&0xe0 == majorText }
