package qr_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/qr/phototest"
)

// Two readers that share no code read every kind of code from its drawing and from the standard photograph.
func TestDrawingAndPhotoAreRead(t *testing.T) {
	texts := []string{reference}
	for _, n := range []int{740, 1130, 1250, 2300} {
		texts = append(texts, selfContained(n))
	}
	for _, text := range texts {
		t.Run(fmt.Sprint(len(text)), func(t *testing.T) {
			t.Parallel()
			symbol := encode(t, text, qr.DefaultLevel(text))
			for name, picture := range map[string][]byte{"PNG": drawPNG(t, symbol, 4), "photo": phototest.Photo(symbol)} {
				if got := phototest.Zbar(t, picture); got != text {
					t.Errorf("zbar reads %d characters from the %s of version %d", len(got), name, symbol.Version)
				}
				if got, err := qr.Decode(bytes.NewReader(picture)); got != text {
					t.Errorf("Decode reads %d characters from the %s of version %d: %v", len(got), name, symbol.Version, err)
				}
			}
		})
	}
}

// Worse photographs of the densest code than the standard one, each in one respect, and one in all.
func TestBadPhotosAreRead(t *testing.T) {
	text := selfContained(2300)
	symbol := encode(t, text, qr.L)
	for name, change := range map[string]func(*phototest.Camera){
		"far":         func(c *phototest.Camera) { c.Side = 320 },
		"diagonal":    func(c *phototest.Camera) { c.Turn, c.Side = 45, 480 },
		"upside down": func(c *phototest.Camera) { c.Turn = 187 },
		"slanting":    func(c *phototest.Camera) { c.Tilt, c.Side = 0.4, 500 },
		"curling":     func(c *phototest.Camera) { c.Curl = 20; c.Side = 600 },
		"blurred":     func(c *phototest.Camera) { c.Blur = 2 },
		"dark":        func(c *phototest.Camera) { c.Shade = 0.1 },
		"noisy":       func(c *phototest.Camera) { c.Noise = 16 },
		"compressed":  func(c *phototest.Camera) { c.Quality = 15 },
		"all": func(c *phototest.Camera) {
			*c = phototest.Camera{Width: 1280, Height: 720, Side: 500, Turn: 200, Tilt: 0.15, Curl: 5, Blur: 1, Shade: 0.3, Noise: 6, Quality: 40}
		},
		"small part": func(c *phototest.Camera) { c.Width, c.Height, c.Side = 1920, 1200, 450 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			camera := phototest.Standard
			change(&camera)
			if got, err := qr.Decode(bytes.NewReader(camera.Photo(symbol))); got != text {
				t.Errorf("read %d characters: %v", len(got), err)
			}
		})
	}
}

func TestPhotoIsDeterministic(t *testing.T) {
	t.Parallel()
	symbol := encode(t, reference, qr.M)
	if !bytes.Equal(phototest.Photo(symbol), phototest.Photo(symbol)) {
		t.Error("two photographs of a symbol differ")
	}
}

func BenchmarkDecode(b *testing.B) {
	text := selfContained(2300)
	symbol := encode(b, text, qr.L)
	for name, picture := range map[string][]byte{"PNG": drawPNG(b, symbol, 4), "photo": phototest.Photo(symbol)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got, err := qr.Decode(bytes.NewReader(picture)); got != text {
					b.Fatal(err)
				}
			}
		})
	}
}
