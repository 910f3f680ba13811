package paper

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The files of the faces, made by faces/generate.go. Their licences are beside them.
var (
	//go:embed faces/han.ttf.gz
	hanFile []byte
	//go:embed faces/latin.ttf.gz
	latinFile []byte
	//go:embed faces/rare.gz
	rareFile []byte
)

// A face is what draws a character.
type face int

const (
	noFace face = iota
	latin
	han
	rare // by its outline, not as text
)

// em is the side of the square that sizes of type refer to, in units of width.
const em = 1000

// A typeface is a TrueType font.
type typeface struct {
	file []byte
	font *sfnt.Font
}

// faces are the faces; loading them takes 50 milliseconds, once.
var faces = sync.OnceValue(func() *allFaces {
	f := &allFaces{han: newTypeface(hanFile), latin: newTypeface(latinFile), rare: readOutlines(unpacked(rareFile))}
	f.buffers.New = func() any { return new(sfnt.Buffer) }
	return f
})

type allFaces struct {
	han, latin typeface
	rare       map[rune]outline
	buffers    sync.Pool
}

// unpacked and newTypeface read files that are part of the program: that they can be read is for its tests.
func unpacked(b []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(r)
	return out
}

func newTypeface(packed []byte) typeface {
	t := typeface{file: unpacked(packed)}
	if f, err := sfnt.Parse(t.file); err == nil {
		t.font = f
	}
	return t
}

// scripts are those whose letters stand side by side, each with one form.
var scripts = []*unicode.RangeTable{
	unicode.Common, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Han, unicode.Bopomofo, unicode.Hiragana, unicode.Katakana,
}

// of returns the face that draws a character, and the character's width; noFace if none does. Letters and
// signs of other scripts than the Chinese are taken from the Latin face where both have them.
func (f *allFaces) of(r rune) (face, int) {
	if !unicode.IsPrint(r) && r != '\u3000' || r == utf8.RuneError || !unicode.In(r, scripts...) {
		return noFace, 0
	}
	if r < 0x2e80 {
		if w, ok := f.width(f.latin, r); ok {
			return latin, w
		}
	}
	if w, ok := f.width(f.han, r); ok {
		return han, w
	}
	if w, ok := f.width(f.latin, r); ok {
		return latin, w
	}
	if _, ok := f.rare[r]; ok {
		return rare, em
	}
	return noFace, 0
}

// width returns the width of a character in a typeface; false if it has none.
func (f *allFaces) width(t typeface, r rune) (int, bool) {
	if r > 0xffff { // a character outside the Basic Multilingual Plane cannot be written to the page as text
		return 0, false
	}
	buffer := f.buffers.Get().(*sfnt.Buffer)
	defer f.buffers.Put(buffer)
	glyph, err := t.font.GlyphIndex(buffer, r)
	if err != nil || glyph == 0 {
		return 0, false
	}
	advance, err := t.font.GlyphAdvance(buffer, glyph, fixed.I(em), font.HintingNone)
	if err != nil {
		return 0, false
	}
	return advance.Round(), true
}
