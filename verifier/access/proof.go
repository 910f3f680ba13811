package access

import (
	"math/bits"

	"github.com/credledger/credledger/sdk/sm"
)

// EmptyRoot is the root of a log without entries: SM3 of nothing (RFC 9162, section 2.1.1).
var EmptyRoot = sm.Sum(nil)

// VerifyInclusion reports whether a path shows that a leaf is at an index of the log that has this
// size and root (RFC 9162, section 2.1.3.2). The size and the root must come from a checkpoint that
// is believed.
func VerifyInclusion(leaf sm.Hash, index, size uint64, path []sm.Hash, root sm.Hash) bool {
	if size > MaxEntries || index >= size {
		return false
	}
	node := leaf
	for i, last := index, size-1; last > 0; i, last = i/2, last/2 {
		if i == last && i%2 == 0 {
			continue // no sibling: moves up as it is
		}
		if len(path) == 0 {
			return false
		}
		if i%2 == 1 {
			node = sm.SumNode(&path[0], &node)
		} else {
			node = sm.SumNode(&node, &path[0])
		}
		path = path[1:]
	}
	return len(path) == 0 && node == root
}

// VerifyConsistency reports whether a proof shows that the log of the first size and root is the
// beginning of the log of the second (RFC 9162, section 2.1.4.2). Of a log without entries, and of a
// log and itself, the proof is empty.
func VerifyConsistency(first, second uint64, proof []sm.Hash, root1, root2 sm.Hash) bool {
	switch {
	case second > MaxEntries || first > second:
		return false
	case first == second:
		return len(proof) == 0 && root1 == root2
	case first == 0:
		return len(proof) == 0 && root1 == EmptyRoot
	}
	i, last := first-1, second-1
	shared := bits.TrailingZeros64(^i) // levels on which the first log ends in whole subtrees
	i, last = i>>shared, last>>shared
	if i == 0 { // the first log is one whole subtree of the second
		proof = append([]sm.Hash{root1}, proof...)
	}
	if len(proof) == 0 {
		return false
	}
	old, now := proof[0], proof[0]
	for p := range proof[1:] {
		sibling := &proof[p+1]
		if last == 0 {
			return false
		}
		if i%2 == 1 || i == last {
			old, now = sm.SumNode(sibling, &old), sm.SumNode(sibling, &now)
			for i%2 == 0 && i != 0 {
				i, last = i/2, last/2
			}
		} else {
			now = sm.SumNode(&now, sibling)
		}
		i, last = i/2, last/2
	}
	return last == 0 && old == root1 && now == root2
}
