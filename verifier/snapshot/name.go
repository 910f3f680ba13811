package snapshot

import (
	"encoding/binary"

	"github.com/credledger/credledger/sdk/sm"
)

// A namer gives licences and bindings the names that they have in one snapshot: the first eight bytes,
// big-endian, of SM3 over a deterministic CBOR array that begins with the hash of the newest block.
//
// Names are of digests, not of places under anchors, because a digest that was anchored twice has one
// status, whichever anchor it is shown with. A licence with an exception always has its name in the
// list. Any other, where there are a million names, is taken for one of them with a probability of
// 2^-44; as every block gives other names, not by the next snapshot too; and nobody can bring it about
// for a licence that is not of his own making. Who reads a snapshot learns no digest that he did not
// have.
type namer struct{ block sm.Hash }

// Heads of CBOR, as deterministic CBOR has them for arrays and texts this short.
const (
	array3  = 0x83
	array4  = 0x84
	bytes32 = 0x58 // followed by 32
	text    = 0x60 // with the length, if that is less than 24
	text8   = 0x78 // followed by the length
)

// licence returns SM3([block, issuer, type, digest]), shortened.
func (n *namer) licence(issuer, typ string, digest *sm.Hash) uint64 {
	b := n.begin(array4)
	b = appendID(b, issuer)
	b = appendID(b, typ)
	return shorten(appendHash(b, digest))
}

// binding returns SM3([block, department, binding]), shortened.
func (n *namer) binding(department string, binding *sm.Hash) uint64 {
	return shorten(appendHash(appendID(n.begin(array3), department), binding))
}

func (n *namer) begin(array byte) []byte {
	return appendHash(append(make([]byte, 0, 160), array), &n.block)
}

func appendHash(b []byte, h *sm.Hash) []byte { return append(append(b, bytes32, sm.HashSize), h[:]...) }

// appendID appends the id of a department or type, which has at most 32 bytes.
func appendID(b []byte, id string) []byte {
	if len(id) < 24 {
		b = append(b, text|byte(len(id)))
	} else {
		b = append(b, text8, byte(len(id)))
	}
	return append(b, id...)
}

func shorten(b []byte) uint64 {
	h := sm.Sum(b)
	return binary.BigEndian.Uint64(h[:])
}
