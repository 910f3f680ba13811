package qr

import (
	"bytes"
	"strings"
	"testing"

	"rsc.io/qr/coding"
)

// modulesOf returns a symbol as Decode samples it from a perfect picture.
func modulesOf(code *coding.Code) *gray {
	g := &gray{w: code.Size, h: code.Size, pix: make([]uint8, code.Size*code.Size)}
	for i := range g.pix {
		if !code.Black(i%code.Size, i/code.Size) {
			g.pix[i] = 255
		}
	}
	return g
}

// The two libraries, one that draws and one that reads, agree on the layout of every version.
func TestEveryVersion(t *testing.T) {
	t.Parallel()
	for version := 1; version <= 40; version++ {
		for _, level := range []Level{L, Level(version % 4)} {
			full := (capacity(version, level) - headerBits[2][alphanumeric]) * 2 / 11
			text := strings.Repeat("A1$*+-./:Z", full/10+1)[:full]
			s, err := Encode(text, level)
			if err != nil {
				t.Fatal(err)
			}
			if s.Version != version {
				t.Errorf("%d characters at level %v: version %d, want %d", full, level, s.Version, version)
			}
			if got, err := modulesOf(s.code).text(); got != text {
				t.Errorf("version %d, level %v: read %d characters: %v", version, level, len(got), err)
			}
		}
	}
}

// part is the header of a symbol that holds the second of three parts of a text (ISO/IEC 18004, 8).
type part struct{}

func (part) Check() error            { return nil }
func (part) Bits(coding.Version) int { return 20 }
func (part) Encode(b *coding.Bits, _ coding.Version) {
	b.Write(3, 4)
	b.Write(1<<4|2, 8)
	b.Write(0x5a, 8)
}

func TestPartOfATextIsNotReturned(t *testing.T) {
	blank, err := coding.NewPlan(2, coding.M, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		segments []coding.Encoding
		ok       bool
	}{
		{[]coding.Encoding{coding.Alpha("WHOLE")}, true},
		{[]coding.Encoding{part{}, coding.Alpha("PART")}, false},
		{nil, false},
	} {
		code, err := blank.Encode(c.segments...)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := modulesOf(code).text(); (err == nil) != c.ok {
			t.Errorf("%v: read %q, %v", c.segments, text, err)
		}
	}
}

func TestTextOfDamagedModules(t *testing.T) {
	s, err := Encode(strings.Repeat("A1$*", 100), M)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		side int
		ok   bool
	}{{0, true}, {12, true}, {40, false}} {
		g := modulesOf(s.code)
		for y := range c.side {
			for x := range c.side {
				g.pix[(20+y)*g.w+20+x] = 255
			}
		}
		if _, err := g.text(); (err == nil) != c.ok {
			t.Errorf("a blot of %d modules: %v", c.side, err)
		}
	}
}

// raw is any data bits, as an ill-meaning author of a symbol may choose them.
type raw []byte

func (raw) Check() error              { return nil }
func (r raw) Bits(coding.Version) int { return 8 * len(r) }
func (r raw) Encode(b *coding.Bits, _ coding.Version) {
	for _, v := range r {
		b.Write(uint(v), 8)
	}
}

// FuzzSegments decodes symbols without a damaged module whose data are anything.
func FuzzSegments(f *testing.F) {
	f.Add([]byte{0x20, 0x0b, 0x0b, 0x78}) // alphanumeric mode
	f.Add([]byte{0x40, 0x16, 0x10})       // byte mode
	f.Add([]byte{0x71, 0xa4, 0x02, 0x4e}) // an ECI
	f.Add([]byte{0x80, 0x4f, 0xff})       // kanji mode
	f.Add([]byte{0xd1, 0x04, 0xff, 0xff}) // hanzi mode
	blank, err := coding.NewPlan(4, coding.L, 3)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		code, err := blank.Encode(raw(data[:min(len(data), blank.DataBytes)]))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := modulesOf(code).text(); (err == nil) != (text != "") {
			t.Errorf("%q, %v", text, err)
		}
	})
}

// FuzzPixels reads pictures whose pixels are anything.
func FuzzPixels(f *testing.F) {
	s, err := Encode("HTTPS://CHECK.EXAMPLE/#7$A*", M)
	if err != nil {
		f.Fatal(err)
	}
	side := s.Size() + 2*QuietZone
	picture := bytes.Repeat([]byte{255}, 4*side*side)
	for i := range picture {
		if s.Black(i%(2*side)/2-QuietZone, i/(2*side)/2-QuietZone) {
			picture[i] = 0
		}
	}
	f.Add(uint8(2*side), picture)
	f.Add(uint8(30), bytes.Repeat([]byte{0, 200}, 500))
	f.Fuzz(func(t *testing.T, width uint8, pix []byte) {
		w := max(1, int(width))
		g := &gray{w: w, h: len(pix) / w, pix: pix[:len(pix)/w*w]}
		for size := range g.sizes() {
			if text, err := size.read(); (err == nil) != (text != "") {
				t.Errorf("%q, %v", text, err)
			}
		}
	})
}
