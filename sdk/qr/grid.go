package qr

import "github.com/makiuchi-d/gozxing/qrcode/decoder"

// grid says where each module of a symbol lies: patches between the centres of the alignment patterns, so that neither
// perspective nor curling paper matters.
type grid struct {
	size    int
	lines   []float64 // positions of the patches' edges in the symbol, in modules, the same in both directions
	patches [][]patch // by row and column
}

// grid finds the alignment patterns of a symbol of one version.
func (g *gray) grid(o outline, version int) *grid {
	r := &grid{size: 17 + 4*version}
	radius := alignmentRadius
	centres := alignmentCentres(version)
	switch len(centres) {
	case 0: // version 1 has no alignment patterns
		r.lines = []float64{3.5, float64(r.size) - 3.5}
		radius = 0
	case 2: // the only one there is lies far from the finder patterns
		radius += float64(r.size) / 8
	}
	for _, centre := range centres {
		r.lines = append(r.lines, float64(centre)+0.5)
	}
	nodes := g.nodes(o, r, radius)
	last := len(r.lines) - 1
	r.patches = make([][]patch, last)
	for j := range r.patches {
		r.patches[j] = make([]patch, last)
		for i := range r.patches[j] {
			r.patches[j][i] = newPatch(nodes[j][i], nodes[j][i+1], nodes[j+1][i], nodes[j+1][i+1])
		}
	}
	return r
}

// alignmentCentres returns the columns, and rows, of the centres of a version's alignment patterns, none for version 1.
func alignmentCentres(version int) []int {
	v, err := decoder.Version_GetVersionForNumber(version)
	if err != nil {
		return nil
	}
	return v.GetAlignmentPatternCenters()
}

// nodes returns where the crossings of the grid's lines lie, by row and column: in the corners where the finder patterns
// say, elsewhere where an alignment pattern is found. How far the patterns beside and above one are off the plane that
// the finder patterns suggest says where to look for it.
func (g *gray) nodes(o outline, r *grid, radius float64) [][]point {
	last := len(r.lines) - 1
	span := float64(r.size - 7)
	nodes, off := make([][]point, last+1), make([][]point, last+1)
	for j := range nodes {
		nodes[j], off[j] = make([]point, last+1), make([]point, last+1)
		for i := range nodes[j] {
			s, t := (r.lines[i]-3.5)/span, (r.lines[j]-3.5)/span
			flat := o.at(s, t)
			nodes[j][i] = flat
			if radius == 0 || i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0 {
				continue
			}
			switch {
			case j == 0:
				off[j][i] = off[j][i-1]
			case i == 0:
				off[j][i] = off[j-1][i]
			default:
				off[j][i] = off[j-1][i].plus(off[j][i-1]).minus(off[j-1][i-1])
			}
			expected := axes{flat.plus(off[j][i]), o.at(s+1/span, t).minus(flat), o.at(s, t+1/span).minus(flat)}
			nodes[j][i] = g.alignment(expected, radius)
			off[j][i] = nodes[j][i].minus(flat)
		}
	}
	return nodes
}

// at returns where a position in the symbol, in modules, lies in the picture.
func (r *grid) at(x, y float64) point {
	i, j := r.cell(x), r.cell(y)
	s := (x - r.lines[i]) / (r.lines[i+1] - r.lines[i])
	t := (y - r.lines[j]) / (r.lines[j+1] - r.lines[j])
	return r.patches[j][i].at(s, t)
}

// cell returns the index of the patch for a coordinate.
func (r *grid) cell(v float64) int {
	i := 0
	for i < len(r.lines)-2 && v >= r.lines[i+1] {
		i++
	}
	return i
}

// sample returns the symbol as a picture of one pixel per module.
func (g *gray) sample(r *grid) *gray {
	out := &gray{w: r.size, h: r.size, pix: make([]uint8, r.size*r.size)}
	for y := range r.size {
		for x := range r.size {
			out.pix[y*r.size+x] = uint8(g.at(r.at(float64(x)+0.5, float64(y)+0.5)) + 0.5)
		}
	}
	return out
}
