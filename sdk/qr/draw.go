package qr

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
)

// MaxModuleSize is the largest module that PNG draws, in pixels.
const MaxModuleSize = 32

// PNG writes the symbol as a bilevel image whose modules are squares of moduleSize pixels, 1 to MaxModuleSize.
func (s *Symbol) PNG(w io.Writer, moduleSize int) error {
	if moduleSize < 1 || moduleSize > MaxModuleSize {
		return errorf(CodeBadModuleSize, "choose a module size from 1 to %d pixels", MaxModuleSize)
	}
	if err := png.Encode(w, &drawing{s, moduleSize}); err != nil {
		return fmt.Errorf("write symbol as PNG: %w", err)
	}
	return nil
}

// drawing is a symbol as an image of two colours, computed as it is read.
type drawing struct {
	*Symbol
	moduleSize int
}

var bilevel = color.Palette{color.White, color.Black}

func (d *drawing) ColorModel() color.Model { return bilevel }

func (d *drawing) Bounds() image.Rectangle {
	side := (d.Size() + 2*QuietZone) * d.moduleSize
	return image.Rect(0, 0, side, side)
}

func (d *drawing) ColorIndexAt(x, y int) uint8 {
	if d.Black(x/d.moduleSize-QuietZone, y/d.moduleSize-QuietZone) {
		return 1
	}
	return 0
}

func (d *drawing) At(x, y int) color.Color { return bilevel[d.ColorIndexAt(x, y)] }

// SVG writes the symbol as an SVG 1.1 image: a light square and one dark path over it, one unit per module in the view
// box. It has no size of its own and fills what it is put into.
func (s *Symbol) SVG(w io.Writer) error {
	b := bufio.NewWriter(w)
	side := s.Size() + 2*QuietZone
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" version="1.1" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, side, side)
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, side, side)
	b.WriteString(s.Path())
	b.WriteString(`"/></svg>` + "\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write symbol as SVG: %w", err)
	}
	return nil
}

// Path returns the dark modules as SVG path data: a rectangle for each run in a row, one unit to a module, with the
// quiet zone around.
func (s *Symbol) Path() string {
	var b strings.Builder
	for y := range s.Size() {
		for x := 0; x < s.Size(); x++ {
			run := 0
			for s.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+QuietZone, y+QuietZone, run, run)
				x += run
			}
		}
	}
	return b.String()
}

// Colours that a terminal's theme does not change: entries 16 and 231 of the 256, black on white.
const (
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	plain        = "\x1b[0m"
)

// halfBlocks are the characters for two modules above one another: both light, upper dark, lower dark, both dark.
var halfBlocks = [4]rune{' ', '▀', '▄', '█'}

// Terminal writes the symbol as lines of half-block characters, two rows of modules in each, for a terminal that knows
// 256 colours and UTF-8. Both colours are set, so that the symbol is dark on light whatever the terminal's theme. It is
// Size + 2*QuietZone columns wide and half as many lines high; wrapped lines make it unreadable.
func (s *Symbol) Terminal(w io.Writer) error {
	b := bufio.NewWriter(w)
	for y := -QuietZone; y < s.Size()+QuietZone; y += 2 {
		b.WriteString(blackOnWhite)
		for x := -QuietZone; x < s.Size()+QuietZone; x++ {
			block := 0
			if s.Black(x, y) {
				block |= 1
			}
			if s.Black(x, y+1) {
				block |= 2
			}
			b.WriteRune(halfBlocks[block])
		}
		b.WriteString(plain + "\n")
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write symbol to the terminal: %w", err)
	}
	return nil
}
