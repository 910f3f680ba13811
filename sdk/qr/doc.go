// Package qr draws a text as a QR symbol (ISO/IEC 18004) and reads one back from a picture.
//
//	symbol, err := qr.Encode(text, qr.DefaultLevel(text))
//	err = symbol.PNG(file, 8)        // or SVG, or Terminal
//	text, err := qr.Decode(picture)  // a PNG or JPEG: a drawing, a scan, a photograph
//
// It never knows what a text means: it checks no address, splits no parameters and follows no link. It never splits a
// text over several symbols, and it never returns part of one.
//
// Decode looks for finder patterns in a locally thresholded picture, at several sizes; measures the three that look most
// like a symbol's corners in the luminances; follows the alignment patterns from one to the next, so that perspective
// and curling paper do not matter; samples each module and leaves error correction to gozxing. Package phototest makes
// the photographs that it is tested with, and says under what conditions they are taken.
package qr
