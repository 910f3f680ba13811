package paper

import "encoding/binary"

// An outline is how a character is drawn that has no typeface: a sequence of steps, each a letter and its
// points, of which each is two varints: the difference to the point before, in units of which em is the
// height of the type, y downwards from the base line. M begins a contour at 1 point, L is a line to 1, C a
// cubic curve with 3.
type outline []byte

// readOutlines reads the outlines of characters in ascending order: for each the difference to the one
// before, the length of its outline, and the outline. What follows an error is left out.
func readOutlines(b []byte) map[rune]outline {
	out := map[rune]outline{}
	var r rune
	for {
		step, n := binary.Uvarint(b)
		if n <= 0 {
			return out
		}
		b = b[n:]
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return out
		}
		b = b[n:]
		r += rune(step)
		out[r] = outline(b[:length:length])
		b = b[length:]
	}
}

// A pen draws contours.
type pen interface {
	MoveTo(x, y float64)
	LineTo(x, y float64)
	CurveBezierCubicTo(cx0, cy0, cx1, cy1, x, y float64)
	ClosePath()
}

// draw draws the outline with a type of a size, from a point on the base line.
func (o outline) draw(p pen, x, y, size float64) {
	unit := size / em
	var at [2]int64
	next := func() (float64, float64) {
		for i := range at {
			d, n := binary.Varint(o)
			o = o[max(n, 0):]
			at[i] += d
		}
		return x + unit*float64(at[0]), y + unit*float64(at[1])
	}
	begun := false
	for len(o) > 0 {
		step := o[0]
		o = o[1:]
		x1, y1 := next()
		switch step {
		case 'M':
			if begun {
				p.ClosePath()
			}
			begun = true
			p.MoveTo(x1, y1)
		case 'L':
			p.LineTo(x1, y1)
		case 'C':
			x2, y2 := next()
			x3, y3 := next()
			p.CurveBezierCubicTo(x1, y1, x2, y2, x3, y3)
		}
	}
	if begun {
		p.ClosePath()
	}
}
