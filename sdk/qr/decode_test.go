package qr_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/credledger/credledger/sdk/qr"
)

// canvas is a white picture on which symbols are drawn pixel by pixel.
func canvas(w, h int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	return img
}

// place draws a symbol with its quiet zone.
func place(img draw.Image, s *qr.Symbol, at image.Point, moduleSize int) {
	side := (s.Size() + 2*qr.QuietZone) * moduleSize
	for y := range side {
		for x := range side {
			c := color.Gray{255}
			if s.Black(x/moduleSize-qr.QuietZone, y/moduleSize-qr.QuietZone) {
				c.Y = 0
			}
			img.Set(at.X+x, at.Y+y, c)
		}
	}
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryModuleSize(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1", reference, selfContained(2300)} {
		symbol := encode(t, text, qr.DefaultLevel(text))
		for _, size := range []int{1, 2, 3, 5, 8, 13, 21, qr.MaxModuleSize} {
			if symbol.Version > 20 && size > 8 {
				break
			}
			got, err := qr.Decode(bytes.NewReader(drawPNG(t, symbol, size)))
			if got != text {
				t.Errorf("version %d with modules of %d pixels: read %d characters: %v", symbol.Version, size, len(got), err)
			}
		}
	}
}

// The same symbol in every kind of picture and position.
func TestKindsOfPictures(t *testing.T) {
	text := selfContained(300)
	symbol := encode(t, text, qr.M)
	side := (symbol.Size() + 2*qr.QuietZone) * 4
	upright := canvas(side, side)
	place(upright, symbol, image.Point{}, 4)
	remap := func(img draw.Image, change func(x, y int, c color.Gray) (int, int, color.Color)) image.Image {
		for y := range side {
			for x := range side {
				nx, ny, c := change(x, y, upright.GrayAt(x, y))
				img.Set(nx, ny, c)
			}
		}
		return img
	}
	whole := image.Rect(0, 0, side, side)
	pictures := map[string][]byte{
		"grey JPEG": jpegOf(t, upright),
		"turned by a right angle": pngOf(t, remap(image.NewGray(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return side - 1 - y, x, c
		})),
		"mirrored": pngOf(t, remap(image.NewGray(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return side - 1 - x, y, c
		})),
		"light on dark": pngOf(t, remap(image.NewGray(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return x, y, color.Gray{255 - c.Y}
		})),
		"transparent": pngOf(t, remap(image.NewNRGBA(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return x, y, color.NRGBA{A: 255 - c.Y}
		})),
		"blue on yellow": pngOf(t, remap(image.NewRGBA(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return x, y, color.RGBA{c.Y, c.Y, 128, 255}
		})),
		"pale, 16 bits": pngOf(t, remap(image.NewGray16(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return x, y, color.Gray16{40_000 + uint16(c.Y)<<6}
		})),
		"coloured JPEG": jpegOf(t, remap(image.NewRGBA(whole), func(x, y int, c color.Gray) (int, int, color.Color) {
			return x, y, color.RGBA{c.Y, 20, 60, 255}
		})),
	}
	for name, picture := range pictures {
		if got, err := qr.Decode(bytes.NewReader(picture)); got != text {
			t.Errorf("%s: read %d characters: %v", name, len(got), err)
		}
	}
	offset := pngOf(t, upright.SubImage(image.Rect(8, 8, side-8, side-8)))
	if got, err := qr.Decode(bytes.NewReader(offset)); got != text {
		t.Errorf("narrow quiet zone: read %d characters: %v", len(got), err)
	}
}

func TestBlotsAreRepaired(t *testing.T) {
	for _, text := range []string{reference, selfContained(1250), selfContained(2300)} {
		symbol := encode(t, text, qr.DefaultLevel(text))
		img := canvas((symbol.Size()+2*qr.QuietZone)*4, (symbol.Size()+2*qr.QuietZone)*4)
		place(img, symbol, image.Point{}, 4)
		blot := symbol.Size() / 8 * 4 // 1.6 % of the symbol
		centre := img.Rect.Dx()/2 + symbol.Size()
		draw.Draw(img, image.Rect(centre, centre, centre+blot, centre+blot), image.Black, image.Point{}, draw.Src)
		if got, err := qr.Decode(bytes.NewReader(pngOf(t, img))); got != text {
			t.Errorf("version %d: read %d characters: %v", symbol.Version, len(got), err)
		}
	}
}

