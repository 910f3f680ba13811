package credential

import (
	"math/bits"

	"github.com/credledger/credledger/sdk/sm"
)

// MaxLeaves is the greatest size of the trees of this package: of a batch, and with room to spare
// of the fields of a licence.
const MaxLeaves = 4096

// Root returns the root over leaves that are already hashes, in the tree shape of RFC 9162,
// section 2.1.1, with SM3(0x01 || left || right) as interior node. One leaf is its own root. It
// returns the zero hash for no leaves.
func Root(leaves []sm.Hash) sm.Hash {
	if len(leaves) == 0 {
		return sm.Hash{}
	}
	level := make([]sm.Hash, len(leaves))
	copy(level, leaves)
	return foldRoot(level)
}

// foldRoot is Root that overwrites its argument. The recursive shape of the RFC is that of pairing
// neighbours level by level, a last one without a partner moving up as it is.
func foldRoot(level []sm.Hash) sm.Hash {
	for len(level) > 1 {
		n := len(level) / 2
		for i := range n {
			level[i] = sm.SumNode(&level[2*i], &level[2*i+1])
		}
		if len(level)%2 == 1 {
			level[n] = level[len(level)-1]
			n++
		}
		level = level[:n]
	}
	return level[0]
}

// A Tree is a Merkle tree kept whole, for the paths of all its leaves.
type Tree struct {
	levels [][]sm.Hash // levels[0] the leaves, the last one the root
}

// NewTree builds the tree of Root over 1 to MaxLeaves leaves, which it keeps.
func NewTree(leaves []sm.Hash) *Tree {
	t := &Tree{levels: [][]sm.Hash{leaves}}
	for level := leaves; len(level) > 1; {
		up := make([]sm.Hash, (len(level)+1)/2)
		for i := range len(level) / 2 {
			up[i] = sm.SumNode(&level[2*i], &level[2*i+1])
		}
		if len(level)%2 == 1 {
			up[len(up)-1] = level[len(level)-1]
		}
		t.levels = append(t.levels, up)
		level = up
	}
	return t
}

// Root returns the tree's root.
func (t *Tree) Root() sm.Hash { return t.levels[len(t.levels)-1][0] }

// AppendPath appends the inclusion path of a leaf (RFC 9162, section 2.1.3.1), from the leaf's
// sibling up, 32 bytes a hash.
func (t *Tree) AppendPath(b []byte, index int) []byte {
	for _, level := range t.levels[:len(t.levels)-1] {
		if sibling := index ^ 1; sibling < len(level) {
			b = append(b, level[sibling][:]...)
		}
		index /= 2
	}
	return b
}

// pathLength is the number of hashes in the inclusion path of a leaf.
func pathLength(index, size int) int {
	n := 0
	for last := size - 1; last > 0; index, last = index/2, last/2 {
		if index^1 <= last {
			n++
		}
	}
	return n
}

// PathRoot returns the root that an inclusion path leads to (RFC 9162, section 2.1.3.2). It reports
// false if the index is not below the size or the path has not exactly the length that follows
// from them.
func PathRoot(leaf sm.Hash, index, size uint32, path []byte) (sm.Hash, bool) {
	if index >= size || size > MaxLeaves || len(path) != pathLength(int(index), int(size))*sm.HashSize {
		return sm.Hash{}, false
	}
	node := leaf
	for i, last := index, size-1; last > 0; i, last = i/2, last/2 {
		if i^1 > last {
			continue // no sibling: moves up as it is
		}
		sibling := (*sm.Hash)(path[:sm.HashSize])
		path = path[sm.HashSize:]
		if i%2 == 1 {
			node = sm.SumNode(sibling, &node)
		} else {
			node = sm.SumNode(&node, sibling)
		}
	}
	return node, true
}

// split is the size of the left subtree of n > 1 leaves: the largest power of two below n.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// appendMultiproof appends the hashes that a reader who knows the leaves at the given indices
// (ascending, relative to these leaves) lacks for computing the root: in the order in which a walk
// that takes the left subtree first comes upon them, of each subtree that holds none of the
// indices its root. There is one such proof.
func appendMultiproof(b []byte, leaves []sm.Hash, indices []int) []byte {
	switch {
	case len(indices) == 0:
		root := Root(leaves)
		return append(b, root[:]...)
	case len(indices) == len(leaves):
		return b
	}
	k := split(len(leaves))
	left, right := splitIndices(indices, k)
	b = appendMultiproof(b, leaves[:k], left)
	shifted := make([]int, len(right))
	for i, x := range right {
		shifted[i] = x - k
	}
	return appendMultiproof(b, leaves[k:], shifted)
}

func splitIndices(indices []int, k int) (left, right []int) {
	for i, x := range indices {
		if x >= k {
			return indices[:i], indices[i:]
		}
	}
	return indices, nil
}

// A multiproof walks the tree from known leaves and a proof to the root.
type multiproof struct {
	known []knownLeaf // ascending; consumed from the front
	proof []byte      // consumed from the front
}

type knownLeaf struct {
	index int
	hash  sm.Hash
}

// multiproofRoot is the inverse of appendMultiproof: the root of a tree of size leaves. It reports
// false if the proof has not exactly the length that follows, or an index is out of range.
func multiproofRoot(size int, known []knownLeaf, proof []byte) (sm.Hash, bool) {
	m := multiproof{known: known, proof: proof}
	root, ok := m.root(0, size)
	return root, ok && len(m.known) == 0 && len(m.proof) == 0
}

func (m *multiproof) root(from, to int) (sm.Hash, bool) {
	if len(m.known) == 0 || m.known[0].index >= to {
		if len(m.proof) < sm.HashSize {
			return sm.Hash{}, false
		}
		h := sm.Hash(m.proof[:sm.HashSize])
		m.proof = m.proof[sm.HashSize:]
		return h, true
	}
	if to-from == 1 {
		h := m.known[0].hash
		m.known = m.known[1:]
		return h, true
	}
	middle := from + split(to-from)
	left, ok := m.root(from, middle)
	if !ok {
		return left, false
	}
	right, ok := m.root(middle, to)
	if !ok {
		return right, false
	}
	return sm.SumNode(&left, &right), true
}
