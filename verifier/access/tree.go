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

// A Tree is that of a log at a size. It computes once what the proofs about this size have in common,
// and so serves many of them best. It is safe for concurrent use if its nodes are.
type Tree struct {
	nodes Nodes
	size  uint64
	whole uint      // level of the last whole subtree, up to which the last node of each level is whole
	edge  []sm.Hash // the last node of each level from there up to the root, whole or not
}

// NewTree returns the tree over the first so many leaves, all of which nodes must have. The error is
// that of nodes.
func NewTree(nodes Nodes, size uint64) (*Tree, error) {
	t := &Tree{nodes: nodes, size: size, whole: uint(bits.TrailingZeros64(size))}
	if size == 0 {
		return t, nil
	}
	last := (size - 1) >> t.whole
	node, err := nodes.Node(t.whole, last)
	if err != nil {
		return nil, err
	}
	t.edge = append(make([]sm.Hash, 0, bits.Len64(last)+1), node)
	for level := t.whole; last > 0; level, last = level+1, last/2 {
		if last%2 == 1 {
			left, err := nodes.Node(level, last-1)
			if err != nil {
				return nil, err
			}
			node = sm.SumNode(&left, &node)
		}
		t.edge = append(t.edge, node)
	}
	return t, nil
}

// Size returns the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Root returns the root of the tree.
func (t *Tree) Root() sm.Hash {
	if t.size == 0 {
		return EmptyRoot
	}
	return t.edge[len(t.edge)-1]
}

// Inclusion returns the path of RFC 9162, section 2.1.3.1, that VerifyInclusion takes. An index that
// is not below the size is an *Error with CodeRange; other errors are those of the nodes.
func (t *Tree) Inclusion(index uint64) ([]sm.Hash, error) {
	if index >= t.size {
		return nil, errorf(CodeRange, "the index of an entry is below the size of its log")
	}
	return t.path(nil, 0, index)
}

// Consistency returns the proof of RFC 9162, section 2.1.4.1, that VerifyConsistency takes: that the
// log of a first size is the beginning of this one. A first size that is greater is an *Error with
// CodeRange; other errors are those of the nodes.
func (t *Tree) Consistency(first uint64) ([]sm.Hash, error) {
	if first > t.size {
		return nil, errorf(CodeRange, "a log of size %d cannot have grown to size %d", first, t.size)
	}
	if first == 0 || first == t.size {
		return []sm.Hash{}, nil
	}
	level := uint(bits.TrailingZeros64(first))
	index := first>>level - 1 // of the last whole subtree of the first log
	if index == 0 {           // which is the whole of it: the reader has the root
		return t.path(nil, level, index)
	}
	last, err := t.nodes.Node(level, index)
	if err != nil {
		return nil, err
	}
	return t.path([]sm.Hash{last}, level, index)
}

// path appends the siblings on the way from a node to the root.
func (t *Tree) path(path []sm.Hash, level uint, index uint64) ([]sm.Hash, error) {
	last := (t.size - 1) >> level
	path = slices.Grow(path, bits.Len64(last))
	for ; last > 0; level, index, last = level+1, index/2, last/2 {
		sibling := index ^ 1
		switch {
		case sibling > last: // there is none: the node moves up as it is
		case sibling == last && level > t.whole:
			path = append(path, t.edge[level-t.whole])
		default:
			node, err := t.nodes.Node(level, sibling)
			if err != nil {
				return nil, err
			}
			path = append(path, node)
		}
	}
	return path, nil
}

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
