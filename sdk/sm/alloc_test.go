//go:build !race

// Under the race detector the compiler inlines less, and values escape.

package sm

import "testing"

func TestSumAllocations(t *testing.T) {
	l, r := Sum([]byte("l")), Sum([]byte("r"))
	small, large := make([]byte, 80), make([]byte, 4096)
	for name, f := range map[string]func(){
		"SumNode":       func() { sinkHash = SumNode(&l, &r) },
		"SumLeaf small": func() { sinkHash = SumLeaf(small) },
		"SumLeaf large": func() { sinkHash = SumLeaf(large) },
		"Sum":           func() { sinkHash = Sum(small) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
