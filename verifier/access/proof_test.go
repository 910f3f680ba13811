package access_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/testonly"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// hasher lends package sm's SM3 to the independent trees of transparency-dev.
type hasher struct{}

func (hasher) EmptyRoot() []byte { h := sm.Sum(nil); return h[:] }
func (hasher) HashLeaf(leaf []byte) []byte {
	h := sm.Sum(append([]byte{0}, leaf...))
	return h[:]
}
func (hasher) HashChildren(l, r []byte) []byte {
	h := sm.Sum(slices.Concat([]byte{1}, l, r))
	return h[:]
}
func (hasher) Size() int { return sm.HashSize }

// levels is a whole tree: every node that will never change.
type levels [][]sm.Hash

func (l levels) Node(level uint, index uint64) (sm.Hash, error) { return l[level][index], nil }

// grow returns the tree over n leaves, and the same as built by transparency-dev.
func grow(n int) (levels, []sm.Hash, *testonly.Tree) {
	other := testonly.New(hasher{})
	var leaves []sm.Hash
	for i := range n {
		b := binary.BigEndian.AppendUint32(nil, uint32(i))
		leaves = append(leaves, access.Leaf(b))
		other.AppendData(b)
	}
	tree := levels{leaves}
	for level := leaves; len(level) > 1; {
		var up []sm.Hash
		for i := range len(level) / 2 {
			up = append(up, sm.SumNode(&level[2*i], &level[2*i+1]))
		}
		tree = append(tree, up)
		level = up
	}
	return tree, leaves, other
}

func raw(hashes []sm.Hash) [][]byte {
	out := [][]byte{}
	for i := range hashes {
		out = append(out, hashes[i][:])
	}
	return out
}

const most = 70

func treeOf(t testing.TB, nodes access.Nodes, size uint64) *access.Tree {
	t.Helper()
	tree, err := access.NewTree(nodes, size)
	if err != nil {
		t.Fatal(err)
	}
	if tree.Size() != size {
		t.Fatalf("the size of a tree of %d is %d", size, tree.Size())
	}
	return tree
}

func root(t testing.TB, nodes access.Nodes, size uint64) sm.Hash {
	t.Helper()
	return treeOf(t, nodes, size).Root()
}

func TestRoot(t *testing.T) {
	tree, leaves, other := grow(most)
	var f access.Frontier
	for size := uint64(0); ; size++ {
		want := sm.Hash(other.HashAt(size))
		if got := root(t, tree, size); got != want {
			t.Errorf("Root at size %d is %s, want %s", size, got, want)
		}
		if f.Root() != want || f.Size() != size {
			t.Errorf("Frontier at size %d: %d, %s, want %s", size, f.Size(), f.Root(), want)
		}
		if size == most {
			return
		}
		f.Append(leaves[size])
	}
}

func TestInclusion(t *testing.T) {
	tree, leaves, other := grow(most)
	for size := uint64(1); size <= most; size++ {
		now := treeOf(t, tree, size)
		r := now.Root()
		for index := range size {
			path, err := now.Inclusion(index)
			if err != nil {
				t.Fatal(err)
			}
			want, err := other.InclusionProof(index, size)
			if err != nil || !slices.EqualFunc(raw(path), want, slices.Equal) {
				t.Fatalf("Inclusion(%d) in %d is %v, want %x, %v", index, size, path, want, err)
			}
			for s := max(size, 2) - 2; s <= size+2; s++ {
				for i := max(index, 2) - 2; i <= index+2; i++ {
					if ok := access.VerifyInclusion(leaves[index], i, s, path, r); ok != (i == index && s == size) {
						// A path tells what is on the way up, not which tree it is of.
						same := proof.VerifyInclusion(hasher{}, i, s, leaves[index][:], raw(path), r[:]) == nil
						if !ok || !same {
							t.Fatalf("path of %d in %d taken for %d in %d: %v", index, size, i, s, ok)
						}
					}
				}
			}
		}
	}
}

func TestInclusionRefused(t *testing.T) {
	tree, leaves, _ := grow(most)
	for size := uint64(1); size <= most; size += 3 {
		now := treeOf(t, tree, size)
		r := now.Root()
		for index := range size {
			path, err := now.Inclusion(index)
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, leaf sm.Hash, path []sm.Hash, r sm.Hash) {
				if access.VerifyInclusion(leaf, index, size, path, r) {
					t.Errorf("%d in %d: %s is accepted", index, size, what)
				}
			}
			check("another leaf", sm.Sum(nil), path, r)
			check("another root", leaves[index], path, sm.Sum(nil))
			check("a longer path", leaves[index], append(slices.Clone(path), r), r)
			for i := range path {
				check("a shorter path", leaves[index], path[:i], r)
				changed := slices.Clone(path)
				changed[i][7] ^= 1
				check("a changed path", leaves[index], changed, r)
			}
		}
	}
	if access.VerifyInclusion(leaves[0], 0, 1<<40, nil, leaves[0]) || access.VerifyInclusion(leaves[0], 0, 0, nil, access.EmptyRoot) {
		t.Error("a size out of bounds is accepted")
	}
	for _, size := range []uint64{0, 5} {
		if _, err := treeOf(t, tree, size).Inclusion(size); code(err) != access.CodeRange {
			t.Errorf("the path of an entry that is not there: %v", err)
		}
	}
}

