package access

import (
	"math/bits"
	"slices"

	"github.com/credledger/credledger/sdk/sm"
)

// Nodes gives the nodes of a log's tree that will never change: the roots of whole subtrees. Node is
// the root over the 2^level leaves from index*2^level on; level 0 has the leaves themselves.
type Nodes interface {
	Node(level uint, index uint64) (sm.Hash, error)
}

// Root returns the root of the log's first so many leaves, all of which nodes must have.
func Root(nodes Nodes, size uint64) (sm.Hash, error) {
	if size == 0 {
		return EmptyRoot, nil
	}
	return span(nodes, 0, size)
}

// InclusionPath returns the path of RFC 9162, section 2.1.3.1, that VerifyInclusion takes. An index
// that is not below the size is an *Error with CodeRange.
func InclusionPath(nodes Nodes, index, size uint64) ([]sm.Hash, error) {
	if index >= size {
		return nil, errorf(CodeRange, "the index of an entry is below the size of its log")
	}
	path := make([]sm.Hash, 0, bits.Len64(size))
	for from, to := uint64(0), size; to-from > 1; {
		middle := from + split(to-from)
		otherFrom, otherTo := middle, to
		if index < middle {
			to = middle
		} else {
			otherFrom, otherTo, from = from, middle, middle
		}
		sibling, err := span(nodes, otherFrom, otherTo)
		if err != nil {
			return nil, err
		}
		path = append(path, sibling)
	}
	slices.Reverse(path)
	return path, nil
}

// ConsistencyProof returns the proof of RFC 9162, section 2.1.4.1, that VerifyConsistency takes. A
// first size greater than the second is an *Error with CodeRange.
func ConsistencyProof(nodes Nodes, first, second uint64) ([]sm.Hash, error) {
	if first > second {
		return nil, errorf(CodeRange, "a log of size %d cannot have grown to size %d", first, second)
	}
	proof := []sm.Hash{}
	if first == 0 || first == second {
		return proof, nil
	}
	from, to := uint64(0), second
	for first != to {
		middle := from + split(to-from)
		otherFrom, otherTo := middle, to
		if first <= middle {
			to = middle
		} else {
			otherFrom, otherTo, from = from, middle, middle
		}
		sibling, err := span(nodes, otherFrom, otherTo)
		if err != nil {
			return nil, err
		}
		proof = append(proof, sibling)
	}
	if from > 0 { // else the first log is one whole subtree, whose root the reader has
		last, err := span(nodes, from, to)
		if err != nil {
			return nil, err
		}
		proof = append(proof, last)
	}
	slices.Reverse(proof)
	return proof, nil
}

// span returns the root over the leaves from one index up to, but not including, another. The spans
// of a tree begin at a multiple of the largest power of two that they have room for.
func span(nodes Nodes, from, to uint64) (sm.Hash, error) {
	n := to - from
	if n&(n-1) == 0 {
		level := uint(bits.TrailingZeros64(n))
		return nodes.Node(level, from>>level)
	}
	middle := from + split(n)
	left, err := span(nodes, from, middle)
	if err != nil {
		return sm.Hash{}, err
	}
	right, err := span(nodes, middle, to)
	if err != nil {
		return sm.Hash{}, err
	}
	return sm.SumNode(&left, &right), nil
}

// split is the size of the left subtree of n > 1 leaves: the largest power of two below n.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// A Frontier computes the root of a log from its leaves, one after another, in the memory of one
// hash for each level. The zero Frontier is that of a log without entries.
type Frontier struct {
	size  uint64
	nodes []sm.Hash // roots of the whole subtrees that the size is made of, the largest first
}

// Append adds the next leaf.
func (f *Frontier) Append(leaf sm.Hash) {
	for n := f.size; n&1 == 1; n >>= 1 {
		left := len(f.nodes) - 1
		leaf = sm.SumNode(&f.nodes[left], &leaf)
		f.nodes = f.nodes[:left]
	}
	f.nodes = append(f.nodes, leaf)
	f.size++
}

// Size returns the number of leaves.
func (f *Frontier) Size() uint64 { return f.size }

// Root returns the root over the leaves so far.
func (f *Frontier) Root() sm.Hash {
	if f.size == 0 {
		return EmptyRoot
	}
	root := f.nodes[len(f.nodes)-1]
	for i := len(f.nodes) - 2; i >= 0; i-- {
		root = sm.SumNode(&f.nodes[i], &root)
	}
	return root
}
