package intake

import (
	"bytes"
	"context"
	"image/jpeg"
	"image/png"

	"github.com/credledger/credledger/sdk/qr"
)

// MaxPixels bounds a picture, width times height: those that phones take have 12.2 million pixels.
const MaxPixels = 12_600_000

// maxScans bounds the passes in which a JPEG draws itself; progressive ones have about ten, and each
// goes over the whole picture for a few bytes of the file.
const maxScans = 64

var pngStart, jpegStart = []byte("\x89PNG\r\n\x1a\n"), []byte("\xff\xd8\xff")

func isImage(b []byte) bool { return bytes.HasPrefix(b, pngStart) || bytes.HasPrefix(b, jpegStart) }

// readImage reads the code in a picture.
func (r *Reader) readImage(ctx context.Context, b []byte) (*Result, error) {
	if err := checkImage(b); err != nil {
		return nil, err
	}
	leave, err := r.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	text, err := qr.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return readText(text, SourceImage)
}

// checkImage refuses, before it is decoded, a picture that takes too much to decode.
func checkImage(b []byte) error {
	if len(b) > MaxImage {
		return errTooLarge("picture", MaxImage)
	}
	config := png.DecodeConfig
	if bytes.HasPrefix(b, jpegStart) {
		config = jpeg.DecodeConfig
	} else if !bytes.HasPrefix(b, pngStart) {
		return &qr.Error{Code: qr.CodeNotAnImage, Message: "give a PNG or JPEG picture"}
	}
	c, err := config(bytes.NewReader(b))
	switch {
	case err != nil:
		return &qr.Error{Code: qr.CodeNotAnImage, Message: "give a PNG or JPEG picture that is complete", Err: err}
	case c.Width <= 0 || c.Height <= 0 || c.Height > MaxPixels/c.Width:
		return &qr.Error{Code: qr.CodeImageTooLarge, Message: "the picture is too large: give one of at most 12 megapixels"}
	case bytes.HasPrefix(b, jpegStart) && scans(b) > maxScans:
		return errorf(CodeBomb, "the picture takes too long to read: save it again as a plain JPEG or PNG")
	}
	return nil
}

// scans counts the scans of a JPEG (ITU-T T.81, B.1.1): it goes from marker to marker, so that a
// preview within a marker segment does not count.
func scans(b []byte) int {
	const soi, eoi, sos, rst0, rst7 = 0xd8, 0xd9, 0xda, 0xd0, 0xd7
	n := 0
	for i := 2; i+1 < len(b); {
		switch marker := b[i+1]; {
		case b[i] != 0xff, marker == 0xff: // coded data of a scan, or filling
			i++
		case marker == 0, marker == soi, rst0 <= marker && marker <= rst7: // no segment follows
			i += 2
		case marker == eoi:
			return n
		case i+3 >= len(b):
			return n
		default:
			if marker == sos {
				n++
			}
			i += 2 + max(2, int(b[i+2])<<8|int(b[i+3]))
		}
	}
	return n
}

// enter waits for a place among those who read pictures and files, unless too many wait already.
func (r *Reader) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-r.places }
	select {
	case r.places <- struct{}{}:
		return leave, nil
	default:
	}
	select {
	case r.waiting <- struct{}{}:
		defer func() { <-r.waiting }()
	default:
		return nil, errBusy(nil)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case r.places <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, errBusy(context.Cause(ctx))
	}
}

func errBusy(cause error) error {
	return &Error{Code: CodeBusy, Message: "other pictures and files are being read: try again", Err: cause}
}
