package paper

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// gbk calls f with every character of a range of rows of GBK.
func gbk(t *testing.T, firstRow, lastRow, firstCell int, f func(r rune)) {
	t.Helper()
	d := simplifiedchinese.GBK.NewDecoder()
	for row := firstRow; row <= lastRow; row++ {
		for cell := firstCell; cell <= 0xfe; cell++ {
			b, err := d.Bytes([]byte{byte(row), byte(cell)})
			r := []rune(string(b))
			if err == nil && len(r) == 1 && r[0] != 0xfffd && !unicode.Is(unicode.Co, r[0]) && !unicode.Is(unicode.Radical, r[0]) {
				f(r[0])
			}
		}
	}
}

// TestCharacters makes sure that what Chinese licences are written in is drawn, and not as a blank.
func TestCharacters(t *testing.T) {
	f := faces()
	if f.han.font == nil || f.latin.font == nil {
		t.Fatal("a typeface is damaged")
	}
	var buffer sfnt.Buffer
	drawn := func(r rune) bool {
		var typeface typeface
		switch face, _ := f.of(r); face {
		case rare:
			return len(f.rare[r]) > 0
		case latin:
			typeface = f.latin
		case han:
			typeface = f.han
		default:
			return false
		}
		glyph, err := typeface.font.GlyphIndex(&buffer, r)
		if err != nil {
			return false
		}
		segments, err := typeface.font.LoadGlyph(&buffer, glyph, fixed.I(em), nil)
		return err == nil && len(segments) > 0
	}
	count := map[string]int{}
	check := func(name string) func(r rune) {
		return func(r rune) {
			if count[name]++; !drawn(r) && r != '\u3000' {
				t.Errorf("%s: %U is not drawn", name, r)
			}
		}
	}
	gbk(t, 0xb0, 0xf7, 0xa1, check("GB/T 2312, Han"))
	gbk(t, 0xa1, 0xa9, 0xa1, check("GB/T 2312, others"))
	gbk(t, 0x81, 0xa0, 0x40, check("GBK/3"))
	gbk(t, 0xaa, 0xfe, 0x40, check("GBK/4"))
	for r := rune(0x20); r < 0x180; r++ {
		if r < 0x7f || r > 0xa0 && r != 0xad {
			if r != ' ' {
				check("Latin")(r)
			}
		}
	}
	for r := rune(0x3400); r <= 0x4db5; r++ {
		check("Extension A")(r)
	}
	for r := rune(0x4e00); r <= 0x9fa5; r++ {
		check("Unified Ideographs")(r)
	}
	for _, r := range "·—“”‘’…℃㎡²³×°№①⑩Ⅳ￥〇々" + "𠳐𥻗𬉼𩽾𩾌𬶨𬍛𫍽𬀩鿍𫖯𬭎𬬭𬭶𬭛𬭳鿔𬕂𬘭𫟦𬸚" {
		check("others")(r)
	}
	for name, want := range map[string]int{"GB/T 2312, Han": 6763, "Unified Ideographs": 20902, "Extension A": 6582} {
		if count[name] != want {
			t.Errorf("%s has %d characters, want %d", name, count[name], want)
		}
	}
	if n := len(f.rare); n < 2400 {
		t.Errorf("only %d outlines", n)
	}
}

// A record is a pen that keeps where it goes.
type record struct {
	left, top, right, bottom float64
	open, contours           int
}

func (r *record) at(x, y float64) {
	r.left, r.right = min(r.left, x), max(r.right, x)
	r.top, r.bottom = min(r.top, y), max(r.bottom, y)
}
func (r *record) MoveTo(x, y float64) { r.at(x, y); r.open++ }
func (r *record) LineTo(x, y float64) { r.at(x, y) }
func (r *record) CurveBezierCubicTo(ax, ay, bx, by, x, y float64) {
	r.at(ax, ay)
	r.at(bx, by)
	r.at(x, y)
}
func (r *record) ClosePath() { r.open--; r.contours++ }

// TestOutlines draws all outlines: none leaves its square by much, and each contour is closed.
func TestOutlines(t *testing.T) {
	for r, o := range faces().rare {
		pen := &record{left: em, right: -em, top: em, bottom: -em}
		o.draw(pen, 0, 0, em)
		if pen.open != 0 || pen.contours == 0 || pen.left < -100 || pen.right > 1100 || pen.top < -1000 || pen.bottom > 250 {
			t.Errorf("%U: %+v", r, *pen)
		}
	}
}

// FuzzOutlines reads what is no list of outlines, and draws what it finds.
func FuzzOutlines(f *testing.F) {
	file := unpacked(rareFile)
	f.Add(file[:2000])
	f.Add([]byte{})
	f.Add(binary.AppendUvarint([]byte{1}, 1<<63))
	f.Add([]byte{1, 3, 'M', 1, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, o := range readOutlines(b) {
			o.draw(new(record), 0, 0, em)
		}
	})
}

// TestTextIsRead has characters of all faces read from a page, among them all whose code has a byte that means
// something to readers of PDF: what is drawn can be copied, searched and read out.
func TestTextIsRead(t *testing.T) {
	f := faces()
	var all strings.Builder
	for r := rune('!'); r < 0x30000; r++ {
		face, _ := f.of(r)
		if face != noFace && (r%23 == 0 || r < 0x10000 && bytes.ContainsAny([]byte{byte(r >> 8), byte(r)}, "\r\n\t()<>[]%/\\") && r%4 == 1) {
			all.WriteRune(r)
		}
	}
	l := &layout{Sheet: &Sheet{Language: Chinese}, style: normal, faces: f}
	l.nextPage()
	l.flow(all.String(), margin, 2, false)
	file, err := draw("x", Chinese, time.Unix(0, 0), l.pages)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "all.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext is needed as an independent reader: %v", err)
	}
	read := map[rune]bool{}
	for _, r := range string(bytes.ToValidUTF8(out, nil)) {
		read[r] = true
	}
	missing := 0
	for _, r := range all.String() {
		if !read[r] {
			missing++
			t.Logf("%U", r)
		}
	}
	if missing > 0 {
		t.Errorf("%d characters are not read from the page", missing)
	}
}
