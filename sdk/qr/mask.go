package qr

import "rsc.io/qr/coding"

// The weights of the four features that a mask should avoid (ISO/IEC 18004, table 11).
const (
	runPenalty    = 3  // five modules of one colour in a line; one more for each further module
	blockPenalty  = 3  // a square of two by two modules of one colour
	finderPenalty = 40 // what looks like a finder pattern
	dotPenalty    = 10 // each full 5 % by which the share of dark modules is off one half
)

// A finder pattern's profile, 1:1:3:1:1, with four light modules after it or before it.
const (
	finderThenLight = 0b10111010000
	lightThenFinder = 0b00001011101
	profileBits     = 11
)

// penalty scores a masked symbol (ISO/IEC 18004, 7.8.3.1): less is easier to read.
func penalty(code *coding.Code) int {
	score, dark := 0, 0
	for i := range code.Size {
		score += linePenalty(code.Size, func(j int) bool { return code.Black(j, i) })
		score += linePenalty(code.Size, func(j int) bool { return code.Black(i, j) })
		for j := range code.Size {
			c := code.Black(j, i)
			if c {
				dark++
			}
			if i > 0 && j > 0 && c == code.Black(j-1, i) && c == code.Black(j, i-1) && c == code.Black(j-1, i-1) {
				score += blockPenalty
			}
		}
	}
	total := code.Size * code.Size
	return score + dotPenalty*(abs(2*dark-total)*10/total)
}

// linePenalty scores one row or column of n modules.
func linePenalty(n int, black func(int) bool) int {
	score, run, profile := 0, 0, 0
	for j := range n {
		c := black(j)
		if j > 0 && c == black(j-1) {
			run++
		} else {
			run = 1
		}
		switch {
		case run == 5:
			score += runPenalty
		case run > 5:
			score++
		}
		profile = profile << 1 & (1<<profileBits - 1)
		if c {
			profile |= 1
		}
		if j >= profileBits-1 && (profile == finderThenLight || profile == lightThenFinder) {
			score += finderPenalty
		}
	}
	return score
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
