//go:build ignore

// Generate makes the files of the faces that package paper draws with:
//
//	go run generate.go DroidSansFallbackFull.ttf DejaVuSans.ttf NotoSansCJK-Regular.ttc
//
// The files are those of Debian 12's packages fonts-droid-fallback, fonts-dejavu-core and fonts-noto-cjk. The
// first two are compressed and not changed. Of the third it takes the outlines, in the forms of mainland
// China, of the Han characters and of the symbols of GB/T 2312 that the first two do not have.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"log"
	"os"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const em = 1000 // units of an outline

func main() {
	if len(os.Args) != 4 {
		log.Fatal("name the three files")
	}
	var others []*sfnt.Font
	for i, name := range []string{"han.ttf.gz", "latin.ttf.gz"} {
		file, err := os.ReadFile(os.Args[1+i])
		check(err)
		f, err := sfnt.Parse(file)
		check(err)
		others = append(others, f)
		write(name, file)
	}
	file, err := os.ReadFile(os.Args[3])
	check(err)
	collection, err := sfnt.ParseCollection(file)
	check(err)
	write("rare.gz", outlines(simplified(collection), others))
}

// simplified returns the font of a collection that has the forms of mainland China.
func simplified(c *sfnt.Collection) *sfnt.Font {
	for i := range c.NumFonts() {
		f, err := c.Font(i)
		check(err)
		if name, _ := f.Name(nil, sfnt.NameIDFull); name == "Noto Sans CJK SC" {
			return f
		}
	}
	log.Fatal("there is no Noto Sans CJK SC in the collection")
	return nil
}

// outlines writes for each character: the difference to the one before, the length of its outline in bytes,
// and the outline. An outline is a sequence of steps, each a letter and its points, of which each is two
// differences to the point before: M 1 point, L 1, C 3. A contour is closed where the next begins.
func outlines(from *sfnt.Font, others []*sfnt.Font) []byte {
	var out []byte
	var buffer sfnt.Buffer
	last := rune(0)
	for r := rune(0x2000); r < 0x40000; r++ {
		if !wanted(r) || has(&buffer, others[0], r) || has(&buffer, others[1], r) || !has(&buffer, from, r) {
			continue
		}
		glyph, err := from.GlyphIndex(&buffer, r)
		check(err)
		advance, err := from.GlyphAdvance(&buffer, glyph, fixed.I(em), font.HintingNone)
		check(err)
		if advance != fixed.I(em) {
			log.Fatalf("%U is not one em wide", r)
		}
		segments, err := from.LoadGlyph(&buffer, glyph, fixed.I(em), nil)
		check(err)
		outline := encode(segments)
		out = binary.AppendUvarint(out, uint64(r-last))
		out = binary.AppendUvarint(out, uint64(len(outline)))
		out = append(out, outline...)
		last = r
	}
	return out
}

// wanted reports whether a character is a Han character, or a symbol of GB/T 2312 as far as GBK has it.
func wanted(r rune) bool {
	if unicode.Is(unicode.Ideographic, r) {
		return true
	}
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
	return err == nil && len(b) == 2 && b[0] >= 0xa1 && b[0] <= 0xa9 && b[1] >= 0xa1
}

// has reports whether a font draws something for a character.
func has(buffer *sfnt.Buffer, f *sfnt.Font, r rune) bool {
	glyph, err := f.GlyphIndex(buffer, r)
	if err != nil || glyph == 0 {
		return false
	}
	segments, err := f.LoadGlyph(buffer, glyph, fixed.I(em), nil)
	return err == nil && len(segments) > 0
}

func encode(segments sfnt.Segments) []byte {
	var out []byte
	var at fixed.Point26_6
	point := func(p fixed.Point26_6) {
		out = binary.AppendVarint(out, int64((p.X-at.X)>>6))
		out = binary.AppendVarint(out, int64((p.Y-at.Y)>>6))
		at = p
	}
	for _, s := range segments {
		points := 1
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			out = append(out, 'M')
		case sfnt.SegmentOpLineTo:
			out = append(out, 'L')
		case sfnt.SegmentOpCubeTo:
			out = append(out, 'C')
			points = 3
		default:
			log.Fatal("the outlines are not cubic")
		}
		for _, p := range s.Args[:points] {
			if p.X&63 != 0 || p.Y&63 != 0 {
				log.Fatal("the outlines are not in whole units")
			}
			point(p)
		}
	}
	return out
}

func write(name string, content []byte) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	check(err)
	_, err = w.Write(content)
	check(err)
	check(w.Close())
	check(os.WriteFile(name, b.Bytes(), 0o644))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
