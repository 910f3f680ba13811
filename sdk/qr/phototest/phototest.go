// Package phototest takes "photographs" of QR symbols for tests: what a camera held over a print would deliver, computed
// from the symbol, the same bytes each time; and it has zbar read them, as an independent reader. It is for tests only.
//
// The standard picture: the symbol, quiet zone included, is printed 5 cm wide on white paper that fills the view. The
// camera has 1280x720 pixels and is held square over the print, so near that the 5 cm are 620 pixels: 12.4 pixels to
// the millimetre, and turned by 7 degrees the print is 691 of the frame's 720 pixels high. A module of version 18 then has
// 6.4 pixels, of version 29 4.4. The lens blurs (Gaussian, sigma 0.7 pixels), the light falls off from the full at the
// right edge of the frame to 0.55 of it at the left, the sensor adds noise, and the file is a JPEG of quality 60.
//
// Of 300 symbols of 100 to 2,331 characters zbar read 299 from this picture and package qr all. zbar has unlucky
// distances: of symbols of version 29 that are 640 pixels wide it missed one in four, and none at 630 and 650. A person
// moves the camera then; a test takes another Camera.
package phototest

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/credledger/credledger/sdk/qr"
)

// Camera says how a photograph is taken.
type Camera struct {
	Width, Height int     // frame, in pixels
	Side          float64 // side of the symbol with its quiet zone, in pixels
	Turn          float64 // by how much the symbol is turned about the frame's centre, in degrees, clockwise
	Tilt          float64 // perspective: how much less one edge of the print is magnified than the opposite one, 0 to 0.5
	Curl          float64 // the paper's bulge: how far the middle of the print is displaced, in pixels
	Blur          float64 // standard deviation of the Gaussian blur, in pixels
	Shade         float64 // light at the left edge of the frame, relative to the right edge
	Noise         float64 // standard deviation of the sensor's noise, in grey levels of 255
	Quality       int     // JPEG quality
}

// Standard is the camera of the standard picture.
var Standard = Camera{Width: 1280, Height: 720, Side: 620, Turn: 7, Blur: 0.7, Shade: 0.55, Noise: 2, Quality: 60}

// Photo returns the standard picture of a symbol, a JPEG.
func Photo(s *qr.Symbol) []byte { return Standard.Photo(s) }

// Reflectance of paper and ink, and the number of rays on a pixel's side.
const (
	paper = 0.92
	ink   = 0.10
	rays  = 3
)

// Photo returns a picture of a symbol, a JPEG.
func (c Camera) Photo(s *qr.Symbol) []byte {
	light := c.blur(c.expose(s))
	noise := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, c.Width, c.Height))
	for i, reflected := range light {
		shade := c.Shade + (1-c.Shade)*float64(i%c.Width)/float64(c.Width)
		v := uint8(math.Round(max(0, min(255, 255*shade*reflected+c.Noise*noise.NormFloat64()))))
		copy(img.Pix[4*i:], []uint8{v, v, uint8(int(v) * 15 / 16), 255}) // a little yellow, as lamps are
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: c.Quality}); err != nil {
		panic(err) // a bytes.Buffer does not fail
	}
	return out.Bytes()
}

// expose returns the reflectance that each pixel sees, the mean of its rays.
func (c Camera) expose(s *qr.Symbol) []float64 {
	sin, cos := math.Sincos(c.Turn * math.Pi / 180)
	perPixel := float64(s.Size()+2*qr.QuietZone) / c.Side
	middle := float64(s.Size()) / 2
	out := make([]float64, c.Width*c.Height)
	for i := range out {
		px, py := float64(i%c.Width)-float64(c.Width)/2, float64(i/c.Width)-float64(c.Height)/2
		dark := 0
		for ray := range rays * rays {
			rx, ry := px+(float64(ray%rays)+0.5)/rays, py+(float64(ray/rays)+0.5)/rays
			x, y := cos*rx+sin*ry, cos*ry-sin*rx
			if c.Tilt != 0 {
				depth := 1 + c.Tilt*y/c.Side
				x, y = x*depth, y*depth
			}
			if c.Curl != 0 {
				y += c.Curl * math.Cos(math.Pi*x/c.Side)
			}
			if s.Black(int(math.Floor(x*perPixel+middle)), int(math.Floor(y*perPixel+middle))) {
				dark++
			}
		}
		out[i] = paper - (paper-ink)*float64(dark)/(rays*rays)
	}
	return out
}

// blur convolves with a Gaussian, along the rows and then along the columns. Pixels within its reach of the frame's
// edges are left as they are.
func (c Camera) blur(in []float64) []float64 {
	if c.Blur == 0 {
		return in
	}
	reach := int(math.Ceil(3 * c.Blur))
	kernel := make([]float64, 2*reach+1)
	total := 0.0
	for i := range kernel {
		d := float64(i-reach) / c.Blur
		kernel[i] = math.Exp(-d * d / 2)
		total += kernel[i]
	}
	pass := func(in []float64, stride int) []float64 {
		out := make([]float64, len(in))
		copy(out, in)
		for y := reach; y < c.Height-reach; y++ {
			for i := y*c.Width + reach; i < (y+1)*c.Width-reach; i++ {
				sum := 0.0
				for k, weight := range kernel {
					sum += weight * in[i+(k-reach)*stride]
				}
				out[i] = sum / total
			}
		}
		return out
	}
	return pass(pass(in, 1), c.Width)
}
