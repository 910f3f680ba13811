package qr

import (
	"fmt"
	"unicode/utf8"

	"rsc.io/qr/coding"
)

// Level is the error-correction level of a symbol (ISO/IEC 18004, 7.5): how much damage a reader can repair.
type Level int

// The levels, with the share of a symbol's codewords that may be wrong.
const (
	L Level = iota // 7 %
	M              // 15 %
	Q              // 25 %
	H              // 30 %
)

// String returns the level's letter.
func (l Level) String() string { return coding.Level(l).String() }

// Symbol is a QR symbol: a square of dark and light modules.
type Symbol struct {
	// Version is the symbol's size class, 1 to 40.
	Version int
	// Level is its error-correction level.
	Level Level

	code *coding.Code
}

// QuietZone is the width in modules of the light margin that every drawing has on each side (ISO/IEC 18004, 6.3.8).
const QuietZone = 4

// Size returns the number of modules on a side without the quiet zone: 17 + 4*Version.
func (s *Symbol) Size() int { return s.code.Size }

// Black reports whether the module in column x and row y, counted from the top left, is dark. What lies outside is light.
func (s *Symbol) Black(x, y int) bool { return s.code.Black(x, y) }

// Encode makes the smallest symbol of a level that holds a text. Each stretch of the text is written in the mode that
// makes the whole shortest: digits, the 45 letters of alphanumeric mode, or bytes of UTF-8. The mask is the one with
// the lowest penalty. The same text and level always give the same symbol.
//
// Errors: CodeBadText for an empty text or one that is not UTF-8, CodeTooLong (with Fits) for one that no symbol of the
// level holds, CodeBadLevel.
func Encode(text string, level Level) (*Symbol, error) {
	if level < L || level > H {
		return nil, errorf(CodeBadLevel, "choose error-correction level L, M, Q or H")
	}
	if text == "" || !utf8.ValidString(text) {
		return nil, errorf(CodeBadText, "give a text in UTF-8 that is not empty")
	}
	version, p := smallest(text, level)
	if version == 0 {
		fits := p.fits(capacity(coding.MaxVersion, level))
		err := errorf(CodeTooLong, "the text is too long for one symbol of level %v: shorten it to %d characters", level, fits)
		err.Fits = fits
		return nil, err
	}
	return layOut(p.segments(), version, level)
}

// halfMillimetre is the largest version whose modules, with the quiet zone, are half a millimetre on a print of 5 cm.
const halfMillimetre = 18

// DefaultLevel returns the level to use for a text: M as long as the symbol then has no more than version 18 (some 800
// letters of alphanumeric mode), L for what is longer.
//
// A level buys repair of damage with smaller modules. On a print of 5 cm a module of version 18 is half a millimetre,
// large for any camera and printer, so a short text can afford to have more damage repaired. Of 2,300 letters level L
// makes version 29 with modules of 0.35 mm and level M version 33 with 0.32 mm; there the size of a module is what stops
// printers and cameras first. In photographs zbar needs some 2.7 pixels to a module, this package 1.8.
func DefaultLevel(text string) Level {
	if version, _ := smallest(text, M); version > 0 && version <= halfMillimetre {
		return M
	}
	return L
}

// smallest returns the smallest version that holds a text, 0 if none does, and the plan for it.
func smallest(text string, level Level) (version int, p *plan) {
	if len(text) > maxDigits {
		return 0, newPlan(text[:maxDigits], len(sizeClasses)-1)
	}
	version = coding.MinVersion
	for class, last := range sizeClasses {
		p = newPlan(text, class)
		for ; version <= last; version++ {
			if p.length() <= capacity(version, level) {
				return version, p
			}
		}
	}
	return 0, p
}

// capacity returns the number of bits that the segments of a symbol may have.
func capacity(version int, level Level) int {
	return 8 * coding.Version(version).DataBytes(coding.Level(level))
}

// layOut lays the segments out with each of the eight masks and keeps the symbol that is easiest to read.
func layOut(segments []coding.Encoding, version int, level Level) (*Symbol, error) {
	var best *coding.Code
	lowest := 0
	for mask := coding.Mask(0); mask < 8; mask++ {
		blank, err := coding.NewPlan(coding.Version(version), coding.Level(level), mask)
		if err != nil {
			return nil, fmt.Errorf("lay out version %d: %w", version, err)
		}
		code, err := blank.Encode(segments...)
		if err != nil {
			return nil, fmt.Errorf("fill version %d: %w", version, err)
		}
		if score := penalty(code); best == nil || score < lowest {
			best, lowest = code, score
		}
	}
	return &Symbol{Version: version, Level: level, code: best}, nil
}
