package qr

import (
	"image"
	"image/draw"
)

// gray is a picture of luminances, 0 black to 255 white. Positions are in pixels from its top left corner, so that the
// centre of the first pixel is (0.5, 0.5).
type gray struct {
	w, h int
	pix  []uint8
}

// newGray returns the luminance of a picture, laid on white where it is transparent.
func newGray(img image.Image) *gray {
	b := img.Bounds()
	g := &gray{w: b.Dx(), h: b.Dy(), pix: make([]uint8, b.Dx()*b.Dy())}
	row := image.NewRGBA(image.Rect(0, 0, g.w, 1))
	for y := range g.h {
		draw.Draw(row, row.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(row, row.Rect, img, image.Pt(b.Min.X, b.Min.Y+y), draw.Over)
		line := g.pix[y*g.w : (y+1)*g.w]
		for x := range line {
			p := row.Pix[4*x : 4*x+3 : 4*x+3]
			line[x] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16) // Rec. 601
		}
	}
	return g
}

// at returns the luminance at a position, interpolated between the nearest four pixels. Outside it is that of the edge.
func (g *gray) at(p point) float64 {
	x, y := clamp(p.x-0.5, g.w), clamp(p.y-0.5, g.h)
	i, j := int(x), int(y)
	fx, fy := x-float64(i), y-float64(j)
	right, down := min(i+1, g.w-1)-i, (min(j+1, g.h-1)-j)*g.w
	at := j*g.w + i
	top := float64(g.pix[at])*(1-fx) + float64(g.pix[at+right])*fx
	bottom := float64(g.pix[at+down])*(1-fx) + float64(g.pix[at+down+right])*fx
	return top*(1-fy) + bottom*fy
}

// clamp brings a coordinate, even one that is not a number, into the range of the pixels 0 to n-1.
func clamp(v float64, n int) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, float64(n-1))
}

// half returns the picture at half its size; a pixel is the mean of four.
func (g *gray) half() *gray {
	out := &gray{w: g.w / 2, h: g.h / 2, pix: make([]uint8, (g.w/2)*(g.h/2))}
	for y := range out.h {
		upper, lower := g.pix[2*y*g.w:], g.pix[(2*y+1)*g.w:]
		for x := range out.w {
			sum := int(upper[2*x]) + int(upper[2*x+1]) + int(lower[2*x]) + int(lower[2*x+1])
			out.pix[y*out.w+x] = uint8((sum + 2) / 4)
		}
	}
	return out
}

// double returns the picture at twice its size, interpolated.
func (g *gray) double() *gray {
	out := &gray{w: 2 * g.w, h: 2 * g.h, pix: make([]uint8, 4*g.w*g.h)}
	for y := range out.h {
		for x := range out.w {
			out.pix[y*out.w+x] = uint8(g.at(point{(float64(x) + 0.5) / 2, (float64(y) + 0.5) / 2}) + 0.5)
		}
	}
	return out
}

// bitmap is a picture of dark (true) and light pixels.
type bitmap struct {
	w, h int
	dark []bool
}

// threshold calls a pixel dark that is below that many percent of the mean of the square of 2*radius+1 pixels around it.
// A square much larger than a module and much smaller than the picture follows uneven light.
func (g *gray) threshold(radius, percent int) *bitmap {
	out := &bitmap{w: g.w, h: g.h, dark: make([]bool, len(g.pix))}
	columns := make([]int, g.w) // the sum of each column over the rows of the square
	add := func(y, sign int) {
		if 0 <= y && y < g.h {
			for x, v := range g.pix[y*g.w : (y+1)*g.w] {
				columns[x] += sign * int(v)
			}
		}
	}
	for y := range radius {
		add(y, 1)
	}
	for y := range g.h {
		add(y+radius, 1)
		add(y-radius-1, -1)
		rows := min(y+radius, g.h-1) - max(y-radius, 0) + 1
		sum := 0
		for x := range min(radius, g.w) {
			sum += columns[x]
		}
		line, dark := g.pix[y*g.w:(y+1)*g.w], out.dark[y*g.w:(y+1)*g.w]
		for x, v := range line {
			if x+radius < g.w {
				sum += columns[x+radius]
			}
			if x-radius-1 >= 0 {
				sum -= columns[x-radius-1]
			}
			n := rows * (min(x+radius, g.w-1) - max(x-radius, 0) + 1)
			dark[x] = 100*n*int(v) < percent*sum
		}
	}
	return out
}

// invert returns the picture with light and dark exchanged.
func (g *gray) invert() *gray {
	out := &gray{w: g.w, h: g.h, pix: make([]uint8, len(g.pix))}
	for i, v := range g.pix {
		out.pix[i] = 255 - v
	}
	return out
}

// sharpen returns the picture with each pixel moved away from the mean of its neighbours, by the difference.
func (g *gray) sharpen() *gray {
	out := &gray{w: g.w, h: g.h, pix: make([]uint8, len(g.pix))}
	for y := range g.h {
		for x := range g.w {
			pixel := func(x, y int) int { return int(g.pix[max(0, min(y, g.h-1))*g.w+max(0, min(x, g.w-1))]) }
			around := pixel(x-1, y) + pixel(x+1, y) + pixel(x, y-1) + pixel(x, y+1)
			out.pix[y*g.w+x] = uint8(max(0, min(255, (8*pixel(x, y)-around)/4)))
		}
	}
	return out
}
