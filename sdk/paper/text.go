package paper

import (
	"strings"
)

// A run is text that one face draws.
type run struct {
	face  face
	text  string
	width int // in thousandths of the size of the type
}

// A line is a line of text.
type line []run

func (l line) width() (sum int) {
	for _, r := range l {
		sum += r.width
	}
	return sum
}

// A glyph is a character with what draws it.
type glyph struct {
	character rune
	face      face
	width     int
}

// Characters that do not begin a line, those that do not end one, and those that an address is broken after.
const (
	notFirst = "、。，．,.;:?!)]}；：？！）］｝」』】》〉〕”’…—·～%‰°℃"
	notLast  = "([{（［｛「『【《〈〔“‘"

	afterThese = "/.,-_@?&="
)

// wide reports whether a character is set in a square of its own, so that a line may end on either side.
func (g glyph) wide() bool { return g.character >= 0x2e80 }

// mayEnd reports whether a line may end between two characters.
func mayEnd(before, after glyph) bool {
	switch {
	case before.character == ' ':
		return after.character != ' '
	case after.character == ' ', strings.ContainsRune(notFirst, after.character), strings.ContainsRune(notLast, before.character):
		return false
	}
	return before.wide() || after.wide()
}

// lines breaks a text into lines of a width, in thousandths of the size of the type: where words end,
// between Chinese characters, and anywhere where there is no such place. Every line of the text begins one.
func (f *allFaces) lines(text string, width int) []line {
	var out []line
	for paragraph := range strings.SplitSeq(text, "\n") {
		glyphs := f.glyphs(paragraph)
		for {
			n := fitting(glyphs, width)
			out = append(out, runs(trimmed(glyphs[:n])))
			if glyphs = glyphs[n:]; len(glyphs) == 0 {
				break
			}
		}
	}
	return out
}

func (f *allFaces) glyphs(text string) []glyph {
	glyphs := make([]glyph, 0, len(text))
	for _, r := range text {
		face, width := f.of(r)
		glyphs = append(glyphs, glyph{r, face, width})
	}
	return glyphs
}

// fitting returns how many glyphs go on a line: at least one, if there are any. Spaces at its end do not
// count. A word that is longer than a line ends after one of afterThese if it has one, else anywhere.
func fitting(glyphs []glyph, width int) int {
	place, within, sum := 0, 0, 0
	for i, g := range glyphs {
		if i > 0 && mayEnd(glyphs[i-1], g) {
			place = i
		} else if i > 0 && strings.ContainsRune(afterThese, glyphs[i-1].character) {
			within = i
		}
		if sum += g.width; sum > width && g.character != ' ' && i > 0 {
			switch {
			case place > 0:
				return place
			case within > 0:
				return within
			}
			return i
		}
	}
	return len(glyphs)
}

func trimmed(glyphs []glyph) []glyph {
	for len(glyphs) > 0 && glyphs[len(glyphs)-1].character == ' ' {
		glyphs = glyphs[:len(glyphs)-1]
	}
	return glyphs
}

// runs puts the glyphs together that one face draws; an outline stands alone.
func runs(glyphs []glyph) line {
	var out line
	for _, g := range glyphs {
		if n := len(out) - 1; n >= 0 && out[n].face == g.face && g.face != rare {
			out[n].text += string(g.character)
			out[n].width += g.width
			continue
		}
		out = append(out, run{g.face, string(g.character), g.width})
	}
	return out
}

// draws reports whether every character of a text is drawn by a face.
func (f *allFaces) draws(text string) bool {
	for _, r := range text {
		if face, _ := f.of(r); face == noFace && r != '\n' {
			return false
		}
	}
	return true
}
