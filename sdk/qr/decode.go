package qr

import (
	"errors"
	"io"
	"iter"
	"slices"
)

// Decode returns the text of the one QR symbol in a picture, a PNG or JPEG: a drawing, a scan or a photograph; turned by
// any angle, in perspective, mirrored, unevenly lit, or light on dark. Bytes are taken for UTF-8.
//
// It reads no more than MaxImageBytes and MaxImagePixels. A photograph of 1280x720 takes about a tenth of a second; the
// worst picture within the limits takes some ten seconds and 1 GB of memory.
//
// Errors: CodeNotAnImage; CodeImageTooLarge; CodeNoCodeFound; CodeSeveralCodes for symbols of different texts, as far as
// they are read at the same scale (one text printed several times is no error); or what r returned.
func Decode(r io.Reader) (string, error) {
	img, err := load(r)
	if err != nil {
		return "", err
	}
	positive := newGray(img)
	for _, negative := range []bool{false, true} {
		for g := range positive.sizes() {
			if negative {
				g = g.invert()
			}
			if text, err := g.read(); !errors.Is(err, errNone) {
				return text, err
			}
		}
	}
	return "", errNone
}

var errNone = errorf(CodeNoCodeFound, "no QR code could be read: take the picture nearer, sharper and in even light")

// The picture is searched at several sizes, so that in one of them a module is some 2 to 8 pixels wide.
const (
	handy        = 1_500_000 // pixels of the size to begin with, at most: a photograph filled by a code is read quickly
	surroundings = 12        // radius of the square with whose mean a pixel is compared, in pixels
	darker       = 95        // percentage of this mean below which it is dark
	minSide      = 21        // of a picture, in pixels: the smallest symbol has 21 modules
)

// sizes yields the picture at the sizes at which to search it, the most promising first: of handy size, two smaller ones
// for large or noisy modules, then larger ones up to its own, and twice that if it is small.
func (g *gray) sizes() iter.Seq[*gray] {
	return func(yield func(*gray) bool) {
		if g.w < minSide || g.h < minSide {
			return
		}
		down, begin := []*gray{g}, 0
		for last := g; last.w >= 2*minSide && last.h >= 2*minSide && len(down) < begin+3; {
			last = last.half()
			down = append(down, last)
			if len(down[begin].pix) > handy {
				begin++
			}
		}
		for _, smaller := range down[begin:] {
			if !yield(smaller) {
				return
			}
		}
		for _, larger := range slices.Backward(down[:begin]) {
			if !yield(larger) {
				return
			}
		}
		if len(g.pix) <= 2*handy {
			yield(g.double())
		}
	}
}

// read returns the text of the one symbol in a picture of one size.
func (g *gray) read() (string, error) {
	text := ""
	var done []outline
	for _, c := range candidates(g.threshold(surroundings, darker).finders()) {
		o, ok := g.outline(c)
		if !ok || overlaps(o, done) {
			continue
		}
		t, ok := g.symbolText(o)
		if !ok {
			continue
		}
		if text != "" && t != text {
			return "", errorf(CodeSeveralCodes, "there are several QR codes in the picture: take a picture of one")
		}
		text = t
		done = append(done, o)
	}
	if text == "" {
		return "", errNone
	}
	return text, nil
}

// overlaps reports whether a corner of a symbol lies within one of others.
func overlaps(o outline, others []outline) bool {
	for _, other := range others {
		if other.contains(o.origin) || other.contains(o.right) || other.contains(o.down) {
			return true
		}
	}
	return false
}

// symbolText returns the text of the symbol in an outline.
func (g *gray) symbolText(o outline) (string, bool) {
	for _, version := range g.versions(o) {
		modules := g.sample(g.grid(o, version))
		if text, err := modules.text(); err == nil {
			return text, true
		}
		if text, err := modules.sharpen().text(); err == nil {
			return text, true
		}
	}
	return "", false
}
