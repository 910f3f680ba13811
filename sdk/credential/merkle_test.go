package credential

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/testonly"
	"pgregory.net/rapid"

	"github.com/credledger/credledger/sdk/sm"
)

// hasher lends package sm's SM3 to the independent trees of transparency-dev, domain-separated as
// RFC 9162, section 2.1.1, says.
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

// numbered returns n leaf hashes.
func numbered(n int) []sm.Hash {
	out := make([]sm.Hash, n)
	for i := range out {
		out[i] = sm.SumLeaf(binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	return out
}

// independent returns the same tree as built by transparency-dev.
func independent(leaves []sm.Hash) *testonly.Tree {
	t := testonly.New(hasher{})
	for i := range leaves {
		t.Append(leaves[i][:])
	}
	return t
}

func TestRootAgainstTransparencyDev(t *testing.T) {
	const most = 4096
	leaves := numbered(most)
	other := independent(leaves)
	for size := 1; size <= most; size++ {
		if size > 300 && size%97 != 0 && size < most-3 {
			continue
		}
		want := other.HashAt(uint64(size))
		if got := Root(leaves[:size]); !bytes.Equal(got[:], want) {
			t.Errorf("Root of %d leaves is %s, want %x", size, got, want)
		}
		if got := NewTree(leaves[:size]).Root(); !bytes.Equal(got[:], want) {
			t.Errorf("Tree of %d leaves has root %s, want %x", size, got, want)
		}
	}
	if got := Root(nil); got != (sm.Hash{}) {
		t.Errorf("Root of no leaves is %s", got)
	}
}

func TestRootLeavesItsArgumentAlone(t *testing.T) {
	leaves := numbered(7)
	before := slices.Clone(leaves)
	Root(leaves)
	NewTree(leaves).AppendPath(nil, 3)
	if !slices.Equal(leaves, before) {
		t.Error("the leaves were changed")
	}
}

// checkPath compares the path of one leaf with the other library, in both directions.
func checkPath(t *testing.T, leaves []sm.Hash, tree *Tree, other *testonly.Tree, index, size int) {
	t.Helper()
	path := tree.AppendPath(nil, index)
	want, err := other.InclusionProof(uint64(index), uint64(size))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(path, bytes.Join(want, nil)) {
		t.Errorf("path of leaf %d of %d differs", index, size)
	}
	root := tree.Root()
	if err := proof.VerifyInclusion(hasher{}, uint64(index), uint64(size), leaves[index][:], split32(path), root[:]); err != nil {
		t.Errorf("path of leaf %d of %d: %v", index, size, err)
	}
	if got, ok := PathRoot(leaves[index], uint32(index), uint32(size), path); !ok || got != root {
		t.Errorf("PathRoot of leaf %d of %d is %s, %v", index, size, got, ok)
	}
}

func split32(b []byte) [][]byte {
	return slices.Collect(slices.Chunk(b, sm.HashSize))
}

func TestPathsAgainstTransparencyDev(t *testing.T) {
	leaves := numbered(4096)
	other := independent(leaves)
	for size := 1; size <= 130; size++ {
		tree := NewTree(leaves[:size])
		for index := range size {
			checkPath(t, leaves, tree, other, index, size)
		}
	}
	for _, size := range []int{255, 256, 257, 511, 513, 1000, 1024, 1025, 2048, 2049, 3000, 4095, 4096} {
		tree := NewTree(leaves[:size])
		for _, index := range []int{0, 1, size / 3, size / 2, size - 2, size - 1} {
			checkPath(t, leaves, tree, other, index, size)
		}
	}
}

// Of a right path, no other index, size, length or order leads to the root.
func TestPathRootRefuses(t *testing.T) {
	leaves := numbered(33)
	for size := 1; size <= len(leaves); size++ {
		tree := NewTree(leaves[:size])
		root := tree.Root()
		for index := range size {
			path := tree.AppendPath(nil, index)
			accepted := func(index, size int, path []byte) bool {
				got, ok := PathRoot(leaves[min(index, len(leaves)-1)], uint32(index), uint32(size), path)
				return ok && got == root
			}
			if accepted(index, size, append(path, make([]byte, sm.HashSize)...)) ||
				accepted(index, size, append(path, 0)) ||
				len(path) > 0 && accepted(index, size, path[:len(path)-1]) ||
				len(path) > 0 && accepted(index, size, path[sm.HashSize:]) ||
				len(path) > 0 && accepted(index, size, path[:len(path)-sm.HashSize]) {
				t.Errorf("leaf %d of %d: a path of another length is accepted", index, size)
			}
			hashes := split32(path)
			for i := 1; i < len(hashes); i++ {
				swapped := slices.Clone(hashes)
				swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
				if accepted(index, size, bytes.Join(swapped, nil)) {
					t.Errorf("leaf %d of %d: hashes %d and %d can change places", index, size, i-1, i)
				}
			}
			for other := range size {
				if _, ok := PathRoot(leaves[index], uint32(other), uint32(size), path); ok && other != index {
					if got, _ := PathRoot(leaves[index], uint32(other), uint32(size), path); got == root {
						t.Errorf("leaf %d of %d passes as leaf %d", index, size, other)
					}
				}
			}
			if accepted(size, size, path) || accepted(index, 0, path) || accepted(index, MaxLeaves+1, path) {
				t.Errorf("leaf %d of %d: accepted with index or size out of range", index, size)
			}
		}
	}
}

// reference makes the proof that follows from the definition, without recursion over halves: of
// every node of the tree that covers no disclosed leaf while its parent does, the hash, left to right.
func reference(leaves []sm.Hash, disclosed []int) []byte {
	type node struct{ from, to int }
	var out []byte
	var visit func(n node)
	covers := func(n node) bool {
		return slices.ContainsFunc(disclosed, func(i int) bool { return n.from <= i && i < n.to })
	}
	visit = func(n node) {
		switch {
		case !covers(n):
			root := independent(leaves[n.from:n.to]).Hash()
			out = append(out, root...)
		case n.to-n.from > 1:
			k := 1
			for k*2 < n.to-n.from {
				k *= 2
			}
			visit(node{n.from, n.from + k})
			visit(node{n.from + k, n.to})
		}
	}
	visit(node{0, len(leaves)})
	return out
}

// known returns the leaves that a reader of disclosed fields computes itself.
func known(leaves []sm.Hash, disclosed []int) []knownLeaf {
	out := make([]knownLeaf, len(disclosed))
	for i, x := range disclosed {
		out[i] = knownLeaf{x, leaves[x]}
	}
	return out
}

// checkMultiproof tests one subset of the leaves of a tree, and what is like its proof but is not.
func checkMultiproof(t interface{ Errorf(string, ...any) }, leaves []sm.Hash, disclosed []int) {
	root := sm.Hash(independent(leaves).Hash())
	b := appendMultiproof(nil, leaves, disclosed)
	what := fmt.Sprintf("leaves %v of %d", disclosed, len(leaves))
	if want := reference(leaves, disclosed); !bytes.Equal(b, want) {
		t.Errorf("%s: the proof is %x, want %x", what, b, want)
	}
	if got, ok := multiproofRoot(len(leaves), known(leaves, disclosed), b); !ok || got != root {
		t.Errorf("%s: the proof leads to %s, %v", what, got, ok)
	}
	accepted := func(size int, k []knownLeaf, b []byte) bool {
		got, ok := multiproofRoot(size, k, b)
		return ok && got == root
	}
	if accepted(len(leaves), known(leaves, disclosed), append(slices.Clone(b), make([]byte, sm.HashSize)...)) {
		t.Errorf("%s: accepted with a hash too many", what)
	}
	if accepted(len(leaves), known(leaves, disclosed), append(slices.Clone(b), 0)) {
		t.Errorf("%s: accepted with a byte too many", what)
	}
	if len(b) > 0 && (accepted(len(leaves), known(leaves, disclosed), b[sm.HashSize:]) ||
		accepted(len(leaves), known(leaves, disclosed), b[:len(b)-1])) {
		t.Errorf("%s: accepted when shorter", what)
	}
	hashes := split32(b)
	for i := 1; i < len(hashes); i++ {
		swapped := slices.Clone(hashes)
		swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
		if accepted(len(leaves), known(leaves, disclosed), bytes.Join(swapped, nil)) {
			t.Errorf("%s: accepted with hashes %d and %d swapped", what, i-1, i)
		}
	}
	for i := range disclosed {
		k := known(leaves, disclosed)
		k[i].hash[31] ^= 1
		if accepted(len(leaves), k, b) {
			t.Errorf("%s: accepted with leaf %d changed", what, disclosed[i])
		}
		k = known(leaves, disclosed)
		k[i].index = len(leaves)
		if accepted(len(leaves), k, b) {
			t.Errorf("%s: accepted with leaf %d out of range", what, disclosed[i])
		}
		if k = known(leaves, disclosed); i > 0 {
			k[i], k[i-1] = k[i-1], k[i]
			if accepted(len(leaves), k, b) {
				t.Errorf("%s: accepted with leaves out of order", what)
			}
		}
	}
}

func TestMultiproofOfEverySubset(t *testing.T) {
	for size := 1; size <= 10; size++ {
		leaves := numbered(size)
		for set := range 1 << size {
			var disclosed []int
			for i := range size {
				if set>>i&1 == 1 {
					disclosed = append(disclosed, i)
				}
			}
			checkMultiproof(t, leaves, disclosed)
		}
	}
}

func TestMultiproofOfRandomSubsets(t *testing.T) {
	leaves := numbered(maxFields)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, maxFields).Draw(t, "size")
		disclosed := rapid.SliceOfNDistinct(rapid.IntRange(0, size-1), 0, min(size, 20), rapid.ID).Draw(t, "disclosed")
		slices.Sort(disclosed)
		checkMultiproof(t, leaves[:size], disclosed)
	})
}

// Whatever leads to a root is the one proof that there is for it: no other bytes do.
func FuzzMultiproof(f *testing.F) {
	leaves := numbered(16)
	for _, c := range []struct {
		size byte
		set  uint16
	}{{1, 0}, {1, 1}, {3, 2}, {14, 0x0101}, {16, 0xffff}} {
		var disclosed []int
		for i := range int(c.size) {
			if c.set>>i&1 == 1 {
				disclosed = append(disclosed, i)
			}
		}
		f.Add(c.size, c.set, appendMultiproof(nil, leaves[:c.size], disclosed))
	}
	f.Fuzz(func(t *testing.T, size byte, set uint16, b []byte) {
		if size == 0 || size > 16 {
			return
		}
		var disclosed []int
		for i := range 16 {
			if set>>i&1 == 1 {
				disclosed = append(disclosed, i)
			}
		}
		root, ok := multiproofRoot(int(size), known(leaves, disclosed), b)
		if !ok || root != Root(leaves[:size]) {
			return
		}
		if want := appendMultiproof(nil, leaves[:size], disclosed); !bytes.Equal(b, want) {
			t.Errorf("leaves %v of %d: a second proof %x beside %x", disclosed, size, b, want)
		}
	})
}
