package qr

import "math"

// point is a position or a displacement in a picture, in pixels.
type point struct{ x, y float64 }

func (p point) plus(q point) point       { return point{p.x + q.x, p.y + q.y} }
func (p point) minus(q point) point      { return point{p.x - q.x, p.y - q.y} }
func (p point) times(f float64) point    { return point{p.x * f, p.y * f} }
func (p point) dot(q point) float64      { return p.x*q.x + p.y*q.y }
func (p point) cross(q point) float64    { return p.x*q.y - p.y*q.x }
func (p point) length() float64          { return math.Hypot(p.x, p.y) }
func (p point) distance(q point) float64 { return p.minus(q).length() }

// patch maps the unit square into a picture in perspective: (0,0), (1,0) and (0,1) to the three corners. The weights
// say how strongly the second and the third corner recede, relative to the first; with both 1 the map is affine.
type patch struct {
	origin, right, down     point
	rightWeight, downWeight float64
}

// newPatch returns the patch that maps (1,1) to opposite; an affine one where there is none.
func newPatch(origin, right, down, opposite point) patch {
	a, b, c := right.minus(opposite), down.minus(opposite), origin.minus(opposite)
	p := patch{origin, right, down, 1, 1}
	if det := a.cross(b); det != 0 {
		if r, d := c.cross(b)/det, a.cross(c)/det; r > 0 && d > 0 {
			p.rightWeight, p.downWeight = r, d
		}
	}
	return p
}

// at maps a position, in the unit square or beyond it.
func (p patch) at(s, t float64) point {
	first, second, third := 1-s-t, s*p.rightWeight, t*p.downWeight
	sum := p.origin.times(first).plus(p.right.times(second)).plus(p.down.times(third))
	return sum.times(1 / (first + second + third))
}

// contains reports, roughly where the perspective is strong, whether a position lies in the square or near it.
func (p patch) contains(q point) bool {
	right, down, to := p.right.minus(p.origin), p.down.minus(p.origin), q.minus(p.origin)
	s, t := to.cross(down)/right.cross(down), right.cross(to)/right.cross(down)
	return s > -0.2 && s < 1.2 && t > -0.2 && t < 1.2
}
