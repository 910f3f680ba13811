package web

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-analyze/charts"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/report"
)

// A chart has a bar for each of some rows of a group.
type chart struct {
	Caption licence.Text
	SVG     template.HTML // which this package made
	More    *licence.Text // that there are rows without a bar

	bars []bar
}

type bar struct {
	row    int     // its number in the group
	value  float64 // long
	weight uint64  // how much it says: bars are of the rows that say most
}

// Sizes of a chart in its own units, of which the page makes as many pixels as it has. The lines of text
// have room for the type of the mode for older people on a phone.
const (
	mostBars  = 10
	wide      = 340
	barRoom   = 250 // for the bars, beside which the figures stand
	barHeight = 14
	rowHeight = 46   // of a bar with its line of text above it
	above     = 14   // room for the first text
	textRoom  = 34   // columns
	precision = 1000 // steps in which bars are drawn
)

// with adds a row of an indicator, which is the next of its group.
func (c *chart) with(r *report.Row, i *report.Indicator) *chart {
	if c == nil {
		c = new(chart)
	}
	b := bar{row: 0, value: float64(r.Numerator), weight: r.Numerator}
	if n := len(c.bars); n > 0 {
		b.row = c.bars[n-1].row + 1
	}
	if i.Form != report.Count {
		b.weight = r.Denominator
		b.value = 0
		if r.Denominator > 0 {
			b.value = float64(r.Numerator) / float64(r.Denominator)
		}
	}
	c.bars = append(c.bars, b)
	return c
}

// draw draws the chart of a group; false if there is nothing to compare.
func (c *chart) draw(i *report.Indicator, g *group) bool {
	if c == nil || len(c.bars) < 2 {
		return false
	}
	all := len(c.bars)
	if all > mostBars {
		slices.SortStableFunc(c.bars, func(x, y bar) int { return -compare(x.weight, y.weight) })
		c.bars = c.bars[:mostBars]
		c.More = &licence.Text{Zh: fmt.Sprintf("图中为 %d 项中最大的 %d 项。", all, mostBars), En: fmt.Sprintf("The chart has the %d largest of %d.", mostBars, all)}
	}
	slices.SortStableFunc(c.bars, func(x, y bar) int { return -compare(x.value, y.value) })
	full := 1.0 // of a share
	if i.Form != report.Share {
		full = c.bars[0].value
	}
	if full <= 0 {
		return false
	}
	drawing, err := drawBars(c.bars, full)
	if err != nil {
		return false // the table has the figures
	}
	c.Caption = g.Caption
	if i.Past != "" {
		c.Caption.Zh += "(虚线为以往和目标)"
		c.Caption.En += " (dashed: the past, and the target)"
	}
	c.SVG = drawing.svg(c, i, g)
	return true
}

func compare[T float64 | uint64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// The colours of a drawing tell what is drawn; the page has its own.
var (
	barColor   = charts.Color{R: 1, A: 255}
	trackColor = charts.Color{R: 2, A: 255}
)

// A drawing is what package charts made of bars: paths of filled rectangles, of which the page needs no
// more than that.
type drawing struct {
	bars, tracks []box
}

type box struct{ x1, y1, x2, y2 int }

// drawBars draws bars below each other, each with the rest of the full length behind it.
func drawBars(bars []bar, full float64) (*drawing, error) {
	values, rest := make([]float64, len(bars)), make([]float64, len(bars))
	for i, b := range bars {
		at := len(bars) - 1 - i // the first is drawn at the bottom
		values[at], rest[at] = b.value, full-b.value
	}
	o := charts.NewHorizontalBarChartOptionWithData([][]float64{values, rest})
	o.Theme = charts.MakeTheme(charts.ThemeOption{
		BackgroundColor: charts.ColorTransparent, SeriesColors: []charts.Color{barColor, trackColor},
	})
	o.StackSeries = charts.Ptr(true)
	o.Padding = charts.Box{IsSet: true}
	o.BarHeight = barHeight
	o.XAxis.Show, o.YAxis.Show, o.Legend.Show = charts.Ptr(false), charts.Ptr(false), charts.Ptr(false)
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: precision, Height: rowHeight * len(bars)})
	if err := p.HorizontalBarChart(o); err != nil {
		return nil, err
	}
	b, err := p.Bytes()
	if err != nil {
		return nil, err
	}
	return readDrawing(string(b), len(bars))
}

// readDrawing finds the rectangles.
func readDrawing(text string, bars int) (*drawing, error) {
	var out drawing
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		path, ok := token.(xml.StartElement)
		if !ok || path.Name.Local != "path" {
			continue
		}
		var b box
		var place, fill string
		for _, a := range path.Attr {
			switch a.Name.Local {
			case "d":
				place = strings.Join(strings.Fields(a.Value), " ")
			case "style":
				fill = a.Value
			}
		}
		if n, _ := fmt.Sscanf(place, "M %d %d L %d %d L %d %d", &b.x1, &b.y1, &b.x2, new(int), new(int), &b.y2); n != 6 {
			continue
		}
		switch {
		case strings.Contains(fill, "fill:rgb(1,0,0)"):
			out.bars = append(out.bars, b)
		case strings.Contains(fill, "fill:rgb(2,0,0)"):
			out.tracks = append(out.tracks, b)
		}
	}
	if len(out.bars) != bars || len(out.tracks) != bars {
		return nil, fmt.Errorf("%d bars are drawn as %d", bars, len(out.bars))
	}
	order := func(x, y box) int { return x.y1 - y.y1 }
	slices.SortFunc(out.bars, order)
	slices.SortFunc(out.tracks, order)
	return &out, nil
}

// svg writes the drawing with its texts. It is hidden from who cannot see it: the table says the same.
func (d *drawing) svg(c *chart, i *report.Indicator, g *group) template.HTML {
	full := 1
	for _, b := range d.tracks {
		full = max(full, b.x2)
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg viewBox="0 %d %d %d" aria-hidden="true" focusable="false">`, -above, wide, rowHeight*len(d.bars))
	for k, b := range d.bars {
		r := &g.Rows[c.bars[k].row]
		fmt.Fprintf(&out, `<rect class="track" x="0" y="%d" width="%d" height="%d"/>`, b.y1, barRoom, b.y2-b.y1)
		fmt.Fprintf(&out, `<rect class="bar" x="0" y="%d" width="%.1f" height="%d"/>`, b.y1, barRoom*float64(b.x2)/float64(full), b.y2-b.y1)
		fmt.Fprintf(&out, `<text class="zh" x="0" y="%d">%s</text><text class="en" x="0" y="%d">%s</text>`,
			b.y1-6, html.EscapeString(short(r.Label.Zh)), b.y1-6, html.EscapeString(short(r.Label.En)))
		fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="end">%s</text>`, wide, b.y2, html.EscapeString(r.Value))
	}
	for _, percent := range []string{i.Past, i.Target} {
		if share, err := strconv.ParseFloat(percent, 64); err == nil && share >= 0 && share <= 100 {
			x := barRoom * share / 100
			fmt.Fprintf(&out, `<line class="mark" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x, d.bars[0].y1, x, d.bars[len(d.bars)-1].y2)
		}
	}
	out.WriteString("</svg>")
	return template.HTML(out.String())
}

// short cuts a label that has no room.
func short(label string) string {
	n := 0
	for at, r := range label {
		n++
		if r >= 0x1100 { // wide, or rare
			n++
		}
		if n > textRoom {
			return label[:at] + "…"
		}
	}
	return label
}
