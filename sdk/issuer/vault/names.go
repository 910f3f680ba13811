package vault

import (
	"bytes"
	"crypto/hmac"
	"hash"

	"github.com/credledger/credledger/sdk/sm"
)

// A name is what the vault keeps of a licence number or of a holder's id: enough to find it again, and of no
// use to who does not have the vault's secret.
//
//	number  = HMAC(stem)[0:4] || HMAC(licence number)[0:12]
//	HMAC(s) = HMAC-SM3(numbers key, type || 0x00 || s)
//	holder  = HMAC-SM3(holders key, holder's id)[0:16]
//
// The stem is the licence number without its last four digits. So numbers that a registry has given
// out one after the other stand together in the index, and a page of it is written once for many of them
// when they are issued together; that they do is all that it tells.
type name [nameSize]byte

const (
	nameSize   = 16
	stemSize   = 4
	stemDigits = 4

	// maxName is the greatest length of a licence number and of a holder's id in bytes.
	maxName = 256
)

// A numberer names licence numbers of one type; it must not be used from several goroutines.
type numberer struct {
	mac      hash.Hash
	typ      string
	stem     []byte // the last one
	stemName [sm.HashSize]byte
	buf      []byte
}

func (v *Vault) numberer(typ string) *numberer {
	n := &numberer{mac: hmac.New(sm.NewHash, v.secrets.numbers[:]), typ: typ}
	n.stemName = n.name(n.stem)
	return n
}

// number returns the vault's name for a licence number.
func (n *numberer) number(text string) (out name) {
	n.buf = appendStem(n.buf[:0], text)
	if !bytes.Equal(n.buf, n.stem) {
		n.stem = append(n.stem[:0], n.buf...)
		n.stemName = n.name(n.stem)
	}
	n.buf = append(n.buf[:0], text...)
	whole := n.name(n.buf)
	copy(out[copy(out[:stemSize], n.stemName[:]):], whole[:])
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

// A holderNamer names holders; it must not be used from several goroutines.
type holderNamer struct{ mac hash.Hash }

func (v *Vault) holderNamer() holderNamer {
	return holderNamer{hmac.New(sm.NewHash, v.secrets.holders[:])}
}

// holder returns the vault's name for a holder's id.
func (n holderNamer) holder(id string) (out name) {
	var sum [sm.HashSize]byte
	n.mac.Reset()
	n.mac.Write([]byte(id))
	n.mac.Sum(sum[:0])
	copy(out[:], sum[:])
	return out
}
