package qr

import "math"

// alignmentPattern is 1 where the pattern is light: a dark square of five modules, a light one of three, a dark module.
var alignmentPattern = [5][5]float64{
	{0, 0, 0, 0, 0},
	{0, 1, 1, 1, 0},
	{0, 1, 0, 1, 0},
	{0, 1, 1, 1, 0},
	{0, 0, 0, 0, 0},
}

// alignmentRadius is how far from where it is expected an alignment pattern is looked for, in modules.
const alignmentRadius = 3.0

// minAlignment is the correlation from which a place is taken for an alignment pattern: random modules hardly reach it.
const minAlignment = 0.7

// alignment returns where, not more than radius modules from the origin, the luminances look most like an alignment
// pattern; the origin if nowhere enough.
func (g *gray) alignment(a axes, radius float64) point {
	best, bestX, bestY := -1.0, 0.0, 0.0
	try := func(x, y float64) {
		if c := g.likeAlignment(a, x, y); c > best {
			best, bestX, bestY = c, x, y
		}
	}
	const coarse = 0.5
	for y := -radius; y <= radius; y += coarse {
		for x := -radius; x <= radius; x += coarse {
			try(x, y)
		}
	}
	if best < minAlignment-0.15 {
		return a.origin
	}
	for step := coarse / 2; step > 0.05; step /= 2 {
		x, y := bestX, bestY
		for _, dy := range []float64{-step, 0, step} {
			for _, dx := range []float64{-step, 0, step} {
				try(x+dx, y+dy)
			}
		}
	}
	if best < minAlignment {
		return a.origin
	}
	return a.at(bestX, bestY)
}

// likeAlignment returns the correlation, -1 to 1, of the luminances around a place with an alignment pattern.
func (g *gray) likeAlignment(a axes, x, y float64) float64 {
	const n, ones = 25.0, 8.0
	var sum, squares, product float64
	for j, row := range alignmentPattern {
		for i, light := range row {
			v := g.at(a.at(x+float64(i-2), y+float64(j-2)))
			sum += v
			squares += v * v
			product += v * light
		}
	}
	variance := (squares - sum*sum/n) * (ones - ones*ones/n)
	if !(variance > 0) {
		return -1
	}
	return (product - sum*ones/n) / math.Sqrt(variance)
}