func TestConsistency(t *testing.T) {
	tree, _, other := grow(most)
	for second := uint64(0); second <= most; second++ {
		now := treeOf(t, tree, second)
		for first := range second + 1 {
			got, err := now.Consistency(first)
			if err != nil {
				t.Fatal(err)
			}
			if first > 0 {
				want, err := other.ConsistencyProof(first, second)
				if err != nil || !slices.EqualFunc(raw(got), want, slices.Equal) {
					t.Fatalf("Consistency(%d) in %d is %v, want %x, %v", first, second, got, want, err)
				}
			}
			r1, r2 := root(t, tree, first), root(t, tree, second)
			if !access.VerifyConsistency(first, second, got, r1, r2) {
				t.Fatalf("the proof from %d to %d is refused", first, second)
			}
			check := func(what string, first, second uint64, proof []sm.Hash, r1, r2 sm.Hash) {
				if access.VerifyConsistency(first, second, proof, r1, r2) {
					t.Errorf("from %d to %d: %s is accepted", first, second, what)
				}
			}
			other := sm.Sum([]byte("other"))
			check("another first root", first, second, got, other, r2)
			check("a longer proof", first, second, append(slices.Clone(got), r2), r1, r2)
			check("a shrunken log", second+1, first, got, r1, r2)
			if first > 0 { // everything is consistent with nothing
				check("another second root", first, second, got, r1, other)
			}
			for i := range got {
				changed := slices.Clone(got)
				changed[i][3] ^= 1
				check("a changed proof", first, second, changed, r1, r2)
				check("a shorter proof", first, second, got[:i], r1, r2)
			}
		}
	}
	if _, err := treeOf(t, tree, 3).Consistency(4); code(err) != access.CodeRange {
		t.Errorf("a log that shrank: %v", err)
	}
	if access.VerifyConsistency(1, 1<<40, nil, sm.Hash{}, sm.Hash{}) {
		t.Error("a size out of bounds is accepted")
	}
}

// brokenNodes has all nodes but one.
type brokenNodes struct {
	levels
	level uint
	index uint64
}

var errBroken = errors.New("this node cannot be read")

func (n brokenNodes) Node(level uint, index uint64) (sm.Hash, error) {
	if level == n.level && index == n.index {
		return sm.Hash{}, errBroken
	}
	return n.levels.Node(level, index)
}

// A node that cannot be read is an error of what needs it, and of nothing else.
func TestBrokenNodes(t *testing.T) {
	tree, _, _ := grow(most)
	for _, c := range []struct {
		node             brokenNodes
		root, path, past bool // whether they need it
	}{
		{brokenNodes{tree, 6, 0}, true, true, true},   // the left half
		{brokenNodes{tree, 1, 34}, true, true, true},  // the last two entries
		{brokenNodes{tree, 0, 3}, false, false, true}, // beside the last entry of a log of three
		{brokenNodes{tree, 0, 64}, false, true, false},
	} {
		now, err := access.NewTree(c.node, most)
		if errors.Is(err, errBroken) != c.root {
			t.Errorf("node %d, %d: %v", c.node.level, c.node.index, err)
		}
		if err != nil {
			continue
		}
		if _, err := now.Inclusion(65); errors.Is(err, errBroken) != c.path {
			t.Errorf("node %d, %d: the path of 65: %v", c.node.level, c.node.index, err)
		}
		if _, err := now.Consistency(3); errors.Is(err, errBroken) != c.past {
			t.Errorf("node %d, %d: the proof from 3: %v", c.node.level, c.node.index, err)
		}
	}
}

// FuzzConsistency wants the answer of an independent implementation for whatever is said to be a
// proof.
func FuzzConsistency(f *testing.F) {
	tree, _, _ := grow(most)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		second := 1 + rng.Uint64N(most)
		first := 1 + rng.Uint64N(second)
		p, err := treeOf(f, tree, second).Consistency(first)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(first, second, slices.Concat(raw(p)...), uint8(first), uint8(second))
	}
	f.Fuzz(func(t *testing.T, first, second uint64, b []byte, size1, size2 uint8) {
		var p []sm.Hash
		for ; len(b) >= sm.HashSize; b = b[sm.HashSize:] {
			p = append(p, sm.Hash(b[:sm.HashSize]))
		}
		r1, r2 := root(t, tree, uint64(size1)%(most+1)), root(t, tree, uint64(size2)%(most+1))
		got := access.VerifyConsistency(first, second, p, r1, r2)
		if first == 0 || second > access.MaxEntries {
			return // the other one asks for a first log with entries, and bounds no size
		}
		if want := proof.VerifyConsistency(hasher{}, first, second, raw(p), r1[:], r2[:]) == nil; got != want {
			t.Errorf("VerifyConsistency(%d, %d) = %v, want %v", first, second, got, want)
		}
	})
}

// FuzzInclusion is FuzzConsistency for paths.
func FuzzInclusion(f *testing.F) {
	tree, leaves, _ := grow(most)
	for _, index := range []uint64{0, 5, 63, 64, 69} {
		p, err := treeOf(f, tree, most).Inclusion(index)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(index, uint64(most), slices.Concat(raw(p)...), uint8(index))
	}
	all := root(f, tree, most)
	f.Fuzz(func(t *testing.T, index, size uint64, b []byte, leaf uint8) {
		var p []sm.Hash
		for ; len(b) >= sm.HashSize; b = b[sm.HashSize:] {
			p = append(p, sm.Hash(b[:sm.HashSize]))
		}
		l := leaves[int(leaf)%most]
		got := access.VerifyInclusion(l, index, size, p, all)
		if size > access.MaxEntries {
			return
		}
		if want := proof.VerifyInclusion(hasher{}, index, size, l[:], raw(p), all[:]) == nil; got != want {
			t.Errorf("VerifyInclusion(%d, %d) = %v, want %v", index, size, got, want)
		}
	})
}