func TestSeveralCodes(t *testing.T) {
	t.Parallel()
	first, second, long := encode(t, reference, qr.M), encode(t, reference[1:], qr.M), encode(t, selfContained(740), qr.M)
	for _, c := range []struct {
		name  string
		a, b  *qr.Symbol
		sizeB int
		code  string
	}{
		{"two texts", first, second, 4, qr.CodeSeveralCodes},
		{"two versions", first, long, 4, qr.CodeSeveralCodes},
		{"two sizes", first, second, 7, qr.CodeSeveralCodes},
		{"one text twice", first, first, 4, ""},
	} {
		img := canvas(1000, 500)
		place(img, c.a, image.Point{}, 4)
		place(img, c.b, image.Pt(400, 30), c.sizeB)
		for format, picture := range map[string][]byte{"PNG": pngOf(t, img), "JPEG": jpegOf(t, img)} {
			got, err := qr.Decode(bytes.NewReader(picture))
			if c.code != "" {
				wantCode(t, err, c.code)
			} else if got != reference {
				t.Errorf("%s, %s: read %d characters: %v", c.name, format, len(got), err)
			}
		}
	}
}

// header returns the beginning of a PNG file of that size, which its data does not bear out.
func header(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 6, 0, 0, 0) // eight bits a sample, RGBA
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	return binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
}

// frame is the beginning of a JPEG file of 65535x65535 pixels.
const frame = "\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	symbol := drawPNG(t, encode(t, reference, qr.M), 4)
	photo := jpegOf(t, canvas(200, 200))
	random := rand.New(rand.NewPCG(1, 1))
	noise, stripes, targets := canvas(400, 300), canvas(400, 300), canvas(400, 300)
	for i := range noise.Pix {
		x, y := i%400, i/400
		noise.Pix[i] = uint8(random.IntN(256))
		stripes.Pix[i] = uint8(255 * (x / 5 % 2))
		if ring := max(abs(x%27-13), abs(y%27-13)) / 3; ring != 2 && ring != 4 { // finder patterns everywhere
			targets.Pix[i] = 0
		}
	}
	var animation bytes.Buffer
	if err := gif.Encode(&animation, noise, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		picture []byte
		code    string
	}{
		{"nothing", nil, qr.CodeNotAnImage},
		{"a text", []byte(reference), qr.CodeNotAnImage},
		{"a GIF", animation.Bytes(), qr.CodeNotAnImage},
		{"the first byte of a JPEG", []byte("\xff"), qr.CodeNotAnImage},
		{"a PNG's signature", symbol[:8], qr.CodeNotAnImage},
		{"half a PNG", symbol[:len(symbol)/2], qr.CodeNotAnImage},
		{"a PNG with a wrong byte", append(bytes.Clone(symbol[:60]), append([]byte{symbol[60] ^ 1}, symbol[61:]...)...), qr.CodeNotAnImage},
		{"half a JPEG", photo[:len(photo)/2], qr.CodeNotAnImage},
		{"a PNG without pixels", header(0, 0), qr.CodeNotAnImage},
		{"a PNG without data", header(7000, 7000), qr.CodeNotAnImage},
		{"a huge PNG", header(100_000, 100_000), qr.CodeImageTooLarge},
		{"a PNG larger than numbers", header(1<<31-1, 1<<31-1), qr.CodeNotAnImage},
		{"a huge JPEG", []byte(frame), qr.CodeImageTooLarge},
		{"a PNG just too large", header(50_000_001, 1), qr.CodeImageTooLarge},
		{"white paper", pngOf(t, canvas(400, 300)), qr.CodeNoCodeFound},
		{"a pixel", pngOf(t, canvas(1, 1)), qr.CodeNoCodeFound},
		{"a line", pngOf(t, canvas(100_000, 1)), qr.CodeNoCodeFound},
		{"a strip", pngOf(t, canvas(21, 10_000)), qr.CodeNoCodeFound},
		{"noise", pngOf(t, noise), qr.CodeNoCodeFound},
		{"stripes", pngOf(t, stripes), qr.CodeNoCodeFound},
		{"finder patterns", pngOf(t, targets), qr.CodeNoCodeFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := qr.Decode(bytes.NewReader(c.picture))
			wantCode(t, err, c.code)
		})
	}
}

