package web_test

import (
	"bytes"
	"fmt"
	"testing"

	"image"
	"image/png"

	"github.com/credledger/credledger/sdk/qr"
)

// blank returns a picture of 300 by 300 white pixels, as a PNG.
func blank(t *testing.T) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 300, 300))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// video writes two seconds of a still code in front of a camera, as a YUV4MPEG2 file of 1280 by 720
// pixels, and returns its path.
func video(t *testing.T, text string) string {
	t.Helper()
	const width, height, frames = 1280, 720, 4
	symbol, err := qr.Encode(text, qr.DefaultLevel(text))
	if err != nil {
		t.Fatal(err)
	}
	var drawn bytes.Buffer
	if err := symbol.PNG(&drawn, 1); err != nil {
		t.Fatal(err)
	}
	code, err := png.Decode(&drawn)
	if err != nil {
		t.Fatal(err)
	}
	modules := code.Bounds().Dx()
	scale := 660 / modules // pixels a module
	left, top := (width-modules*scale)/2, (height-modules*scale)/2
	frame := bytes.Repeat([]byte{150}, width*height) // luminance of the table that it lies on
	for y := range modules * scale {
		for x := range modules * scale {
			light, _, _, _ := code.At(x/scale, y/scale).RGBA()
			frame[(top+y)*width+left+x] = byte(30 + light>>8*200/255)
		}
	}
	frame = append(frame, bytes.Repeat([]byte{128}, width*height/2)...) // no colour
	file := []byte(fmt.Sprintf("YUV4MPEG2 W%d H%d F2:1 Ip A1:1 C420jpeg\n", width, height))
	for range frames {
		file = append(append(file, "FRAME\n"...), frame...)
	}
	return written(t, "camera.y4m", file)
}
