package qr

import (
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// outline is what the finder patterns tell of a symbol: where it lies, and about how large it is.
type outline struct {
	// patch maps the square between the centres of the finder patterns.
	patch
	// span is the estimated side of that square, in modules: the symbol's size less seven.
	span float64
	// steps at the top right and bottom left finder pattern: one module to the right, and one down.
	topRight, bottomLeft axes
}

// axes is a local coordinate system: an origin, one module to the right and one module down.
type axes struct{ origin, right, down point }

func (a axes) at(x, y float64) point { return a.origin.plus(a.right.times(x)).plus(a.down.times(y)) }

// outline measures the three finder patterns in the luminances.
func (g *gray) outline(c corners) (outline, bool) {
	right, down := c.topRight.centre.minus(c.topLeft.centre), c.bottomLeft.centre.minus(c.topLeft.centre)
	right, down = right.times(1/right.length()), down.times(1/down.length())
	var at [3]axes
	for i, f := range [3]finder{c.topLeft, c.topRight, c.bottomLeft} {
		width, dx := g.ring(f, right)
		height, dy := g.ring(f, down)
		if width == 0 || height == 0 {
			return outline{}, false
		}
		centre := f.centre.plus(right.times(dx)).plus(down.times(dy))
		at[i] = axes{centre, right.times(width), down.times(height)}
	}
	// Along a line seen in perspective the size of a module is inversely proportional to the square of the weight.
	first, second, third := at[0], at[1], at[2]
	r0, r1, d0, d1 := first.right.length(), second.right.length(), first.down.length(), third.down.length()
	width := first.origin.distance(second.origin) / math.Sqrt(r0*r1)
	height := first.origin.distance(third.origin) / math.Sqrt(d0*d1)
	return outline{
		patch:      patch{first.origin, second.origin, third.origin, math.Sqrt(r0 / r1), math.Sqrt(d0 / d1)},
		span:       math.Sqrt(width * height),
		topRight:   second,
		bottomLeft: third,
	}, true
}

// ring measures the dark outer square of a finder pattern on a line through its centre, from the middle of one side to
// the middle of the other: six modules, whatever blur and spreading ink do. It returns the size of a module, in pixels,
// and how far the true centre lies off along the line; a size of 0 if there is no such square.
func (g *gray) ring(f finder, direction point) (module, offset float64) {
	arm := func(sign float64) float64 {
		const steps = 40
		var light [steps + 1]float64
		step := direction.times(sign * 5 * f.module / steps)
		for i := range light {
			light[i] = g.at(f.centre.plus(step.times(float64(i))))
		}
		middle := (slices.Min(light[:]) + slices.Max(light[:])) / 2
		var edges [3]float64
		n := 0
		for i := 1; i < len(light) && n < len(edges); i++ {
			if (light[i-1] < middle) == (n != 1) && (light[i] < middle) == (n == 1) {
				edges[n] = (float64(i-1) + (middle-light[i-1])/(light[i]-light[i-1])) * step.length()
				n++
			}
		}
		if n < len(edges) {
			return 0
		}
		return (edges[1] + edges[2]) / 2
	}
	before, after := arm(-1), arm(1)
	if before == 0 || after == 0 {
		return max(before, after) / 3, 0
	}
	return (before + after) / 6, (after - before) / 2
}

// versions returns the versions that a symbol may have, the likeliest first: what its version information says, read
// beside both finder patterns (ISO/IEC 18004, 7.10), and what its size suggests.
func (g *gray) versions(o outline) []int {
	estimate := (o.span - 10) / 4
	var out []int
	add := func(v int) {
		if v >= 1 && v <= 40 && math.Abs(float64(v)-estimate) < 3 && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if estimate > 5 {
		transposed := axes{o.bottomLeft.origin, o.bottomLeft.down, o.bottomLeft.right}
		for _, a := range []axes{o.topRight, transposed} {
			if v, err := decoder.Version_decodeVersionInformation(g.versionBits(a)); err == nil {
				add(v.GetVersionNumber())
			}
		}
	}
	nearest := int(math.Round(estimate))
	add(nearest)
	if len(out) == 1 {
		if float64(nearest) < estimate {
			add(nearest + 1)
		} else {
			add(nearest - 1)
		}
	}
	return out
}

// versionBits reads the 18 modules of version information left of the top right finder pattern.
func (g *gray) versionBits(a axes) int {
	var light []float64
	for y := 2.0; y >= -3; y-- {
		for x := -5.0; x >= -7; x-- {
			light = append(light, g.at(a.at(x, y)))
		}
	}
	middle := (g.at(a.at(0, 0)) + g.at(a.at(2, 0))) / 2
	bits := 0
	for _, l := range light {
		bits <<= 1
		if l < middle {
			bits |= 1
		}
	}
	return bits
}