func abs(n int) int { return max(n, -n) }

// endless delivers a PNG signature and then zeros, and counts.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	if e.read == 0 {
		copy(p, "\x89PNG\r\n\x1a\n")
	}
	e.read += len(p)
	return len(p), nil
}

func TestDecodeStopsReading(t *testing.T) {
	source := &endless{}
	_, err := qr.Decode(source)
	wantCode(t, err, qr.CodeImageTooLarge)
	if source.read > qr.MaxImageBytes+64<<10 {
		t.Errorf("%d bytes were read", source.read)
	}
}

func TestDecodeReturnsTheReadersError(t *testing.T) {
	broken := errors.New("connection reset")
	if _, err := qr.Decode(io.MultiReader(bytes.NewReader(header(9, 9)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// Whatever part of a picture is missing, the answer is an error and not a panic or part of the text.
func TestTruncatedPictures(t *testing.T) {
	symbol := drawPNG(t, encode(t, reference, qr.M), 4)
	for n := 0; n < len(symbol)-12; n += 7 { // the last chunk holds nothing
		_, err := qr.Decode(bytes.NewReader(symbol[:n]))
		if err == nil {
			t.Fatalf("the first %d of %d bytes were read", n, len(symbol))
		}
		wantCode(t, err, qr.CodeNotAnImage)
	}
}

func FuzzDecode(f *testing.F) {
	symbol := encode(f, "HTTPS://CHECK.EXAMPLE/#7$A*", qr.M)
	small := canvas(60, 60)
	place(small, symbol, image.Point{}, 1)
	f.Add(drawPNG(f, symbol, 1))
	f.Add(drawPNG(f, symbol, 3))
	f.Add(jpegOf(f, small))
	f.Add(header(40, 40))
	f.Add([]byte(frame))
	f.Fuzz(func(t *testing.T, picture []byte) {
		text, err := qr.Decode(bytes.NewReader(picture))
		var known *qr.Error
		if err == nil && text == "" || err != nil && (text != "" || !errors.As(err, &known)) {
			t.Errorf("%q, %v", text, err)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("HTTPS://CHECK.EXAMPLE/#7$A*", uint8(1), uint8(4))
	f.Add("证照 0123456789", uint8(0), uint8(2))
	f.Add("\x00\x7f%", uint8(3), uint8(9))
	f.Fuzz(func(t *testing.T, text string, level, size uint8) {
		symbol, err := qr.Encode(text, qr.Level(level%4))
		if err != nil {
			var known *qr.Error
			if !errors.As(err, &known) {
				t.Fatal(err)
			}
			return
		}
		moduleSize := 1 + int(size)%8
		if got, err := qr.Decode(bytes.NewReader(drawPNG(t, symbol, moduleSize))); got != text {
			t.Errorf("version %d, modules of %d pixels: read %q, want %q: %v", symbol.Version, moduleSize, got, text, err)
		}
	})
}

func ExampleDecode() {
	symbol, _ := qr.Encode("HTTPS://CHECK.EXAMPLE/#7$A*", qr.M)
	var picture bytes.Buffer
	_ = symbol.PNG(&picture, 4)
	text, _ := qr.Decode(&picture)
	fmt.Println(text)
	// Output: HTTPS://CHECK.EXAMPLE/#7$A*
}
