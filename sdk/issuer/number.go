package issuer

import (
	"bytes"
	"crypto/hmac"
	"hash"

	"github.com/credledger/credledger/sdk/sm"
)

// number is what the register keeps of a licence number: enough to find it again, and of no use to
// who does not have the register's key.
//
//	number  = HMAC(stem)[0:4] || HMAC(licence number)[0:12]
//	HMAC(s) = HMAC-SM3(number-key, type || 0x00 || s)
//
// The stem is the licence number without its last four digits. So numbers that a registry has given
// out one after the other stand together in the register's index, and a page of it is written once
// for many of them when they are issued together; that they do is all that it tells.
type number [numberSize]byte

const (
	numberSize = 16
	stemSize   = 4
	stemDigits = 4
)

// A numberer names licence numbers of one type; it must not be used from several goroutines.
type numberer struct {
	mac      hash.Hash
	typ      string
	stem     []byte // the last one
	stemName [sm.HashSize]byte
	buf      []byte
}

func (r *Register) numberer(typ string) *numberer {
	n := &numberer{mac: hmac.New(sm.NewHash, r.numberKey), typ: typ}
	n.stemName = n.name(n.stem)
	return n
}

// number returns the register's name for a licence number.
func (n *numberer) number(text string) (out number) {
	n.buf = appendStem(n.buf[:0], text)
	if !bytes.Equal(n.buf, n.stem) {
		n.stem = append(n.stem[:0], n.buf...)
		n.stemName = n.name(n.stem)
	}
	n.buf = append(n.buf[:0], text...)
	name := n.name(n.buf)
	copy(out[copy(out[:stemSize], n.stemName[:]):], name[:])
	return out
}

func (n *numberer) name(s []byte) (sum [sm.HashSize]byte) {
	n.mac.Reset()
	n.mac.Write([]byte(n.typ))
	n.mac.Write([]byte{0})
	n.mac.Write(s)
	n.mac.Sum(sum[:0])
	return sum
}

// appendStem appends a licence number without its last digits.
func appendStem(b []byte, text string) []byte {
	end, digits := len(text), 0
	for end > 0 && digits < stemDigits {
		if end--; '0' <= text[end] && text[end] <= '9' {
			digits++
		}
	}
	b = append(b, text[:end]...)
	for i := end; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			b = append(b, text[i])
		}
	}
	return b
}
