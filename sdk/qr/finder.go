package qr

import (
	"cmp"
	"math"
	"slices"
)

// finder is where the concentric squares of a finder pattern seem to be.
type finder struct {
	centre point
	// module is the size of a module along the picture's axes: larger than the true one, by up to the square root of 2,
	// where the symbol is turned.
	module float64
	// rows is the number of rows of pixels that saw it.
	rows int
}

// maxFinders is the number of finder patterns in a picture that are considered: eight symbols' worth.
const maxFinders = 24

// profile is the lengths of five runs of equal pixels on a line, the first one dark.
type profile [5]int

// module returns the module size if the runs have the proportions 1:1:3:1:1 of a finder pattern, else 0. It compares
// the distances between edges of the same direction, which neither blur nor spreading ink changes.
func (p profile) module() float64 {
	m := float64(p[0]+p[1]+p[2]+p[3]+p[4]) / 7
	for i, modules := range [4]float64{2, 4, 4, 2} {
		if p[i] == 0 || p[i+1] == 0 || math.Abs(float64(p[i]+p[i+1])-modules*m) > 0.6*m+0.5 {
			return 0
		}
	}
	if p[2] <= p[1] || p[2] <= p[3] {
		return 0
	}
	return m
}

// is reports whether a pixel is inside the picture and dark, or light.
func (b *bitmap) is(x, y int, dark bool) bool {
	return 0 <= x && x < b.w && 0 <= y && y < b.h && b.dark[y*b.w+x] == dark
}

// arm returns the lengths, up to limit, of the dark, the light and the dark run that follow a dark pixel in a direction.
func (b *bitmap) arm(x, y, dx, dy, limit int) (runs [3]int) {
	for i := range runs {
		for x, y = x+dx, y+dy; runs[i] <= limit && b.is(x, y, i != 1); x, y = x+dx, y+dy {
			runs[i]++
		}
		x, y = x-dx, y-dy
	}
	return runs
}

// cross looks for a finder pattern's profile on the line through a dark pixel. It returns the module size, in steps, and
// by how many steps the pattern's middle lies off the pixel; a module size of 0 if there is none.
func (b *bitmap) cross(x, y, dx, dy, limit int) (module, offset float64) {
	if !b.is(x, y, true) {
		return 0, 0
	}
	before, after := b.arm(x, y, -dx, -dy, limit), b.arm(x, y, dx, dy, limit)
	p := profile{before[2], before[1], before[0] + 1 + after[0], after[1], after[2]}
	return p.module(), float64(after[0]-before[0]) / 2
}

// confirm looks for the other extents of a finder pattern that a row of pixels suggests at (x, y).
func (b *bitmap) confirm(x, y int, module float64) (finder, bool) {
	limit := int(4*module) + 2
	alike := func(m float64) bool { return m > module/2 && m < module*2 }
	vertical, dy := b.cross(x, y, 0, 1, limit)
	if !alike(vertical) {
		return finder{}, false
	}
	row := y + int(math.Round(dy))
	horizontal, dx := b.cross(x, row, 1, 0, limit)
	if !alike(horizontal) {
		return finder{}, false
	}
	column := x + int(math.Round(dx))
	falling, _ := b.cross(column, row, 1, 1, limit)
	rising, _ := b.cross(column, row, 1, -1, limit)
	if !alike(falling) && !alike(rising) {
		return finder{}, false
	}
	centre := point{float64(x) + dx + 0.5, float64(y) + dy + 0.5}
	return finder{centre: centre, module: (horizontal + vertical) / 2, rows: 1}, true
}

// finders returns the likeliest finder patterns of a picture, the best first.
func (b *bitmap) finders() []finder {
	var found []finder
	cells := map[[2]int]int{} // the finder in each square of the picture that has one
	for y := range b.h {
		line := b.dark[y*b.w : (y+1)*b.w]
		var p profile
		start := 0
		for x := 1; x <= b.w; x++ {
			if x < b.w && line[x] == line[x-1] {
				continue
			}
			copy(p[:], p[1:])
			p[4] = x - start
			start = x
			if m := p.module(); m > 0 && line[x-1] {
				if f, ok := b.confirm(x-p[4]-p[3]-(p[2]+1)/2, y, m); ok {
					found = merge(found, cells, f)
				}
			}
		}
	}
	slices.SortStableFunc(found, func(f, g finder) int { return cmp.Compare(g.strength(), f.strength()) })
	return found[:min(len(found), maxFinders)]
}

// cellSize is the size of the squares that merge keeps finder patterns in, in pixels.
const cellSize = 8

// merge adds what one row saw to the finder pattern that a row before saw in this square or a neighbouring one.
func merge(found []finder, cells map[[2]int]int, f finder) []finder {
	cx, cy := int(f.centre.x)/cellSize, int(f.centre.y)/cellSize
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			i, ok := cells[[2]int{cx + dx, cy + dy}]
			if !ok || found[i].centre.distance(f.centre) > max(2, f.module) {
				continue
			}
			seen := &found[i]
			n := float64(seen.rows)
			seen.centre = seen.centre.times(n).plus(f.centre).times(1 / (n + 1))
			seen.module = (seen.module*n + f.module) / (n + 1)
			seen.rows++
			return found
		}
	}
	cells[[2]int{cx, cy}] = len(found)
	return append(found, f)
}

// strength is the share of the rows across the inner square that saw the pattern, counting no more than half of them.
func (f finder) strength() float64 { return min(1, float64(f.rows)/(1.5*f.module)) }
