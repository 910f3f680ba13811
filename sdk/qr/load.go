package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

// Limits of the pictures that Decode reads.
const (
	MaxImageBytes  = 32 << 20   // size of the file
	MaxImagePixels = 50_000_000 // width times height
)

// load reads a picture, after a look at its size. Whatever formats a program may have registered, it knows two.
func load(r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxImageBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if len(data) > MaxImageBytes {
		return nil, errorf(CodeImageTooLarge, "the file is too large: give one of at most %d MiB", MaxImageBytes>>20)
	}
	decodeConfig, decode := png.DecodeConfig, png.Decode
	if bytes.HasPrefix(data, []byte("\xff\xd8")) {
		decodeConfig, decode = jpeg.DecodeConfig, jpeg.Decode
	}
	config, err := decodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, notAnImage(err)
	}
	if config.Width > 0 && config.Height > MaxImagePixels/config.Width {
		return nil, errorf(CodeImageTooLarge, "the picture is too large: give one of at most %d megapixels", MaxImagePixels/1_000_000)
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, notAnImage(err)
	}
	return img, nil
}

func notAnImage(err error) error {
	return &Error{Code: CodeNotAnImage, Message: "give a PNG or JPEG picture that is complete", Err: err}
}
