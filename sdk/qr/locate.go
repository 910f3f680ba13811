package qr

import (
	"cmp"
	"math"
	"slices"
)

// corners are three finder patterns that may belong to one symbol.
type corners struct {
	topLeft, topRight, bottomLeft finder
	// badness is how far the three are from equal patterns in the corners of a square; 0 is best.
	badness float64
}

// maxCandidates is the number of triples of finder patterns that are tried in a picture.
const maxCandidates = 32

// candidates returns the triples that look most like the corners of symbols, the best first.
func candidates(found []finder) []corners {
	var out []corners
	for i := range found {
		for j := range i {
			for k := range j {
				if c, ok := arrange(found[i], found[j], found[k]); ok {
					out = append(out, c)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(c, d corners) int { return cmp.Compare(c.badness, d.badness) })
	return out[:min(len(out), maxCandidates)]
}

// arrange takes for the top left corner the one opposite the longest side, and orders the others clockwise. A mirrored
// symbol appears transposed then, which the decoder notices.
func arrange(a, b, c finder) (corners, bool) {
	ab, bc, ca := a.centre.distance(b.centre), b.centre.distance(c.centre), c.centre.distance(a.centre)
	switch max(ab, bc, ca) {
	case ab:
		a, b, c = c, a, b
	case ca:
		a, b, c = b, c, a
	}
	right, down := b.centre.minus(a.centre), c.centre.minus(a.centre)
	if right.cross(down) < 0 {
		b, c, right, down = c, b, down, right
	}
	width, height := right.length(), down.length()
	smallest, largest := min(a.module, b.module, c.module), max(a.module, b.module, c.module)
	if width < 10*smallest || height < 10*smallest || max(width, height) > 250*largest {
		return corners{}, false
	}
	lopsided := math.Abs(math.Log(width / height))
	skewed := math.Abs(right.dot(down)) / (width * height)
	uneven := math.Log(largest / smallest)
	if lopsided > 0.7 || skewed > 0.6 || uneven > 0.8 {
		return corners{}, false
	}
	return corners{a, b, c, lopsided + skewed + uneven}, true
}
