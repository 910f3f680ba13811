package paper

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"codeberg.org/go-pdf/fpdf"

	"github.com/credledger/credledger/sdk/qr"
)

const (
	hairline = 0.2       // mm
	perPoint = 25.4 / 72 // mm
	boldness = 0.02      // what the strokes of bold type gain, in sizes of the type
)

// Text rendering modes (ISO 32000-1, table 106).
const (
	filled    = 0
	stroked   = 2 // and filled
	invisible = 3
)

// What the file says of itself.
const (
	hanName   = "han" // of the typefaces
	latinName = "latin"
	producer  = "CredLedger"
	version   = "%PDF-1.7" // the library says 1.3, which has neither languages nor texts for what is drawn
)

// draw makes the file.
func draw(title, language string, made time.Time, pages []page) ([]byte, error) {
	d := drawing{fpdf.New("P", "mm", "A4", "")}
	d.SetCreationDate(made.UTC())
	d.SetModificationDate(made.UTC())
	d.SetCatalogSort(true)
	d.SetProducer(producer, true)
	d.SetTitle(title, true)
	d.SetLang(language)
	d.SetMargins(0, 0, 0)
	d.SetAutoPageBreak(false, 0)
	// The library writes into the files of the typefaces.
	d.AddUTF8FontFromBytes(hanName, "", slices.Clone(faces().han.file))
	d.AddUTF8FontFromBytes(latinName, "", slices.Clone(faces().latin.file))
	for _, p := range pages {
		d.AddPage()
		d.SetLineWidth(hairline)
		for _, r := range p.rules {
			d.Line(r.x, r.y, r.x+r.width, r.y)
		}
		for _, b := range p.boxes {
			d.SetLineWidth(3 * hairline)
			d.Rect(b.x, b.y, b.width, b.height, "D")
		}
		if p.code != nil {
			d.code(p.code)
		}
		for _, t := range p.texts {
			d.text(t)
		}
	}
	var b bytes.Buffer
	if err := d.Output(&b); err != nil {
		return nil, fmt.Errorf("print a licence: %w", err)
	}
	file := b.Bytes()
	copy(file, version)
	return file, nil
}

// A drawing is a file that is being drawn.
type drawing struct{ *fpdf.Fpdf }

func (d drawing) text(t text) {
	mode := filled
	if t.bold {
		mode = stroked
		d.SetLineWidth(boldness * t.size)
	}
	d.SetTextRenderingMode(mode)
	x := t.x
	for _, r := range t.line {
		switch r.face {
		case han:
			d.SetFont(hanName, "", t.size/perPoint)
			d.Text(x, t.y, r.text)
		case latin:
			d.SetFont(latinName, "", t.size/perPoint)
			d.Text(x, t.y, r.text)
		case rare:
			d.outlined(r.text, x, t, mode)
		}
		x += float64(r.width) * t.size / em
	}
}

// outlined draws the outline of a character, with an invisible sign in its place that stands for it where
// text is looked for, copied or read out (ISO 32000-1, 14.9.4).
func (d drawing) outlined(character string, x float64, t text, mode int) {
	r := []rune(character)[0]
	var units strings.Builder
	for _, u := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(&units, "%04X", u)
	}
	d.RawWriteStr("/Span <</ActualText <FEFF" + units.String() + ">>> BDC\n")
	d.SetTextRenderingMode(invisible)
	d.SetFont(hanName, "", t.size/perPoint)
	d.Text(x, t.y, "〓")
	d.SetTextRenderingMode(mode)
	faces().rare[r].draw(d, x, t.y, t.size)
	if t.bold {
		d.DrawPath("FD")
	} else {
		d.DrawPath("F")
	}
	d.RawWriteStr("EMC\n")
}

// code draws a symbol as one path, whose parts leave no gaps between them. Its margin stays as it is.
func (d drawing) code(c *code) {
	var b strings.Builder
	left, top := c.x+qr.QuietZone*c.module, c.y+qr.QuietZone*c.module
	size := c.module / perPoint
	fmt.Fprintf(&b, "q 0 g %.5f 0 0 %.5f %.5f %.5f cm\n", size, -size, left/perPoint, (pageHeight-top)/perPoint)
	for y := range c.symbol.Size() {
		for x := 0; x < c.symbol.Size(); x++ {
			run := 0
			for c.symbol.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "%d %d %d 1 re\n", x, y, run)
				x += run
			}
		}
	}
	b.WriteString("f Q\n")
	d.RawWriteStr(b.String())
}
