package sm

import (
	"crypto/hmac"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/emmansun/gmsm/sm3"
)

// HashSize is the size of a [Hash] in bytes.
const HashSize = sm3.Size

// Prefixes that keep the hash of a leaf and of an interior node apart
// (RFC 9162, section 2.1.1).
const (
	leafPrefix = 0x00
	nodePrefix = 0x01
)

// Hash is an SM3 digest (GB/T 32905).
type Hash [HashSize]byte

// String returns 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements [encoding.TextMarshaler] with the form of String.
func (h Hash) MarshalText() ([]byte, error) {
	return hex.AppendEncode(make([]byte, 0, 2*HashSize), h[:]), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]; it accepts what
// [ParseHash] accepts.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = parsed
	return nil
}

// ParseHash reads the form of [Hash.String]: exactly 64 lower-case hexadecimal
// digits. Any other text is an [Error] with [CodeBadHash].
func ParseHash(text string) (Hash, error) {
	var h Hash
	if len(text) != 2*HashSize {
		return Hash{}, fail(CodeBadHash, "a hash is 64 lower-case hexadecimal digits")
	}
	for i := range h {
		hi, lo := hexDigit(text[2*i]), hexDigit(text[2*i+1])
		if hi|lo > 15 {
			return Hash{}, fail(CodeBadHash, "a hash is 64 lower-case hexadecimal digits")
		}
		h[i] = hi<<4 | lo
	}
	return h, nil
}

// hexDigit returns the value of a lower-case hexadecimal digit, else 255.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// Sum returns SM3(data).
func Sum(data []byte) Hash { return sm3.Sum(data) }

// SumLeaf returns SM3(0x00 || data), the hash of a leaf of an RFC 9162 tree. It
// does not allocate.
func SumLeaf(data []byte) Hash {
	if len(data) > maxShortLeaf {
		return sumParts([]byte{leafPrefix}, data)
	}
	var blocks [shortLeafBlocks * sm3.BlockSize]byte
	blocks[0] = leafPrefix
	n := 1 + copy(blocks[1:], data)
	return sumBlocks(pad(blocks[:], n))
}

// SumNode returns SM3(0x01 || l || r), the hash of an interior node of an
// RFC 9162 tree. It does not allocate.
func SumNode(l, r *Hash) Hash {
	var blocks [2 * sm3.BlockSize]byte
	blocks[0] = nodePrefix
	copy(blocks[1:], l[:])
	copy(blocks[1+HashSize:], r[:])
	return sumBlocks(pad(blocks[:], 1+2*HashSize))
}

// sumParts returns SM3(a || b).
func sumParts(a, b []byte) Hash {
	h := sm3.New()
	h.Write(a)
	h.Write(b)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// The trees hash millions of messages of two or three blocks, for which the
// engine's Sum spends a fifth of its time on copying its state and on handing
// its assembly one block at a time. So short messages are padded here, given
// to it in one piece, and the digest is read from its marshalled state.
const (
	shortLeafBlocks = 4
	maxShortLeaf    = shortLeafBlocks*sm3.BlockSize - 1 - 1 - 8 // less prefix, 0x80, and length

	stateMagic = 4 // "sm3\x03", then the eight words of the chaining value
	stateSize  = stateMagic + HashSize + sm3.BlockSize + 8
)

// pad pads the n bytes of message at the front of blocks, which is zero after
// them, and returns the whole blocks that they fill (GB/T 32905, 5.2): a bit 1,
// zeros, and the length in bits in the last 64 bits.
func pad(blocks []byte, n int) []byte {
	blocks[n] = 0x80
	end := (n + 1 + 8 + sm3.BlockSize - 1) / sm3.BlockSize * sm3.BlockSize
	binary.BigEndian.PutUint64(blocks[end-8:end], uint64(n)*8)
	return blocks[:end]
}

// sumBlocks returns the SM3 of a padded message.
func sumBlocks(padded []byte) Hash {
	h := sm3.New()
	h.Write(padded)
	var buf [stateSize]byte
	state, _ := h.(encoding.BinaryAppender).AppendBinary(buf[:0]) // cannot fail
	return Hash(state[stateMagic : stateMagic+HashSize])
}

// NewHash returns a running SM3.
func NewHash() hash.Hash { return sm3.New() }

// HMAC returns HMAC-SM3(key, msg) (GB/T 15852.2, RFC 2104).
func HMAC(key, msg []byte) Hash {
	mac := hmac.New(sm3.New, key)
	mac.Write(msg)
	var sum Hash
	mac.Sum(sum[:0])
	return sum
}
