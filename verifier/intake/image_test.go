package intake

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/qr"
)

// pngHeader returns the beginning of a PNG of a size.
func pngHeader(width, height uint32) []byte {
	chunk := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)...)
	chunk = append(chunk, 8, 0, 0, 0, 0)
	out := binary.BigEndian.AppendUint32(bytes.Clone(pngStart), uint32(len(chunk)-4))
	return binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
}

// jpegOf returns a JPEG of a size that shows nothing.
func jpegOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// onGround returns a JPEG of a size with a symbol in its middle, with modules of so many pixels.
func onGround(t testing.TB, s *qr.Symbol, width, height, module int) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, width, height))
	left, top := (width-s.Size()*module)/2, (height-s.Size()*module)/2
	for i := range picture.Pix {
		x, y := i%width-left, i/width-top
		if x < 0 || y < 0 || !s.Black(x/module, y/module) {
			picture.Pix[i] = 200
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// withScans returns a JPEG with its scan several times.
func withScans(picture []byte, n int) []byte {
	at := bytes.LastIndex(picture, []byte("\xff\xda"))
	head, scan := picture[:at], picture[at:len(picture)-2]
	return append(append(bytes.Clone(head), bytes.Repeat(scan, n)...), 0xff, 0xd9)
}

func TestBombs(t *testing.T) {
	plain := jpegOf(t, 64, 64)
	huge := bytes.Clone(plain)
	frame := bytes.Index(huge, []byte("\xff\xc0"))
	binary.BigEndian.PutUint16(huge[frame+5:], 0xffff)
	binary.BigEndian.PutUint16(huge[frame+7:], 0xffff)
	for name, c := range map[string]struct {
		picture []byte
		code    string
	}{
		"PNG of 10^10 pixels":        {pngHeader(100_000, 100_000), qr.CodeImageTooLarge},
		"PNG of 2^62 pixels":         {pngHeader(1<<31-1, 1<<31-1), qr.CodeNotAnImage},
		"PNG just too large":         {pngHeader(MaxPixels/3000+1, 3000), qr.CodeImageTooLarge},
		"PNG of the largest size":    {pngHeader(MaxPixels/3000, 3000), qr.CodeNotAnImage}, // it ends there
		"PNG without a width":        {pngHeader(0, 1), qr.CodeNotAnImage},
		"PNG that is cut":            {pngStart, qr.CodeNotAnImage},
		"JPEG of 4 billion pixels":   {huge, qr.CodeImageTooLarge},
		"JPEG of many scans":         {withScans(plain, maxScans+1), CodeBomb},
		"JPEG of as many as allowed": {withScans(plain, maxScans), qr.CodeNoCodeFound},
		"JPEG that is cut":           {plain[:frame+4], qr.CodeNotAnImage},
		"JPEG of nothing":            {plain, qr.CodeNoCodeFound},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			result, err := NewReader(1).Read(t.Context(), Input{Image: c.picture})
			if Code(err) != c.code && (c.code != qr.CodeNoCodeFound || Code(err) != qr.CodeNotAnImage) {
				t.Fatalf("%+v, %v; want %s", result, err, c.code)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestScansArePicturesOwn counts what a decoder would draw, not what lies in previews and after the end.
func TestScansArePicturesOwn(t *testing.T) {
	photo := onGround(t, symbol(t, "https://h/r/"+token), 400, 300, 4)
	preview := jpegOf(t, 16, 16)
	segment := append([]byte{0xff, 0xe1, 0, 0}, bytes.Repeat(preview, 100)...)
	binary.BigEndian.PutUint16(segment[2:], uint16(len(segment)-2))
	with := append(bytes.Clone(photo[:2]), segment...)
	with = append(with, photo[2:]...)
	with = append(with, bytes.Repeat([]byte("\xff\xda\x00\x02"), 2*maxScans)...)
	if n := scans(with); n != 1 {
		t.Fatalf("%d scans", n)
	}
	result, err := NewReader(1).Read(t.Context(), Input{Image: with})
	if err != nil || result.Reference != token {
		t.Fatalf("%+v, %v", result, err)
	}
	for _, b := range [][]byte{nil, {0xff}, {0xff, 0xd8}, {0xff, 0xd8, 0xff}, {0xff, 0xd8, 0xff, 0xda}, {0xff, 0xd8, 0xff, 0xda, 0, 0, 0xff, 0xda}} {
		scans(b)
	}
}

// TestPhoneSize reads the picture of a phone at its full size.
func TestPhoneSize(t *testing.T) {
	picture := onGround(t, symbol(t, "https://h/r/"+token), 4032, 3024, 30)
	result, err := NewReader(1).Read(t.Context(), Input{Image: picture})
	if err != nil || result.Reference != token {
		t.Fatalf("%+v, %v", result, err)
	}
}

func FuzzScans(f *testing.F) {
	f.Add(jpegOf(f, 8, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := scans(b); n < 0 || n > len(b)/2 {
			t.Fatalf("%d scans in %d bytes", n, len(b))
		}
	})
}
